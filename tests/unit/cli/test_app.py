"""The command as a whole: help, version, faults and exit codes."""

import subprocess
import sys

import pytest

from riskstream import __version__
from riskstream.cli import app as app_module
from riskstream.errors import CheckFailedError, ConfigError, KafkaFaultError, RiskstreamError
from tests.support.cli import invoke

COMMANDS = (
    "score",
    "events",
    "tables",
    "notify",
    "catalog",
    "dlq",
    "topics",
    "schemas",
    "broker",
    "policy",
)
SUBCOMMANDS = (
    *(("catalog", name) for name in ("list", "show", "search")),
    *(("dlq", name) for name in ("list", "show", "replay", "release")),
    *(("topics", name) for name in ("create", "check", "acls")),
    *(("schemas", name) for name in ("list", "show", "check", "export")),
    *(("policy", name) for name in ("check", "show")),
)


def test_version_is_the_packages() -> None:
    """--version prints it and nothing else."""
    assert invoke("--version").stdout == f"riskstream {__version__}\n"


def test_help_names_every_command_and_the_exit_codes() -> None:
    """The first thing a person types shows what there is."""
    text = invoke("--help").stdout
    assert [name for name in COMMANDS if f" {name} " not in text] == []
    assert "Exit codes" in text


@pytest.mark.parametrize("command", [*((name,) for name in COMMANDS), *SUBCOMMANDS], ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    """--help of each works and says how it is used."""
    result = invoke(*command, "--help")
    assert result.exit_code == 0
    assert "Usage: " in result.stdout


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["topics", "nonsense"], ["score", "--nonsense"]]
)
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    """Unknown commands and options, with the usage on stderr."""
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "nonsense" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (ConfigError("no such setting"), 2),
        (CheckFailedError("the check says no"), 1),
        (KafkaFaultError("no Kafka there"), 3),
        (RiskstreamError("something else"), 3),
        (ZeroDivisionError("a bug"), 3),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
    ],
    ids=lambda value: type(value).__name__,
)
def test_faults_become_one_message_and_an_exit_code(
    fault: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text alone, no traceback; interrupts and broken pipes are silent."""
    monkeypatch.setattr("riskstream.catalog.loader.load_catalog", _raising(fault))
    result = invoke("catalog", "list")
    assert result.exit_code == code
    assert "Traceback" not in result.stderr
    assert str(fault) in result.stderr
    assert bool(result.stderr) == (code < 100)


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """--debug, before the command."""
    monkeypatch.setattr("riskstream.catalog.loader.load_catalog", _raising(ConfigError("no")))
    result = invoke("--debug", "catalog", "list")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr


def test_bad_settings_exit_2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fault of the settings is named, before anything is done."""
    monkeypatch.setenv("RISKSTREAM_KAFKA__PARTITIONS", "many")
    result = invoke("topics", "check")
    assert result.exit_code == 2
    assert "kafka.partitions" in result.stderr


def test_help_loads_nothing_heavy() -> None:
    """Neither Kafka clients nor settings nor data, so that help and completion are quick."""
    heavy = (
        "aiokafka",
        "faust",
        "aiohttp",
        "pydantic",
        "jsonschema",
        "orjson",
        "msgspec",
        "asyncio",
    )
    code = (
        f"import sys; import riskstream.cli.app; print(*sorted(set({heavy!r}) & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []


def test_commands_of_other_rooms_are_registered_where_they_exist() -> None:
    """The list of commands is the one place of registration."""
    assert {name for _module, name in app_module._COMMANDS} >= {"demo", "feed", "worker"}


def _raising(fault: BaseException) -> object:
    def raising(*_arguments: object, **_options: object) -> None:
        raise fault

    return raising
