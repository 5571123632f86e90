"""What the simulation emits: events with labels that nobody who judges may see."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from riskstream.demo.tenant_event import TenantEvent

__all__ = [
    "DAY_MS",
    "FIRST_MS",
    "HOUR_MS",
    "MINUTE_MS",
    "ORDINARY",
    "SECOND_MS",
    "Attack",
    "Happening",
    "Label",
    "Trial",
    "Unit",
]

SECOND_MS: Final = 1000
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
FIRST_MS: Final = 1_736_121_600_000
"""2025-01-06T00:00:00Z, a Monday: day 0 of every simulation."""


class Unit(StrEnum):
    """What is judged as one: the events of it share a score, their largest."""

    LOGIN = "login"
    """A successful login with its factors."""
    ACCESS = "access"
    """An app opened in a session."""
    ACTION = "action"
    """A sensitive action."""
    NONE = "none"
    """Nothing that anybody would be asked at: failures, challenges, systems at work."""


class Attack(StrEnum):
    """Classes of attackers, by rising skill, and of attacks."""

    NAIVE = "naive"
    SAME_COUNTRY = "same_country"
    TARGETED = "targeted"
    VERY_TARGETED = "very_targeted"
    STUFFING = "stuffing"
    SPRAYING = "spraying"
    GUESSING = "guessing"
    MFA_FATIGUE = "mfa_fatigue"
    SESSION_THEFT = "session_theft"
    PRIVILEGE_ABUSE = "privilege_abuse"
    INSIDER = "insider"
    POISONING = "poisoning"


@dataclass(frozen=True, slots=True)
class Label:
    """The truth about one event."""

    unit: Unit = Unit.NONE
    unit_id: int = 0
    """Events of one unit share it."""
    owner: int = 0
    """Number of the person whose account it is; 0 for systems, clients and strangers."""
    attack: Attack | None = None
    instance: int = 0
    """Events of one attack share it."""
    adopted_ms: int = 0
    """When the owner began to use the new device or home that this event comes from; 0 where it
    is nothing new, or older than two weeks."""


ORDINARY: Final = Label()


@dataclass(frozen=True, slots=True)
class Happening:
    """An event and the truth about it."""

    event: TenantEvent
    label: Label = ORDINARY


@dataclass(frozen=True, slots=True)
class Trial:
    """An attack that is judged against the histories of this moment and leaves no trace in them."""

    at_ms: int
    attack: Attack
    victim: int
    """Number of the person attacked."""
    events: tuple[Happening, ...]
    """In order of time, none before ``at_ms``."""
