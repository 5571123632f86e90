"""The image and the compose file: valid, hardened, and in step with the code."""

import re
import runpy
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typing_extensions import override

from riskstream.config import Settings, load_settings
from riskstream.console.web.access import check_access
from tests.support.deploy import COMPOSE_FILE, DOCKERFILE, ROOT, compose, kafka_properties
from tests.support.processes import environment
from tests.support.prometheus import PROMETHEUS_FILE, read_yaml

HEALTHCHECK = ROOT / "deploy" / "docker" / "healthcheck.py"
SERVICES: dict[str, dict[str, Any]] = compose()["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"] == "riskstream:local")
COMMANDS = sorted(name for name in OURS if "command" in SERVICES[name])
BESIDE = {"console": "console", "notify": "notify", "poll": "source", "webhook": "source"}
"""What runs beside the workers, with the first word of its command."""
WATCHERS = {"prometheus", "alertmanager", "grafana"}


def _tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / name), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment(),
    )


def test_the_compose_file_is_valid() -> None:
    """By the Compose specification's own schema."""
    done = _tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_has_no_findings() -> None:
    """By hadolint with every rule, the shell ones included."""
    done = _tool("hadolint", "--failure-threshold", "style", str(DOCKERFILE))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_a_service_waits_for_can_come_about(name: str) -> None:
    """Health is waited for where a check exists, an end where the service ends by itself."""
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        awaited = SERVICES[other]
        assert wait["condition"] in {"service_healthy", "service_completed_successfully"}
        if wait["condition"] == "service_healthy":
            assert awaited["healthcheck"]["test"][0] == "CMD"
        else:
            assert awaited["restart"] == "no"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_services_have_no_rights_to_lose_and_bounds(name: str) -> None:
    """No capabilities, none to be gained; loopback alone; memory, processors and processes."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert {"mem_limit", "cpus", "pids_limit"} <= set(service)


@pytest.mark.parametrize("name", sorted({*OURS, *WATCHERS}))
def test_services_are_not_root_and_write_to_their_volume_alone(name: str) -> None:
    """Kafka is the exception, as the file says."""
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    assert service["read_only"] is True
    for volume in service.get("volumes", []):
        source, _, rest = volume.partition(":")
        assert rest.endswith(":ro") if source.startswith("./") else source in compose()["volumes"]


def test_every_service_that_stays_has_a_health_check() -> None:
    """What runs to its end, or only sends, is told apart on purpose."""
    without = {
        name for name, service in SERVICES.items() if "test" not in service.get("healthcheck", {})
    }
    assert without == {"topics", "feeder", "riskstream"}


def test_prometheus_asks_as_outside_of_containers() -> None:
    """But for addresses its configuration is the one that promtool and the alerts' tests check."""
    inside, outside = read_yaml(ROOT / "deploy/compose/prometheus.yml"), read_yaml(PROMETHEUS_FILE)
    ports = [str(Settings().http.port), str(Settings().http.port + 1)]
    for config, host, other in ((inside, "worker", "alertmanager"), (outside, *["127.0.0.1"] * 2)):
        workers, *beside = config["scrape_configs"]
        assert workers.pop("static_configs") == [{"targets": [f"{host}:{port}" for port in ports]}]
        names = [job["job_name"].removeprefix("riskstream-") for job in beside]
        assert sorted(names) == sorted(BESIDE)
        targets = [job.pop("static_configs")[0]["targets"] for job in beside]
        hosts = [address.rpartition(":")[0] for (address,) in targets]
        assert hosts == (names if host == "worker" else [host] * len(names))
        (manager,) = config["alerting"].pop("alertmanagers")
        assert manager == {"static_configs": [{"targets": [f"{other}:9093"]}]}
    assert inside == outside


def test_what_is_mounted_is_there() -> None:
    """And where its reader looks for it."""
    mounts = {
        target: source
        for name in WATCHERS
        for source, target, *_ in (volume.split(":") for volume in SERVICES[name]["volumes"])
        if source.startswith("./")
    }
    assert all((ROOT / source).exists() for source in mounts.values())
    (provider,) = read_yaml(ROOT / "deploy/grafana/provisioning/dashboards/riskstream.yml")[
        "providers"
    ]
    assert provider["options"]["path"] in mounts
    (source,) = read_yaml(ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml")[
        "datasources"
    ]
    assert source["url"] == "${PROMETHEUS_URL}"
    assert SERVICES["grafana"]["environment"]["PROMETHEUS_URL"] == "http://prometheus:9090"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_commands_of_the_services_exist(name: str) -> None:
    """Each parses as a riskstream command with its options."""
    done = _tool("riskstream", *SERVICES[name]["command"], "--help")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_settings_of_the_services_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable names a setting, and together they point at the compose file's Kafka."""
    given = {**_image_environment(), **SERVICES["worker"]["environment"]}
    ours = {name: str(value) for name, value in given.items() if name[:11] == "RISKSTREAM_"}
    for name, value in ours.items():
        section, key = name.removeprefix("RISKSTREAM_").lower().split("__")
        assert key in type(Settings.model_fields[section].default).model_fields
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.kafka.bootstrap_servers in _advertised().values()
    assert settings.http.host == "0.0.0.0"  # noqa: S104  (inside the container)


@pytest.mark.parametrize("name", sorted(BESIDE))
def test_what_runs_beside_the_workers_is_asked_for_by_name(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a profile of its name; its settings are some, its port is loopback's, its health known."""
    service = SERVICES[name]
    assert service["profiles"] == [name]
    assert service["command"][0] == BESIDE[name]
    for variable, value in {**_image_environment(), **service["environment"]}.items():
        monkeypatch.setenv(variable, re.sub(r"\$\{\w+:-(\w+)\}", r"\1", value))
    settings = load_settings()
    assert settings.kafka.bootstrap_servers == "kafka:19092"
    served = {"console": settings.console.http_port, "notify": settings.notify.http_port}
    asked = service["healthcheck"]["test"]
    assert asked[-2:] == ["/health/ready", str(served.get(name, settings.http.port))]
    ports = {"console": settings.console.port, "webhook": settings.webhook.port}
    published = [f"127.0.0.1:{port}:{port}" for port in [ports[name]]] if name in ports else []
    assert service.get("ports", []) == published
    if name == "console":
        check_access(settings.console)
        assert service["volumes"] == [f"console-data:{settings.console.directory}"]
        assert f"--group=10001 {settings.console.directory}\n" in DOCKERFILE.read_text()


def test_secrets_of_the_services_are_files_that_are_explained() -> None:
    """Named by a setting of the one service that gets it, and in the list of its folder."""
    secrets = compose()["secrets"]
    readme = (ROOT / "deploy/compose/secrets/README.md").read_text()
    assert set(secrets) == set(re.findall(r"^\| `(\S+)` \|", readme, re.MULTILINE))
    for name, secret in secrets.items():
        assert secret == {"file": f"./deploy/compose/secrets/{name}"}
        (service,) = [each for each in SERVICES.values() if name in each.get("secrets", [])]
        named = {key for key, value in service["environment"].items() if "/run/secrets" in value}
        assert {service["environment"][key] for key in named} == {f"/run/secrets/{name}"}
        assert all(key.endswith(("_FILE", "__URL_FILE")) for key in named)


def test_the_image_can_run_all_of_them() -> None:
    """With the extras that they need."""
    assert "[console,rocksdict,webhook]" in DOCKERFILE.read_text()


def test_the_worker_has_time_to_end() -> None:
    """The container's grace is longer than the worker's own deadline."""
    grace = int(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace > Settings().worker.shutdown_timeout_seconds


def test_the_worker_s_ports_are_the_ones_checked_and_published() -> None:
    """One process per role, on consecutive ports from the default."""
    first = Settings().http.port
    ports = [str(first), str(first + 1)]
    assert SERVICES["worker"]["healthcheck"]["test"][-2:] == ports
    assert SERVICES["worker"]["ports"] == [f"127.0.0.1:{'-'.join(ports)}:{'-'.join(ports)}"]
    assert f"EXPOSE {' '.join(ports)}" in DOCKERFILE.read_text()


def test_kafka_is_reached_from_inside_and_from_the_host() -> None:
    """Every listener has a protocol; what is advertised is listened on and published."""
    properties = kafka_properties()
    listeners = dict(_split(properties["listeners"], "://"))
    assert set(listeners) == set(dict(_split(properties["listener.security.protocol.map"], ":")))
    assert properties["inter.broker.listener.name"] in listeners
    assert properties["controller.listener.names"] in listeners
    for name, address in _advertised().items():
        assert address.rsplit(":")[-1] == listeners[name].rsplit(":")[-1]
    assert SERVICES["kafka"]["ports"] == [f"{_advertised()['HOST']}:9092"]
    assert properties["auto.create.topics.enable"] == "false"


def test_the_tests_run_on_the_kafka_that_compose_starts() -> None:
    """One version of Apache Kafka throughout."""
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    pom = ET.parse(ROOT / "tests" / "kafka" / "pom.xml")  # noqa: S314  (our own file)
    version = pom.findtext("m:properties/m:kafka.version", namespaces=space)
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version}"


def test_the_builder_gets_what_it_copies() -> None:
    """Every path that the Dockerfile copies exists and passes .dockerignore."""
    passed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    paths = {path for line in copied for path in line.split()}
    assert paths == passed
    assert all((ROOT / path).exists() for path in paths)


def test_the_image_is_not_root_and_stops_on_sigterm() -> None:
    """A numeric user, the same as the services'; the signal that the worker handles."""
    text = DOCKERFILE.read_text()
    assert f"USER {SERVICES['worker']['user']}" in text
    assert "STOPSIGNAL SIGTERM" in text
    assert "HEALTHCHECK" in text


@pytest.fixture
def health_server() -> Iterator[Callable[[int], int]]:
    """Start servers that answer every request with a given status; gives their ports."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == "/health/live" else 404)
                self.end_headers()

            @override
            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        servers.append(server)
        return int(server.server_address[1])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_health_check_asks_every_port(health_server: Callable[[int], int]) -> None:
    """Healthy when all say yes, unhealthy when one says no or does not answer."""
    main = runpy.run_path(str(HEALTHCHECK))["main"]
    well, ill = str(health_server(200)), str(health_server(503))
    assert main(["/health/live", well, well]) == 0
    assert main(["/health/live", well, ill]) == 1
    assert main(["/health/absent", well]) == 1
    assert main(["/health/live", "1"]) == 1


def test_the_health_check_asks_the_set_port(
    health_server: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without arguments: liveness on the port of the settings."""
    main = runpy.run_path(str(HEALTHCHECK))["main"]
    monkeypatch.setenv("RISKSTREAM_HTTP__PORT", str(health_server(200)))
    assert main([]) == 0


def _image_environment() -> dict[str, str]:
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    (line,) = re.findall(r"^ENV (.+)$", text, re.MULTILINE)
    return dict(_split(line, "=", between=None))


def _advertised() -> dict[str, str]:
    return dict(_split(kafka_properties()["advertised.listeners"], "://"))


def _split(text: str, inner: str, between: str | None = ",") -> list[tuple[str, str]]:
    return [
        (name, value) for name, _, value in (part.partition(inner) for part in text.split(between))
    ]
