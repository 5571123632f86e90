"""What is logged of a chunk and of dead letters."""

import asyncio

import pytest
from structlog.testing import capture_logs

from riskstream.config import BrakeSettings, Settings
from riskstream.events.outcome import Tally
from riskstream.events.record import Output
from riskstream.observability.metrics import Metrics
from riskstream.pipeline.ingest import Ingest
from riskstream.pipeline.limits import Limits
from riskstream.streaming.chunk import Chunk
from riskstream.streaming.journal import MOST_LETTERS, tell_chunk, tell_dead_letters
from riskstream.streaming.lane import Lane
from riskstream.streaming.stages import IngestStage
from tests.support.events import encode, ingest, record, rest_event, shipped_catalog
from tests.support.streaming import SOURCE, RecordingUnit

SECRET_NAME = "Vanessa Exampleton"
SECRET_ADDRESS = "198.51.100.77"


def test_a_chunk_is_one_line_at_debug() -> None:
    """With its place, what became of it and how long it took."""
    tally = Tally(records=2, received=5, routed=3, late=1)
    tally.filtered["empty"] = 2
    with capture_logs() as lines:
        tell_chunk(SOURCE, 4, 9, tally, outputs=3, processing=0.12345678, committing=0.5)
    (line,) = lines
    assert line["log_level"] == "debug"
    assert (line["topic"], line["partition"], line["start"], line["end"]) == (*SOURCE, 4, 9)
    assert (line["events"], line["routed"], line["filtered"], line["late"]) == (5, 3, 2, 1)
    assert (line["outputs"], line["process_seconds"]) == (3, 0.1235)


def test_a_dead_letter_is_one_line_at_info_that_shows_no_payload() -> None:
    """It says where the letter came from and why."""
    broken = rest_event(user_name=SECRET_NAME, ipaddr=SECRET_ADDRESS, account_id=None)
    outputs = ingest([rest_event(), broken], b"{" + SECRET_NAME.encode()).outputs
    with capture_logs() as lines:
        tell_dead_letters(outputs)
    member, whole = lines
    assert {line["log_level"] for line in lines} == {"info"}
    assert (member["stage"], member["reason"]) == ("validate", "missing_field")
    assert (member["member"], member["detail"]) == (1, "account_id")
    assert (whole["reason"], whole["member"], whole["offset"]) == ("malformed_json", None, 1)
    assert SECRET_NAME not in str(lines)
    assert SECRET_ADDRESS not in str(lines)


def test_a_flood_of_dead_letters_is_told_in_part() -> None:
    """And how many more there were."""
    outputs: list[Output] = ingest(*[b"x"] * (MOST_LETTERS + 7)).outputs
    with capture_logs() as lines:
        tell_dead_letters(outputs)
    assert [line["event"] for line in lines[:-1]] == ["dead_letter"] * MOST_LETTERS
    assert (lines[-1]["event"], lines[-1]["count"]) == ("dead_letters_not_told", 7)


async def test_a_lane_tells_what_it_has_committed() -> None:
    """Not before: what is not committed is read again, and would be told twice."""
    lane = Lane(
        SOURCE,
        0,
        unit=RecordingUnit(fault=OSError("gone")),
        stage=IngestStage(Ingest(shipped_catalog(), Limits())),
        settings=Settings(brake=BrakeSettings(enabled=False)),
        metrics=Metrics(role="ingest", version="0", policy="none"),
        on_flow=lambda *_: None,
        turn=asyncio.Lock(),
    )
    chunk = Chunk(0, 0, 2, [record(encode(rest_event()), 0), record(b"x", 1)], epoch=1)
    lane.put(chunk)
    with capture_logs() as lines, pytest.raises(OSError, match="gone"):
        await asyncio.wait_for(lane.run(), 5)
    assert lines == []

    lane.unit = unit = RecordingUnit()
    lane.put(chunk)
    with capture_logs() as lines:
        running = asyncio.create_task(lane.run())
        while not lane.position:
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert len(unit.written) == 2
    assert [line["event"] for line in lines] == ["dead_letter", "chunk_committed"]
