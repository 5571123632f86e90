"""Reading a row: here, from its owner, or later."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from faust.types import TP
from yarl import URL

from riskstream.config import HttpSettings, KafkaSettings
from riskstream.events.topics import CLASSIFIED, FAILURES, LOCKOUTS, USERS
from riskstream.events.vocabulary import Change, Kind
from riskstream.observability.http import FORWARDED
from riskstream.observability.metrics import Metrics
from riskstream.pipeline.state import PartitionState
from riskstream.streaming.partitioner import partition_of
from riskstream.streaming.stages import AssessStage, IngestStage
from riskstream.streaming.state_api import TABLES, StateApi, _row, own_url
from tests.support.risk import facts, records, run, vendor

KEY = "1234:7"
PARTITION = partition_of(KEY.encode(), 4)


class Tables:
    """Empty rows."""

    def state(self, _: int) -> PartitionState:
        return PartitionState()


@pytest.fixture
def app() -> Any:
    """What the API asks of Faust's app, ready, with the key's partition."""
    metrics = Metrics(role="assess", version="0", policy="p")
    stage = AssessStage(None, Tables(), KafkaSettings(), metrics)  # type: ignore[arg-type]
    lanes = {TP(CLASSIFIED, PARTITION): SimpleNamespace(position=5)}
    return SimpleNamespace(
        hop=SimpleNamespace(stage=stage, lanes=lanes),
        rebalancing=False,
        tables=SimpleNamespace(actives_ready=True),
        assignor=SimpleNamespace(_tps_url={}),
        conf=SimpleNamespace(canonical_url=URL("http://127.0.0.1:1")),
    )


async def test_an_unknown_key_table_or_role_is_404(app: Any) -> None:
    """Each says which it is."""
    api = StateApi(app, 4)
    for table, key, why in (("failures", KEY, "no row"), ("profiles", KEY, "no table profiles")):
        answer = await api.read(table, key, "Bearer x")
        assert (answer.status, why in answer.body.decode()) == (404, True)
    app.hop.stage = IngestStage(None)  # type: ignore[arg-type]
    answer = await api.read("failures", KEY, "Bearer x")
    assert (answer.status, "role assess" in answer.body.decode()) == (404, True)


@pytest.mark.parametrize("state", ["rebalancing", "recovering"])
async def test_while_rows_are_not_whole_one_is_told_when_to_come_back(app: Any, state: str) -> None:
    """After what recovery still takes, where that is known."""
    app.rebalancing = state == "rebalancing"
    app.tables.actives_ready = state != "recovering"
    answer = await StateApi(app, 4).read("failures", KEY, "Bearer x")
    assert (answer.status, answer.retry_after) == (503, 1)
    app.hop.stage._recovery = SimpleNamespace(as_dict=lambda: {"seconds_left": 12.3})
    answer = await StateApi(app, 4).read("failures", KEY, "Bearer x")
    assert answer.retry_after == 13


async def test_the_owner_is_asked_once(app: Any) -> None:
    """With the caller's authorization; whoever is asked like that asks nobody else."""
    seen = []

    async def handle(request: web.Request) -> web.Response:
        seen.append((request.path, request.headers[FORWARDED], request.headers["Authorization"]))
        return web.json_response({"error": "busy"}, status=503, headers={"Retry-After": "4"})

    owner = web.Application()
    owner.router.add_get("/state/{table}/{key:.+}", handle)
    app.hop.lanes.clear()
    async with TestServer(owner) as server:
        app.assignor._tps_url[TP(FAILURES, PARTITION)] = str(server.make_url("/"))
        answer = await StateApi(app, 4).read("failures", KEY, "Bearer x")
        assert (answer.status, answer.retry_after) == (503, 4)
        assert json.loads(answer.body) == {"error": "busy"}
        assert (await StateApi(app, 4).read("failures", KEY, None)).status == 503
    assert seen == [(f"/state/failures/{KEY}", "1", "Bearer x")]


async def test_an_owner_that_is_gone_means_later(app: Any) -> None:
    """Unreachable, unknown, or said to be ourselves: the group is about to change."""
    app.hop.lanes.clear()
    place = TP(FAILURES, PARTITION)
    for url in ({place: "http://127.0.0.1:1/"}, {}, {place: "http://127.0.0.1:1"}):
        app.assignor._tps_url = url
        answer = await StateApi(app, 4).read("failures", KEY, "Bearer x")
        assert (answer.status, answer.retry_after) == (503, 1)


def test_how_others_reach_us() -> None:
    """By what we are told to say, else by where we listen, else by the machine's name."""
    assert str(own_url(HttpSettings(), 9464)) == "http://127.0.0.1:9464"
    assert str(own_url(HttpSettings(host="::1"), 1)) == "http://[::1]:1"
    named = HttpSettings(host="0.0.0.0", advertised_host="pod-1.example.com")  # noqa: S104
    assert str(own_url(named, 80)) == "http://pod-1.example.com"
    assert own_url(HttpSettings(host="0.0.0.0"), 9464).host not in {None, "0.0.0.0"}  # noqa: S104


@pytest.mark.parametrize("table", TABLES)
def test_a_row_is_answered_as_its_topic_has_it(table: str) -> None:
    """Of each table; None where the subject has none."""
    events = [
        facts(Kind.LOGIN_FAILURE),
        facts(Kind.LOCKOUT, change=Change.LOCK),
        facts(vendor=vendor(60)),
    ]
    (result,), state = run(records(events))
    written = {each.topic: each.value for each in result.changes.changelog(None)}
    assert TABLES == {"failures": FAILURES, "lockouts": LOCKOUTS, "users": USERS}
    assert _row(state, table, "1234:7") == written[TABLES[table]]
    assert _row(state, table, "1234:8") is None
