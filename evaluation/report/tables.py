"""The report's text: Markdown tables, each with a line that says how to read it."""

from collections.abc import Sequence
from math import isinf, isnan
from typing import Final

from benchmarks.tables import markdown_table
from evaluation.contenders.freeman import FreemanScorer
from evaluation.happening import Attack
from evaluation.measure.observe import LESS, OURS
from evaluation.measure.pool import HISTORIES
from evaluation.measure.reauth import PUBLISHED, rate_at
from evaluation.measure.recall import RATES, Recall
from evaluation.report.figures import LOGINS, Figures

__all__ = ["CHALLENGE", "attack_name", "classes", "contenders", "find", "report", "span_name"]

CHALLENGE: Final = 0.05


def report(figures: Figures) -> str:
    """Everything between the page's markers, but for what must be shown."""
    parts = [
        _recall(figures),
        _by_history(figures),
        _precision(figures),
        _curves(figures),
        _levels(figures),
        _delays(figures),
        _poisoning(figures),
        _storms(figures),
        _without(figures),
        _cost(figures),
    ]
    return "\n\n".join(parts)


def attack_name(attack: Attack) -> str:
    """For people."""
    return attack.value.replace("_", " ")


def span_name(span: tuple[int, int]) -> str:
    """``12 to 38``, ``39 and more``."""
    return f"{span[0]} to {span[1]}" if span[1] < 1000 else f"{span[0]} and more"


def contenders(figures: Figures) -> list[str]:
    """Ours first, then the yardsticks."""
    return list(dict.fromkeys(each.contender for each in figures.recalls))


def find(
    found: Sequence[Recall],
    contender: str,
    attack: Attack,
    rate: float,
    span: tuple[int, int] | None = None,
) -> Recall:
    """One of the figures."""
    return next(
        each
        for each in found
        if (each.contender, each.attack, each.rate, each.history) == (contender, attack, rate, span)
    )


def classes(figures: Figures) -> list[Attack]:
    """The classes of attack that came up."""
    return list(dict.fromkeys(each.attack for each in sorted(figures.recalls, key=_order)))


def _order(recall: Recall) -> int:
    return list(Attack).index(recall.attack)


def _section(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs)


def _recall(figures: Figures) -> str:
    parts = ["### Recall at a challenge rate"]
    parts.append(
        "Attacks caught, in percent with the 95 % interval, when 1, 5 or 10 % of the owners' own "
        "units are challenged. The units are logins, but for session theft (apps opened) and for "
        "privilege abuse and insiders (sensitive actions)."
    )
    for rate in RATES:
        rows = []
        for attack in classes(figures):
            found = [find(figures.recalls, name, attack, rate) for name in contenders(figures)]
            rows.append(
                (
                    attack_name(attack),
                    f"{found[0].attacks:,}",
                    *(each.caught.text() for each in found),
                )
            )
        head = (f"attack, at {rate:.0%}".replace("%", " %"), "attacks", *contenders(figures))
        parts.append(markdown_table(head, rows))
    return "\n\n".join(parts)


def _by_history(figures: Figures) -> str:
    rows = []
    for attack in classes(figures):
        for span in HISTORIES:
            found = [
                find(figures.recalls, name, attack, CHALLENGE, span) for name in contenders(figures)
            ]
            if found[0].attacks:
                rows.append(
                    (
                        f"{attack_name(attack)}, {span_name(span)}",
                        f"{found[0].attacks:,}",
                        *(each.caught.text() for each in found),
                        "yes" if _beats(found) else "no",
                    )
                )
    head = ("attack, past logins", "attacks", *contenders(figures), "above all")
    return _section(
        "### By length of history, at 5 %",
        "`above all` says whether the lower end of our interval lies above every yardstick.",
        markdown_table(head, rows),
    )


def _beats(found: Sequence[Recall]) -> bool:
    ours, *others = found
    return all(ours.caught.low > each.caught.value for each in others)


def _precision(figures: Figures) -> str:
    names = contenders(figures)
    rows = [(name, f"{figures.precision[name]:.3f}") for name in names]
    return _section(
        "### Precision and recall",
        "Area under precision and recall over logins, if one login in 10,000 were an attack's, "
        "of all classes that end in a login alike. Somebody who guesses has 0.0001.",
        markdown_table(("contender", "PR-AUC"), rows),
    )


def _curves(figures: Figures) -> str:
    rows = []
    for each in PUBLISHED:
        mine = [
            curve
            for curve in figures.curves
            if curve.attack is each.attack and curve.caught == each.caught
        ]
        by_name = {curve.contender: curve for curve in mine}
        for many, published in each.rates:
            freeman = rate_at(by_name[FreemanScorer.name], LOGINS, many)
            rows.append(
                (
                    f"{each.theirs}, {each.caught:.1%} caught".replace("%", " %"),
                    str(many),
                    f"{published:.2f}",
                    f"{freeman:.2f}",
                    f"{freeman - published:+.2f}",
                    f"{rate_at(by_name[OURS], LOGINS, many):.2f}",
                    str(by_name[OURS].people[LOGINS.index(many)]),
                )
            )
    head = ("their attacker", "logins", "published", FreemanScorer.name, "off by", OURS, "people")
    return _section(
        "### How often owners are asked again",
        "Median over people of the share of their logins that is challenged, where so many "
        "attackers against histories of that length are caught, beside what can be read off the "
        "figures of Wiefling et al. 2022 (±0.03). Their targeted attacker knows what our class "
        "same country knows, their very targeted one what our targeted one knows.",
        "![Re-authentication by length of history](risk-evaluation-history.svg)",
        markdown_table(head, rows),
    )


def _levels(figures: Figures) -> str:
    rows = [
        (
            each.level.value,
            f"{each.ordinary:,}",
            f"{each.attacks:,}",
            _share(each.share.value, each.share.low, each.share.high),
            "" if each.rise is None else _times(each.rise.value, each.rise.low, each.rise.high),
        )
        for each in figures.levels
    ]
    head = (
        "level",
        "owners' events",
        "attackers' events",
        "attacks per million",
        "over the level below",
    )
    return _section(
        "### What the levels mean",
        "Attacks among the events of each level, if one event in 10,000 were an attack's.",
        markdown_table(head, rows),
        f"Per 10,000 logins of owners there are {figures.high_per_10000:.1f} events with level "
        f"High and {figures.medium_per_10000:.0f} with Medium, of all kinds of events.",
    )


def _share(value: float, low: float, high: float) -> str:
    return f"{value * 1e6:,.0f} ({low * 1e6:,.0f} to {high * 1e6:,.0f})"


def _times(value: float, low: float, high: float) -> str:
    return f"{_factor(value)} ({_factor(low)} to {_factor(high)})"


def _factor(value: float) -> str:
    return "∞" if isinf(value) else f"{value:.1f}"


def _delays(figures: Figures) -> str:
    rows = [
        (
            attack_name(each.attack),
            f"{each.attacks:,}",
            f"{100 * each.medium:.0f}",
            _minutes(each.medium_minutes),
            f"{100 * each.high:.0f}",
            _minutes(each.high_minutes),
        )
        for each in figures.delays
    ]
    head = (
        "attack",
        "attacks",
        "reach Medium, %",
        "after, minutes",
        "reach High, %",
        "after, minutes",
    )
    return _section(
        "### How soon it shows",
        "Attacks of which some event is Medium or High, and the median time from the first "
        "event to that one. Attacks by stuffing and spraying are counted once per victim, most "
        "of whom see one wrong password and no more.",
        markdown_table(head, rows),
    )


def _minutes(value: float) -> str:
    return "-" if isnan(value) else f"{value:.1f}"


def _poisoning(figures: Figures) -> str:
    found = figures.poisoning
    return _section(
        "### Poisoning, and new things",
        f"Of {found.takeovers} attackers who signed in quietly for a week and changed an MFA "
        f"factor on the eighth day, {100 * found.medium:.0f} % were Medium or higher at that.",
        f"Of {found.new_logins:,} logins on a new device or from a new home, three to fourteen "
        f"days after the first, {found.new_low.text()} % were Low or No.",
    )


def _storms(figures: Figures) -> str:
    rows = [
        (
            each.kind.value.replace("_", " "),
            f"{each.people:,}",
            f"{each.high_per_1000:.1f}",
            f"{each.attacks:,}",
            f"{100 * each.caught:.0f}",
            f"{100 * each.caught / each.caught_calm:.0f}",
        )
        for each in figures.storms
    ]
    head = (
        "week",
        "people",
        "High per 1,000 people",
        "attacks",
        "caught, %",
        "of the calm week's, %",
    )
    return _section(
        "### Storms",
        "Weeks in which everybody looks unusual, with attackers among them. Caught is what "
        "lies above the score that challenges 5 % in the calm week, as a mean over the classes.",
        markdown_table(head, rows),
    )


def _without(figures: Figures) -> str:
    names = [name for name in figures.without_precision if name.startswith(LESS)]
    attacks = [each for each in Attack if any(found.attack is each for found in figures.without)]
    rows = []
    for name in names:
        cells = []
        for attack in attacks:
            ours = find(figures.without, OURS, attack, CHALLENGE).caught.value
            less = find(figures.without, name, attack, CHALLENGE).caught.value - ours
            cells.append("" if abs(less) < 0.005 else f"{100 * less:+.0f}")
        change = figures.without_precision[name] - figures.without_precision[OURS]
        rows.append((f"`{name.removeprefix(LESS)}`", f"{change:+.3f}", *cells))
    head = ("without", "PR-AUC", *(attack_name(attack) for attack in attacks))
    return _section(
        "### Each signal left out",
        "What the score loses in recall at 5 %, in percent points, when one signal says "
        "nothing; a plus where it is better without. Of the first seeds; what was learned is "
        "the same.",
        markdown_table(head, rows),
    )


def _cost(figures: Figures) -> str:
    rows = [(name, f"{cost:.0f}") for name, cost in figures.cpu_us.items()]
    return _section(
        "### Cost",
        f"CPU microseconds per event in these runs. {OURS} takes received bytes to "
        "scored bytes and tables, the yardsticks take parsed events to a number.",
        markdown_table(("contender", "µs"), rows),
    )
