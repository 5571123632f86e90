"""Context from a file to the scores, through Kafka and a worker that is killed meanwhile."""

import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from riskstream.demo.ports import free_ports
from riskstream.events import topics
from riskstream.events.vocabulary import Category
from tests.integration.test_worker import pid_of
from tests.support.kafka import Broker, Stored, produce, read_topic
from tests.support.processes import Riskstream, run, wait_for

SECONDS = 60.0
HEADER = "account_id,user_id,groups,privileged,service_account\n"


def _login(ident: int, user: int) -> Stored:
    event: dict[str, Any] = {
        "id": ident,
        "created_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "account_id": 1234,
        "event_type_id": 5,
        "user_id": user,
        "actor_user_id": user,
        "ipaddr": "203.0.113.9",
    }
    return Stored(json.dumps(event).encode(), b"%d" % user)


def test_what_is_loaded_decides_scores(kafka_broker: Broker, tmp_path: Path) -> None:
    """Loaded twice it is sent once; it survives a kill; users that are gone are forgotten."""
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers,
        "HTTP__PORT": str(free_ports(2)),
        "LOG__FORMAT": "json",
        "KAFKA__SESSION_TIMEOUT_SECONDS": "6",
    }
    run(["topics", "create", "--partitions", "4"], settings=settings)
    file = tmp_path / "users.csv"
    lines = [f"1234,{user},Staff|Admins,yes,no\n" for user in range(1, 31)]
    file.write_text(HEADER + "".join(lines), encoding="utf-8")

    def load(*options: str) -> dict[str, int]:
        told = run(["context", "load", str(file), "--format", "json", *options], settings=settings)
        assert told.returncode == 0, told.stderr
        counts: dict[str, int] = json.loads(told.stdout)
        return counts

    def known() -> int:
        told = run(["context", "list", "--format", "json"], settings=settings)
        return len(told.stdout.splitlines())

    def scored() -> dict[str, list[str]]:
        records = read_topic(kafka_broker, topics.SCORED[Category.USERS])
        values = [json.loads(record.value or b"{}") for record in records]
        return {value["id"]: value["risk"]["signal_ids"] for value in values}

    assert load("--dry-run")["sent"] == 0
    assert load() == {"new": 30, "changed": 0, "unchanged": 0, "removed": 0, "sent": 30}
    with Riskstream(["worker"], tmp_path / "w", settings=settings) as worker:
        wait_for(lambda: known() == 30, SECONDS, "context taken in")
        assert load()["sent"] == 0
        produce(kafka_broker, topics.RAW, [_login(user, user) for user in (7, 99)])
        wait_for(lambda: len(scored()) == 2, SECONDS, "both scored")
        assert {ident: "privileged_user" in ids for ident, ids in scored().items()} == {
            "1234:7": True,
            "1234:99": False,
        }

        os.kill(pid_of(worker.log, "riskstream-assess-worker-0"), signal.SIGKILL)
        produce(kafka_broker, topics.RAW, [_login(1007, 7)])
        wait_for(lambda: "1234:1007" in scored(), SECONDS, "scored after the kill")
        assert "privileged_user" in scored()["1234:1007"]

        file.write_text(HEADER + "".join(lines[:-5]), encoding="utf-8")
        assert load("--delete-missing", "--wait", "60")["removed"] == 5
        assert known() == 25
    file.write_text(HEADER + "".join(lines), encoding="utf-8")
    told = run(["context", "load", str(file), "--wait", "1"], settings=settings)
    assert (told.returncode, b"have not taken all of it in" in told.stderr) == (1, True)
    told = run(["context", "show", "1234:7"], settings=settings)
    assert b"Admins, Staff" in told.stdout
    assert run(["context", "show", "1234:30"], settings=settings).returncode == 1
