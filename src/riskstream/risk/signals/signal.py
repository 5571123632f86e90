"""What a signal is, and what the makers of signals share.

A signal looks at a situation and gives evidence with a line for people, or is silent. One that
cannot be computed (no address, no user agent, no profile) is silent. Every number comes from the
policy; a signal's function is made once, from its part of the policy.
"""

from collections.abc import Callable

from riskstream.events.event import Facts
from riskstream.events.vocabulary import EventOutcome, Sensitivity
from riskstream.risk.policy import Steps, milli
from riskstream.risk.situation import Situation

__all__ = ["Finding", "Ladder", "Signal", "evidence_at", "ladder", "sensitive_by_person", "some"]

Finding = tuple[int, str]
"""Evidence in thousandths, and one line for people."""
Signal = Callable[[Situation], Finding | None]
Ladder = tuple[tuple[int, int], ...]
"""(from this count on, evidence), the highest step first."""


def ladder(rule: Steps) -> Ladder:
    """The steps of a rule."""
    return tuple((step.at, milli(step.evidence)) for step in reversed(rule.steps))


def evidence_at(steps: Ladder, found: int) -> int:
    """Evidence of a count; 0 below the first step."""
    for at, evidence in steps:
        if found >= at:
            return evidence
    return 0


def some(found: int, thing: str) -> str:
    """``1 lockout``, ``2 lockouts``."""
    return f"{found} {thing}" if found == 1 else f"{found} {thing}s"


def sensitive_by_person(facts: Facts) -> bool:
    """A sensitive action that did not fail, by anyone but a system."""
    return (
        facts.sensitivity is Sensitivity.SENSITIVE
        and facts.outcome is not EventOutcome.FAILURE
        and facts.subject_type != "system"
    )
