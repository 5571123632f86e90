"""riskstream dlq release."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.support.cli import invoke


class Worker(HTTPServer):
    """Answers like a worker, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.answer: tuple[int, object] = (200, {"released": [1, 2]})

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Worker

    def do_POST(self) -> None:
        """As ``POST /brake/release`` of the worker."""
        self.server.asked.append(self.path)
        status, document = self.server.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_arguments: object) -> None:
        """Be quiet."""


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A stub on a free port."""
    with Worker() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_release_tells_which_partitions_go_on(worker: Worker) -> None:
    """All of them, or the one that is named."""
    result = invoke("dlq", "release", "--worker-url", f"{worker.url}/", "--format", "json")
    assert json.loads(result.stdout) == {"released": [1, 2]}
    assert "2 partitions go on" in result.stderr
    worker.answer = (200, {"released": []})
    result = invoke("dlq", "release", "--worker-url", worker.url, "--partition", "7")
    assert "No partition was braked" in result.stderr
    assert worker.asked == ["/brake/release", "/brake/release?partition=7"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [((404, {}), "refused: 404"), ((200, {"other": 1}), "No worker of riskstream answers")],
)
def test_an_answer_that_is_no_workers_is_a_fault(
    worker: Worker, answer: tuple[int, object], told: str
) -> None:
    """Exit 3 and one message."""
    worker.answer = answer
    result = invoke("dlq", "release", "--worker-url", worker.url)
    assert result.exit_code == 3
    assert told in result.stderr


def test_only_http_addresses_are_asked() -> None:
    """A file is not read for being named as an address."""
    result = invoke("dlq", "release", "--worker-url", "file:///etc/hostname")
    assert result.exit_code == 2
    assert "http://" in result.stderr
