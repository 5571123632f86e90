"""The embedded broker: a small server that speaks Kafka's protocol, for the demo and for tests.

It is the ``noida-db`` package's, one binary of 11 MB, started as a child process on loopback.
It differs from Apache Kafka in ways that matter to whoever relies on it:

* it creates a topic when metadata is asked for a name that does not exist;
* it does not have DeleteRecords;
* a dynamic group member that dies leaves its group stuck until the broker restarts
  (static members, which riskstream's workers are, come back at once);
* it does not refuse timestamps that Apache Kafka refuses;
* it ignores the limits of a fetch and answers with everything from the asked offset to the end,
  so a reader far behind gets one answer of that size (librdkafka refuses more than 100 MB
  unless ``receive.message.max.bytes`` is raised);
* it keeps all records in memory and writes all of them to one file about once a second while
  they change, so a kill loses up to the last second, acknowledged or not.
"""

import contextlib
import importlib.util
import os
import shutil
import socket
import struct
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from riskstream.demo.leash import LeashedProcess
from riskstream.demo.ports import HOST, free_port
from riskstream.errors import ConfigError, KafkaFaultError

__all__ = ["EmbeddedBroker", "answers_kafka", "free_port"]

START_SECONDS = 30.0
STOP_SECONDS = 5.0
PORT_TRIES = 3
"""A free port may be taken between the look and the use."""
LOG_NAME = "broker.log"


class EmbeddedBroker:
    """One broker process; data survives ``stop`` where the data directory was given.

    Args:
        port: Loopback port; without it any free one is taken at the first start and then kept.
        data_dir: Where records and the log lie; without it a temporary directory,
            removed by ``stop``.
    """

    def __init__(self, port: int | None = None, data_dir: Path | None = None) -> None:
        self._port = port
        self._given_dir = data_dir
        self._data_dir = data_dir
        self._process: LeashedProcess | None = None

    @property
    def port(self) -> int:
        """Known after the first start."""
        if self._port is None:
            raise KafkaFaultError("The embedded broker has no port before it is started.")
        return self._port

    @property
    def bootstrap_servers(self) -> str:
        """``host:port``, as every Kafka client takes it."""
        return f"{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def data_dir(self) -> Path:
        """Where records and the log lie; a temporary directory exists from start to stop."""
        if self._data_dir is None:
            self._data_dir = Path(tempfile.mkdtemp(prefix="riskstream-broker-"))
        return self._data_dir

    @property
    def log_file(self) -> Path:
        """What the process printed; appended over restarts."""
        return self.data_dir / LOG_NAME

    def start(self) -> Self:
        """Start it and wait until it answers Kafka requests; again after stop or kill.

        Raises:
            ConfigError: The ``demo`` extra is not installed.
            KafkaFaultError: It ended or did not answer; the text has the end of its log.
        """
        if self.running:
            return self
        binary = _binary()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        tries = PORT_TRIES if self._port is None else 1
        for attempt in range(tries):
            port = free_port() if self._port is None else self._port
            logged = self.log_file.stat().st_size if self.log_file.exists() else 0
            self._process = self._launch(binary, port)
            try:
                self._wait_until_up(self._process, port, logged)
            except KafkaFaultError:
                self.kill()
                if attempt + 1 == tries:
                    self.stop()
                    raise
            else:
                self._port = port
                break
        return self

    def stop(self) -> None:
        """End it in good order, and remove its data if the directory was not given."""
        if self._process is not None:
            self._process.stop(STOP_SECONDS)
            self._process = None
        if self._given_dir is None and self._data_dir is not None:
            shutil.rmtree(self._data_dir, ignore_errors=True)
            self._data_dir = None

    def kill(self) -> None:
        """SIGKILL, as a crash; ``start`` takes up what it had written, on the same port."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def wait(self) -> int:
        """Wait until it ends by itself and return its exit code; 0 when it does not run."""
        return 0 if self._process is None else self._process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _launch(self, binary: Path, port: int) -> LeashedProcess:
        command = [str(binary), "start", "--only", "kafka", "--host", HOST]
        command += ["--kafka-port", str(port), "--data-dir", str(self.data_dir)]
        return LeashedProcess(command, log=self.log_file)

    def _wait_until_up(self, process: LeashedProcess, port: int, logged: int) -> None:
        # Its own word that it listens comes first: what answers may be somebody else's broker.
        listening = f"{HOST}:{port}\n".encode()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise KafkaFaultError(
                    f"The embedded broker ended at once on {HOST}:{port}. Its log ends with:\n"
                    f"{process.tail()}"
                )
            if listening in self.log_file.read_bytes()[logged:] and answers_kafka(HOST, port):
                return
            time.sleep(0.02)
        raise KafkaFaultError(
            f"The embedded broker did not answer on {HOST}:{port} within {START_SECONDS:.0f} s. "
            f"Its log ends with:\n{process.tail()}"
        )


def answers_kafka(host: str, port: int, timeout: float = 1.0) -> bool:
    """Whether a Kafka broker answers an ApiVersions request (version 0) at this address."""
    correlation = 7
    body = struct.pack(">hhih", 18, 0, correlation, -1)
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            answer = b""
            while len(answer) < 10:  # noqa: PLR2004  (size, correlation id, error code)
                part = connection.recv(64)
                if not part:
                    return False
                answer += part
    except OSError:
        return False
    return struct.unpack(">ih", answer[4:10]) == (correlation, 0)


def _binary() -> Path:
    """The broker's program: the one inside the package, else its command beside this Python."""
    spec = importlib.util.find_spec("noida_db")
    if spec is not None and spec.origin is not None:
        binary = Path(spec.origin).parent / "noida-db"
        if binary.is_file():
            if not os.access(binary, os.X_OK):
                # Installers that drop the mode leave it to the package's own command to set it.
                with contextlib.suppress(OSError):
                    binary.chmod(0o755)
            return binary
    found = shutil.which("noida-db", path=str(Path(sys.executable).parent))
    if found is None:
        raise ConfigError(
            "The embedded broker is not installed. Install it: pip install 'riskstream[demo]'. "
            "It exists for Linux on x86-64 and for macOS on Apple silicon; "
            "elsewhere start a Kafka and give its address with --bootstrap-servers."
        )
    return Path(found)
