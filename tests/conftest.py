"""Brokers and the installed command, for every kind of test."""

import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from riskstream.contract.acls import roles
from riskstream.demo.broker import EmbeddedBroker
from tests.support.apache_kafka import ApacheKafka
from tests.support.kafka import Broker, delete_everything
from tests.support.processes import run
from tests.support.secure_kafka import SecureKafka

ROOT = Path(__file__).resolve().parents[1]

# How long an example takes depends on what else the machine does, and says nothing of the code.
settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where ``make screenshots`` wants the console's pictures."""
    parser.addoption("--screenshots", default=None, metavar="DIR", help="write pictures there")


@pytest.fixture(scope="session")
def apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """One Apache Kafka for the whole run; tests that ask for it carry the mark ``kafka``.

    What earlier tests left is still there: ``kafka_broker`` empties it.
    A test that kills the broker starts an ``ApacheKafka`` of its own.
    """
    with ApacheKafka(tmp_path_factory.mktemp("apache-kafka")) as broker:
        yield broker


@pytest.fixture(scope="session")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """Apache Kafka where all is forbidden that is not allowed, with the topics.

    For each role there is a user of its name, who has its rights and logs in by SCRAM.
    """
    with SecureKafka(tmp_path_factory.mktemp("secure-kafka")) as running:
        for name, role in roles().items():
            running.add_scram_user(name)
            running.allow(name, role.acls)
        made = run(["topics", "create"], settings=running.scram("topic-admin"))
        assert made.returncode == 0, made.stderr.decode()
        yield running


@pytest.fixture
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """A new embedded broker."""
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(
    params=[
        pytest.param("embedded_broker", id="embedded"),
        pytest.param("apache_kafka", id="apache", marks=pytest.mark.kafka),
    ]
)
def kafka_broker(request: pytest.FixtureRequest) -> Broker:
    """An empty broker: the embedded one, and with the mark ``kafka`` Apache Kafka."""
    broker: Broker = request.getfixturevalue(request.param)
    delete_everything(broker)
    return broker


@pytest.fixture(scope="session")
def installed_riskstream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``riskstream`` command of an environment that has the built wheel.

    The environment takes its dependencies from the one that runs the tests,
    but riskstream itself from the wheel alone, so that a data file missing there is seen.
    """
    work = tmp_path_factory.mktemp("installed")
    _run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(work / "dist"), str(ROOT))
    (wheel,) = (work / "dist").glob("*.whl")
    home = work / "venv"
    venv.EnvBuilder(with_pip=False, symlinks=True).create(home)
    scheme = {"base": str(home), "platbase": str(home)}
    own = Path(sysconfig.get_path("purelib", "venv", scheme))
    _run("-m", "pip", "--python", str(home), "install", "--no-deps", "--no-index", str(wheel))
    # Paths added this way do not have their own .pth files followed: the editable install is out.
    dependencies = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (own / "dependencies.pth").write_text("\n".join(sorted(dependencies)), encoding="utf-8")
    return home / "bin" / "riskstream"


def _run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode != 0:
        pytest.fail(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
