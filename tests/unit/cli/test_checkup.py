"""What the doctor says of which facts: every fault is found, and named with a cure."""

import dataclasses
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from riskstream import __version__
from riskstream.cli.checkup.broker import TRANSACTIONS, judge_cluster
from riskstream.cli.checkup.finding import Finding, Judgement
from riskstream.cli.checkup.groups import GroupView, judge_group
from riskstream.cli.checkup.local import judge_local
from riskstream.cli.checkup.records import Sample, judge_clock, judge_probe, judge_sample
from riskstream.cli.checkup.topics import judge_replication, judge_rights, judge_topics
from riskstream.cli.checkup.workers import WorkerFacts, ask_worker, judge_workers
from riskstream.config import Settings
from riskstream.contract.acls import Operation, Resource, roles
from riskstream.errors import ConfigError
from riskstream.events.topics import ALL_TOPICS, CLASSIFIED, RAW
from riskstream.streaming.admin import TopicState, judge
from riskstream.streaming.inquiry import (
    ClusterFacts,
    GroupFacts,
    LogFacts,
    PartitionFacts,
    TopicFacts,
)
from riskstream.streaming.probe import ProbeFacts

NOW = 1_800_000_000_000
CLUSTER = ClusterFacts(
    "cluster",
    ("192.0.2.1:9092",),
    {11: (0, 9), 21: (0, 2), **dict.fromkeys(TRANSACTIONS, (0, 3))},
    {"metadata.version": 30},
    {
        "transaction.max.timeout.ms": "900000",
        "group.min.session.timeout.ms": "6000",
        "group.max.session.timeout.ms": "1800000",
        "offsets.retention.minutes": "10080",
        "auto.create.topics.enable": "false",
    },
)


def _words(findings: Iterable[Finding]) -> dict[str, list[str]]:
    """Judgement to ``check: detail`` of each finding; every bad one must have a cure."""
    found: dict[str, list[str]] = {}
    for finding in findings:
        assert finding.cure or finding.judgement not in {Judgement.WARN, Judgement.FAIL}
        found.setdefault(finding.judgement, []).append(f"{finding.check}: {finding.detail}")
    return found


def test_a_good_cluster_has_only_good_lines() -> None:
    """Version by its features, transactions, settings that fit."""
    told = _words(judge_cluster(CLUSTER, Settings()))
    assert set(told) == {"ok"}
    assert any("Apache Kafka 4.3 " in line for line in told["ok"])


@pytest.mark.parametrize(
    ("level", "release"), [(31, "4.3 or newer"), (25, "4.0"), (14, "3.6"), (1, "before 3.3")]
)
def test_the_release_is_told_by_the_metadata_version(level: int, release: str) -> None:
    """Each release begins at a level, and lasts to the next one's."""
    facts = dataclasses.replace(CLUSTER, features={"metadata.version": level})
    assert any(release in line for line in _words(judge_cluster(facts, Settings()))["ok"])


def test_a_broker_without_transactions_fails_unless_they_are_not_used() -> None:
    """The cure is the other guarantee, and with that it is only a warning."""
    facts = dataclasses.replace(CLUSTER, apis={11: (0, 9), 21: (0, 2)})
    assert any(
        "InitProducerId" in line for line in _words(judge_cluster(facts, Settings()))["fail"]
    )
    relaxed = Settings(worker={"processing_guarantee": "at_least_once"})  # type: ignore[arg-type]
    assert set(_words(judge_cluster(facts, relaxed))) == {"ok", "warn"}


@pytest.mark.parametrize(
    ("key", "value", "judgement"),
    [
        ("transaction.max.timeout.ms", "60000", "fail"),
        ("group.min.session.timeout.ms", "30000", "fail"),
        ("offsets.retention.minutes", "60", "warn"),
        ("auto.create.topics.enable", "true", "warn"),
    ],
)
def test_broker_settings_that_hurt_are_named(key: str, value: str, judgement: str) -> None:
    """One line, by the setting's effect."""
    facts = dataclasses.replace(CLUSTER, config={**CLUSTER.config, key: value})
    (line,) = _words(judge_cluster(facts, Settings()))[judgement]
    assert line.startswith("broker settings")


def test_old_brokers_and_hidden_settings_are_told() -> None:
    """No static members, no purging, no view of the settings."""
    facts = ClusterFacts("", ("a:1",), {11: (0, 4), **dict.fromkeys(TRANSACTIONS, (0, 0))})
    told = _words(judge_cluster(facts, Settings()))
    assert [line.split(":")[0] for line in told["fail"]] == ["static members"]
    assert [line.split(":")[0] for line in told["warn"]] == ["purging"]
    assert [line.split(":")[0] for line in told["skipped"]] == ["broker settings"]


def _states(**config: str) -> dict[str, TopicState]:
    return {
        spec.name: TopicState(spec.name, 4, 1, {**spec.config, **config}) for spec in ALL_TOPICS
    }


def test_topics_are_judged_one_by_one() -> None:
    """Good ones with partitions and retention, missing ones in one line."""
    states = _states()
    del states[CLASSIFIED]
    verdicts = [judge(spec, states.get(spec.name), states.get(CLASSIFIED)) for spec in ALL_TOPICS]
    told = _words(judge_topics(verdicts, states, {}))
    assert told["fail"] == [f"topics: 1 do not exist: {CLASSIFIED}"]
    assert f"topic {RAW}: 4 partitions, kept 7 days" in told["ok"]
    assert len(told["ok"]) == len(ALL_TOPICS) - 1
    hidden = {CLASSIFIED: TopicFacts(refused=True)}
    assert set(_words(judge_topics(verdicts, states, hidden))) == {"ok"}


def test_raw_records_kept_for_hours_are_a_warning() -> None:
    """It is the operator's choice, and may lose events."""
    states = _states()
    states[RAW] = TopicState(RAW, 4, 1, {**states[RAW].config, "retention.ms": "7200000"})
    verdicts = [judge(spec, states[spec.name], states[CLASSIFIED]) for spec in ALL_TOPICS]
    (line,) = _words(judge_topics(verdicts, states, {}))["warn"]
    assert "kept 2 hours" in line


def _topic(*partitions: tuple[int, int, int]) -> TopicFacts:
    """Per partition: leader, replicas, in sync."""
    return TopicFacts(
        tuple(
            PartitionFacts(leader, tuple(range(copies)), tuple(range(in_sync)))
            for leader, copies, in_sync in partitions
        )
    )


@pytest.mark.parametrize(
    ("partition", "brokers", "config", "judgement", "text"),
    [
        ((0, 3, 3), 3, {"min.insync.replicas": "2"}, "ok", "3 copies"),
        ((0, 3, 3), 3, {"min.insync.replicas": "1"}, "warn", "min.insync.replicas is 1"),
        ((0, 1, 1), 1, {}, "warn", "1 copy of the data on 1 broker:"),
        ((0, 1, 1), 3, {}, "warn", "1 copy of the data on 3 brokers:"),
        ((0, 3, 2), 3, {"min.insync.replicas": "2"}, "warn", f"{RAW}-0"),
        ((-1, 3, 0), 3, {"min.insync.replicas": "2"}, "fail", f"no leader: {RAW}-0"),
    ],
)
def test_replication(
    partition: tuple[int, int, int], brokers: int, config: dict[str, str], judgement: str, text: str
) -> None:
    """Copies, copies in step and leaders."""
    states = {RAW: TopicState(RAW, 1, partition[1], config)}
    told = _words(judge_replication({RAW: _topic(partition)}, states, brokers))
    assert text in told[judgement][0]


def test_rights_are_told_by_what_is_missing() -> None:
    """All, one too few, the one that only lets a topic grow, and a broker that does not tell."""
    needed = roles()["worker-assess"].acls
    (purge,) = [acl for acl in needed if acl.operation is Operation.DELETE]
    (ids,) = [acl for acl in needed if acl.resource is Resource.TRANSACTIONAL_ID]
    assert judge_rights([], needed, told=True).judgement == "ok"
    assert judge_rights([], needed, told=False).judgement == "skipped"
    assert judge_rights([purge], needed, told=True).judgement == "warn"
    worse = judge_rights([purge, ids], needed, told=True)
    assert worse.judgement == "fail"
    assert f"no Write on transactionalId {ids.name}*" in worse.detail
    assert "topics acls" in worse.cure


def _view(
    *,
    state: str = "Stable",
    members: int = 1,
    committed: dict[int, int] | None = None,
    logs: dict[int, LogFacts] | None = None,
    rows: dict[int, bool] | None = None,
) -> GroupView:
    return GroupView(
        "riskstream-assess",
        CLASSIFIED,
        GroupFacts(state, members),
        logs or {0: LogFacts(5, 10), 1: LogFacts(0, 7)},
        {0: 10, 1: 7} if committed is None else committed,
        rows or {},
    )


@pytest.mark.parametrize(
    ("view", "judgement", "text"),
    [
        (_view(), "ok", "1 member on 2 partitions; 0 records wait"),
        (_view(state="Empty", members=0), "warn", "no worker runs"),
        (_view(state="PreparingRebalance"), "warn", "rebalanced"),
        (_view(members=3), "warn", "3 members for 2 partitions"),
        (_view(committed={0: 2, 1: 7}), "fail", f"3 offsets of {CLASSIFIED}-0 were deleted"),
        (_view(committed={0: 11, 1: 7}), "fail", f"beyond the end of {CLASSIFIED}-0"),
        (_view(committed={0: 10}, rows={0: True, 1: True}), "fail", f"{CLASSIFIED}-1 have rows"),
        (_view(committed={}, state="Dead", members=0), "warn", "12 records wait"),
        (
            _view(logs={0: LogFacts(0, 10, 4, NOW - 10_000)}, committed={0: 6}),
            "ok",
            "4 records wait, the oldest for 10 s",
        ),
        (
            _view(logs={0: LogFacts(0, 10, 1, NOW - 3_700_000)}, committed={0: 9}),
            "warn",
            "1 record waits, the oldest for 1 h 1 min",
        ),
    ],
)
def test_groups(view: GroupView, judgement: str, text: str) -> None:
    """State, lag, and every start that a worker would refuse."""
    told = _words(judge_group(view, NOW, 300.0))
    assert list(told) == [judgement]
    assert text in told[judgement][0]


def test_a_group_out_of_sight_is_a_fault() -> None:
    """It says which right is missing."""
    view = dataclasses.replace(_view(), facts=GroupFacts("", refused=True))
    assert set(_words(judge_group(view, NOW, 300.0))) == {"fail"}


def test_records_are_judged_by_their_schema() -> None:
    """Good, bad with the place, and none at all."""
    assert set(_words(judge_sample({RAW: Sample()}))) == {"skipped"}
    assert set(_words(judge_sample({CLASSIFIED: Sample(5)}))) == {"ok"}
    told = _words(judge_sample({CLASSIFIED: Sample(5, faults=["0:7 /id is missing"])}))
    assert "1 of the newest 5 records" in told["fail"][0]
    assert "0:7 /id is missing" in told["fail"][0]


@pytest.mark.parametrize(
    ("newest", "judgement"),
    [
        (None, "skipped"),
        (NOW - 60_000, "skipped"),
        (NOW - 200, "ok"),
        (NOW + 5_000, "warn"),
        (NOW + 400_000, "fail"),
    ],
)
def test_the_clock_by_the_newest_record(newest: int | None, judgement: str) -> None:
    """A record from the future tells a clock that is ahead; an old one tells nothing."""
    assert judge_clock({RAW: Sample(1, newest)}, NOW).judgement == judgement


def test_the_probe_tells_transactions_and_clock() -> None:
    """Skew counts beyond what the answer's time leaves open."""
    good = _words(judge_probe(ProbeFacts(3.0, 1.0, read_back=True), transactional=True))
    assert set(good) == {"ok"}
    slow = _words(judge_probe(ProbeFacts(1500.0, 900.0, read_back=True), transactional=True))
    assert set(slow) == {"ok"}
    behind = _words(judge_probe(ProbeFacts(-9000.0, 1.0, read_back=True), transactional=True))
    assert "9.0 s behind ours" in behind["warn"][0]
    assert set(_words(judge_probe(ProbeFacts(fault="refused"), transactional=True))) == {"warn"}
    wrong = _words(judge_probe(ProbeFacts(None, 1.0), transactional=True))
    assert set(wrong) == {"fail", "skipped"}


def test_local_faults_are_lines_not_ends(tmp_path: Path) -> None:
    """A bad policy, a bad overlay and a missing directory do not stop the rest."""
    bad = tmp_path / "policy.toml"
    bad.write_text("version = 7\n")
    told = _words(
        judge_local(
            Settings(
                risk={"policy": bad},  # type: ignore[arg-type]
                catalog={"overlay": tmp_path / "none.tsv"},  # type: ignore[arg-type]
            )
        )
    )
    assert [line.split(":")[0] for line in told["fail"]] == ["policy", "catalog"]
    told = _words(judge_local(Settings()))
    assert told.keys() == {"ok", "skipped"}
    assert "no asn and no geoip file" in told["skipped"][0]
    lists = {"lists": {"tor": tmp_path / "none.txt"}}
    told = _words(judge_local(Settings(reference=lists)))  # type: ignore[arg-type]
    assert "cannot be read" in told["fail"][0]


def test_a_state_directory_must_be_writable(tmp_path: Path) -> None:
    """It is made by the worker, so the nearest one above counts."""
    place = tmp_path / "not" / "yet"
    state = {"store": "rocksdict", "directory": place}
    assert "fail" not in _words(judge_local(Settings(state=state)))  # type: ignore[arg-type]
    file = tmp_path / "file"
    file.write_text("")
    state = {"store": "rocksdict", "directory": file}
    (line,) = _words(judge_local(Settings(state=state)))["fail"]  # type: ignore[arg-type]
    assert line.startswith("state")


def _worker(**changes: object) -> WorkerFacts:
    build = {"version": __version__, "role": "assess", "policy": "p"}
    facts = WorkerFacts("http://192.0.2.1:9464", True, True, {"partitions": [0, 2]}, build)
    return dataclasses.replace(facts, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("worker", "judgement", "text"),
    [
        (_worker(), "ok", "assess, ready; partitions 0, 2"),
        (_worker(fault="refused"), "fail", "refused"),
        (_worker(live=False), "fail", "fault"),
        (_worker(ready=False, body={"braked_partitions": [2]}), "fail", "brake"),
        (_worker(ready=False, body={"recovery": {"seconds_left": 3}}), "warn", "reads its tables"),
        (_worker(ready=False), "warn", "not ready"),
        (_worker(build={"version": "9.9", "policy": "p"}), "warn", "version 9.9"),
    ],
)
def test_workers(worker: WorkerFacts, judgement: str, text: str) -> None:
    """Health, brake, recovery, and another build than ours."""
    assert text in _words(judge_workers([worker], "p"))[judgement][0]


def _serve(answers: dict[str, tuple[int, bytes]]) -> ThreadingHTTPServer:
    """A server on a free port of loopback, with these answers by path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, b"404: Not Found"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,)).start()
    return server


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            {
                "/health/live": (200, b"{}"),
                "/health/ready": (503, b'{"braked_partitions": [1]}'),
                "/metrics": (200, b'riskstream_build_info{version="1",role="ingest"} 1.0\n'),
            },
            {"live": True, "ready": False, "build": {"version": "1", "role": "ingest"}},
        ),
        ({"/metrics": (200, b"")}, {"fault": "no worker's health is there; with"}),
        (
            {"/health/live": (200, b"{}"), "/health/ready": (200, b"{}")},
            {"ready": True, "build": {}, "fault": ""},
        ),
    ],
    ids=["braked", "metrics alone", "health alone"],
)
def test_a_worker_is_asked_over_http(
    answers: dict[str, tuple[int, bytes]], expected: dict[str, object]
) -> None:
    """A 503 is an answer; what is served elsewhere is told apart from nobody."""
    server = _serve(answers)
    try:
        facts = ask_worker(f"http://127.0.0.1:{server.server_port}/")
    finally:
        server.shutdown()
        server.server_close()
    for name, value in expected.items():
        found = getattr(facts, name)
        assert found.startswith(value) if name == "fault" and value else found == value


def test_a_worker_s_address_is_an_http_one() -> None:
    """A file's address would be read, too."""
    with pytest.raises(ConfigError, match="http://"):
        ask_worker("file:///etc/hostname")
