"""The chart of the contest."""

from xml.etree import ElementTree as ET

from benchmarks.contenders.contender import Contender, Job
from benchmarks.plot import bar_chart
from benchmarks.standings import Standing


def standing(title: str, rate: float) -> Standing:
    """One contender with a rate."""
    made = Contender(title, title, Job.TWO_HOPS, 2, "exactly once", lambda _: [])
    return Standing(made, 1, rate, rate, rate, 1.0, 1.0, 1.0, complete=True)


def test_bars_are_as_long_as_their_rates() -> None:
    """The chart is well-formed, and a bar of half the rate has half the length."""
    chart = bar_chart([standing("a & b", 1000.0), standing("c", 500.0)], "rates < all")

    root = ET.fromstring(chart)  # noqa: S314  (our own text)
    widths = [
        float(rect.attrib["width"])
        for rect in root.iter("{http://www.w3.org/2000/svg}rect")
        if rect.attrib["height"] == "20"
    ]
    assert widths[0] == 2 * widths[1]
    assert "a & b" in {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}


def test_a_chart_of_nothing_is_a_chart() -> None:
    """Without contenders there are no bars and no fault."""
    root = ET.fromstring(bar_chart([], "empty"))  # noqa: S314  (our own text)

    assert root.tag.endswith("svg")
