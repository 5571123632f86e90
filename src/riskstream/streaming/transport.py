"""Faust's transport, delivering chunks: one Faust message is all that was fetched for a partition.

Stock Faust spends four asyncio tasks per event before an agent sees it. Here one message per
chunk passes through the same conductor, stream and agent.

Two rules keep delivery honest over rebalances:

* The flow has an *epoch*, which moves whenever the flow stops or resumes. A fetch that began in
  another epoch is thrown away and the position is sought again, since aiokafka may hand out
  records that were fetched before the seek.
* Every chunk names the fetch position before and after it, so the lane that works on it can
  refuse one that does not continue the last.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any

import aiokafka
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import ConsumerStoppedError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from structlog import get_logger
from typing_extensions import override

from riskstream.streaming.chunk import Chunk

__all__ = ["ChunkConsumer", "ChunkConsumerThread", "ChunkTransport"]

FETCH_SECONDS = 1.0
"""A fetch that finds nothing returns after this long, so that a stop is noticed."""
FETCH_WAIT_MS = 30
"""How long the broker holds a fetch that finds nothing. aiokafka has one fetch at a time under way
per broker, so a partition that was busy when it began is asked again only after it has ended;
Faust's own 1,500 ms would be waited for at every hop."""
SLICE_SECONDS = 0.05
"""How often a waiting fetch looks again at partitions that were paused when it began."""

log = get_logger(__name__)


class ChunkConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread in which aiokafka's consumer lives."""

    @override
    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        # Faust reads the isolation level off this flag, and nothing else that we use.
        self.consumer.in_transaction = True
        try:
            consumer = super()._create_worker_consumer(transport)
        finally:
            self.consumer.in_transaction = False
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001  (Faust has no setting for it)
        return consumer

    async def fetch(self, active: set[TP], epoch: int) -> list[tuple[TP, Chunk]]:
        """Chunks of the active partitions, as soon as there are any; else an empty list."""
        fetched: list[tuple[TP, Chunk]] = await self.call_thread(self._fetch, active, epoch)
        return fetched

    async def _fetch(self, active: set[TP], epoch: int) -> list[tuple[TP, Chunk]]:
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher  # noqa: SLF001  (Faust's own driver reads it, too)
        if consumer._closed or fetcher._closed:  # noqa: SLF001
            raise ConsumerStoppedError
        deadline = monotonic() + FETCH_SECONDS
        with fetcher._subscriptions.fetch_context():  # noqa: SLF001
            while self.consumer.flow_active and self.consumer.epoch == epoch:
                if not fetcher._subscriptions.reassignment_in_progress:  # noqa: SLF001
                    chunks = self._take(fetcher, active, epoch)
                    if chunks:
                        return chunks
                if monotonic() >= deadline:
                    break
                waiter = fetcher._create_fetch_waiter()  # noqa: SLF001
                done, pending = await asyncio.wait([waiter], timeout=SLICE_SECONDS)
                for future in pending:
                    future.cancel()
                for future in done:
                    future.result()  # raises what the fetcher met, a refused authorisation, say
        return []

    @staticmethod
    def _take(fetcher: Any, active: set[TP], epoch: int) -> list[tuple[TP, Chunk]]:
        """Take all that lies ready. Like aiokafka's own, but it keeps the positions."""
        chunks: list[tuple[TP, Chunk]] = []
        ready = fetcher._records  # noqa: SLF001
        for topic_partition in list(ready):
            tp = TP(*topic_partition)
            if tp not in active:
                if not fetcher._subscriptions.is_assigned(topic_partition):  # noqa: SLF001
                    del ready[topic_partition]
                continue
            result = ready[topic_partition]
            if not isinstance(result, FetchResult):
                if chunks:
                    break  # the error is for the next call
                del ready[topic_partition]
                fetcher._notify(fetcher._wait_consume_future)  # noqa: SLF001
                result.check_raise()
            assignment = result._assignment  # noqa: SLF001
            if not assignment.active:
                del ready[topic_partition]
                continue
            state = assignment.state_value(topic_partition)
            start = state._position  # noqa: SLF001  (None while a seek is under way)
            records = result.getall()
            if not result.has_more():
                del ready[topic_partition]
                fetcher._notify(fetcher._wait_consume_future)  # noqa: SLF001
            end = state._position  # noqa: SLF001
            if start is not None and end != start:
                chunks.append((tp, Chunk(tp.partition, start, end, records, epoch)))
        return chunks

    async def committed_offsets(self, partitions: Iterable[TP]) -> dict[TP, int | None]:
        """Committed offsets of the group; None where there is none yet."""

        async def read() -> dict[TP, int | None]:
            consumer = self._ensure_consumer()
            return {tp: await consumer.committed(aiokafka.TopicPartition(*tp)) for tp in partitions}

        offsets: dict[TP, int | None] = await self.call_thread(read)
        return offsets

    async def log_bounds(self, partitions: Iterable[TP]) -> dict[TP, tuple[int, int]]:
        """First offset and last stable offset of each partition."""

        async def read() -> dict[TP, tuple[int, int]]:
            consumer = self._ensure_consumer()
            wanted = [aiokafka.TopicPartition(*tp) for tp in partitions]
            first = await consumer.beginning_offsets(wanted)
            last = await consumer.end_offsets(wanted)
            return {TP(*tp): (first[tp], last[tp]) for tp in wanted}

        bounds: dict[TP, tuple[int, int]] = await self.call_thread(read)
        return bounds

    async def commit_offset(self, source: aiokafka.TopicPartition, offset: int) -> None:
        """Commit one offset for the group; at_least_once alone."""
        await self.call_thread(self._ensure_consumer().commit, {source: offset})

    async def stop_fetching(self, partitions: Iterable[TP]) -> None:
        """Never fetch these: changelogs are assigned with the tables, and read by recovery."""

        async def pause() -> None:
            self._ensure_consumer().pause(*(aiokafka.TopicPartition(*tp) for tp in partitions))

        await self.call_thread(pause)

    def stable_end(self, tp: TP) -> int | None:
        """Last stable offset as of the newest fetch; None before the first."""
        end: int | None = self._ensure_consumer().last_stable_offset(aiokafka.TopicPartition(*tp))
        return end

    def fetched_at(self, tp: TP) -> float | None:
        """When a broker last answered for this partition, epoch seconds; None before the first."""
        at: int | None = self._ensure_consumer().last_poll_timestamp(aiokafka.TopicPartition(*tp))
        return None if at is None else at / 1000


class ChunkConsumer(driver.Consumer):
    """Faust's consumer, less acknowledgements: offsets travel in the units' transactions."""

    _thread: ChunkConsumerThread
    epoch = 0
    positions: Callable[[], Mapping[TP, int]]
    """Set by the hop: the position of each partition that is ours."""

    @override
    def _new_consumer_thread(self) -> ChunkConsumerThread:
        return ChunkConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @override
    def stop_flow(self) -> None:
        self.epoch += 1
        super().stop_flow()

    @override
    def resume_flow(self) -> None:
        self.epoch += 1
        super().resume_flow()

    @override
    async def commit(self, *_: Any, **__: Any) -> bool:
        return False

    async def commit_offset(self, source: aiokafka.TopicPartition, offset: int) -> None:
        """Commit one offset for the group; at_least_once alone."""
        await self._thread.commit_offset(source, offset)

    @override
    async def perform_seek(self) -> None:
        """Seek every partition to where its lane stands."""
        assigned = self.assignment()
        positions = {tp: at for tp, at in self.positions().items() if tp in assigned}
        if positions:
            await self._thread.seek_wait(positions)

    @override
    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's watchdog compares two different clocks; ours is the age of the last commit."""

    @override
    async def _drain_messages(self, fetcher: Any) -> None:
        while not (self._stopped.is_set() or fetcher._stopped.is_set()):  # noqa: SLF001
            if not self.flow_active:
                await self.wait(self.can_resume_flow)
                continue
            epoch = self.epoch
            chunks = await self._thread.fetch(self._get_active_partitions(), epoch)
            for tp, chunk in chunks:
                if self.epoch != epoch:
                    break
                await self._deliver(tp, chunk)
            if chunks and self.epoch != epoch and self.flow_active:
                log.info("fetch_discarded", reason="it straddled a rebalance")
                await self.perform_seek()
            await asyncio.sleep(0)

    async def _deliver(self, tp: TP, chunk: Chunk) -> None:
        callback = self.app.topics._tp_to_callback.get(tp)  # noqa: SLF001
        if callback is None:
            return
        message = ConsumerMessage(
            tp.topic,
            tp.partition,
            chunk.end - 1,
            0.0,
            0,
            [],
            None,
            chunk,
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )
        await self.wait_first(callback(message), self.suspend_flow.wait())


class ChunkTransport(driver.Transport):
    """Faust's aiokafka transport with the consumer above."""

    Consumer = ChunkConsumer
