"""Rows on disk: one RocksDB directory per partition.

Written after the commit of the unit of work, rows and checkpoint in one batch, so a store lags or
is level with Kafka and never leads. What cannot be read is deleted: Kafka has it all.

rocksdict raises plain ``Exception`` with RocksDB's text, so faults are told apart by their words.
"""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import rocksdict
from structlog import get_logger
from typing_extensions import override

from riskstream.errors import StateStoreError
from riskstream.pipeline.store import TABLES, Checkpoint, PackedRow, RowStore

__all__ = ["DiskMemory", "DiskStore", "LockedError", "remove_store"]

FORMAT: Final = b"\x01"
"""Of keys, rows and checkpoint. A store of another one is rebuilt."""
CHECKPOINT_KEY: Final = b"\x00checkpoint"
PREFIXES: Final = dict(zip(TABLES, (b"f", b"l", b"u", b"p", b"c"), strict=True))
PAGE_ROWS: Final = 256
WRITE_BUFFER_BYTES: Final = 4_194_304
OPEN_FILES: Final = 64
"""Per partition; a small store has a handful."""

_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(Checkpoint).decode
_OF_THE_MACHINE: Final = tuple(
    os.strerror(number).lower()
    for number in (
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM),
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENODEV),
    )
)
"""Faults that a rebuilt store would meet again."""

log = get_logger(__name__)


class LockedError(Exception):
    """Another process, or another handle of this one, has the directory."""


class DiskMemory:
    """What all stores of a process share: one block cache, and one bound on write buffers."""

    def __init__(self, total_bytes: int) -> None:
        self.cache = rocksdict.Cache(total_bytes)
        # Charged to the cache: buffers and cached blocks together stay within its size.
        self.buffers = rocksdict.WriteBufferManager.new_write_buffer_manager_with_cache(
            total_bytes // 2, False, self.cache
        )

    def options(self) -> rocksdict.Options:
        """RocksDB's options, every one that decides on memory among them."""
        blocks = rocksdict.BlockBasedOptions()
        blocks.set_block_cache(self.cache)
        blocks.set_cache_index_and_filter_blocks(True)
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
        blocks.set_bloom_filter(10, False)
        blocks.set_format_version(5)
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_block_based_table_factory(blocks)
        options.set_write_buffer_manager(self.buffers)
        options.set_write_buffer_size(WRITE_BUFFER_BYTES)
        options.set_max_write_buffer_number(2)
        options.set_target_file_size_base(8 * WRITE_BUFFER_BYTES)
        options.set_max_open_files(OPEN_FILES)
        options.set_compression_type(rocksdict.DBCompressionType.lz4())
        options.set_max_background_jobs(2)
        options.set_keep_log_file_num(2)
        options.set_max_log_file_size(1_048_576)
        options.set_stats_dump_period_sec(0)
        return options


class DiskStore(RowStore):
    """One partition's rows in a directory of their own.

    Args:
        path: The directory; made where it is missing.
        memory: Shared with the other stores of the process.

    Raises:
        LockedError: Somebody has it.
        StateStoreError: It cannot be used, for a reason that lies outside of it.
    """

    def __init__(self, path: Path, memory: DiskMemory) -> None:
        self.path = path
        self._memory = memory
        self._db, self.checkpoint = self._open()

    def _open(self) -> tuple[rocksdict.Rdict, Checkpoint]:
        try:
            return self._open_once()
        except LockedError:
            raise
        except Exception as fault:  # noqa: BLE001  (rocksdict raises nothing more specific)
            self._refuse_if_of_the_machine(fault)
            log.warning("state_unreadable", path=str(self.path), error=str(fault))
            remove_store(self.path)
        try:
            return self._open_once()
        except LockedError:
            raise
        except Exception as fault:
            raise self._fault("opened", fault) from fault

    def _open_once(self) -> tuple[rocksdict.Rdict, Checkpoint]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            db = rocksdict.Rdict(str(self.path), self._memory.options())
        except Exception as fault:
            if "/LOCK" in str(fault) and not _of_the_machine(fault):
                raise LockedError(str(fault)) from fault
            raise
        try:
            return db, _checkpoint(db)
        except Exception:
            _close(db, self.path)
            raise

    @override
    def get(self, topic: str, subject: str) -> bytes | None:
        try:
            row: bytes | None = self._db.get(PREFIXES[topic] + subject.encode())
        except Exception as fault:
            raise self._broken(fault) from fault
        return row

    @override
    def get_many(self, topic: str, subjects: Sequence[str]) -> Sequence[bytes | None]:
        prefix = PREFIXES[topic]
        try:
            rows: Any = self._db.get([prefix + subject.encode() for subject in subjects])
        except Exception as fault:
            raise self._broken(fault) from fault
        found: Sequence[bytes | None] = rows
        return found

    @override
    def scan(self, topic: str) -> Iterator[tuple[str, bytes]]:
        """In pages, so that no iterator keeps old files from being deleted."""
        prefix = PREFIXES[topic]
        begin = prefix
        while True:
            page = self._page(begin, prefix)
            for key, row in page:
                yield key[1:].decode(), row
            if len(page) < PAGE_ROWS:
                return
            begin = page[-1][0] + b"\x00"

    def _page(self, begin: bytes, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """The next rows. rocksdict's own iterators end at a damaged block as if all were read."""
        page: list[tuple[bytes, bytes]] = []
        try:
            rows = self._db.iter()
            rows.seek(begin)
            while len(page) < PAGE_ROWS and rows.valid():
                key = rows.key()
                if key[:1] != prefix:
                    break
                page.append((key, rows.value()))
                rows.next()
            rows.status()
        except Exception as fault:
            raise self._broken(fault) from fault
        return page

    @override
    def write(self, rows: Iterable[PackedRow], checkpoint: Checkpoint) -> None:
        batch = rocksdict.WriteBatch(raw_mode=True)
        for topic, subject, row in rows:
            key = PREFIXES[topic] + subject.encode()
            if row is None:
                batch.delete(key)
            else:
                batch.put(key, row)
        batch.put(CHECKPOINT_KEY, FORMAT + _ENCODE(checkpoint))
        try:
            self._db.write(batch)
        except Exception as fault:
            raise self._broken(fault) from fault
        self.checkpoint = checkpoint

    @override
    def clear(self) -> None:
        self.close()
        remove_store(self.path)
        self._db, self.checkpoint = self._open()

    @override
    def close(self) -> None:
        _close(self._db, self.path)

    def _broken(self, fault: Exception) -> StateStoreError:
        """What to raise; a store that is damaged is deleted, so that a restart rebuilds it."""
        if isinstance(fault, rocksdict.DbClosedError) or _of_the_machine(fault):
            return self._fault("used", fault)
        self.close()
        remove_store(self.path)
        log.error("state_damaged", path=str(self.path), error=str(fault))
        return StateStoreError(
            f"The state store {self.path} was damaged and has been deleted ({fault}). Nothing is "
            "lost: it is rebuilt from the changelogs when the worker starts again."
        )

    def _refuse_if_of_the_machine(self, fault: Exception) -> None:
        if _of_the_machine(fault):
            raise self._fault("opened", fault) from fault

    def _fault(self, what: str, fault: Exception) -> StateStoreError:
        return StateStoreError(
            f"The state store {self.path} cannot be {what}: {fault}. Nothing is lost: Kafka has "
            "all of it. Remedy the cause, such as a full disk, or name another state.directory; "
            "the worker goes on from the last commit when it starts again."
        )


def remove_store(path: Path) -> None:
    """Delete a store that nobody has open.

    Raises:
        StateStoreError: It cannot be deleted.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as fault:
        raise StateStoreError(
            f"The state store {path} cannot be deleted ({fault.strerror}). Delete it by hand; it "
            "is rebuilt from the changelogs."
        ) from fault


def _checkpoint(db: rocksdict.Rdict) -> Checkpoint:
    """The checkpoint of an opened store; a new one's is empty.

    Raises:
        ValueError: It is not there, though rows are, or it has another format.
    """
    value: bytes | None = db.get(CHECKPOINT_KEY)
    if value is None:
        if next(iter(db.keys()), None) is not None:
            raise ValueError("rows without a checkpoint")
        return Checkpoint()
    if value[:1] != FORMAT:
        raise ValueError(f"format {value[0]}, not {FORMAT[0]}")
    return _DECODE(value[1:])


def _close(db: rocksdict.Rdict, path: Path) -> None:
    """Closing writes what is in memory; where that fails the store merely lags."""
    try:
        db.close()
    except Exception as fault:  # noqa: BLE001  (rocksdict raises nothing more specific)
        log.warning("state_close_failed", path=str(path), error=str(fault))


def _of_the_machine(fault: Exception) -> bool:
    text = str(fault).lower()
    return isinstance(fault, OSError) or any(words in text for words in _OF_THE_MACHINE)
