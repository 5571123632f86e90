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
from riskstream.demo.channels import RawMessage
from riskstream.events.record import InputRecord
from riskstream.events.times import format_time
from riskstream.events.topics import ALERTS, CLASSIFIED, PROFILES, RAW, SCORED, USERS
from riskstream.events.vocabulary import Category
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.state import PartitionState
from riskstream.risk.levels import level_of
from riskstream.risk.loader import load_policy
from riskstream.risk.policy import Family
from riskstream.risk.standing import Cause, Decay, Standing
from riskstream.risk.standing_rows import encode_standing

__all__ = [
    "NOW_MS",
    "alert_record",
    "as_record",
    "filled_store",
    "make_site",
    "pipeline_records",
    "scored",
    "standing",
    "standing_record",
]

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


def standing(subject: str, at_ms: int, *scores: int, hours: int = 24) -> Standing:
    """Of events with these scores, one per family, all at one time: ``1234:0`` and on."""
    families = (Family.CONSENT, Family.FAILURES, Family.PLACE, Family.SESSION)
    causes = [
        Cause(family.value, score, at_ms, f"1234:{n}", 6, "new_address", f"reason {n} of {subject}")
        for n, (family, score) in enumerate(zip(families, scores, strict=False))
    ]
    return Standing(subject, at_ms, 1, Decay("1", hours * 3_600_000, 300), tuple(causes))


def standing_record(row: Standing, offset: int = 0) -> InputRecord:
    """As the topic of users has it."""
    return InputRecord(USERS, 0, offset, NOW_MS, row.subject.encode(), encode_standing(row))


def alert_record(number: int, row: Standing, offset: int = 0) -> InputRecord:
    """The alert that a row's newest event raised, with this number for an id."""
    shown = orjson.loads(encode_standing(row))
    alert = {
        "schema_version": 1,
        "id": f"{number:032x}",
        "time": shown["as_of"],
        "account_id": 1234,
        "subject": row.subject,
        "previous": {"score": 12, "level": "low", "peak": 12.0, "accumulated": 12.0},
        "standing": shown["standing"],
        "policy": "1",
        "reasons": "; ".join(cause["detail"] for cause in shown["causes"]),
        "causes": shown["causes"],
        "event_ids": [cause["event_id"] for cause in shown["causes"]],
        "repeats": 3,
    }
    return InputRecord(ALERTS, 0, offset, NOW_MS, row.subject.encode(), orjson.dumps(alert))


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


def pipeline_records(messages: Iterable[RawMessage]) -> list[InputRecord]:
    """What raw records become, on every topic that the console follows."""
    ingest, assess, state = (
        Ingest(load_catalog(), Limits()),
        Assess(load_policy(), Limits()),
        PartitionState(),
    )
    found: list[InputRecord] = []
    for index, message in enumerate(messages):
        raw = InputRecord(RAW, 0, index, message.at_ms, message.key, message.value)
        ingested = ingest([raw])
        classified = [
            InputRecord(CLASSIFIED, 0, index * 1000 + n, message.at_ms, output.key, output.value)
            for n, output in enumerate(ingested.outputs)
            if output.topic == CLASSIFIED
        ]
        assessed = assess(classified, state)
        state.apply(assessed.changes)
        outputs = [*ingested.outputs, *assessed.outputs, *assessed.changes.changelog(None)]
        found += [
            InputRecord(
                each.topic, 0, len(found) + n, message.at_ms, each.key, each.value, each.headers
            )
            for n, each in enumerate(outputs)
            if each.topic not in {CLASSIFIED, PROFILES}
        ]
    return found
