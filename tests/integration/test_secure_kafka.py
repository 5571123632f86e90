"""The whole flow over TLS, each part logged in by another mechanism; and faults that say what."""

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from riskstream.contract.acls import roles
from riskstream.demo.ports import free_ports
from riskstream.events import topics
from tests.support.certificates import Authority
from tests.support.cli import invoke
from tests.support.kafka import Stored, produce, read_topic
from tests.support.processes import Riskstream, run, wait_for
from tests.support.secure_kafka import CLIENT_SECRET, PASSWORD, PLAIN_USER, SecureKafka
from tests.support.workload import Workload, make_workload

pytestmark = pytest.mark.kafka

ROLES = roles("secure")
SECONDS = 60.0
TOKEN_SECONDS = 4
"""Lifetime of a token, and so of every connection that was opened with it."""
TOKENS = 2
"""So many are used up while work goes on."""


def worker(role: str, work_dir: Path, settings: dict[str, str]) -> Riskstream:
    """One role, which logs everything."""
    more = {"LOG__LEVEL": "debug", "LOG__FORMAT": "json", "HTTP__PORT": str(free_ports(1))}
    more |= {"WORKER__APP_ID": "secure", "KAFKA__SESSION_TIMEOUT_SECONDS": "6"}
    return Riskstream(["worker", "--role", role], work_dir, settings={**settings, **more})


def test_every_mechanism_carries_the_flow(
    secure_kafka: SecureKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ingest by PLAIN, assess by tokens that run out, a producer by certificate, a reader by SCRAM.

    Every event has its outcome, no process dies of a token's end, and no log has a secret.
    """
    monkeypatch.setattr(secure_kafka.tokens, "lifetime", TOKEN_SECONDS)
    secure_kafka.allow(PLAIN_USER, ROLES["worker-ingest"].acls)
    secure_kafka.allow("assess", ROLES["worker-assess"].acls)
    secure_kafka.allow("collector", ROLES["raw-producer"].acls)
    workload = make_workload(400, seed=21, end=datetime.now(UTC), users=9)
    ingest = worker("ingest", tmp_path / "ingest", secure_kafka.plain(tmp_path / "password"))
    assess = worker("assess", tmp_path / "assess", secure_kafka.oauth("assess"))

    with ExitStack() as running:
        for one in (ingest, assess):
            running.enter_context(one)
        for one in (ingest, assess):
            one.wait_until_ready()
        fed = run(
            ["feed", "--events", "50", "--rate", "500"],
            settings=secure_kafka.certificate("collector"),
        )
        assert fed.returncode == 0, fed.stderr.decode()
        # Starting takes long on a busy machine, and so little is left of a token then.
        died = assess.log.count("process_died")
        asked = len(secure_kafka.tokens.asked)
        for number in range(TOKENS):
            wait_for(lambda n=number: len(secure_kafka.tokens.asked) > asked + n, SECONDS, "token")
            produce(secure_kafka.broker, topics.RAW, workload.records[number::TOKENS])
        wait_for(lambda: scored(secure_kafka, workload), SECONDS, "all events to be scored")
        for one in (ingest, assess):
            assert one.health("ready") == 200
            assert one.stop() == 0

    assert assess.log.count("process_died") == died
    assert "process_died" not in ingest.log
    for log in (ingest.log, assess.log):
        assert [secret for secret in (PASSWORD, CLIENT_SECRET, "eyJ") if secret in log] == []
    seen = run(
        ["events", "--limit", "5", "--format", "json"], settings=secure_kafka.scram("reader")
    )
    assert len(seen.stdout.splitlines()) == 5, seen.stderr.decode()


def scored(kafka: SecureKafka, workload: Workload) -> bool:
    """Whether every event of it is on a scored topic."""
    wanted = {f"1234:{event['id']}" for event in workload.events}
    found = {
        record.header("ce_id")
        for topic in topics.SCORED.values()
        for record in read_topic(kafka.broker, topic)
    }
    return wanted <= found


def test_a_right_that_is_taken_away_ends_the_work_and_is_named(
    secure_kafka: SecureKafka, tmp_path: Path
) -> None:
    """While a worker runs; given back, its supervisor goes on where the work stood."""
    user = "removed"
    secure_kafka.add_scram_user(user)
    own = roles("removed")["worker-ingest"]
    secure_kafka.allow(user, own.acls)
    (right,) = [acl for acl in own.acls if acl.name == topics.DEAD_LETTER]
    settings = {**secure_kafka.scram(user), "WORKER__APP_ID": "removed", "LOG__FORMAT": "json"}
    settings |= {"HTTP__PORT": str(free_ports(1)), "KAFKA__SESSION_TIMEOUT_SECONDS": "6"}

    with Riskstream(["worker", "--role", "ingest"], tmp_path, settings=settings) as running:
        running.wait_until_ready()
        secure_kafka.deny(user, [right])
        produce(secure_kafka.broker, topics.RAW, [Stored(b"no json", b"taken-away")])
        wait_for(lambda: "process_died" in running.log, SECONDS, "the process to end")
        assert f"Write on topic {topics.DEAD_LETTER}" in running.log
        secure_kafka.allow(user, [right])
        wait_for(lambda: b"taken-away" in dead_letters(secure_kafka), SECONDS, "the dead letter")
        assert running.stop() == 0


def dead_letters(kafka: SecureKafka) -> set[bytes | None]:
    """Keys of all dead letters."""
    return {record.key for record in read_topic(kafka.broker, topics.DEAD_LETTER)}


def test_what_keeps_us_out_is_told(
    secure_kafka: SecureKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong and which setting to look at, for every way to be kept out; never a secret."""
    kafka, good = secure_kafka, secure_kafka.scram("reader")
    stranger = Authority(tmp_path / "stranger")
    unknown = stranger.issue("unknown")
    plain = {"KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers}
    prefix = "KAFKA__SECURITY__"
    tls = {name: good[name] for name in ("KAFKA__BOOTSTRAP_SERVERS", f"{prefix}CA_FILE")}
    tls[f"{prefix}PROTOCOL"] = "SSL"
    shown = {f"{prefix}CERTIFICATE_FILE": str(unknown.both)}
    mutual = {"KAFKA__BOOTSTRAP_SERVERS": kafka.mutual_tls}
    cases: list[tuple[dict[str, str], str]] = [
        ({**good, f"{prefix}PASSWORD": "wrong word"}, "refuses the login of user reader"),
        ({**good, f"{prefix}MECHANISM": "SCRAM-SHA-256"}, "does not take logins by SCRAM-SHA-256"),
        ({**good, f"{prefix}CA_FILE": str(stranger.ca_file)}, "certificate that is not trusted"),
        ({**good, **plain}, "does not speak TLS at this port"),
        ({"KAFKA__BOOTSTRAP_SERVERS": kafka.sasl}, "may want TLS or a login"),
        (tls, "may want a login"),
        ({**tls, **mutual}, "may ask for a client certificate"),
        ({**tls, **mutual, **shown}, "may not trust the client certificate"),
        ({**kafka.oauth("app"), f"{prefix}OAUTH_CLIENT_SECRET": "wrong word"}, "(invalid_client)"),
        (kafka.oauth_file("nobody", tmp_path / "token"), "Read on topic iam.state.lockouts.v1"),
    ]
    for settings, wanted in cases:
        with monkeypatch.context() as environment:
            for name, value in settings.items():
                environment.setenv(f"RISKSTREAM_{name}", value)
            done = invoke("tables", "lockouts")
        text = " ".join(done.stderr.split())
        assert (done.exit_code, wanted in text) == (3, True), text
        secrets = (PASSWORD, CLIENT_SECRET, "wrong word", "eyJ", "Traceback")
        assert [secret for secret in secrets if secret in text] == []
