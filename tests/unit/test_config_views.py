"""``views.topics`` of the settings."""

from typing import get_args

import pytest

from riskstream.config import ViewName, load_settings
from riskstream.errors import ConfigError
from riskstream.events.topics import ALL_TOPICS, VIEW_TOPICS, topics_with
from riskstream.events.vocabulary import View


def test_the_names_are_those_of_the_views() -> None:
    """``config`` may not import them."""
    assert get_args(ViewName) == tuple(View)


@pytest.mark.parametrize(
    ("text", "names"),
    [("", ()), ("ocsf", ("ocsf",)), ("ecs, cef ecs", ("ecs", "cef"))],
)
def test_the_environment_lists_them(
    text: str, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By commas or blanks, each once."""
    monkeypatch.setenv("RISKSTREAM_VIEWS__TOPICS", text)
    assert load_settings().views.topics == names


def test_an_unknown_view_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With those that there are."""
    monkeypatch.setenv("RISKSTREAM_VIEWS__TOPICS", "leef")
    with pytest.raises(ConfigError, match="'ocsf', 'ecs' or 'cef'"):
        load_settings()


def test_topics_of_views_are_added_only_where_asked_for() -> None:
    """After all others."""
    assert topics_with(()) == ALL_TOPICS
    assert topics_with(["cef"]) == (*ALL_TOPICS, VIEW_TOPICS[View.CEF])
