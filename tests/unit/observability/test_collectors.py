"""Histograms that take many at once, and labels of open sets."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from riskstream.observability.collectors import OTHER, CountedHistogram, Names

EDGES = (0.5, 1, 30)


@given(st.lists(st.sampled_from([0.0, 0.5, 0.75, 1.0, 29.5, 30.0, 31.0, 4096.0])))
def test_a_histogram_counts_as_prometheus_client_s_does(values: list[float]) -> None:
    """One by one, by number or all at once: the same exposition."""
    one, many = CountedHistogram("h", "H.", EDGES), CountedHistogram("h", "H.", EDGES)
    for value in values:
        one.add(value, 1)
    many.add_all(list(values))
    theirs = Histogram("h", "H.", buckets=EDGES, registry=None)
    for value in values:
        theirs.observe(value)
    texts = set()
    for collector in (one, many, theirs):
        registry = CollectorRegistry()
        registry.register(collector)
        lines = generate_latest(registry).decode().splitlines()
        texts.add("\n".join(sorted(line for line in lines if "_created" not in line)))
    assert len(texts) == 1


@given(st.lists(st.integers(0, 9)), st.integers(1, 9))
def test_the_first_are_named_and_stay_so(values: list[int], most: int) -> None:
    """At most so many names, in the order of their coming; all others are one."""
    names = Names(most)
    first = list(dict.fromkeys(values))[:most]
    assert [names(value) for value in values] == [
        str(value) if value in first else OTHER for value in values
    ]
