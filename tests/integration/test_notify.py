"""``riskstream notify`` on a real broker: at least once, whatever receiver and process do."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from riskstream.contract.registry import schemas_dir
from riskstream.demo.broker import EmbeddedBroker
from riskstream.demo.ports import free_port
from riskstream.events import topics
from riskstream.pipeline.outputs import ALERT_TYPE
from tests.support.cli import one_event
from tests.support.kafka import Stored, consumer, produce, read_topic
from tests.support.processes import Riskstream, run, wait_for
from tests.support.receiver import Receiver

SECONDS = 60.0
TOPIC = topics.SCORED[next(iter(topics.SCORED))]


def settings_for(broker: EmbeddedBroker, receiver: Receiver, **more: str) -> dict[str, str]:
    """Where everything is; a short time for one answer."""
    return {
        "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "KAFKA__SESSION_TIMEOUT_SECONDS": "6",
        "NOTIFY__URL": receiver.url,
        "NOTIFY__STYLE": "json",
        "NOTIFY__TIMEOUT_SECONDS": "1",
        "LOG__FORMAT": "json",
        **more,
    }


def alert(number: int, level: str = "high") -> Stored:
    """A scored record about a subject of its own."""
    name = f"1234:{number}"
    signals = [{"id": "new_address", "points": 20}]
    value = {
        "id": f"1234:e{number}",
        "time": "2026-11-23T13:00:00.000Z",
        "subject": name,
        "category": "apps",
        "event_type": {"kind": "lockout", "title": "T", "name": "N"},
        "risk": {"score": 60, "level": level, "signals": signals, "reasons": "r"},
        "raw": json.dumps(one_event(number)),
    }
    headers = (
        ("ce_id", value["id"].encode()),  # type: ignore[attr-defined]
        ("ce_type", b"com.onelogin.event.lockout"),
        ("risk_level", level.encode()),
        ("category", b"apps"),
    )
    return Stored(json.dumps(value).encode(), name.encode(), headers)


def subjects(receiver: Receiver) -> Counter[str]:
    """How often a message about each subject was taken."""
    return Counter(json.loads(body)["subject"] for body in receiver.taken)


def prepared(settings: dict[str, str]) -> None:
    assert run(["topics", "create", "--partitions", "2"], settings=settings).returncode == 0


def test_no_message_is_lost_whatever_the_receiver_does(
    embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """Errors, a hang, a dropped connection, 429: all arrive in the end, and none of old history.

    What is refused for good is in the dead-letter topic, as it was.
    """
    with Receiver() as receiver:
        settings = settings_for(embedded_broker, receiver)
        prepared(settings)
        produce(embedded_broker, TOPIC, [alert(0)])
        receiver.faults.extend([500, "hang", (429, "1"), "drop", 200, 200, 400, 503])
        settings["NOTIFY__HTTP_PORT"] = settings["HTTP__PORT"] = str(free_port())
        with Riskstream(["notify"], tmp_path, settings=settings) as notify:
            wait_for(lambda: "notify_started" in notify.log, SECONDS, "the start")
            wait_for(lambda: committed(embedded_broker), SECONDS, "the first commit")
            sent = [alert(number) for number in range(1, 8)]
            produce(embedded_broker, TOPIC, [*sent, alert(99, "medium"), *sent])
            wait_for(lambda: len(receiver.taken) >= 6, SECONDS, "all that is not refused")
            dead = wait_for(
                lambda: read_topic(embedded_broker, topics.NOTIFY_DEAD_LETTER), SECONDS, "the other"
            )
            wait_for(lambda: len(subjects(receiver)) == 7, SECONDS, "the refused one's repeat")
            assert notify.health("ready") == 200
            name = "riskstream_notify_records_total"
            wait_for(lambda: notify.metric_sum(name) == 15, SECONDS, "all records")
            counted = {
                outcome: notify.metric_sum(name, outcome=outcome)
                for outcome in ("delivered", "dead_lettered", "ignored", "suppressed")
            }
            assert notify.metric_sum("riskstream_notify_retries_total") == 5
            assert notify.stop() == 0
    assert counted == {"delivered": 7, "dead_lettered": 1, "ignored": 1, "suppressed": 6}
    assert set(subjects(receiver)) == {f"1234:{number}" for number in range(1, 8)}
    assert max(subjects(receiver).values()) == 1
    (letter,) = dead
    assert letter.value in {record.value for record in sent}
    assert letter.header("x-riskstream-detail") == "HTTP 400 (try 1)"
    assert (letter.header("x-riskstream-origin") or "").startswith(TOPIC)
    assert letter.header("ce_type") == "com.onelogin.event.lockout"
    assert "s3cret-path" not in notify.log


def test_alerts_are_told_once_each(embedded_broker: EmbeddedBroker, tmp_path: Path) -> None:
    """Also without events, and whether or not they come again after a restart."""
    with Receiver() as receiver:
        settings = settings_for(embedded_broker, receiver, NOTIFY__EVENTS="false")
        prepared(settings)
        produce(embedded_broker, topics.ALERTS, [rise(0)])
        receiver.faults.extend([503, 200, 400])
        with Riskstream(["notify"], tmp_path, settings=settings) as notify:
            wait_for(lambda: committed(embedded_broker, [topics.ALERTS]), SECONDS, "a commit")
            produce(embedded_broker, TOPIC, [alert(1)])
            produce(embedded_broker, topics.ALERTS, [rise(n) for n in (1, 2, 3, 1)])
            wait_for(lambda: len(receiver.taken) >= 2, SECONDS, "two of three")
            (letter,) = wait_for(
                lambda: read_topic(embedded_broker, topics.NOTIFY_DEAD_LETTER), SECONDS, "the other"
            )
            wait_for(lambda: notify.log.count("notice_delivered") >= 2, SECONDS, "both kept")
            notify.kill()
            notify.start()
            produce(embedded_broker, topics.ALERTS, [rise(n) for n in (1, 2, 3, 4)])
            wait_for(lambda: len(receiver.taken) >= 4, SECONDS, "the refused one and a new one")
            assert notify.stop() == 0
        checked = run(["schemas", "check", "--topic", topics.NOTIFY_DEAD_LETTER], settings=settings)
        off = run(["notify", "--no-events", "--no-alerts"], settings=settings)
    told = Counter(json.loads(body)["id"] for body in receiver.taken)
    assert told == Counter(f"{n:032x}" for n in (1, 2, 3, 4))
    assert (letter.header("x-riskstream-origin") or "").startswith(topics.ALERTS)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert off.returncode == 2
    assert b"notify.alerts" in off.stderr


def rise(number: int) -> Stored:
    """An alert about a subject of its own."""
    example = json.loads((schemas_dir() / "examples/alert.v1/valid.json").read_bytes())
    value = example | {"id": f"{number:032x}", "subject": f"1234:{number}"}
    headers = (("ce_id", value["id"].encode()), ("ce_type", ALERT_TYPE.encode()))
    return Stored(json.dumps(value).encode(), value["subject"].encode(), headers)


def committed(broker: EmbeddedBroker, names: Iterable[str] = tuple(topics.SCORED.values())) -> bool:
    """Whether the group has offsets."""
    with consumer(broker, group_id="riskstream-notify") as client:
        places = [TopicPartition(name, part) for name in names for part in (0, 1)]
        return all(place.offset >= 0 for place in client.committed(places, timeout=10))


@pytest.mark.parametrize("kills", [2])
def test_a_kill_loses_nothing_and_repeats_little(
    embedded_broker: EmbeddedBroker, tmp_path: Path, kills: int
) -> None:
    """SIGKILL in the middle, again and again: each message arrives, at most one more per kill.

    Messages that were sent before a kill stand for those with their key after it.
    """
    with Receiver() as receiver:
        settings = settings_for(embedded_broker, receiver)
        prepared(settings)
        notify = Riskstream(["notify"], tmp_path, settings=settings)
        with notify:
            wait_for(lambda: committed(embedded_broker), SECONDS, "the first commit")
            everything = [alert(number) for number in range(60)]
            for turn in range(kills):
                before = len(receiver.taken)
                receiver.faults.append(503)
                produce(embedded_broker, TOPIC, everything[turn::kills])
                wait_for(lambda n=before: len(receiver.taken) > n + 5, SECONDS, "a few messages")
                notify.kill()
                notify.start()
            produce(embedded_broker, TOPIC, everything)
            wait_for(lambda: len(subjects(receiver)) == len(everything), SECONDS, "all messages")
            produce(embedded_broker, TOPIC, [alert(1000)])
            wait_for(lambda: "1234:1000" in subjects(receiver), SECONDS, "the last")
            assert notify.stop() == 0
    counts = subjects(receiver)
    assert len(counts) == len(everything) + 1
    assert sum(counts.values()) - len(counts) <= kills


def test_a_dry_run_prints_what_would_be_sent(
    embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """And sends nothing; without an address, too."""
    with Receiver() as receiver:
        settings = settings_for(embedded_broker, receiver)
        prepared(settings)
        produce(embedded_broker, TOPIC, [alert(1), alert(1), alert(2), alert(3, "low")])
        del settings["NOTIFY__URL"]
        done = run(["notify", "--dry-run", "--style", "slack"], settings=settings)
        assert done.returncode == 0, done.stderr.decode()
        payloads = [json.loads(line) for line in done.stdout.splitlines()]
        assert sorted(payload["text"][-8:] for payload in payloads) == ["(1234:1)", "(1234:2)"]
        assert b"2 messages would be sent, 1 more records" in done.stderr
        assert receiver.tries == 0
        started = run(["notify"], settings=settings)
        assert started.returncode == 2
        assert b"RISKSTREAM_NOTIFY__URL" in started.stderr
