"""The policy's own examples: short stories with the level that they must end at."""

from typing import Annotated

from pydantic import Field

from riskstream.events.vocabulary import Kind, Sensitivity
from riskstream.risk.levels import Level
from riskstream.risk.numbers import Count, Part

__all__ = ["Example", "Expectation", "Happening", "History", "Known"]


class History(Part):
    """Working days before the story: one login a day from one place with one device."""

    days: Annotated[int, Field(ge=0, le=365)] = 20
    ip: str | None = "2001:db8::7"
    user_agent: str | None = "Usual"
    country: str | None = None
    asn: int | None = None


class Known(Part):
    """What the operator says of the user."""

    groups: tuple[str, ...] = ()
    privileged: bool = False
    service_account: bool = False


class Happening(Part):
    """Something that happens, one or more times in a row; what is not told is as usual."""

    kind: Kind
    times: Count = 1
    minutes: Annotated[int, Field(ge=0, le=525_600)] = 1
    """Since what happened before it."""
    ip: str | None = None
    user_agent: str | None = None
    country: str | None = None
    asn: int | None = None
    lists: tuple[str, ...] = ()
    app_id: int | None = None
    sensitivity: Sensitivity = Sensitivity.NONE


class Expectation(Part):
    """What must be true of the last event's score."""

    at_least: Level | None = None
    at_most: Level | None = None
    signals: tuple[str, ...] = ()
    """Ids of signals that speak."""


class Example(Part):
    """A story and its end."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    history: History = History()
    context: Known | None = None
    events: Annotated[tuple[Happening, ...], Field(min_length=1, max_length=100)]
    expect: Expectation
