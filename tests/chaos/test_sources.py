"""Poller and webhook are killed, the broker crashes; every event ends as exactly one outcome.

Counted by confluent-kafka over the scored topics, against what the simulated OneLogin holds and
what the sender was told was taken: nothing of the product is asked.
"""

import json
import random
import threading
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import chain, count
from pathlib import Path
from typing import Any, Self

import pytest
from confluent_kafka import KafkaException

from riskstream.demo.stack import free_ports
from tests.support.apache_kafka import ApacheKafka
from tests.support.events import sparse_event
from tests.support.kafka import Broker, read_topic
from tests.support.onelogin import FAULTS, FakeOneLogin, Manners, api_event
from tests.support.processes import Riskstream, run, wait_for
from tests.support.sources import post, raw_records, start_poller, start_webhook

A_DELIVERY = 5
KILLS = 4
LATE_SECONDS = 10
SECONDS = 120
SCORED = [
    f"iam.scored.{category}.v1"
    for category in ("apps", "users", "onelogin", "provisioning", "uncataloged")
]


class Life:
    """Events come into being until it ends: in the API, and as deliveries."""

    def __init__(self, api: FakeOneLogin, port: int) -> None:
        self._api, self._port = api, port
        self.expected: set[str] = set()
        """Ids of all events."""
        self.refused = 0
        """Deliveries that had to be sent again."""
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._happen),
            threading.Thread(target=self._deliver),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """No more come; what was begun is delivered."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _happen(self) -> None:
        """Some events show up later than others of their time."""
        draw = random.Random(11)
        for number in count():
            late = timedelta(seconds=draw.choice([0, 0, 0, draw.uniform(0, LATE_SECONDS)]))
            self._api.add([api_event(number, datetime.now(UTC) - late)])
            self.expected.add(f"1234:{number}")
            if self._over.wait(0.02):
                return

    def _deliver(self) -> None:
        """Each delivery is sent again until it was taken."""
        for number in count():
            events = [_broadcast(number, member) for member in range(A_DELIVERY)]
            self.expected |= {f"1234:{event['uuid']}" for event in events}
            body, given_up = json.dumps(events).encode(), time.monotonic() + SECONDS
            while not self._was_taken(body) and time.monotonic() < given_up:
                self.refused += 1
                self._over.wait(0.2)
            if self._over.wait(0.05):
                return

    def _was_taken(self, body: bytes) -> bool:
        try:
            return post(self._port, body)[0] == 200
        except OSError:
            return False


@pytest.mark.kafka
def test_no_kill_loses_or_repeats_an_event(tmp_path: Path) -> None:
    """Both sources are killed at different points, and the broker once, while OneLogin errs."""
    faults = chain.from_iterable((*[None] * 7, fault) for fault in FAULTS * 20)
    with ExitStack() as stack:
        broker = stack.enter_context(ApacheKafka(tmp_path / "kafka"))
        api = stack.enter_context(FakeOneLogin(Manners(faults=faults, page_limit=100)))
        worker = _worker(broker, tmp_path / "worker")
        stack.enter_context(worker)
        worker.wait_until_ready()
        more = {"POLL__OVERLAP_SECONDS": "20", "POLL__BACKOFF_MAX_SECONDS": "1"}
        poller = start_poller(broker, api, tmp_path / "poll", "--since", "1h", **more)
        webhook, port = start_webhook(broker, tmp_path / "hook", WEBHOOK__ACK_TIMEOUT_SECONDS="2")
        sources = [stack.enter_context(poller), stack.enter_context(webhook)]
        with Life(api, port) as life:
            for kill in range(KILLS):
                _wait_for_more(broker, 100)
                if kill == KILLS // 2:
                    broker.kill()
                    broker.start()
                for source in sources if kill == KILLS - 1 else [sources[kill % 2]]:
                    source.kill()
                    source.start()
        wait_for(lambda: _scored(broker).keys() >= life.expected, SECONDS, "every outcome")
        assert [source.stop() for source in sources] == [0, 0]
        found, dead = _scored(broker), read_topic(broker, "iam.events.dead-letter.v1")
        assert worker.stop() == 0

    assert found == Counter(life.expected), "each once, and no other"
    assert dead == []
    assert life.refused, "some delivery met a webhook that was dead"
    assert poller.log.count("poll_started") >= 3


def _worker(broker: Broker, work_dir: Path) -> Riskstream:
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "HTTP__PORT": str(free_ports(2)),
        "LOG__FORMAT": "json",
        "KAFKA__SESSION_TIMEOUT_SECONDS": "6",
    }
    created = run(["topics", "create", "--partitions", "2"], settings=settings)
    assert created.returncode == 0, created.stderr.decode()
    return Riskstream(["worker"], work_dir, settings=settings)


def _wait_for_more(broker: Broker, number: int) -> None:
    wanted = wait_for(lambda: _in_raw(broker), SECONDS, "the raw topic") + number
    wait_for(lambda: _in_raw(broker) >= wanted, SECONDS, "the sources to get further")


def _in_raw(broker: Broker) -> int:
    """Records in the raw topic; 0 while the broker comes up."""
    try:
        return len(raw_records(broker))
    except (KafkaException, TimeoutError):
        return 0


def _scored(broker: Broker) -> Counter[str]:
    """How often each event is there, by its id."""
    return Counter(
        json.loads(record.value or b"")["id"]
        for topic in SCORED
        for record in read_topic(broker, topic)
    )


def _broadcast(number: int, member: int) -> dict[str, Any]:
    stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    unique = f"{number:08x}-0000-4000-8000-{member:012x}"
    return sparse_event(
        uuid=unique, create={"_id": unique}, event_timestamp=stamp, user_id=100 + member
    )
