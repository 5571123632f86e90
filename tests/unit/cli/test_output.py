"""What commands print, and what they keep from the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.cli.options import moment
from riskstream.cli.output import printable
from riskstream.errors import ConfigError


@given(st.text())
def test_printable_text_cannot_steer_a_terminal(text: str) -> None:
    """Whatever a field holds, only printable characters reach the screen."""
    assert printable(text).isprintable()


def test_printable_keeps_what_is_harmless() -> None:
    """Letters of any script stay; escapes show what was there."""
    assert printable("Zoë 日本") == "Zoë 日本"
    assert printable("\x1b[2Jx\u202e") == "\\x1b[2Jx\\u202e"


def test_moment_takes_times_with_and_without_offset() -> None:
    """ISO 8601; UTC where there is no offset."""
    at = moment("2026-11-23T13:00:00Z", "--since")
    assert at == 1_795_438_800_000
    assert moment("2026-11-23T13:00:00", "--since") == at
    assert moment("2026-11-23T14:00:00+01:00", "--since") == at
    assert moment("2026-11-23", "--since") == at - 13 * 3_600_000


def test_moment_takes_spans_before_now() -> None:
    """Longer spans lie further back."""
    marks = [moment(text, "--since") for text in ("2w", "3d", "5h", "90m", "30s")]
    assert marks == sorted(marks)
    assert marks[0] > 0


@pytest.mark.parametrize("text", ["", "h", "1y", "-1h", "soon", "1.5h", "2026-13-01", "99999999w"])
def test_moment_refuses_everything_else(text: str) -> None:
    """With a message that names the option and shows both forms."""
    with pytest.raises(ConfigError, match="--since takes a time span"):
        moment(text, "--since")
