"""Reading one row over HTTP: here, or from the worker that has its partition, one hop away.

Workers know each other's addresses from the consumer group: Faust's assignor hands every member's
URL to all of them with each assignment. What is read is what was committed.
"""

import socket
from math import ceil
from typing import Any
from urllib.parse import quote

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout
from faust.types import TP
from structlog import get_logger
from yarl import URL

from riskstream.config import HttpSettings
from riskstream.events.topics import FAILURES, LOCKOUTS, USERS
from riskstream.observability.http import FORWARDED, StateAnswer
from riskstream.pipeline.state import PartitionState
from riskstream.risk.standing_rows import encode_standing
from riskstream.streaming.apps import HopApp
from riskstream.streaming.partitioner import partition_of
from riskstream.streaming.stages import AssessStage
from riskstream.windows.rows import encode_failures, encode_lockouts

__all__ = ["StateApi", "own_url"]

TABLES = {"failures": FAILURES, "lockouts": LOCKOUTS, "users": USERS}
HOP_SECONDS = 3.0
ANSWER_BYTES = 4_194_304
ANYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  (to recognise it)

log = get_logger(__name__)


def own_url(http: HttpSettings, port: int) -> URL:
    """How other workers reach what this process serves at this port."""
    host = http.advertised_host or http.host
    if host in ANYWHERE:
        host = socket.gethostname()
    return URL.build(scheme="http", host=host, port=port)


class StateApi:
    """Answers for one process.

    Args:
        app: Whose tables are read.
        partitions: Of the classified topic.
    """

    def __init__(self, app: HopApp, partitions: int) -> None:
        self._app = app
        self._partitions = partitions

    async def read(self, table: str, key: str, onward: str | None) -> StateAnswer:
        """One row. ``onward`` is the authorization to ask another worker with, or None."""
        stage = self._app.hop.stage
        if not isinstance(stage, AssessStage):
            return _told(404, "this process has no tables; ask one with the role assess")
        if table not in TABLES:
            return _told(404, f"there is no table {table}; there are {', '.join(TABLES)}")
        if self._app.rebalancing or not self._app.tables.actives_ready:
            return _later("partitions are being assigned or recovered", stage.recovery)
        partition = partition_of(key.encode(), self._partitions)
        lane = self._app.hop.lanes.get(TP(stage.source, partition))
        if lane is None:
            return await self._ask_owner(table, key, partition, onward)
        row = _row(stage.state(partition), table, key)
        if row is None:
            return _told(404, f"the table {table} has no row for {key}")
        body = {
            "table": table,
            "key": key,
            "partition": partition,
            "offset": lane.position,
            "row": orjson.Fragment(row),
        }
        return StateAnswer(200, orjson.dumps(body))

    async def _ask_owner(
        self, table: str, key: str, partition: int, onward: str | None
    ) -> StateAnswer:
        assignor: Any = self._app.assignor
        owner = assignor._tps_url.get(TP(TABLES[table], partition))  # noqa: SLF001  (as Faust's router)
        if onward is None or owner is None or owner == str(self._app.conf.canonical_url):
            return _later(f"partition {partition} is changing hands")
        url = URL(f"{owner.rstrip('/')}/state/{table}/{quote(key, safe='')}", encoded=True)
        headers = {"Authorization": onward, FORWARDED: "1"}
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=HOP_SECONDS)) as session,
                session.get(url, headers=headers, allow_redirects=False) as answer,
            ):
                body = await answer.content.read(ANSWER_BYTES)
                after = answer.headers.get("Retry-After", "")
                return StateAnswer(answer.status, body, int(after) if after.isdecimal() else None)
        except (ClientError, TimeoutError, OSError) as fault:
            log.warning("owner_unreachable", url=owner, partition=partition, error=repr(fault))
            return _later(f"the worker that has partition {partition} does not answer")


def _row(state: PartitionState, table: str, key: str) -> bytes | None:
    """The row as its topic has it."""
    if table == "failures":
        failures = state.failures.get(key)
        return None if failures is None else encode_failures(failures)
    if table == "users":
        standing = state.standings.get(key)
        return None if standing is None else encode_standing(standing)
    lockouts = state.lockouts.get(key)
    return None if lockouts is None else encode_lockouts(lockouts)


def _told(status: int, error: str, retry_after: int | None = None) -> StateAnswer:
    return StateAnswer(status, orjson.dumps({"error": error}), retry_after)


def _later(why: str, recovery: dict[str, float | None] | None = None) -> StateAnswer:
    seconds = (recovery or {}).get("seconds_left") or 1.0
    return _told(503, f"{why}; try again", max(1, ceil(seconds)))
