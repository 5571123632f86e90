"""Apache Kafka itself, one node in KRaft mode on loopback, as a child process.

The jars come from Maven Central: ``make kafka-jars`` puts them into ``.kafka/libs``.
"""

import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from riskstream.demo.broker import answers_kafka, free_port
from riskstream.demo.leash import LeashedProcess

__all__ = ["ApacheKafka", "format_storage", "java_command"]

HOST = "127.0.0.1"
JARS = Path(__file__).resolve().parents[2] / ".kafka" / "libs"
CLUSTER_ID = "cmlza3N0cmVhbS10ZXN0cw"
"""Sixteen bytes, base64: ``riskstream-tests``."""
START_SECONDS = 90.0
STOP_SECONDS = 30.0
JVM = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""A small heap, and the quick compiler: a test broker lives for a minute."""

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={logs}
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
log.initial.task.delay.ms=1000
log.cleaner.backoff.ms=1000
file.delete.delay.ms=1000
num.network.threads=2
num.io.threads=4
"""


class ApacheKafka:
    """One broker with its own data directory; data survives ``stop`` and ``kill``.

    Args:
        data_dir: Holds the configuration, the records and the log.
        port: Loopback port; without it any free one.
        properties: Broker settings over the defaults above.
        jvm: Options of the Java machine beside the usual ones.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        properties: dict[str, str] | None = None,
        jvm: tuple[str, ...] = (),
    ) -> None:
        self._dir = data_dir
        self.port = free_port() if port is None else port
        self._properties = properties or {}
        self._jvm = jvm
        self._process: LeashedProcess | None = None

    @property
    def bootstrap_servers(self) -> str:
        """``host:port``."""
        return f"{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def log_file(self) -> Path:
        """What the broker printed; appended over restarts."""
        return self._dir / "broker.log"

    def start(self) -> Self:
        """Format the storage the first time, start, and wait until the broker answers.

        Raises:
            RuntimeError: Java or the jars are missing, or the broker did not come up.
        """
        java = java_command(*self._jvm)
        config = self._dir / "server.properties"
        if not config.exists():
            self._format(config)
        self._process = LeashedProcess(
            [*java, "kafka.Kafka", str(config)],
            log=self.log_file,
        )
        self._wait_until_up(self._process)
        return self

    def stop(self) -> None:
        """Shut down in good order."""
        if self._process is not None:
            self._process.stop(STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        """SIGKILL, as a crash; ``start`` takes the data up again on the same port."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _format(self, config: Path) -> None:
        self._dir.mkdir(parents=True, exist_ok=True)
        text = PROPERTIES.format(
            host=HOST, port=self.port, controller_port=free_port(), logs=self._dir / "logs"
        )
        text += "".join(f"{key}={value}\n" for key, value in self._properties.items())
        config.write_text(text, encoding="utf-8")
        try:
            format_storage(config)
        except RuntimeError:
            config.unlink()
            raise

    def _wait_until_up(self, process: LeashedProcess) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not answers_kafka(HOST, self.port):
            ended = process.poll() is not None
            if ended or time.monotonic() > deadline:
                process.kill()
                state = "ended" if ended else f"gave no answer in {START_SECONDS:.0f} s"
                raise RuntimeError(f"Apache Kafka {state}. Its log ends with:\n{process.tail()}")
            time.sleep(0.1)


def format_storage(config: Path, cluster_id: str = CLUSTER_ID) -> None:
    """Format the storage that a broker's configuration file names.

    Raises:
        RuntimeError: Kafka refuses the configuration; the text has its words.
    """
    done = subprocess.run(
        [*java_command(), "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"Formatting the storage failed:\n{done.stdout}{done.stderr}")


def java_command(*options: str) -> list[str]:
    """The command that runs a class of Kafka or of Kafka Connect."""
    if shutil.which("java") is None:
        raise RuntimeError("These tests need Java 17 or newer: make test-kafka says what to do.")
    if not JARS.is_dir():
        raise RuntimeError("Apache Kafka's jars are not here; fetch them with: make kafka-jars")
    return ["java", *JVM, *options, "-cp", f"{JARS}/*"]
