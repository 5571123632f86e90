"""What a worker gives to others: views in the same transaction, masked, traced, and quiet logs."""

import json
import re
from pathlib import Path

from riskstream.demo.generator import generate
from riskstream.demo.stack import free_ports
from riskstream.events import topics
from riskstream.events.vocabulary import View
from riskstream.pipeline.trace import TRACEPARENT
from riskstream.views.render import render
from riskstream.views.scored import read_scored
from tests.support.kafka import Broker, Stored, produce, read_topic
from tests.support.processes import Riskstream, run, wait_for

EVENTS = 2_000
PARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PERSON = re.compile(r'"(?:user_name|actor_user_name|login_name)":\s*"([^"]*[ @][^"]*)"')
ADDRESS = re.compile(r'"ipaddr":\s*"([^"]+)"')


def scored_and_views(broker: Broker) -> tuple[list[Stored], dict[View, list[Stored]]]:
    """All scored records, and those of each view."""
    scored = [each for name in topics.SCORED.values() for each in read_topic(broker, name)]
    return scored, {view: read_topic(broker, name) for view, name in topics.VIEWS.items()}


def test_views_masks_traces_and_logs_of_a_worker(kafka_broker: Broker, tmp_path: Path) -> None:
    """One run shows all four, over both hops, on generated events with broken ones among them."""
    key_file = tmp_path / "mask.key"
    key_file.write_text("0123456789abcdef0123456789abcdef\n")
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers,
        "HTTP__PORT": str(free_ports(2)),
        "LOG__LEVEL": "info",
        "VIEWS__TOPICS": "ocsf,ecs,cef",
        "PRIVACY__MASK_KEY_FILE": str(key_file),
    }
    refused = run(["worker"], settings=settings)
    assert refused.returncode == 3
    assert b"riskstream topics create" in refused.stderr
    created = run(["topics", "create", "--partitions", "2"], settings=settings)
    assert created.returncode == 0, created.stderr.decode()
    assert run(["topics", "check"], settings=settings).returncode == 0

    messages = list(generate(EVENTS, 7))
    texts = b"\n".join(message.value or b"" for message in messages).decode(errors="replace")
    records = [Stored(each.value, each.key, ((TRACEPARENT, PARENT),)) for each in messages]
    with Riskstream(["worker"], tmp_path, settings=settings) as worker:
        ports = (worker.http_port, worker.http_port + 1)
        for port in ports:
            wait_for(lambda port=port: worker.health("ready", port) == 200, 60, f"ready on {port}")
        produce(kafka_broker, topics.RAW, records)
        received = "riskstream_received_events_total"
        wait_for(
            lambda: (
                worker.metric_sum(received, ports[0]) == EVENTS
                and worker.metric_sum("riskstream_consumer_lag_records", ports[0]) == 0
            ),
            60,
            "all events ingested",
        )
        wait_for(
            lambda: worker.metric_sum("riskstream_consumer_lag_records", ports[1]) == 0,
            60,
            "all events assessed",
        )
        scored, views = scored_and_views(kafka_broker)
        assert worker.metric_sum("riskstream_view_failures_total", ports[1]) == 0
        log = worker.log

    names, addresses = set(PERSON.findall(texts)), set(ADDRESS.findall(texts))
    assert len(names) > 30
    assert len(addresses) > 10

    assert len(scored) > EVENTS * 0.8
    by_id = {record.header("ce_id"): record for record in scored}
    for view, found in views.items():
        assert [record.header("ce_id") for record in found] != []
        assert len(found) == len(scored)
        for record in found:
            origin = by_id[record.header("ce_id")]
            assert record.key == origin.key
            assert record.value == render(view, read_scored(origin.value or b""))
    shown = b"\n".join(r.value or b"" for part in (scored, *views.values()) for r in part).decode()
    assert {name for name in names if name in shown} == set()
    assert {each for each in addresses if f'"{each}"' in shown or f"src={each} " in shown} == set()

    letters = read_topic(kafka_broker, topics.DEAD_LETTER)
    assert letters != []
    for record in (*scored, *letters, *views[View.CEF]):
        assert record.header(TRACEPARENT) == PARENT.decode()

    lines = [json.loads(line) for line in log.splitlines()]
    assert sum(line["message"] == "dead_letter" for line in lines) == len(letters)
    assert {line["level"] for line in lines} <= {"info", "warning"}
    assert {text for text in names | addresses if text in log} == set()

    exported = run(["export", "--as", "ecs"], settings=settings)
    assert sorted(exported.stdout.splitlines()) == sorted(r.value or b"" for r in views[View.ECS])
