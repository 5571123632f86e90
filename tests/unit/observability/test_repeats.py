"""While a broker is away the libraries repeat themselves; the log does not."""

import logging

from riskstream.observability.repeats import AT_MOST, WINDOW_SECONDS, Repeats

LOST = "Unable connect to node with id %s: %s"


def line(name: str, text: str, level: int = logging.ERROR) -> logging.LogRecord:
    """A log record with values that differ."""
    return logging.LogRecord(name, level, "file.py", 1, text, (1, "refused"), None)


def test_a_message_passes_so_often_and_then_again_in_the_next_window() -> None:
    """The first of the next window says how many were held back."""
    now = [0.0]
    repeats = Repeats(lambda: now[0])
    passed = [repeats.filter(line("aiokafka", LOST)) for _ in range(50)]
    assert passed == [True] * AT_MOST + [False] * (50 - AT_MOST)

    now[0] = WINDOW_SECONDS
    following = line("aiokafka", LOST)
    assert repeats.filter(following)
    assert following.__dict__["held_back"] == 50 - AT_MOST


def test_a_quiet_window_holds_nothing_back() -> None:
    """No count is told where nothing was left out."""
    now = [0.0]
    repeats = Repeats(lambda: now[0])
    assert repeats.filter(line("aiokafka", LOST))
    now[0] = WINDOW_SECONDS
    following = line("aiokafka", LOST)
    assert repeats.filter(following)
    assert "held_back" not in following.__dict__


def test_messages_are_counted_apart() -> None:
    """Another text, or another logger, has its own count."""
    repeats = Repeats(lambda: 0.0)
    for _ in range(50):
        repeats.filter(line("aiokafka", LOST))
    assert repeats.filter(line("aiokafka", "Unable to update metadata from %s: %s"))
    assert repeats.filter(line("aiokafka.consumer.fetcher", LOST))


def test_our_own_lines_and_what_is_no_warning_always_pass() -> None:
    """Only the libraries' complaints are held back."""
    repeats = Repeats(lambda: 0.0)
    assert all(repeats.filter(line("riskstream.streaming.hop", LOST)) for _ in range(50))
    assert all(repeats.filter(line("aiokafka", LOST, logging.INFO)) for _ in range(50))
