"""A webhook's receiver on loopback that fails as it is told."""

import socket
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

__all__ = ["Receiver"]

Fault = int | tuple[int, str] | Literal["hang", "drop", "drop_after"]
"""A status, one with a ``Retry-After``, no answer, or a connection that ends before one."""


class Receiver:
    """Takes whatever is posted, but for the next requests' ``faults``.

    ``taken`` has the bodies that were answered with 200, ``tries`` counts all requests.
    """

    def __init__(self) -> None:
        self.faults: deque[Fault] = deque()
        self.taken: list[bytes] = []
        self.tries = 0
        self._released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.tries += 1
                fault: Any = receiver.faults.popleft() if receiver.faults else 200
                if fault == "hang":
                    receiver._released.wait(30)
                    return
                if fault in {"drop", "drop_after"}:
                    if fault == "drop_after":
                        receiver.taken.append(body)
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, after = fault if isinstance(fault, tuple) else (fault, None)
                if status == 200:
                    receiver.taken.append(body)
                self.send_response(status)
                if after is not None:
                    self.send_header("Retry-After", after)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self._server.server_port}/hook/s3cret-path"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
