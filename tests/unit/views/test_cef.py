"""CEF: one line whatever the event holds, and a reader gets back what was written."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstream.events.event import App, Source, UserRef
from riskstream.risk.levels import Level
from riskstream.views.cef import cef
from riskstream.views.scored import ScoredEvent
from tests.support.events import rest_event
from tests.support.views import every_type, scored_event

DICTIONARY = {
    "rt", "externalId", "cat", "act", "outcome", "reason", "msg", "suid", "suser", "duid", "duser",
    "src", "requestClientApplication", "destinationServiceName", "deviceExternalId",
    "c6a2", "c6a2Label", "cn1", "cn1Label",
    *(f"cs{number}" for number in range(1, 7)), *(f"cs{number}Label" for number in range(1, 7)),
}  # fmt: skip
"""Keys of ArcSight's extension dictionary that are used."""


def read_cef(line: str) -> tuple[list[str], dict[str, str]]:
    """Header fields and extension, by the rules of the format and not by those of the writer."""
    assert "\n" not in line
    assert "\r" not in line
    match = re.fullmatch(r"((?:(?:[^|\\]|\\.)*\|){7})(.*)", line, re.DOTALL)
    assert match is not None
    parts = re.findall(r"((?:[^|\\]|\\.)*)\|", match[1])
    head = [re.sub(r"\\([\\|])", r"\1", part) for part in parts]
    keys = list(re.finditer(r"(?:^| )([A-Za-z0-9_]+)=", match[2]))
    escapes = {"\\\\": "\\", "\\=": "=", "\\n": "\n", "\\r": "\r"}
    found = {}
    for key, following in zip(keys, [*keys[1:], None], strict=True):
        raw = match[2][key.end() : following.start() if following else None]
        found[key[1]] = re.sub(r"\\[\\=nr]", lambda match: escapes[match[0]], raw)
    return head, found


def with_texts(text: str) -> ScoredEvent:
    """A scored event whose free texts are all this one; anyone may write to a topic."""
    event = scored_event(rest_event(user_name="x", ipaddr="203.0.113.9"))
    return msgspec.structs.replace(
        event,
        message=text,
        user=UserRef(7, text),
        app=App(1, text),
        auth=None,
        error=text,
        source=Source("203.0.113.9", text),
    )


def test_a_line_says_who_what_and_how_bad() -> None:
    """In the dictionary's keys, with labels for ours."""
    event = scored_event(
        rest_event(event_type_id=6, user_name="User | Seven", ipaddr="203.0.113.9", user_id=7)
    )
    head, found = read_cef(cef(event))
    assert head == [
        "CEF:0",
        "riskstream",
        "riskstream",
        "1",
        "6",
        "User failed OneLogin login",
        {"no": "1", "low": "3", "medium": "6", "high": "8"}[event.risk.level],
    ]
    assert found["rt"] == str(event.time_ms)
    assert (found["duser"], found["duid"], found["src"]) == ("User | Seven", "7", "203.0.113.9")
    assert (found["cn1Label"], found["cn1"]) == ("riskScore", str(event.risk.score))


def test_an_address_of_version_six_has_its_own_key() -> None:
    """``src`` is for version four alone."""
    _, found = read_cef(cef(scored_event(rest_event(ipaddr="2001:db8::7"))))
    assert "src" not in found
    assert (found["c6a2"], found["c6a2Label"]) == ("2001:db8::7", "Source IPv6 Address")


@pytest.mark.parametrize(
    ("score", "severity"), [(4, "1"), (25, "3"), (50, "6"), (51, "8"), (89, "8"), (90, "10")]
)
def test_severity_follows_the_level(score: int, severity: str) -> None:
    """And says very high from 90 on."""
    event = scored_event(rest_event())
    level = "no" if score < 5 else "low" if score < 26 else "medium" if score < 51 else "high"
    risk = msgspec.structs.replace(event.risk, score=score, level=Level(level))
    assert read_cef(cef(msgspec.structs.replace(event, risk=risk)))[0][6] == severity


def test_every_event_type_is_a_line_of_known_keys() -> None:
    """No key that the dictionary does not have, no empty value, no received text."""
    for event in every_type():
        _, found = read_cef(cef(event))
        assert found.keys() <= DICTIONARY
        assert all(found.values())


TEXT = st.text(
    st.one_of(
        st.sampled_from("|=\\\r\n ab\t"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029"),
    ),
    min_size=1,
    max_size=60,
)


@given(TEXT)
def test_what_was_written_is_read_back(text: str) -> None:
    """Backslashes, equals signs, pipes and line ends; other controls are blanks."""
    _, found = read_cef(cef(with_texts(text)))
    plain = re.sub(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", " ", text)
    for key in ("msg", "duser", "destinationServiceName", "reason", "requestClientApplication"):
        assert found[key] == plain


@given(st.text(max_size=3000))
def test_any_text_gives_one_line(text: str) -> None:
    """Of bounded length, that encodes."""
    line = cef(with_texts(text))
    assert len(line.splitlines()) == 1
    assert len(line) < 20_000
