"""Finds the numbers that fit best, one at a time, in shrinking steps; and writes them down."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from evaluation.fit.model import (
    Known,
    Numbers,
    away,
    evidence,
    loss,
    numbers_of,
    said,
    weights_of,
)
from evaluation.fit.rows import Rows
from riskstream.risk.familiar import GRAIN
from riskstream.risk.policy import Family, Policy
from riskstream.risk.score import MILLI

__all__ = ["fit", "rewritten"]

USUAL: Final = (Family.PLACE, Family.DEVICE, Family.HABIT)
HOUR_BOUNDS: Final = {"weight": (0.05, 0.6), "most": (0.05, 0.5), "least": (-0.2, -0.05)}
"""Narrower: at which hours attackers come is what a simulation knows least about."""
STEPS: Final = (0.5, 0.2, 0.1, 0.05)
"""Of a number's own size."""
BOUNDS: Final = {"weight": (0.05, 1.0), "most": (0.05, 2.0), "least": (-0.6, -0.05)}
"""``attack`` stays with ``unseen``: while they are equal, a user without history, in a tenant of
whom nothing is known, is told nothing."""
ROUNDS: Final = 6

Progress = Callable[[str], None]


def fit(rows: Rows, policy: Policy, progress: Progress) -> dict[str, Numbers]:
    """The numbers with the least loss; caps, priors and everything else stay as they are.

    Args:
        rows: Of the fitting seeds.
        policy: Where to begin.
        progress: Told the loss after each round.
    """
    start = numbers_of(policy, rows.features)
    caps = {family: float(getattr(policy.families, family.value).cap) for family in USUAL}
    own, weights = rows.attack < 0, weights_of(rows)
    prior = float(min(rows.rest[own]))

    def cost(numbers: dict[str, Numbers]) -> float:
        found = loss(evidence(rows, numbers, caps, known), prior, own, weights)
        return found + away(numbers, start)

    known: Known = {}
    best, least = start, cost(start)
    progress(f"loss {least:.4f} as it is")
    for step in STEPS:
        for _ in range(ROUNDS):
            before = least
            known = {(name, each): said(rows, name, each) for name, each in best.items()}
            for changed in _changes(best, step):
                found = cost(changed(best))
                if found < least - 1e-6:
                    best, least = changed(best), found
            progress(f"loss {least:.4f} with steps of {step}")
            if before - least < 1e-4:
                break
    return best


Change = Callable[[dict[str, Numbers]], dict[str, Numbers]]


def _changes(numbers: dict[str, Numbers], step: float) -> Iterator[Change]:
    for name in numbers:
        bounds = HOUR_BOUNDS if name == "hour" else BOUNDS
        for part, (low, high) in bounds.items():
            for factor in (1 + step, 1 / (1 + step)):
                yield _scaled(name, part, factor, low, high)


def _scaled(name: str, part: str, factor: float, low: float, high: float) -> Change:
    def change(numbers: dict[str, Numbers]) -> dict[str, Numbers]:
        value = float(getattr(numbers[name], part)) * factor
        return {**numbers, name: replace(numbers[name], **{part: min(max(value, low), high)})}

    return change


def _rounded(part: str, value: float) -> float:
    """Bounds lie on the scorer's grain, as all evidence of features does."""
    grain = GRAIN / MILLI
    return round(value, 2) if part == "weight" else round(round(value / grain) * grain, 2)


def rewritten(text: str, numbers: dict[str, Numbers]) -> str:
    """The policy file with these numbers in its sections; everything else is left as it is.

    Raises:
        ValueError: The file has no such section or number.
    """
    for name, each in numbers.items():
        section = re.search(rf"^\[usual\.{name}\]\n(?:(?!\[).*\n)*", text, re.MULTILINE)
        if section is None:
            raise ValueError(f"The policy file has no section usual.{name}.")
        body = section[0]
        for part in BOUNDS:
            value = f"{part} = {_rounded(part, getattr(each, part))}"
            body, many = re.subn(rf"^{part} = .*$", value, body, flags=re.MULTILINE)
            if many != 1:
                raise ValueError(f"Section usual.{name} states {part} {many} times.")
        text = text[: section.start()] + body + text[section.end() :]
    return text
