"""riskstream warm-up: what it sends, and what workers make of it."""

import json
from pathlib import Path
from typing import Any

from riskstream.cli.warm_up import _past
from riskstream.config import Settings
from riskstream.events.record import InputRecord
from riskstream.events.topics import CLASSIFIED, RAW
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.classify import WARMING
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.state import PartitionState
from tests.support.cli import invoke
from tests.support.events import rest_event, shipped_catalog
from tests.support.risk import policy


def _history(folder: Path) -> Path:
    """Twenty logins, newest first, as REST pages have them, and a line that is none."""
    logins: list[dict[str, Any]] = [
        rest_event(
            id=1000 + day,
            event_type_id=5,
            created_at=f"2026-10-{day:02}T09:00:00.000Z",
            ipaddr="203.0.113.7",
        )
        for day in range(1, 21)
    ]
    path = folder / "history.ndjson"
    path.write_text(json.dumps(logins[::-1]) + "\nnonsense\n", encoding="utf-8")
    return path


def test_events_of_the_past_are_sent_one_by_one_oldest_first(tmp_path: Path) -> None:
    """Those of the days asked for, with the text as it was, keyed by subject."""
    path = _history(tmp_path)
    past, unread = _past(Settings(), path, 90)
    assert unread == 1
    assert [json.loads(each.value)["id"] for each in past] == list(range(1001, 1021))
    assert len({each.key for each in past}) == 1
    week, _ = _past(Settings(), path, 7)
    assert len(week) == 8


def test_a_report_says_how_ready_profiles_are(tmp_path: Path) -> None:
    """Without Kafka."""
    found = invoke("warm-up", str(_history(tmp_path)), "--dry-run", "--format", "json")
    assert found.exit_code == 0, found.stderr
    report = json.loads(found.stdout)
    assert (report["events"], report["users"], report["unreadable"]) == (20, 1, 1)
    assert report["users_with_12_logins"] == 1
    assert report["high_in_the_last_week"] == 0
    empty = tmp_path / "empty"
    empty.write_text("[]")
    assert invoke("warm-up", str(empty), "--dry-run").exit_code == 2


def test_history_is_learned_from_and_not_routed(tmp_path: Path) -> None:
    """What comes after it is measured against it."""
    past, _ = _past(Settings(), _history(tmp_path), 90)
    raw = [
        InputRecord(RAW, 0, number, each.at_ms, each.key, each.value, ((WARMING, b"1"),))
        for number, each in enumerate(past)
    ]
    live = rest_event(
        id=2000, event_type_id=5, created_at="2026-10-21T09:00:00.000Z", ipaddr="203.0.113.7"
    )
    raw.append(InputRecord(RAW, 0, 99, past[-1].at_ms, None, json.dumps(live).encode()))
    ingested = Ingest(shipped_catalog(), Limits())(raw).outputs
    source = [
        InputRecord(CLASSIFIED, 0, offset, None, output.key, output.value)
        for offset, output in enumerate(ingested)
    ]
    state = PartitionState()
    outputs, changes, tally = Assess(policy(), Limits())(source, state)
    (scored,) = outputs
    assert tally.filtered == {"warm_up": 20}
    assert tally.routed == 1
    assert "known_address" in json.loads(scored.value or b"")["risk"]["signal_ids"]
    assert changes.profiles
