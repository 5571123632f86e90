"""Connectors that can be run here, each by its own program against a real broker.

All records arrive, none of an aborted transaction does, tombstones survive, and a pattern takes
the topics it means and no others.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from riskstream.demo.leash import LeashedProcess
from riskstream.events import topics
from riskstream.events.record import Output
from riskstream.events.vocabulary import Category, View
from riskstream.views.render import view_outputs
from tests.support.apache_kafka import ApacheKafka
from tests.support.connect import CONNECTORS, Connect
from tests.support.events import rest_event
from tests.support.kafka import (
    Broker,
    Stored,
    create_topics,
    delete_everything,
    produce,
    read_topic,
)
from tests.support.processes import wait_for
from tests.support.views import scored_outputs

OTHERS = (topics.RAW, topics.CLASSIFIED, topics.DEAD_LETTER, topics.PROFILES)
CONNECT_LETTERS = "connect.riskstream.dead-letter.v1"
NEVER = b'{"id":"1234:aborted"}'
"""Of records that no reader may see."""


@pytest.fixture
def outputs() -> list[Output]:
    """Scored records of several categories."""
    types = (5, 6, 8, 62, 19, 72, 14, 999_999)
    return scored_outputs(*[rest_event(id=n, event_type_id=kind) for n, kind in enumerate(types)])


def fill(broker: Broker, outputs: list[Output]) -> None:
    """The topics, with committed and aborted work, and records in those that are nobody's."""
    names = [spec.name for spec in topics.topics_with(View)]
    create_topics(broker, dict.fromkeys(names, 2))
    producer = Producer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "transactional.id": "connectors",
            "partitioner": "murmur2_random",
        }
    )
    producer.init_transactions(30)
    views = view_outputs(outputs, tuple(View), 10**6).outputs
    for commit in (False, True):
        producer.begin_transaction()
        for output in (*outputs, *views):
            value = output.value if commit else NEVER
            producer.produce(output.topic, value, output.key, headers=list(output.headers))
        producer.flush(30)
        (producer.commit_transaction if commit else producer.abort_transaction)(30)
    for name in OTHERS:
        produce(broker, name, [Stored(b'{"id":"1234:internal"}', b"k")])
    rows = [Stored(b'{"as_of":1}', b"1234:7"), Stored(None, b"1234:7"), Stored(b"{}", b"1234:8")]
    for name in (topics.FAILURES, topics.LOCKOUTS):
        produce(broker, name, rows)


@pytest.mark.kafka
def test_kafka_connect_takes_scored_events_and_tables(
    apache_kafka: ApacheKafka, outputs: list[Output], tmp_path: Path
) -> None:
    """By a standalone worker with the shipped files; garbage goes to Connect's dead letters."""
    delete_everything(apache_kafka)
    fill(apache_kafka, outputs)
    produce(apache_kafka, topics.SCORED[Category.USERS], [Stored(b"no json", b"k")])
    connectors = ("file-scored.properties", "file-state.properties")
    with Connect(apache_kafka, tmp_path, *connectors) as connect:
        connect.wait_until_running()
        wait_for(lambda: len(connect.lines("scored.txt")) >= len(outputs), 60, "scored events")
        wait_for(lambda: len(connect.lines("state.txt")) >= 6, 60, "rows")

        def told() -> list[Stored]:
            return read_topic(apache_kafka, CONNECT_LETTERS)

        wait_for(lambda: CONNECT_LETTERS in _topics(apache_kafka) and told(), 60, "dead letters")
        states = connect.states()
        checked = [connect.ask(path, body) for path, body in _chains(tmp_path)]
    assert set(states) == {"riskstream-scored", "riskstream-state"}
    assert {state for each in states.values() for state in each} == {"RUNNING"}

    events = connect.lines("scored.txt")
    ids = [re.findall(r"(?<![\w])id=(1234:\w+)", line) for line in events]
    assert sorted(ident for found in ids for ident in found) == sorted(
        dict(output.headers)["ce_id"].decode() for output in outputs
    )
    rows = connect.lines("state.txt")
    assert sorted(rows) == sorted(["{as_of=1}", "null", "{}"] * 2)
    (letter,) = told()
    assert (letter.value, letter.header("__connect.errors.connector.name")) == (
        b"no json",
        "riskstream-scored",
    )
    for answer in checked:
        faults = [each["value"] for each in answer["configs"] if each["value"]["errors"]]
        assert faults == []


def _topics(broker: Broker) -> set[str]:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    return set(admin.list_topics(timeout=10).topics)


def _chains(work_dir: Path) -> list[tuple[str, dict[str, str]]]:
    """The transformations of every other connector, to be judged by the worker that runs them."""
    found = []
    for path in sorted(CONNECTORS.glob("*/*.json")):
        config = json.loads(path.read_text()).get("config", {})
        chain = {key: value for key, value in config.items() if key.startswith("transforms")}
        if chain:
            body = {
                "name": f"judged-{path.parent.name}",
                "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
                "topics.regex": config["topics.regex"],
                "file": str(work_dir / "judged"),
                **chain,
            }
            found.append(("/connector-plugins/FileStreamSinkConnector/config/validate", body))
    assert found
    return found


@pytest.mark.tools
def test_rsyslog_hands_on_the_cef_view(
    embedded_broker: Broker, outputs: list[Output], tmp_path: Path
) -> None:
    """The configuration is good by rsyslogd itself, and a process of its own reads with it."""
    fill(embedded_broker, outputs)
    config = CONNECTORS / "rsyslog" / "riskstream.conf"
    places = {
        "RISKSTREAM_KAFKA": embedded_broker.bootstrap_servers,
        "RISKSTREAM_DIR": str(tmp_path),
        "PATH": os.environ["PATH"] + ":/usr/sbin",
    }
    checked = subprocess.run(
        ["rsyslogd", "-N1", "-f", str(config)],
        env=places,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert checked.returncode == 0, checked.stderr
    assert "error" not in checked.stderr.lower()
    command = ["rsyslogd", "-n", "-f", str(config), "-i", str(tmp_path / "pid")]
    rsyslogd = LeashedProcess(command, log=tmp_path / "rsyslogd.log", env=places)
    try:
        written = tmp_path / "events.log"

        def lines() -> list[str]:
            return written.read_text().splitlines() if written.exists() else []

        wait_for(lambda: len(lines()) >= len(outputs), 60, "lines of the CEF view")
    finally:
        rsyslogd.stop()
    made = view_outputs(outputs, (View.CEF,), 10**6).outputs
    assert sorted(lines()) == sorted((each.value or b"").decode() for each in made)


@pytest.mark.tools
def test_kcat_follows_a_pattern_and_shows_tombstones(
    embedded_broker: Broker, outputs: list[Output]
) -> None:
    """Committed records with their headers; a null value is shown as one."""
    fill(embedded_broker, outputs)
    shared = ["kcat", "-F", str(CONNECTORS / "kcat" / "kcat.conf"), "-q"]
    shared += ["-b", embedded_broker.bootstrap_servers]

    def told(*arguments: str) -> list[str]:
        done = subprocess.run(
            [*shared, *arguments], capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.splitlines()

    found: list[str] = []
    for name in topics.SCORED.values():
        found += told("-C", "-t", name, "-e", "-f", "%h\t%s\n")
    assert len(found) == len(outputs)
    for line in found:
        headers, _, value = line.partition("\t")
        assert f"ce_id={json.loads(value)['id']}" in headers
        assert "risk_level=" in headers
    count = str(len(outputs))
    group = told("-G", "kcat-trial", topics.SCORED_PATTERN, "-c", count, "-f", "%t %s\n")
    assert len(group) == len(outputs)
    assert {line.split(" ")[0] for line in group} <= set(topics.SCORED.values())
    assert "1234:aborted" not in "".join((*found, *group))
    assert "1234:internal" not in "".join(group)
    rows = told("-C", "-t", topics.LOCKOUTS, "-e", "-Z", "-f", "%k\t%s\n")
    assert "1234:7\tNULL" in rows
