"""Logs: one line per event, on stderr, in the form asked for."""

import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from riskstream.config import LogSettings
from riskstream.observability.logging import configure_logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Leave logging as it was found."""
    root = logging.getLogger()
    names = ("aiokafka", "faust", "mode", "asyncio", "aiohttp.access")
    kept = root.handlers[:], root.level, {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:], root.level = kept[0], kept[1]
    for name, level in kept[2].items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """What was logged since the last look; nothing went to stdout."""
    told = capsys.readouterr()
    assert told.out == ""
    return [json.loads(line) for line in told.err.splitlines()]


def test_our_lines_are_json_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """With time, level, logger and the fields that were given."""
    configure_logging(LogSettings())
    structlog.get_logger("riskstream.example").info("chunk_committed", records=3)
    (line,) = lines(capsys)
    assert line.pop("timestamp")
    assert line == {
        "level": "info",
        "logger": "riskstream.example",
        "message": "chunk_committed",
        "records": 3,
    }


@pytest.mark.parametrize("name", ["aiokafka.consumer", "faust.app", "mode.worker", "asyncio"])
def test_libraries_go_the_same_way_from_warning_on(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their info is about their own works; their warnings and handlers come once."""
    logging.getLogger(name.split(".", maxsplit=1)[0]).addHandler(logging.StreamHandler())
    configure_logging(LogSettings())
    logging.getLogger(name).info("a detail")
    logging.getLogger(name).warning("a warning of %s", name)
    (line,) = lines(capsys)
    assert (line["level"], line["message"]) == ("warning", f"a warning of {name}")


@pytest.mark.parametrize(
    ("level", "seen"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)]
)
def test_the_level_holds(
    level: Literal["debug", "info", "warning", "error"],
    seen: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Lines below it are not made."""
    configure_logging(LogSettings(level=level))
    log = structlog.get_logger("riskstream.example")
    for told in ("debug", "info", "warning", "error"):
        getattr(log, told)(told)
    assert len(lines(capsys)) == seen


def test_an_exception_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The traceback stands in a field, so that line-based collectors keep it together."""
    configure_logging(LogSettings())
    try:
        raise ValueError("example")  # noqa: TRY301  (it must have a traceback)
    except ValueError:
        structlog.get_logger("riskstream.example").exception("failed")
    (line,) = lines(capsys)
    assert "ValueError: example" in str(line["exception"])


def test_a_person_gets_text(capsys: pytest.CaptureFixture[str]) -> None:
    """As console lines, however often it is configured."""
    for _ in range(2):
        configure_logging(LogSettings(format="console"))
    structlog.get_logger("riskstream.example").info("chunk_committed", records=3)
    told = capsys.readouterr().err
    assert told.count("chunk_committed") == 1
    assert not told.startswith("{")
