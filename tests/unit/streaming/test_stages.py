"""What assess does with its rows at an assignment: keep, catch up, rebuild or refuse."""

from collections.abc import Mapping

import pytest

from riskstream.config import KafkaSettings, Settings
from riskstream.errors import KafkaFaultError
from riskstream.events.topics import FAILURES
from riskstream.events.vocabulary import Kind
from riskstream.observability.metrics import Metrics
from riskstream.pipeline.assess import Assess
from riskstream.pipeline.limits import Limits
from riskstream.pipeline.state import PartitionState
from riskstream.pipeline.store import MemoryStore, RowStore
from riskstream.streaming import stages
from riskstream.streaming.apps import _faust_app
from riskstream.streaming.progress import RecoveryProgress
from riskstream.streaming.stages import AssessStage
from riskstream.streaming.stores import Stores
from riskstream.streaming.tables import StateTables
from riskstream.windows.rows import encode_failures
from tests.support.risk import facts, policy, records, run


class Disk(Stores):
    """Stores that stay when they are closed, as on a disk."""

    def __init__(self) -> None:
        self.stores: dict[int, MemoryStore] = {}

    async def open(self, partition: int) -> RowStore:
        """The same one again."""
        return self.stores.setdefault(partition, MemoryStore())


class Changelogs:
    """Stands for ``replay``: one row per partition; remembers what was asked of it."""

    def __init__(self, rows: int = 1) -> None:
        self.rows = rows
        self.asked: list[list[int]] = []
        self.found: list[dict[int, int]] = []

    async def __call__(
        self, _: KafkaSettings, states: Mapping[int, PartitionState], progress: RecoveryProgress
    ) -> dict[int, dict[str, int]]:
        """Take the rows in."""
        self.asked.append(sorted(states))
        self.found.append({number: len(state.failures) for number, state in states.items()})
        _, other = run(records([facts(Kind.LOGIN_FAILURE)]))
        row = encode_failures(other.failures["1234:7"])
        progress.start([self.rows] * len(states))
        for state in states.values():
            state.load_all(FAILURES, {b"1234:7": row} if self.rows else {}, self.rows)
            progress.read(FAILURES, self.rows)
        progress.report(0)
        return {number: {FAILURES: self.rows} for number in states}


@pytest.fixture
def changelogs(monkeypatch: pytest.MonkeyPatch) -> Changelogs:
    """In place of Kafka's."""
    double = Changelogs()
    monkeypatch.setattr(stages, "replay", double)
    return double


def make_stage(stores: Stores | None = None) -> AssessStage:
    """A stage without a broker; its duplicate filter is off."""
    settings = Settings()
    tables = StateTables(_faust_app("assess", settings, "member"), 4, stores or Disk())
    metrics = Metrics(role="assess", version="0", policy="p")
    return AssessStage(Assess(policy(), Limits()), tables, settings.kafka, metrics)


def commit_one(stage: AssessStage, partition: int, offset: int, user: int = 8) -> None:
    """Process a failure of a user, and commit it."""
    failed = facts(Kind.LOGIN_FAILURE, subject=f"1234:{user}", user_id=user)
    chunk = records([failed], start=offset - 1)
    processing = stage.begin(partition, chunk)
    processing.feed(chunk)
    processing.finish().apply(offset, {FAILURES: offset})


async def test_partitions_that_stay_keep_their_rows(changelogs: Changelogs) -> None:
    """Over a rebalance nothing is read for them, only for those that come."""
    stage = make_stage()
    await stage.recover({0: 5, 1: 5})
    commit_one(stage, 0, 6)

    await stage.recover({0: 6, 1: 5, 2: 9})
    await stage.recover({0: 6, 2: 9})

    assert changelogs.asked == [[0, 1], [2]]
    rows = stage._tables.state(0).failures
    assert set(rows) == {"1234:7", "1234:8"}


async def test_rows_that_lag_catch_up_without_being_thrown_away(changelogs: Changelogs) -> None:
    """A commit whose rows were not taken over: the rest is read, from where they stand."""
    stage = make_stage()
    await stage.recover({0: 5})
    commit_one(stage, 0, 6)
    await stage.recover({0: 8})
    assert changelogs.found == [{0: 0}, {0: 2}]
    assert stage._tables.state(0).checkpoint.offset == 8


@pytest.mark.parametrize("committed", [4, None])
async def test_rows_that_are_ahead_are_rebuilt(
    changelogs: Changelogs, committed: int | None
) -> None:
    """The group's offset was moved back: the changelogs alone tell what stands now."""
    stage = make_stage()
    await stage.recover({0: 5})
    commit_one(stage, 0, 6)
    changelogs.rows = 0
    await stage.recover({0: committed})
    assert changelogs.found[-1] == {0: 0}
    assert not stage._tables.state(0).failures


async def test_rows_without_a_committed_offset_are_refused(changelogs: Changelogs) -> None:
    """The group's offsets have expired: reading from the start would repeat everything."""
    with pytest.raises(KafkaFaultError, match="has no committed offset"):
        await make_stage().recover({0: None})


async def test_what_a_fault_has_touched_is_opened_anew(changelogs: Changelogs) -> None:
    """In memory it begins empty; on a disk it is what was written last."""
    disk = Disk()
    stage = make_stage(disk)
    await stage.recover({0: 5})
    commit_one(stage, 0, 6)
    stage.forget(0)
    await stage.recover({0: 6})
    assert changelogs.asked == [[0]]
    assert set(stage._tables.state(0).failures) == {"1234:7", "1234:8"}


async def test_a_new_process_keeps_what_the_disk_has(changelogs: Changelogs) -> None:
    """Level with the committed offset: nothing is read."""
    disk = Disk()
    before = make_stage(disk)
    await before.recover({0: 5})
    commit_one(before, 0, 6)
    before.retain(())

    after = make_stage(disk)
    await after.recover({0: 6})

    assert changelogs.asked == [[0]]
    assert set(after._tables.state(0).failures) == {"1234:7", "1234:8"}
    assert after.recovery is None


async def test_a_recovery_that_was_cut_short_goes_on_where_it_was(
    monkeypatch: pytest.MonkeyPatch, changelogs: Changelogs
) -> None:
    """A newer assignment or a kill; what was read is in the checkpoint."""

    async def cut(*arguments: object) -> dict[int, dict[str, int]]:
        await changelogs(*arguments)  # type: ignore[arg-type]
        raise KafkaFaultError("cut short")

    stage = make_stage()
    monkeypatch.setattr(stages, "replay", cut)
    with pytest.raises(KafkaFaultError):
        await stage.recover({0: 5})
    assert stage._metrics.recovering._value.get() == 0
    monkeypatch.setattr(stages, "replay", changelogs)
    await stage.recover({0: 5})
    assert changelogs.found == [{0: 0}, {0: 1}]
    assert stage._tables.state(0).checkpoint.changelog[FAILURES] == 1
