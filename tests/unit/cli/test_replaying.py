"""Which dead letters go back to the raw topic."""

import pytest

from riskstream.cli.dead_letters import DeadLetterRecord
from riskstream.cli.replaying import original_key, select
from riskstream.events.topics import RAW
from riskstream.pipeline.outputs import (
    CONNECT_OFFSET,
    CONNECT_PARTITION,
    CONNECT_TOPIC,
    MEMBER,
    RAW_TRUNCATED,
    REASON,
)
from riskstream.streaming.replay import Replayed, seconds_to_wait


def letter(
    offset: int, *, raw_offset: int = 0, key: bytes = b"key", **headers: str
) -> DeadLetterRecord:
    """A dead letter at ``0:offset`` of the raw record ``3:raw_offset``."""
    origin = {CONNECT_TOPIC: RAW, CONNECT_PARTITION: "3", CONNECT_OFFSET: str(raw_offset)}
    return DeadLetterRecord(
        0, offset, 1000 + offset, key, b"bytes", {**origin, REASON: "internal_error", **headers}
    )


def test_the_oldest_go_first() -> None:
    """Whatever order they were read in; the limit counts those that go."""
    found = [letter(2), letter(0), letter(1)]
    chosen = select(found, Replayed(), 2, again=False)
    assert chosen.places == {(0, 0): 0, (0, 1): 0}
    assert chosen.by_reason == {"internal_error": 2}


def test_a_key_that_stands_for_none_goes_back_as_none() -> None:
    """The origin is the key of a dead letter whose raw record had none."""
    assert original_key(letter(0)) == b"key"
    assert original_key(letter(0, key=f"{RAW}-3-0".encode())) is None


def test_what_was_sent_back_is_left_out_unless_again() -> None:
    """By the letter's own place in the raw topic's headers."""
    former = Replayed(letters={(0, 0)})
    found = [letter(0), letter(1)]
    chosen = select(found, former, None, again=False)
    assert (list(chosen.places), chosen.replayed_before) == ([(0, 1)], 1)
    assert len(select(found, former, None, again=True).places) == 2


def test_what_failed_again_is_left_out_and_counted_on_again() -> None:
    """A letter whose raw record is a replay: the loop is closed by a person only."""
    former = Replayed(records={(3, 7): 2})
    found = [letter(0, raw_offset=7)]
    assert select(found, former, None, again=False).places == {}
    assert select(found, former, None, again=True).places == {(0, 0): 2}


def test_letters_without_their_bytes_cannot_go() -> None:
    """Only a hash of them is left, so --again does not help."""
    chosen = select([letter(0, **{RAW_TRUNCATED: "true"})], Replayed(), None, again=True)
    assert (chosen.places, chosen.truncated) == ({}, 1)


def test_the_origin_names_the_member() -> None:
    """As listed: topic, partition, offset and the event within the record."""
    assert letter(0, raw_offset=7, **{MEMBER: "2"}).origin_text == f"{RAW}-3-7#2"


def test_no_more_go_than_the_rate_allows() -> None:
    """The first at once; then each waits for its turn, and a late one does not wait."""
    assert seconds_to_wait(0, 10.0, 0.0) == 0.0
    assert seconds_to_wait(5, 10.0, 0.2) == pytest.approx(0.3)
    assert seconds_to_wait(5, 10.0, 60.0) == 0.0
