"""Where the rows of a partition are kept: in memory, or on disk."""

from typing import Protocol

from typing_extensions import override

from riskstream.pipeline.store import MemoryStore, RowStore

__all__ = ["MemoryStores", "Stores"]


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
