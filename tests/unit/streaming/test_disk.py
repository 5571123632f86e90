"""The store on disk: the same rows as in memory, whenever it is closed, and rebuilt when broken."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import rocksdict
from hypothesis import given, settings
from hypothesis import strategies as st

from riskstream.errors import StateStoreError
from riskstream.events.event import Facts
from riskstream.events.topics import FAILURES, PROFILES
from riskstream.events.vocabulary import Change, Kind, Sensitivity
from riskstream.pipeline.state import PartitionState
from riskstream.pipeline.store import TABLES, Checkpoint
from riskstream.streaming.disk import CHECKPOINT_KEY, DiskMemory, DiskStore, LockedError
from tests.support.risk import DAY, HOUR, NOON, assess, facts, live_rows, records

MEMORY = DiskMemory(8_388_608)
KINDS = (Kind.LOGIN_FAILURE, Kind.LOGIN_SUCCESS, Kind.LOCKOUT, Kind.PRIVILEGE_CHANGE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store is to lie; it is not there yet."""
    return tmp_path / "state" / "assess-0"


@pytest.fixture
def store(path: Path) -> Iterator[DiskStore]:
    """An open one with three rows."""
    opened = DiskStore(path, MEMORY)
    rows = [(topic, f"1234:{user}", b"%d" % user) for user, topic in enumerate(TABLES)]
    opened.write(rows, Checkpoint(7, True, 9, {FAILURES: 3}, {FAILURES: 1}))
    yield opened
    opened.close()


def _event(drawn: tuple[int, int, Kind]) -> Facts:
    user, hours, kind = drawn
    change = Change.LOCK if kind is Kind.LOCKOUT else None
    sensitive = Sensitivity.SENSITIVE if kind is Kind.PRIVILEGE_CHANGE else Sensitivity.NONE
    return facts(
        kind,
        id=f"1234:{user}:{hours}",
        subject=f"1234:{user}",
        user_id=user,
        time_ms=NOON + hours * HOUR,
        change=change,
        sensitivity=sensitive,
        ip=f"192.0.2.{user}",
    )


_chunks = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.integers(0, 12), st.integers(0, 120), st.sampled_from(KINDS)), max_size=8
        ),
        st.booleans(),
    ),
    max_size=5,
)


@settings(max_examples=12)
@given(_chunks, st.integers(1, 6))
def test_the_same_chunks_give_the_same_rows_in_memory_and_on_disk(
    chunks: list[tuple[list[tuple[int, int, Kind]], bool]], cached: int
) -> None:
    """Outputs, rows, counts and watermark, however few rows are cached and wherever it closes."""
    in_memory = PartitionState()
    with TemporaryDirectory() as directory:
        where = Path(directory) / "assess-0"
        on_disk = PartitionState(DiskStore(where, MEMORY), cached)
        for place, (drawn, reopen) in enumerate(chunks):
            source = records(map(_event, drawn), start=place * 100)
            ours, theirs = assess()(source, in_memory), assess()(source, on_disk)
            assert theirs.outputs == ours.outputs
            in_memory.apply(ours.changes, place)
            on_disk.apply(theirs.changes, place)
            if reopen:
                on_disk.store.close()
                on_disk = PartitionState(DiskStore(where, MEMORY), cached)
            assert live_rows(on_disk) == live_rows(in_memory)
            assert on_disk.watermark_ms == in_memory.watermark_ms
            assert len(on_disk.failures) == len({**on_disk.failures})
            assert len(on_disk.profiles) == len({**on_disk.profiles})
        on_disk.store.close()


@settings(max_examples=12)
@given(_chunks, st.data())
def test_a_store_that_lags_catches_up_from_the_tail(
    chunks: list[tuple[list[tuple[int, int, Kind]], bool]], data: st.DataObject
) -> None:
    """It died between a commit and its write; what is in the changelog after it is enough."""
    state, logs = PartitionState(), [list[Any]() for _ in TABLES]
    dies_at = data.draw(st.integers(0, len(chunks)))
    with TemporaryDirectory() as directory:
        where = Path(directory) / "assess-0"
        lagging = PartitionState(DiskStore(where, MEMORY))
        for place, (drawn, _) in enumerate(chunks):
            changes = assess()(records(map(_event, drawn), start=place * 100), state).changes
            written = {}
            for output in changes.changelog(None):
                log = logs[TABLES.index(output.topic)]
                log.append((output.key, output.value))
                written[output.topic] = len(log)
            state.apply(changes, place, written)
            if place < dies_at:
                lagging.apply(changes, place, written)
        lagging.store.close()

        found = PartitionState(DiskStore(where, MEMORY))
        for topic, log in zip(TABLES, logs, strict=True):
            tail = log[found.checkpoint.changelog.get(topic, 0) :]
            found.load_all(topic, dict(tail), len(log))
        found.recovered(len(chunks), {})

        assert live_rows(found) == live_rows(state)
        assert found.watermark_ms == state.watermark_ms
        assert len(found.failures) == len({**found.failures})
        found.store.close()


def test_rows_and_checkpoint_are_there_again(store: DiskStore, path: Path) -> None:
    """In one piece, with every field."""
    store.close()
    again = DiskStore(path, MEMORY)
    assert again.checkpoint == Checkpoint(7, True, 9, {FAILURES: 3}, {FAILURES: 1})
    assert again.get(FAILURES, "1234:0") == b"0"
    assert again.get_many(PROFILES, ["1234:3", "1234:9"]) == [b"3", None]
    again.close()


def test_a_scan_shows_its_table_alone_over_many_pages(store: DiskStore) -> None:
    """In order of the subject, while rows before and after are written."""
    wanted = {f"u{number:04}": b"%d" % number for number in range(700)}
    store.write([(FAILURES, key, row) for key, row in wanted.items()], store.checkpoint)
    scan = store.scan(FAILURES)
    found = dict([next(scan)])
    store.write([(FAILURES, "1234:0", None), (PROFILES, "u0001", b"x")], store.checkpoint)
    found |= dict(scan)
    assert {key: row for key, row in found.items() if key in wanted} == wanted
    assert set(found) - set(wanted) <= {"1234:0"}


def test_clear_leaves_nothing(store: DiskStore, path: Path) -> None:
    """Neither rows nor checkpoint, also when opened again."""
    store.clear()
    assert (store.checkpoint, store.get(FAILURES, "1234:0")) == (Checkpoint(), None)
    store.close()
    again = DiskStore(path, MEMORY)
    assert again.checkpoint == Checkpoint()
    again.close()


def test_a_directory_that_was_deleted_is_an_empty_store(path: Path, store: DiskStore) -> None:
    """Whoever deletes it loses time and nothing else."""
    store.close()
    for file in path.iterdir():
        file.unlink()
    path.rmdir()
    again = DiskStore(path, MEMORY)
    assert again.checkpoint == Checkpoint()
    again.close()


def test_only_the_owner_may_look_into_it(store: DiskStore, path: Path) -> None:
    """Rows tell where users come from."""
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_second_handle_is_refused(store: DiskStore, path: Path) -> None:
    """And the first one goes on."""
    with pytest.raises(LockedError):
        DiskStore(path, MEMORY)
    assert store.get(FAILURES, "1234:0") == b"0"


def _no_current(path: Path) -> None:
    (path / "CURRENT").unlink()


def _garbled_manifest(path: Path) -> None:
    (manifest,) = path.glob("MANIFEST-*")
    manifest.write_bytes(b"no manifest" * 20)


def _garbled_rows(path: Path) -> None:
    for file in path.glob("*.sst"):
        file.write_bytes(b"\0" * file.stat().st_size)


def _missing_rows(path: Path) -> None:
    for file in path.glob("*.sst"):
        file.unlink()


def _file_in_its_place(path: Path) -> None:
    for file in path.iterdir():
        file.unlink()
    path.rmdir()
    path.write_bytes(b"no directory")


def _other_format(path: Path) -> None:
    with rocksdict.Rdict(str(path), MEMORY.options()) as db:
        db[CHECKPOINT_KEY] = b"\xff" + (db[CHECKPOINT_KEY] or b"")[1:]


def _no_checkpoint(path: Path) -> None:
    with rocksdict.Rdict(str(path), MEMORY.options()) as db:
        del db[CHECKPOINT_KEY]


def _garbled_checkpoint(path: Path) -> None:
    with rocksdict.Rdict(str(path), MEMORY.options()) as db:
        db[CHECKPOINT_KEY] = b"\x01\x93"


@pytest.mark.parametrize(
    "breaks",
    [
        _no_current,
        _garbled_manifest,
        _garbled_rows,
        _missing_rows,
        _file_in_its_place,
        _other_format,
        _no_checkpoint,
        _garbled_checkpoint,
    ],
)
def test_a_store_that_cannot_be_read_is_begun_anew(
    store: DiskStore, path: Path, breaks: Callable[[Path], None]
) -> None:
    """Empty, so that recovery fills it, and usable."""
    store.close()
    breaks(path)
    again = DiskStore(path, MEMORY)
    assert (again.checkpoint, list(again.scan(FAILURES))) == (Checkpoint(), [])
    again.write([(FAILURES, "1234:1", b"1")], Checkpoint(1, True))
    assert again.get(FAILURES, "1234:1") == b"1"
    again.close()


@pytest.mark.parametrize(
    "read",
    [
        lambda store: list(store.scan(FAILURES)),
        lambda store: [store.get(FAILURES, f"1234:{user}") for user in range(20_000)],
        lambda store: store.get_many(FAILURES, [f"1234:{user}" for user in range(20_000)]),
    ],
    ids=["scan", "get", "get_many"],
)
def test_damage_that_is_met_later_deletes_the_store_and_stops_the_worker(
    path: Path, read: Callable[[DiskStore], object]
) -> None:
    """With a message that says that a restart rebuilds it."""
    store = DiskStore(path, MEMORY)
    rows = [(FAILURES, f"1234:{user}", b"%d" % user * 50) for user in range(20_000)]
    store.write(rows, Checkpoint(7, True))
    store.close()
    for file in path.glob("*.sst"):
        third = file.stat().st_size // 3
        with file.open("r+b") as data:
            data.seek(third)
            data.write(b"\0" * third)
    again = DiskStore(path, MEMORY)
    with pytest.raises(StateStoreError, match="was damaged and has been deleted"):
        read(again)
    assert not path.exists()


def test_a_directory_that_may_not_be_written_is_no_reason_to_delete_it(tmp_path: Path) -> None:
    """The message names the directory; nothing is begun anew."""
    (tmp_path / "state").write_bytes(b"a file, where a directory should be")
    with pytest.raises(StateStoreError, match="cannot be opened"):
        DiskStore(tmp_path / "state" / "assess-0", MEMORY)
    assert (tmp_path / "state").read_bytes()


def test_what_expires_on_disk_is_removed_some_at_a_time(path: Path) -> None:
    """As in memory, by the chunks after the one that moved the watermark."""
    state = PartitionState(DiskStore(path, MEMORY))
    first = [_event((user, 0, Kind.LOGIN_FAILURE)) for user in range(1, 231)]
    state.apply(assess()(records(first), state).changes, 1)
    later = _event((0, 3 * DAY // HOUR, Kind.LOGIN_FAILURE))
    removed = []
    for step in range(5):
        result = assess()(records([later], start=1000 + step), state)
        state.apply(result.changes, 1000 + step)
        removed.append(result.tally.expired_rows)
    assert removed == [0, 100, 100, 30, 0]
    assert set(state.failures) == {"1234:0"}
    state.store.close()
