"""``riskstream source``: what is wrong with the arguments is said before anything starts."""

import pytest

from riskstream.cli import source
from tests.support.cli import invoke


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--once", "--until", "1d"], "not both"),
        (["--since", "1d", "--until", "2d"], "later than --since"),
        (["--since", "yesterday"], "--since"),
        ([], "poll.client_id"),
    ],
)
def test_a_poll_that_makes_no_sense_is_refused(arguments: list[str], said: str) -> None:
    """Exit code 2, and no connection was tried."""
    told = invoke("source", "poll", *arguments)
    assert told.exit_code == 2
    assert said.replace("poll.client_id", "RISKSTREAM_POLL__CLIENT_ID") in told.stderr


def test_without_the_extra_the_webhook_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The base installation has no web server."""
    monkeypatch.setattr(source, "find_spec", lambda _: None)
    told = invoke("source", "webhook")
    assert told.exit_code == 2
    assert "pip install 'riskstream[webhook]'" in told.stderr
