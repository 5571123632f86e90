"""Rows over HTTP: from any worker, with the token alone, and nothing else of Faust's."""

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from riskstream.demo.ports import free_port, free_ports
from riskstream.events import topics
from tests.support.kafka import Broker, produce, read_topic
from tests.support.processes import Riskstream, run, wait_for
from tests.support.workload import make_workload

SECONDS = 60.0
TOKEN = "correct-horse-battery-staple"


def ask(
    port: int, path: str, token: str | None = TOKEN, **headers: str
) -> tuple[int, dict[str, object], dict[str, str]]:
    """Status, JSON and headers of an answer."""
    given = {} if token is None else {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={**given, **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  (loopback)
            return answer.status, json.loads(answer.read()), dict(answer.headers)
    except urllib.error.HTTPError as fault:
        with fault:
            text = fault.read()
            body = json.loads(text) if text.startswith(b"{") else {}
            return fault.code, body, dict(fault.headers)


def listening(worker: Riskstream) -> set[int]:
    """Ports on which the worker's processes listen, as the kernel tells."""
    inodes = {
        link.readlink().name.removeprefix("socket:[").rstrip("]")
        for pid in worker.pids()
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink() and str(link.readlink()).startswith("socket:[")
    }
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(int(fields[1].rpartition(":")[2], 16))
    return found


def test_every_worker_answers_for_every_row(kafka_broker: Broker, tmp_path: Path) -> None:
    """Two workers share the partitions; either has each row as its topic has it."""
    token_file = tmp_path / "token"
    token_file.write_text(f"{TOKEN}\n", encoding="utf-8")
    first, health, ingest = free_ports(2), free_ports(2), free_port()
    common = {
        "KAFKA__BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers,
        "HTTP__TOKEN_FILE": str(token_file),
        "LOG__FORMAT": "json",
        "KAFKA__SESSION_TIMEOUT_SECONDS": "6",
    }
    assess = {**common, "HTTP__PORT": str(first), "HTTP__HEALTH_PORT": str(health)}
    assert run(["topics", "create", "--partitions", "4"], settings=common).returncode == 0
    workload = make_workload(400, seed=31, end=datetime.now(UTC), users=12)

    with (
        Riskstream(
            ["worker", "--role", "ingest"],
            tmp_path / "i",
            settings={**common, "HTTP__PORT": str(ingest)},
        ) as one,
        Riskstream(
            ["worker", "--role", "assess", "--workers", "2"], tmp_path / "a", settings=assess
        ) as two,
    ):
        one.wait_until_ready()
        for port in (health, health + 1):
            wait_for(lambda port=port: two.health("ready", port) == 200, SECONDS, "ready")
        produce(kafka_broker, topics.RAW, workload.records)
        names = [*topics.SCORED.values(), topics.DEAD_LETTER]
        wait_for(
            lambda: sum(len(read_topic(kafka_broker, name)) for name in names) == workload.outcomes,
            SECONDS,
            "all outcomes",
        )
        rows = {
            (table, (record.key or b"").decode()): json.loads(record.value or b"null")
            for table, topic in (
                ("failures", topics.FAILURES),
                ("lockouts", topics.LOCKOUTS),
                ("users", topics.USERS),
            )
            for record in read_topic(kafka_broker, topic)
        }
        assert len({key for _, key in rows}) > 6
        for port in (first, first + 1):
            for (table, key), row in rows.items():
                status, body, headers = ask(port, f"/state/{table}/{quote(key)}")
                assert (status, body.get("row")) == (200, row), (body, two.log[-2000:])
                assert (body["table"], body["key"]) == (table, key)
                assert headers["Cache-Control"] == "no-store"

        table, key = next(iter(rows))
        path = f"/state/{table}/{quote(key)}"
        sent_on = [
            ask(port, path, **{"X-Riskstream-Forwarded": "1"}) for port in (first, first + 1)
        ]
        assert sorted(status for status, _, _ in sent_on) == [200, 503]
        assert next(h for s, _, h in sent_on if s == 503)["Retry-After"].isdecimal()

        assert ask(first, f"/state/{table}/1234:unknown")[0] == 404
        assert ask(first, f"/state/profiles/{quote(key)}")[0] == 404
        assert ask(ingest, path)[0] == 404
        for wrong in (None, "", TOKEN[:-1], f"{TOKEN}x"):
            status, _, headers = ask(first, path, wrong)
            assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="riskstream"')

        for port in (first, health):
            for page in (
                "/",
                "/table/",
                f"/table/failures/{key}/",
                "/router/",
                "/router/failures/",
            ):
                assert ask(port, page)[0] == 404
        assert ask(first, "/health/ready")[0] == 404
        assert ask(health, "/metrics")[0] == 404
        assert listening(one) == {ingest}
        assert listening(two) == {first, first + 1, health, health + 1}
        assert (one.stop(), two.stop()) == (0, 0)
    assert TOKEN not in one.log + two.log


def test_a_worker_that_comes_back_at_another_port_is_found(
    kafka_broker: Broker, tmp_path: Path
) -> None:
    """Killed and started elsewhere within the session timeout, it has its partitions at once.

    Kafka gives a static member its former assignment back, and the other worker is not asked.
    """
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN, encoding="utf-8")
    common = {
        "KAFKA__BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers,
        "KAFKA__SESSION_TIMEOUT_SECONDS": "30",
        "HTTP__TOKEN_FILE": str(token_file),
    }
    assert run(["topics", "create", "--partitions", "4"], settings=common).returncode == 0

    def assess(name: str, port: int) -> Riskstream:
        settings = {**common, "WORKER__NAME": name, "HTTP__PORT": str(port)}
        directory = tmp_path / f"{name}-{port}"
        return Riskstream(["worker", "--role", "assess"], directory, settings=settings)

    def answers(port: int) -> set[int]:
        """For keys of every partition: 404 is an owner's word that there is no such row."""
        return {ask(port, f"/state/failures/1234:{user}")[0] for user in range(40)}

    stays, before, after = free_port(), free_port(), free_port()
    with assess("stays", stays) as one:
        with assess("moves", before) as two:
            for worker, port in ((one, stays), (two, before)):
                wait_for(
                    lambda worker=worker, port=port: worker.health("ready", port) == 200,
                    SECONDS,
                    "ready",
                )
            wait_for(lambda: answers(stays) == {404}, SECONDS, "both know each other")
            two.kill()
        with assess("moves", after) as two:
            wait_for(lambda: two.health("ready", after) == 200, SECONDS, "ready elsewhere")
            wait_for(lambda: answers(stays) == {404}, SECONDS, "the other to hear of it")
            wait_for(lambda: answers(after) == {404}, SECONDS, "it to know the other")
