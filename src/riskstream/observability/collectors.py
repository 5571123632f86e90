"""What prometheus-client has no type for: gauges that ask, histograms that take many at once."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

__all__ = ["OTHER", "CountedHistogram", "Names", "WatchedGauge"]

OTHER: Final = "other"
"""The label of all values that came when no more names were given."""


class CountedHistogram(Collector):
    """A histogram without labels that takes many values in one call."""

    def __init__(self, name: str, meaning: str, edges: Sequence[float]) -> None:
        self._name, self._meaning, self._edges = name, meaning, edges
        self._counts = [0] * (len(edges) + 1)
        self._sum = 0.0

    def add(self, value: float, amount: int) -> None:
        """Observe ``value`` so many times; an edge belongs to the bucket that it ends."""
        self._counts[bisect_left(self._edges, value)] += amount
        self._sum += value * amount

    def add_all(self, values: list[float]) -> None:
        """Observe each of these."""
        values.sort()
        below = 0
        for index, edge in enumerate(self._edges):
            upto = bisect_right(values, edge, below)
            self._counts[index] += upto - below
            below = upto
        self._counts[-1] += len(values) - below
        self._sum += sum(values)

    @override
    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(self._name, self._meaning)
        buckets, below = [], 0
        for edge, count in zip((*map(float, self._edges), "+Inf"), self._counts, strict=True):
            below += count
            buckets.append((str(edge), below))
        family.add_metric([], buckets, self._sum)
        yield family


class WatchedGauge(Collector):
    """A gauge that asks when it is scraped."""

    def __init__(
        self, name: str, meaning: str, label: str, read: Callable[[], dict[str, float]]
    ) -> None:
        self._name, self._meaning, self._label, self._read = name, meaning, label, read

    @override
    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(self._name, self._meaning, labels=[self._label])
        for value, number in self._read().items():
            family.add_metric([value], number)
        yield family


class Names:
    """Label values of an open set, kept to a number: whoever comes first is named.

    What a stranger writes into the raw topic must not make series without end. A name once given
    stays for the life of the process, since a counter that is renamed would lose its past.

    Args:
        most: How many values get a name; all later ones are ``OTHER``.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._given: set[int] = set()

    def __call__(self, value: int) -> str:
        """The label for this value."""
        if value not in self._given:
            if len(self._given) >= self._most:
                return OTHER
            self._given.add(value)
        return str(value)
