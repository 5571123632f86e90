"""The commands ``riskstream source …`` as child processes, and a sender for the webhook."""

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from riskstream.demo.broker import free_port
from tests.support.kafka import Broker, Stored, read_topic
from tests.support.onelogin import CLIENT_ID, CLIENT_SECRET, FakeOneLogin
from tests.support.processes import Riskstream

__all__ = [
    "HOST",
    "PATH",
    "SECRET",
    "ids",
    "poll_settings",
    "post",
    "raw_records",
    "start_poller",
    "start_webhook",
]

SECRET = "webhook-secret-of-the-tests"
RAW = "iam.events.raw.v1"
PATH = "/onelogin/events"
HOST = "127.0.0.1"


def poll_settings(broker: Broker, api: FakeOneLogin, **more: str) -> dict[str, str]:
    """Settings of a poller in a hurry."""
    return {
        "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "LOG__FORMAT": "json",
        "POLL__BASE_URL": api.url,
        "POLL__CLIENT_ID": CLIENT_ID,
        "POLL__CLIENT_SECRET": CLIENT_SECRET,
        "POLL__BACKOFF_SECONDS": "0.01",
        "POLL__INTERVAL_SECONDS": "0.1",
        **more,
    }


def start_poller(
    broker: Broker, api: FakeOneLogin, work_dir: Path, *arguments: str, **more: str
) -> Riskstream:
    """``riskstream source poll``, to be started or entered by the caller."""
    settings = poll_settings(broker, api, **more)
    return Riskstream(["source", "poll", *arguments], work_dir, settings=settings)


def start_webhook(broker: Broker, work_dir: Path, **more: str) -> tuple[Riskstream, int]:
    """``riskstream source webhook`` and its port, to be started or entered by the caller."""
    port = free_port()
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "LOG__FORMAT": "json",
        "WEBHOOK__PORT": str(port),
        "WEBHOOK__SECRET": SECRET,
        **more,
    }
    return Riskstream(["source", "webhook"], work_dir, settings=settings), port


def post(
    port: int, body: bytes, secret: str = SECRET, **headers: str
) -> tuple[int, Mapping[str, str]]:
    """Send one delivery; status and headers of the answer.

    Raises:
        OSError: There was no answer.
    """
    with closing(http.client.HTTPConnection(HOST, port, timeout=60)) as connection:
        given = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        try:
            connection.request("POST", PATH, body=body, headers=given)
            answer = connection.getresponse()
            answer.read()
        except http.client.HTTPException as fault:
            raise OSError(str(fault)) from fault
        return answer.status, dict(answer.getheaders())


def raw_records(broker: Broker) -> list[Stored]:
    """What committed work has put into the raw topic."""
    return read_topic(broker, RAW)


def ids(records: list[Stored]) -> list[Any]:
    """The id of each record's event."""
    return [json.loads(record.value or b"")["id"] for record in records]
