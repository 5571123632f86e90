"""The command line in this process, and its outputs stored in a broker as a worker would."""

import json
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from typer.testing import CliRunner, Result

from riskstream.cli.app import app
from tests.support.kafka import Broker, Stored, produce

__all__ = ["ONE_LOGIN", "invoke", "mixed_file", "ndjson", "one_event", "store_lines"]

ACCOUNT = 1234


def one_event(event_id: int, event_type_id: int = 6, **fields: object) -> dict[str, Any]:
    """A REST event of user 7, one second per id after 2026-11-23T13:00Z."""
    return {
        "id": event_id,
        "created_at": f"2026-11-23T13:{event_id // 60 % 60:02}:{event_id % 60:02}.000Z",
        "account_id": ACCOUNT,
        "event_type_id": event_type_id,
        "user_id": 7,
        "user_name": "User Seven",
        "actor_user_id": 7,
        "ipaddr": "203.0.113.9",
        **fields,
    }


ONE_LOGIN = json.dumps(one_event(1, 5)).encode()


def mixed_file(failures: int = 9) -> bytes:
    """Every shape there is, some broken, in 13 events and as many failed logins as asked for.

    Of the 13: 8 are routed (a login, a success after the failures, a page of two, an array of
    one, an envelope, a broadcaster's line, an unknown type), 4 are dead letters (an array's
    member, a line that is no JSON, one that is no UTF-8, a missing field), one is filtered.
    """
    nested = {"event": {"uuid": "u-1", "event_timestamp": "2026-11-23 13:30:00 UTC"}}
    nested["event"] |= {"account_id": ACCOUNT, "event_type_id": 19, "user_id": 7}  # type: ignore[dict-item]
    documents: list[object] = [
        one_event(1, 5),
        *(one_event(100 + number) for number in range(failures)),
        one_event(200, 5),
        {"status": {"error": False, "code": 200}, "data": [one_event(201, 8), one_event(202, 62)]},
        [one_event(203, 14, actor_user_id=9), {"uuid": "no-event"}],
        {"detail-type": "event", "source": "example", "detail": one_event(204, 72)},
        nested,
        one_event(205, 99_999),
        {key: value for key, value in one_event(206).items() if key != "account_id"},
        [],
    ]
    lines = [json.dumps(document).encode() for document in documents]
    return b"\n".join([*lines[:3], b"not json", *lines[3:], b'{"user_name":"\xff"}', b""])


def invoke(*arguments: str, stdin: bytes = b"") -> Result:
    """Run the command in this process; ``result.stdout`` and ``result.stderr`` are apart."""
    return CliRunner(env={"NO_COLOR": "1", "TERM": "dumb"}).invoke(
        app, list(arguments), input=stdin
    )


def ndjson(text: str) -> list[Any]:
    """The documents of NDJSON."""
    return [json.loads(line) for line in text.splitlines()]


def store_lines(broker: Broker, lines: Iterable[dict[str, Any]]) -> None:
    """Write output lines of ``riskstream score`` to their topics."""
    by_topic: dict[str, list[Stored]] = defaultdict(list)
    for line in lines:
        headers = tuple((name, value.encode()) for name, value in line["headers"].items())
        by_topic[line["topic"]].append(Stored(_value(line), line["key"].encode(), headers))
    for topic, records in by_topic.items():
        produce(broker, topic, records)


def _value(line: dict[str, Any]) -> bytes:
    if "payload_base64" in line:
        return b64decode(line["payload_base64"])
    if "payload" in line:
        return str(line["payload"]).encode()
    return json.dumps(line["value"]).encode()
