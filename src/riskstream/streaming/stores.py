"""Where the rows of a partition are kept: in memory, or on disk."""

import asyncio
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from structlog import get_logger
from typing_extensions import override

from riskstream.config import StateSettings
from riskstream.errors import ConfigError, StateStoreError
from riskstream.pipeline.store import MemoryStore, RowStore

if TYPE_CHECKING:
    from riskstream.streaming.disk import DiskStore

__all__ = ["DiskStores", "MemoryStores", "Stores", "check_store", "new_stores"]

LOCK_SECONDS: Final = 5.0
"""How long to wait for a process that is letting go of a directory, or dying."""
RETRY_SECONDS: Final = 0.1
SLOTS: Final = 8
"""Directories for one partition on one machine, in use or stale."""

log = get_logger(__name__)


class Stores(Protocol):
    """Opens the store of a partition."""

    async def open(self, partition: int) -> RowStore:
        """The store of one partition, for nobody else until it is closed.

        Raises:
            StateStoreError: It cannot be opened.
        """


class MemoryStores(Stores):
    """Stores in memory, empty each time."""

    @override
    async def open(self, partition: int) -> RowStore:
        return MemoryStore()


class DiskStores(Stores):
    """Directories ``assess-<partition>``, each with a lock that its process holds.

    A process that was frozen keeps its lock while another takes over its partition. So where a
    lock does not go away in time, the partition gets the next slot, ``assess-<partition>.<n>``,
    and rebuilds there; slots that nobody has are deleted when the first one is free again.
    """

    def __init__(
        self, state: StateSettings, app_id: str, lock_seconds: float = LOCK_SECONDS
    ) -> None:
        from riskstream.streaming.disk import DiskMemory  # noqa: PLC0415  (an optional extra)

        self._directory = Path(state.directory) / app_id
        self._memory = DiskMemory(state.disk_memory_bytes)
        self._lock_seconds = lock_seconds

    @override
    async def open(self, partition: int) -> RowStore:
        first = self._directory / f"assess-{partition}"
        store = await self._open(first, self._lock_seconds)
        if store is not None:
            await self._delete_other_slots(first)
            return store
        for slot in range(1, SLOTS):
            path = first.with_name(f"{first.name}.{slot}")
            store = await self._open(path, 0.0)
            if store is not None:
                log.warning("state_slot_taken", path=str(path), note=f"{first} is locked")
                return store
        raise StateStoreError(
            f"The state store {first} and its {SLOTS - 1} other slots are locked by other "
            "processes. Is another worker with this state.directory and worker.app_id running "
            "that is not in the consumer group? Give it a directory of its own."
        )

    async def _open(self, path: Path, patience: float) -> "DiskStore | None":
        from riskstream.streaming.disk import DiskStore, LockedError  # noqa: PLC0415

        deadline = asyncio.get_running_loop().time() + patience
        while True:
            await asyncio.sleep(0)
            try:
                return DiskStore(path, self._memory)
            except LockedError as fault:
                if asyncio.get_running_loop().time() >= deadline:
                    log.warning("state_locked", path=str(path), error=str(fault))
                    return None
            await asyncio.sleep(RETRY_SECONDS)

    async def _delete_other_slots(self, first: Path) -> None:
        from riskstream.streaming.disk import remove_store  # noqa: PLC0415

        for path in first.parent.glob(f"{first.name}.*"):
            store = await self._open(path, 0.0)
            if store is not None:
                store.close()
                remove_store(path)


def check_store(state: StateSettings) -> None:
    """Whether the store that is asked for can be had.

    Raises:
        ConfigError: Its library is not installed.
    """
    if state.store == "rocksdict" and importlib.util.find_spec("rocksdict") is None:
        raise ConfigError(
            "state.store is rocksdict, but that library is not installed: "
            "pip install 'riskstream[rocksdict]'."
        )


def new_stores(state: StateSettings, app_id: str) -> Stores:
    """The kind of store that the settings ask for.

    Raises:
        ConfigError: Its library is not installed.
    """
    check_store(state)
    return DiskStores(state, app_id) if state.store == "rocksdict" else MemoryStores()
