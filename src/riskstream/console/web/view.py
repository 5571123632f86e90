"""What the address bar says, as filters, and back."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from riskstream.catalog.catalog import Catalog
from riskstream.console.store.filters import Filters
from riskstream.console.store.store import Store
from riskstream.events.times import parse_time
from riskstream.events.vocabulary import Category, EventOutcome
from riskstream.risk.levels import Level

__all__ = ["SPAN_PATTERN", "Text", "View", "ViewError", "read_params", "read_view", "time_range"]

V = TypeVar("V", bound=BaseModel)
Text = Annotated[str, Field(max_length=200)]
MANY: Final = frozenset({"type", "category", "level", "outcome"})
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN: Final = re.compile(r"([0-9]{1,5})([smhdw])")
SPAN_PATTERN: Final = r"^([0-9]{1,5}[smhdw])?$"


class ViewError(ValueError):
    """A parameter that nobody can answer; the text says which and why."""


class View(BaseModel):
    """The filters of the Events page.

    All given ones must agree; those given several times are either-or.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    q: Annotated[str, Field(max_length=500)] = Field(
        default="",
        description="Words that must occur in the event, in any order; `lock*` for any ending, "
        "`-otp` for a word that must not.",
    )
    user: Text = Field(default="", description="Id, name or subject key of the user acted upon.")
    actor: Text = Field(default="", description="Id, name or subject key of whoever acted.")
    type: tuple[Text, ...] = Field(
        default=(), max_length=20, description="Event type: id, API name, or words of its title."
    )
    category: tuple[Category, ...] = Field(default=(), description="Category.")
    level: tuple[Level, ...] = Field(default=(), description="Risk level.")
    outcome: tuple[EventOutcome, ...] = Field(
        default=(), description="Whether what the event tells of went well."
    )
    resolution: int | None = Field(
        default=None, ge=0, le=255, description="OneLogin's resolution code."
    )
    score_min: int = Field(default=0, ge=0, le=100, description="Lowest risk score.")
    score_max: int = Field(default=100, ge=0, le=100, description="Highest risk score.")
    ip: Text = Field(default="", description="Address, as it stands in the event.")
    app: Text = Field(default="", description="Id or name of the app.")
    since: Annotated[str, Field(pattern=SPAN_PATTERN)] = Field(
        default="", description="A span up to now: `15m`, `24h`, `7d`."
    )
    start: Text = Field(
        default="", alias="from", description="Events at or after this time, ISO 8601."
    )
    end: Text = Field(default="", alias="to", description="Events before this time, ISO 8601.")

    def query(self, **changes: Any) -> str:
        """As it stands behind the ``?``; empty filters are left out."""
        shown = self.model_dump(mode="json", by_alias=True, exclude_defaults=True) | changes
        pairs = [(name, value) for name, value in shown.items() if value not in ("", (), [], None)]
        return urlencode(pairs, doseq=True)

    @property
    def filtered(self) -> bool:
        """Whether any filter is set."""
        return bool(self.query())

    def times(self, now_ms: int) -> tuple[int | None, int | None]:
        """Start and end, epoch milliseconds.

        Raises:
            ViewError: One of them is no time.
        """
        return time_range(self.since, self.start, self.end, now_ms)

    def filters(self, store: Store, catalog: Catalog, now_ms: int) -> Filters:
        """For the store.

        Raises:
            ViewError: A time is none, or the range of scores is empty.
        """
        if self.score_min > self.score_max:
            raise ViewError("score_min is above score_max.")
        start, end = self.times(now_ms)
        types = tuple({number for text in self.type for number in _types(catalog, text)})
        ips: tuple[str, ...] | None = (self.ip.strip(),) if self.ip.strip() else None
        if self.type and not types:
            ips = ()  # no such event type: nothing is found
        return Filters(
            users=_resolved(store, "user", self.user),
            actors=_resolved(store, "actor", self.actor),
            apps=_resolved(store, "app", self.app),
            ips=ips,
            types=types,
            categories=tuple(self.category),
            levels=tuple(self.level),
            outcomes=tuple(self.outcome),
            resolution=self.resolution,
            score_least=self.score_min,
            score_most=self.score_max,
            text=self.q,
        ).between(start, end)


def read_view(params: Iterable[tuple[str, str]], *, ignored: frozenset[str] = frozenset()) -> View:
    """The view of these query parameters; empty ones count as absent.

    Raises:
        ViewError: A parameter is unknown or its value impossible; each fault is named.
    """
    return read_params(View, params, many=MANY, ignored=ignored)


def read_params(
    model: type[V],
    params: Iterable[tuple[str, str]],
    *,
    many: frozenset[str] = frozenset(),
    ignored: frozenset[str] = frozenset(),
) -> V:
    """What query parameters say, by a model; those of ``many`` may be given several times.

    Raises:
        ViewError: As ``read_view`` does.
    """
    given: dict[str, Any] = {}
    for name, value in params:
        if value == "" or name in ignored:
            continue
        if name in many:
            given.setdefault(name, []).append(value)
        elif name in given:
            raise ViewError(f"{name} is given more than once.")
        else:
            given[name] = value
    try:
        return model.model_validate(given)
    except ValidationError as fault:
        raise ViewError(_faults(fault)) from fault


def time_range(since: str, start: str, end: str, now_ms: int) -> tuple[int | None, int | None]:
    """Start and end, epoch milliseconds, of a span up to now and of two times as typed.

    Raises:
        ViewError: One of them is no time.
    """
    first, last = _time("from", start), _time("to", end)
    if found := _SPAN.fullmatch(since):
        span = now_ms - int(found[1]) * _UNITS[found[2]] * 1000
        first = span if first is None else max(first, span)
    return first, last


def _faults(fault: ValidationError) -> str:
    lines = [f"{error['loc'][0]}: {_said(error)}" for error in fault.errors()]
    return "; ".join(dict.fromkeys(lines)) + "."


def _said(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such filter"
    return str(error["msg"])


def _resolved(store: Store, kind: str, text: str) -> tuple[str, ...] | None:
    return store.resolve(kind, text.strip()) if text.strip() else None


def _types(catalog: Catalog, text: str) -> list[int]:
    if text.isdecimal():
        return [int(text)]
    folded = text.strip().casefold()
    rows = [entry for entry in catalog.entries if entry.api_name.casefold() == folded]
    return [entry.id for entry in rows or catalog.search(text) if entry.id is not None]


def _time(name: str, text: str) -> int | None:
    if not text:
        return None
    try:
        return parse_time(text if "T" in text or " " in text else f"{text}T00:00:00")
    except ValueError as fault:
        raise ViewError(
            f"{name} takes a time such as 2026-11-23T13:00:00Z, and {text!r} is none: {fault}."
        ) from fault
