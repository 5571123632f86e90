"""Which directory a partition's store has, and what happens when it is locked."""

from pathlib import Path

import pytest

from riskstream.config import StateSettings
from riskstream.errors import ConfigError, StateStoreError
from riskstream.pipeline.store import Checkpoint, MemoryStore
from riskstream.streaming import stores
from riskstream.streaming.disk import DiskMemory, DiskStore
from riskstream.streaming.stores import DiskStores, MemoryStores, check_store, new_stores


def _settings(directory: Path) -> StateSettings:
    return StateSettings(store="rocksdict", directory=directory, disk_memory_bytes=8_388_608)


def _names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


async def test_each_partition_of_each_application_has_its_directory(tmp_path: Path) -> None:
    """So that several processes on one machine may share the setting."""
    opener = DiskStores(_settings(tmp_path), "app")
    one, two = await opener.open(1), await opener.open(2)
    other = await DiskStores(_settings(tmp_path), "other").open(1)
    assert _names(tmp_path / "app") == {"assess-1", "assess-2"}
    assert _names(tmp_path / "other") == {"assess-1"}
    for store in (one, two, other):
        store.close()


async def test_a_lock_that_does_not_go_away_costs_a_rebuild_and_no_more(tmp_path: Path) -> None:
    """A frozen process keeps it; the partition goes on in the next slot, begun anew."""
    opener = DiskStores(_settings(tmp_path), "app", lock_seconds=0.0)
    frozen = await opener.open(3)
    frozen.write((), Checkpoint(7, True))
    taken = await opener.open(3)
    assert taken.checkpoint == Checkpoint()
    assert _names(tmp_path / "app") == {"assess-3", "assess-3.1"}

    frozen.close()
    taken.close()
    again = await opener.open(3)
    assert again.checkpoint == Checkpoint(7, True)
    assert _names(tmp_path / "app") == {"assess-3"}
    again.close()


async def test_a_slot_that_somebody_has_is_left_alone(tmp_path: Path) -> None:
    """It may be at work in it."""
    opener = DiskStores(_settings(tmp_path), "app", lock_seconds=0.0)
    first, second = await opener.open(3), await opener.open(3)
    first.close()
    again = await opener.open(3)
    second.write((), Checkpoint(8, True))
    assert _names(tmp_path / "app") == {"assess-3", "assess-3.1"}
    for store in (again, second):
        store.close()


async def test_a_lock_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dying process lets go after a moment."""
    held = DiskStore(tmp_path / "app" / "assess-3", DiskMemory(8_388_608))

    async def let_go(_: float) -> None:
        held.close()

    monkeypatch.setattr(stores.asyncio, "sleep", let_go)
    opened = await DiskStores(_settings(tmp_path), "app").open(3)
    assert _names(tmp_path / "app") == {"assess-3"}
    opened.close()


async def test_when_all_slots_are_locked_the_message_says_why(tmp_path: Path) -> None:
    """Two applications with one name on one machine."""
    opener = DiskStores(_settings(tmp_path), "app", lock_seconds=0.0)
    held = [await opener.open(3) for _ in range(8)]
    with pytest.raises(StateStoreError, match=r"state\.directory and worker\.app_id"):
        await opener.open(3)
    for store in held:
        store.close()


async def test_memory_is_empty_each_time() -> None:
    """And is the default."""
    opener = new_stores(StateSettings(), "app")
    assert isinstance(opener, MemoryStores)
    store = await opener.open(0)
    assert isinstance(store, MemoryStore)
    assert store.checkpoint == Checkpoint()


def test_without_its_library_the_disk_store_is_a_fault_of_the_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Told at the start, with what to install."""
    monkeypatch.setattr(stores.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'riskstream\[rocksdict\]'"):
        check_store(StateSettings(store="rocksdict"))
    check_store(StateSettings())
