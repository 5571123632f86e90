"""The real Prometheus and Alertmanager on loopback, with the files of ``deploy``.

Both come from Debian's packages of these names; tests that need them carry the mark ``tools``.
Their services need not run.
"""

import json
import shutil
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ruamel.yaml import YAML
from typing_extensions import override

from riskstream.demo.broker import EmbeddedBroker, free_port
from riskstream.demo.leash import LeashedProcess
from riskstream.demo.stack import free_ports
from tests.support.deploy import ROOT
from tests.support.processes import Riskstream, run, wait_for

__all__ = [
    "ALERTMANAGER_FILE",
    "PROMETHEUS_FILE",
    "RULES",
    "Alertmanager",
    "Prometheus",
    "Watched",
    "WebhookReceiver",
    "read_yaml",
    "watched_worker",
]

HOST = "127.0.0.1"
PROMETHEUS_FILE = ROOT / "deploy" / "prometheus" / "prometheus.yml"
RULES = ROOT / "deploy" / "prometheus" / "rules"
ALERTMANAGER_FILE = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
START_SECONDS = 60.0
Json = dict[str, Any]


def read_yaml(path: Path) -> Any:
    """A YAML file's one document."""
    return YAML(typ="safe").load(path)


class _Server:
    """A program with an HTTP API on a loopback port, gone at the end of the block."""

    program = ""
    ready = "/-/ready"

    def __init__(self, work_dir: Path) -> None:
        self.work_dir = work_dir
        self.port = free_port()
        self._process: LeashedProcess | None = None

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{HOST}:{self.port}"

    def command(self) -> list[str]:
        """The command line, once all files are written."""
        raise NotImplementedError

    def post(self, path: str, document: Any) -> None:
        """Send JSON."""
        request = urllib.request.Request(
            f"http://{self.address}{path}",
            json.dumps(document).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310
            pass

    def get(self, path: str, **parameters: str | float) -> Any:
        """JSON of an answer."""
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        try:
            with urllib.request.urlopen(
                f"http://{self.address}{path}{query}", timeout=30
            ) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as fault:
            with fault:
                raise AssertionError(f"{path}{query}: {fault.read().decode()}") from fault

    def is_ready(self) -> bool:
        """Whether it says so.

        Raises:
            RuntimeError: It has ended; the text has its log.
        """
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"{self.program} ended:\n{self.log}")
        try:
            with urllib.request.urlopen(f"http://{self.address}{self.ready}", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    @property
    def log(self) -> str:
        """What it printed."""
        return "" if self._process is None else self._process.tail(200)

    def __enter__(self) -> Self:
        self.work_dir.mkdir(parents=True, exist_ok=True)
        program = shutil.which(self.program)
        if program is None:
            raise RuntimeError(f"apt-get install {self.program}: there is no such program here")
        command = [program, *self.command()]
        self._process = LeashedProcess(
            command, log=self.work_dir / f"{self.program}.log", cwd=self.work_dir
        )
        wait_for(self.is_ready, START_SECONDS, f"{self.program} to be ready")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.stop()


class Prometheus(_Server):
    """Prometheus with the shipped configuration and rules, looking at the given workers.

    Args:
        work_dir: Configuration, data and log.
        targets: ``host:port`` of each process of the workers.
        alertmanagers: ``host:port`` of each Alertmanager.
        seconds: How often it scrapes and evaluates.
    """

    program = "prometheus"

    def __init__(
        self,
        work_dir: Path,
        targets: Sequence[str],
        alertmanagers: Sequence[str] = (),
        *,
        seconds: int = 1,
    ) -> None:
        super().__init__(work_dir)
        self._targets, self._alertmanagers = list(targets), list(alertmanagers)
        self._seconds = f"{seconds}s"

    @override
    def command(self) -> list[str]:
        config = read_yaml(PROMETHEUS_FILE)
        every = {"scrape_interval", "scrape_timeout", "evaluation_interval"}
        config["global"] |= dict.fromkeys(every, self._seconds)
        config["rule_files"] = [str(PROMETHEUS_FILE.parent / name) for name in config["rule_files"]]
        job = config["scrape_configs"][0]  # of the workers
        job["static_configs"] = [{"targets": self._targets}]
        config["scrape_configs"] = [job]
        managers = [{"static_configs": [{"targets": self._alertmanagers}]}]
        config["alerting"]["alertmanagers"] = managers
        file = self.work_dir / "prometheus.yml"
        with file.open("w", encoding="utf-8") as stream:
            YAML(typ="safe").dump(config, stream)
        return [
            f"--config.file={file}",
            f"--web.listen-address={self.address}",
            f"--storage.tsdb.path={self.work_dir / 'data'}",
            "--log.level=warn",
        ]

    def query(self, expression: str) -> list[Json]:
        """The instant vector of an expression: ``metric`` and ``value`` of each series."""
        found: list[Json] = self.get("/api/v1/query", query=expression)["data"]["result"]
        return found

    def query_range(self, expression: str, start: float, end: float, step: float) -> list[Json]:
        """The series of an expression over a time: ``metric`` and ``values`` of each."""
        answer = self.get("/api/v1/query_range", query=expression, start=start, end=end, step=step)
        found: list[Json] = answer["data"]["result"]
        return found

    def value(self, expression: str) -> float | None:
        """The one value of an expression; None where it has none."""
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None

    def alerts(self, name: str, state: str = "firing") -> list[Json]:
        """Alerts of a name in this state."""
        found: list[Json] = self.get("/api/v1/alerts")["data"]["alerts"]
        return [one for one in found if (one["labels"]["alertname"], one["state"]) == (name, state)]

    def rule_faults(self) -> dict[str, str]:
        """Rules that could not be evaluated, with the error."""
        groups = self.get("/api/v1/rules")["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return {rule["name"]: rule["lastError"] for rule in rules if rule.get("lastError")}

    def metric_names(self) -> set[str]:
        """Every name that it has series of."""
        return set(self.get("/api/v1/label/__name__/values")["data"])


@dataclass(frozen=True, slots=True)
class Notification:
    """One message of Alertmanager's."""

    receiver: str
    alerts: list[Json]


class WebhookReceiver:
    """Takes Alertmanager's webhooks, one path per receiver."""

    def __init__(self) -> None:
        self.received: list[Notification] = []
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                received.append(Notification(self.path.strip("/"), body["alerts"]))
                self.send_response(200)
                self.end_headers()

            @override
            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)

    def url(self, receiver: str) -> str:
        """Where a receiver's messages go."""
        return f"http://{HOST}:{self._server.server_address[1]}/{receiver}"

    def of(self, alertname: str, status: str = "firing") -> dict[str, Json]:
        """The newest alert of a name in this status, by receiver."""
        return {
            one.receiver: alert
            for one in list(self.received)
            for alert in one.alerts
            if (alert["labels"]["alertname"], alert["status"]) == (alertname, status)
        }

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,)).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class Alertmanager(_Server):
    """Alertmanager with the shipped routes, inhibition and templates; receivers are webhooks.

    Args:
        work_dir: Configuration, data and log.
        webhook: Gets what each receiver would.
        group_wait: How long every group waits for its first message.
    """

    program = "prometheus-alertmanager"

    def __init__(self, work_dir: Path, webhook: WebhookReceiver, *, group_wait: str = "1s") -> None:
        super().__init__(work_dir)
        self._webhook, self._group_wait = webhook, group_wait

    @override
    def command(self) -> list[str]:
        config = read_yaml(ALERTMANAGER_FILE)
        config["templates"] = [str(ALERTMANAGER_FILE.parent / one) for one in config["templates"]]
        config["receivers"] = [
            {
                "name": one["name"],
                "webhook_configs": [{"url": self._webhook.url(one["name"]), "send_resolved": True}],
            }
            for one in config["receivers"]
        ]
        _set_waits(config["route"], {"group_wait": self._group_wait, "group_interval": "1s"})
        file = self.work_dir / "alertmanager.yml"
        with file.open("w", encoding="utf-8") as stream:
            YAML(typ="safe").dump(config, stream)
        return [
            f"--config.file={file}",
            f"--web.listen-address={self.address}",
            f"--storage.path={self.work_dir / 'data'}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]


@dataclass(frozen=True, slots=True)
class Watched:
    """A worker on an embedded broker, and who looks at it."""

    broker: EmbeddedBroker
    worker: Riskstream
    prometheus: Prometheus
    webhook: WebhookReceiver
    settings: Mapping[str, str]
    """What commands need to find the broker."""


@contextmanager
def watched_worker(home: Path, *, seconds: int = 1) -> Iterator[Watched]:
    """All of it on free ports, from the shipped files; ready, and scraped every ``seconds``."""
    with EmbeddedBroker(data_dir=home / "broker") as broker:
        settings = {
            "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "HTTP__PORT": str(free_ports(2)),
        }
        made = run(["topics", "create"], settings=settings)
        if made.returncode != 0:
            raise RuntimeError(made.stderr.decode())
        with (
            Riskstream(["worker"], home / "worker", settings=settings) as worker,
            WebhookReceiver() as webhook,
            Alertmanager(home / "alertmanager", webhook) as alertmanager,
        ):
            targets = [f"{HOST}:{worker.http_port + number}" for number in range(2)]
            with Prometheus(
                home / "prometheus", targets, [alertmanager.address], seconds=seconds
            ) as prometheus:
                wait_for(
                    lambda: prometheus.value("sum(riskstream_ready)") == len(targets),
                    START_SECONDS,
                    "both roles to be ready",
                )
                yield Watched(broker, worker, prometheus, webhook, settings)


def _set_waits(route: Json, waits: Mapping[str, str]) -> None:
    route |= waits
    for child in route.get("routes", ()):
        _set_waits(child, waits)
