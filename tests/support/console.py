"""Scored events for the console's tests, a store of them, and a site over it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from riskstream.catalog.loader import load_catalog
from riskstream.config import ConsoleSettings, Settings, load_settings
from riskstream.console.follower import Following
from riskstream.console.store.store import Store
from riskstream.console.store.writer import Writer
from riskstream.console.web.audit import Audit
from riskstream.console.web.site import Site
from riskstream.events.record import InputRecord
from riskstream.events.times import format_time
from riskstream.events.topics import SCORED
from riskstream.events.vocabulary import Category
from riskstream.risk.levels import level_of

__all__ = ["NOW_MS", "as_record", "filled_store", "make_site", "scored"]

NOW_MS = 1_795_438_800_000
"""2026-11-23T13:00Z."""


def scored(number: int, at_ms: int = NOW_MS, *, score: int = 11, **changes: Any) -> dict[str, Any]:
    """A scored event as the schema has it: a failed login of user 7."""
    return {
        "schema_version": 1,
        "id": f"1234:{number}",
        "time": format_time(at_ms),
        "received_time": format_time(at_ms),
        "account_id": 1234,
        "subject": "1234:7",
        "category": "users",
        "event_type": {
            "id": 6,
            "name": "USER_FAILED_ONELOGIN_LOGIN",
            "title": "User failed OneLogin login",
            "kind": "login_failure",
            "basis": "article",
        },
        "message": "User Seven failed authentication",
        "outcome": "failure",
        "user": {"id": 7, "name": "User Seven"},
        "actor": {"id": 7, "name": "User Seven"},
        "source": {"ip": "203.0.113.9"},
        "risk": {
            "score": score,
            "level": level_of(score).value,
            "policy": "2026-11-23",
            "prior": {"evidence": -0.8, "points": score - 2},
            "signals": [
                {
                    "id": "new_address",
                    "evidence": 0.1,
                    "points": 2,
                    "detail": "first seen from 203.0.113.9",
                }
            ],
            "signal_ids": ["new_address"],
            "reasons": "first seen from 203.0.113.9",
        },
        "windows": {"login_failures_5m": 1, "locked": False},
        "raw": '{"id": 1}',
        **changes,
    }


def as_record(event: dict[str, Any], offset: int = 0) -> InputRecord:
    """As the scored topic of its category has it."""
    topic = SCORED[Category(event["category"])]
    return InputRecord(topic, 0, offset, NOW_MS, b"k", orjson.dumps(event))


def filled_store(directory: Path, events: Iterable[dict[str, Any]]) -> Writer:
    """A writer that has taken these events."""
    writer = Writer(directory)
    records = [as_record(event, offset) for offset, event in enumerate(events)]
    writer.take(records, {}, {("t", 0): len(records)})
    return writer


def make_site(directory: Path, **console: Any) -> Site:
    """A console over a store, at ``NOW_MS``, that writes nowhere."""
    settings: Settings = load_settings(console={"directory": directory, **console})
    assert isinstance(settings.console, ConsoleSettings)
    return Site(
        settings,
        Store(directory),
        load_catalog(),
        Audit(directory),
        following=lambda: Following("following"),
        now_ms=lambda: NOW_MS,
    )
