"""``riskstream console`` as installed, on a broker: killed at any time, every event once."""

import json
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from riskstream.demo.broker import EmbeddedBroker
from riskstream.demo.generator import generate
from riskstream.demo.ports import free_ports
from riskstream.events.topics import ALERTS, ALL_TOPICS, USERS
from tests.support.console import pipeline_records
from tests.support.kafka import Stored, create_topics, produce
from tests.support.processes import Riskstream, run, wait_for

EVENTS = 1200
KILLS = 3


def answer(port: int, path: str) -> Any:
    """JSON of the console; None while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as told:
            return json.load(told)
    except OSError:
        return None


def test_killed_at_any_time_it_shows_every_event_once(
    installed_riskstream: Path, embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """SIGKILL again and again while records come in; then the store is counted against them.

    The topics of standings and alerts are made on the way, as an upgrade makes them.
    """
    later = {ALERTS, USERS}
    create_topics(embedded_broker, {each.name: 2 for each in ALL_TOPICS if each.name not in later})
    records = pipeline_records(generate(EVENTS, 11))
    told = [json.loads(each.value or b"")["id"] for each in records if each.topic == ALERTS]
    standings = [each for each in records if each.topic in later]
    records = [each for each in records if each.topic not in later]
    wanted = [json.loads(each.value or b"")["id"] for each in records if "scored" in each.topic]
    port, watched = free_ports(1), free_ports(1)
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": embedded_broker.bootstrap_servers,
        "CONSOLE__RETENTION_DAYS": "3650",
        "CONSOLE__HTTP_PORT": str(watched),
    }
    console = Riskstream(
        ["console", "--port", str(port)], tmp_path, settings=settings, command=installed_riskstream
    )
    part = len(records) // (KILLS + 1)
    with console:
        for kill in range(KILLS + 1):
            sent = records[kill * part : None if kill == KILLS else (kill + 1) * part]
            if kill == KILLS:
                sent += standings
            for topic in {each.topic for each in sent}:
                mine = [
                    Stored(each.value, each.key, tuple(each.headers))
                    for each in sent
                    if each.topic == topic
                ]
                produce(embedded_broker, topic, mine)
            if kill == KILLS:
                break
            before = (answer(port, "/api/v1/events?limit=1") or {}).get("total", 0)

            def moved(before: int = before) -> bool:
                page = answer(port, "/api/v1/events?limit=1")
                return page is not None and page["total"] > before

            wait_for(moved, 60, "events in the console")
            console.kill()
            if kill == KILLS - 1:
                create_topics(embedded_broker, dict.fromkeys(later, 2))
            console.start()
        wait_for(
            lambda: (answer(port, "/api/v1/events?limit=1") or {}).get("total") == len(wanted),
            60,
            "all events in the console",
        )
        found: list[str] = []
        following = ""
        while following is not None:
            page = answer(port, f"/api/v1/events?limit=500{following}")
            found += [event["id"] for event in page["events"]]
            following = f"&before={page['next']}" if page["next"] else None
        assert Counter(found) == Counter(wanted)
        wait_for(
            lambda: answer(port, "/api/v1/alerts?limit=1")["total"] == len(told),
            60,
            "all alerts in the console",
        )
        shown = answer(port, "/api/v1/alerts?limit=500")["alerts"]
        assert Counter(alert["id"] for alert in shown) == Counter(told)
        ready = {"ready": True, "state": "following", "lag": 0}
        wait_for(lambda: answer(watched, "/health/ready") == ready, 60, "readiness")
        shown = urllib.request.urlopen(f"http://127.0.0.1:{watched}/metrics", timeout=10).read()
        assert f"riskstream_console_events {len(wanted)}.0" in shown.decode()
        assert b"riskstream_console_lag_records 0.0" in shown
        assert console.stop() == 0


def test_without_a_login_it_stays_on_loopback(installed_riskstream: Path, tmp_path: Path) -> None:
    """And a broker that is away is waited for, not fatal."""
    refused = run(["console", "--host", "0.0.0.0"], command=installed_riskstream)  # noqa: S104
    assert refused.returncode == 2
    assert b"without login" in refused.stderr
    port = free_ports(1)
    waiting = Riskstream(
        ["console", "--port", str(port)],
        tmp_path,
        settings={"KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"},
        command=installed_riskstream,
    )
    with waiting:
        wait_for(lambda: answer(port, "/api/v1/events") is not None, 60, "the console")
        wait_for(lambda: "follower_stopped" in waiting.log, 60, "the fault in the log")
        assert answer(port, "/api/v1/events")["total"] == 0
        assert waiting.stop() == 0
