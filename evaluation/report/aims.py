"""What the score must show, and whether it does."""

from typing import Final, NamedTuple

from evaluation.happening import Attack
from evaluation.life.storms import StormKind
from evaluation.measure.observe import OURS
from evaluation.measure.pool import HISTORIES, LOYAL
from evaluation.report.figures import Figures
from evaluation.report.tables import CHALLENGE, attack_name, classes, contenders, find, span_name

__all__ = ["Aim", "aims"]

MOST_HIGH_IN_STORM: Final = 5.0
LEAST_OF_CALM: Final = 0.8
LEAST_RISE: Final = 3.0


class Aim(NamedTuple):
    """One of them."""

    what: str
    found: str
    met: bool


def aims(figures: Figures) -> list[Aim]:
    """All that can be read off the figures."""
    found = [
        _caught(figures, Attack.NAIVE, 0.95, None),
        _caught(figures, Attack.SAME_COUNTRY, 0.95, None),
        _caught(figures, Attack.TARGETED, 0.70, LOYAL),
        _above_all(figures),
    ]
    found += [
        _storm(storm.kind, storm.high_per_1000, storm.caught / storm.caught_calm)
        for storm in figures.storms
        if storm.kind is not StormKind.NONE
    ]
    for each in figures.levels[1:]:
        rise = each.rise
        low = 0.0 if rise is None else rise.low
        found.append(
            Aim(
                f"attacks are at least {LEAST_RISE:.0f} times as common at {each.level.value} "
                "as at the level below",
                f"at least {low:.1f} times",
                low >= LEAST_RISE,
            )
        )
    poisoning = figures.poisoning
    found.append(
        Aim(
            "after a quiet week, changing a factor is at least Medium",
            f"{100 * poisoning.medium:.0f} % of {poisoning.takeovers}",
            poisoning.medium == 1.0,
        )
    )
    found.append(
        Aim(
            "a new device is Low within three days of use",
            f"{poisoning.new_low.text()} % of {poisoning.new_logins:,} logins",
            poisoning.new_low.value >= 0.95,
        )
    )
    return found


def _caught(figures: Figures, attack: Attack, least: float, span: tuple[int, int] | None) -> Aim:
    recall = find(figures.recalls, OURS, attack, CHALLENGE, span)
    whom = "" if span is None else f" with {span_name(span)} past logins"
    return Aim(
        f"recall of {attack_name(attack)} attackers at 5 %{whom}: {100 * least:.0f} %",
        f"{recall.caught.text()} %",
        recall.caught.value >= least,
    )


def _above_all(figures: Figures) -> Aim:
    cells = above = 0
    for attack in classes(figures):
        for span in HISTORIES:
            ours, *others = (
                find(figures.recalls, name, attack, CHALLENGE, span) for name in contenders(figures)
            )
            if ours.attacks:
                cells += 1
                above += all(ours.caught.low > each.caught.value for each in others)
    return Aim(
        "for each class and length of history, the interval lies above every yardstick",
        f"{above} of {cells}",
        above == cells,
    )


def _storm(kind: StormKind, high: float, share: float) -> Aim:
    return Aim(
        f"{kind.value.replace('_', ' ')}: at most {MOST_HIGH_IN_STORM:.0f} High per 1,000 people "
        f"in the week, and {100 * LEAST_OF_CALM:.0f} % of the calm recall",
        f"{high:.1f}, and {100 * share:.0f} %",
        high <= MOST_HIGH_IN_STORM and share >= LEAST_OF_CALM,
    )
