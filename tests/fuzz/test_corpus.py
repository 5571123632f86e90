"""What the fuzzer found stays found, and a short run of it finds nothing."""

import random
from itertools import islice
from pathlib import Path

import pytest

from tests.fuzz.checks import BrokenPromiseError, check
from tests.fuzz.engines import blind
from tests.fuzz.inputs import GS, RS, US, read_case
from tests.fuzz.mutate import dictionary
from tests.fuzz.seeds import kept, seeds
from tests.support.events import encode, rest_event

INPUTS = 800
"""Of the short run; the first of them are the seeds."""


@pytest.mark.parametrize("path", kept(), ids=lambda path: path.stem)
def test_what_was_found_once_keeps_every_promise(path: Path) -> None:
    """Each file of the kept corpus, the schemas included."""
    check(path.read_bytes(), schemas=True)


def test_a_short_run_finds_nothing() -> None:
    """The same inputs in every run."""
    count = 0
    for data in islice(blind(random.Random(1), seeds()), INPUTS):
        check(data)
        count += 1
    assert count == INPUTS


def test_the_seeds_are_as_their_schemas_say() -> None:
    """Every output and every row of the first of them."""
    costs = [check(data, schemas=True) for data in seeds()[:60]]
    assert sum(cost.events for cost in costs) > len(costs)


def test_a_broken_promise_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that cannot fail would prove nothing."""
    monkeypatch.setattr("riskstream.pipeline.ingest.validate", lambda *_: 1 // 0)
    with pytest.raises(BrokenPromiseError, match="internal_error: ZeroDivisionError"):
        check(encode(rest_event()))


def test_control_bytes_say_how_an_input_is_taken_through() -> None:
    """Limits, door and cuts in front; timestamp, key and headers before each record."""
    case = read_case(GS + bytes([1 | 4]) + b"{}" + RS + US + bytes([0b1101001]) + b"gone" + RS)
    assert (case.tight, case.direct, case.filtered, case.chunk) == (True, False, True, 1)
    plain, stone, empty = case.records
    assert (plain.value, stone.value, empty.value) == (b"{}", None, b"")
    assert (stone.timestamp, stone.key, len(stone.headers)) == (None, None, 1)


def test_the_dictionary_has_the_form_that_libfuzzer_reads() -> None:
    """One quoted word per line, every byte escaped."""
    lines = dictionary().decode().splitlines()
    assert len(lines) > 200
    for line in lines:
        assert line[0] == line[-1] == '"'
        assert bytes.fromhex(line[1:-1].replace("\\x", ""))
