"""``riskstream source poll`` against a server that misbehaves, and a real broker."""

import json
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import pytest

from tests.support.apache_kafka import ApacheKafka
from tests.support.kafka import Broker, delete_everything
from tests.support.onelogin import FAULTS, FakeOneLogin, Manners, api_event
from tests.support.processes import run, wait_for
from tests.support.sources import ids, poll_settings, raw_records, start_poller

SECONDS = 60


def create_topics(broker: Broker) -> None:
    """As an operator does."""
    settings = {"KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers}
    done = run(["topics", "create", "--partitions", "3"], settings=settings)
    assert done.returncode == 0, done.stderr.decode()


def ago(seconds: float) -> datetime:
    """A moment before now."""
    return datetime.now(UTC) - timedelta(seconds=seconds)


@pytest.mark.parametrize("order", ["ascending", "odd"])
def test_every_event_gets_in_once_whatever_goes_wrong(kafka_broker: Broker, order: str) -> None:
    """Each fault once, tokens that end, odd order: all events, byte for byte, in one partition."""
    create_topics(kafka_broker)
    faults = list(chain.from_iterable((fault, None) for fault in FAULTS))
    with FakeOneLogin(Manners(faults=faults, order=order, token_uses=7)) as api:  # type: ignore[arg-type]
        events = [api_event(number, ago(7000 - number), notes="ä\n") for number in range(1000)]
        api.add(events)
        settings = poll_settings(kafka_broker, api, HTTP__PORT="0")
        done = run(["source", "poll", "--once", "--since", "2h"], settings=settings)
        assert done.returncode == 0, done.stderr.decode()
        records = raw_records(kafka_broker)
        again = run(["source", "poll", "--once"], settings=settings)

    assert again.returncode == 0, again.stderr.decode()
    assert sorted(ids(records)) == list(range(1000))
    assert {record.key for record in records} == {b"onelogin"}
    assert len({record.partition for record in records}) == 1
    by_id = {event["id"]: json.dumps(event).encode() for event in events}
    assert all(record.value == by_id[json.loads(record.value or b"")["id"]] for record in records)
    if order == "ascending":
        assert ids(records) == list(range(1000))
    assert set(api.seen) >= {*FAULTS, "page", "token", "unauthorized"}
    assert len(raw_records(kafka_broker)) == 1000, "the second run found nothing new"
    assert b"secret-of-the-tests" not in done.stderr


def test_it_follows_and_sees_what_comes_late(embedded_broker: Broker, tmp_path: Path) -> None:
    """New events, and one that shows up minutes after its own time, with a server that hangs."""
    create_topics(embedded_broker)
    manners = Manners(faults=["slow"], clock_seconds=-3000.0)
    with FakeOneLogin(manners) as api:
        base = 3000.0
        api.add(api_event(number, ago(base + 900 - number)) for number in range(100))
        poller = start_poller(
            embedded_broker, api, tmp_path, "--since", "2h", POLL__REQUEST_TIMEOUT_SECONDS="1"
        )
        with poller:
            wait_for(lambda: len(raw_records(embedded_broker)) == 100, SECONDS, "the first 100")
            assert poller.health("ready") == 200
            sweeps = poller.metric_sum("riskstream_poll_sweeps_total")
            wait_for(
                lambda: poller.metric_sum("riskstream_poll_sweeps_total") > sweeps + 2,
                SECONDS,
                "more sweeps",
            )
            api.add([api_event(1000, ago(base)), api_event(1001, ago(base + 500))])
            wait_for(lambda: len(raw_records(embedded_broker)) == 102, SECONDS, "both others")
            assert poller.metric_sum("riskstream_poll_events_total") == 102
            assert poller.metric_sum("riskstream_poll_requests_total", result="network") == 1
            assert poller.stop() == 0
    assert sorted(ids(raw_records(embedded_broker)))[-3:] == [99, 1000, 1001]


def test_a_run_that_ends_reads_what_lies_between(embedded_broker: Broker) -> None:
    """``--since`` to ``--until``, in slices, under a name of its own."""
    create_topics(embedded_broker)
    with FakeOneLogin() as api:
        api.add(api_event(number, ago(600 * number)) for number in range(1, 1000))
        settings = poll_settings(embedded_broker, api, HTTP__PORT="0", POLL__SLICE_HOURS="7")
        begin, end = ago(600 * 900.5).isoformat(), ago(600 * 99.5).isoformat()
        command = ["source", "poll", "--name", "backfill", "--since", begin, "--until", end]
        done = run(command, settings=settings)
    assert done.returncode == 0, done.stderr.decode()
    assert sorted(ids(raw_records(embedded_broker))) == list(range(100, 901))


def test_what_is_set_up_wrong_is_said_at_once(embedded_broker: Broker) -> None:
    """Credentials, topics, account: one message each, and what to do."""
    with FakeOneLogin() as api:
        settings = poll_settings(embedded_broker, api, HTTP__PORT="0")
        missing = run(["source", "poll"], settings=settings)
        create_topics(embedded_broker)
        wrong = run(["source", "poll"], settings={**settings, "POLL__CLIENT_SECRET": "wrong"})
        settings.pop("POLL__BASE_URL")
        nowhere = run(["source", "poll"], settings=settings)
    assert missing.returncode == 3
    assert b"topics create" in missing.stderr
    assert wrong.returncode == 3
    assert b"refuses the API credentials" in wrong.stderr
    assert nowhere.returncode == 2
    assert b"poll.subdomain" in nowhere.stderr


@pytest.mark.kafka
def test_the_second_poller_takes_over(apache_kafka: ApacheKafka, tmp_path: Path) -> None:
    """The first is fenced and ends with a message; no event is there twice."""
    delete_everything(apache_kafka)
    create_topics(apache_kafka)
    with FakeOneLogin() as api:
        api.add(api_event(number, ago(3000 - number)) for number in range(200))
        first = start_poller(apache_kafka, api, tmp_path / "1", "--since", "1h").start()
        wait_for(lambda: len(raw_records(apache_kafka)) == 200, SECONDS, "the first 200")
        with start_poller(apache_kafka, api, tmp_path / "2") as second:
            assert first.wait() == 3
            api.add(api_event(number, ago(300)) for number in range(200, 300))
            wait_for(lambda: len(raw_records(apache_kafka)) == 300, SECONDS, "the others")
            assert second.stop() == 0
    assert "has taken over" in " ".join(first.log.split())
    assert sorted(ids(raw_records(apache_kafka))) == list(range(300))
