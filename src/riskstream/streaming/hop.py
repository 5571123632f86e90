"""A hop: all lanes of one role in this process, over assignments, revocations and the end."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, ProducerFenced
from faust.types import TP
from structlog import get_logger

from riskstream.config import Settings
from riskstream.errors import KafkaFaultError
from riskstream.observability.metrics import Metrics
from riskstream.streaming.chunk import Chunk
from riskstream.streaming.lane import Lane
from riskstream.streaming.stages import Stage
from riskstream.streaming.transport import ChunkConsumer
from riskstream.streaming.unit import UnitOfWork

__all__ = ["Hop"]

REVOKE_SECONDS = 10.0
"""At a rebalance: time for units in flight to end before they are cancelled and abort."""
FATAL_SECONDS = 2.0
"""The same once a unit has failed: what broke that one mostly holds the others, too."""
OPEN_AT_ONCE = 16
"""Producers initialised at the same time."""

NOT_OURS = (ProducerFenced, CommitFailedError, IllegalStateError)
"""What a unit meets when somebody else owns its partition by now."""

log = get_logger(__name__)


class Hop:
    """Owns the partitions of one source topic that are assigned to this process.

    On every assignment, for partitions that stay, too: the unit of work is opened anew, which
    fences any former owner and ends its transaction; then the committed offset is read, which
    may be stale before; then the state is made that of the offset; then records flow.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        settings: Settings,
        metrics: Metrics,
        new_unit: Callable[[int], UnitOfWork],
    ) -> None:
        self.stage = stage
        self.fatal: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        """Resolved with the fault after which this process must end."""
        self._settings = settings
        self._metrics = metrics
        self._new_unit = new_unit
        self._consumer: ChunkConsumer | None = None
        self._lanes: dict[TP, Lane] = {}
        self._tasks: dict[TP, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    def attach(self, consumer: ChunkConsumer) -> None:
        """Name the consumer; Faust makes it late."""
        self._consumer = consumer
        consumer.positions = self.positions

    @property
    def consumer(self) -> ChunkConsumer:
        """Faust's consumer."""
        if self._consumer is None:
            raise KafkaFaultError("The consumer has not been started.")
        return self._consumer

    def positions(self) -> Mapping[TP, int]:
        """Where each lane stands."""
        return {tp: lane.position for tp, lane in self._lanes.items()}

    @property
    def lanes(self) -> Mapping[TP, Lane]:
        """The lanes by partition."""
        return self._lanes

    def submit(self, tp: TP, chunk: Chunk) -> None:
        """Hand a chunk to its lane. Chunks of an earlier flow are read again, so they go."""
        lane = self._lanes.get(tp)
        if lane is not None and chunk.epoch == self.consumer.epoch:
            lane.put(chunk)

    async def assign(self, assigned: set[TP]) -> None:
        """Take on exactly these partitions. Records flow after this has returned.

        Raises:
            KafkaFaultError: An offset or a table is not as it must be.
            KafkaError: Kafka is not reachable.
        """
        await self.release()
        partitions = sorted(tp for tp in assigned if tp.topic == self.stage.source)
        others = {tp for tp in assigned if tp.topic != self.stage.source}
        self.stage.retain({tp.partition for tp in partitions})
        thread = self.consumer._thread  # noqa: SLF001  (ours: ChunkConsumerThread)
        await thread.stop_fetching(others)
        units = {tp: self._new_unit(tp.partition) for tp in partitions}
        try:
            await self._open(units.values())
            async with asyncio.timeout(2 * self._settings.kafka.request_timeout_seconds):
                committed = await thread.committed_offsets(partitions)
                bounds = await thread.log_bounds(partitions)
            positions = {tp: self._position(tp, committed[tp], bounds[tp]) for tp in partitions}
            await self.stage.recover({tp.partition: committed[tp] for tp in partitions})
        except BaseException:
            await _close_all(units.values())
            raise
        for tp, unit in units.items():
            self._start(tp, positions[tp], unit)
        self._metrics.rebalances.inc()
        self._metrics.assigned.set(len(partitions))
        log.info("partitions_assigned", topic=self.stage.source, partitions=len(partitions))

    async def _open(self, units: Any) -> None:
        gate = asyncio.Semaphore(OPEN_AT_ONCE)

        async def open_one(unit: UnitOfWork) -> None:
            async with gate:
                await unit.open()

        async with asyncio.TaskGroup() as group:
            for unit in units:
                group.create_task(open_one(unit))

    def _position(self, tp: TP, committed: int | None, bounds: tuple[int, int]) -> int:
        """Where to begin. A committed offset that the log no longer holds is never reset."""
        first, last = bounds
        if committed is None:
            return first
        if committed < first:
            if self._settings.worker.lost_offsets == "skip":
                log.warning(
                    "offsets_skipped",
                    topic=tp.topic,
                    partition=tp.partition,
                    count=first - committed,
                )
                return first
            raise KafkaFaultError(
                f"Offsets {committed} to {first - 1} of {tp.topic}-{tp.partition} were deleted "
                "before they were read: retention is shorter than the time no worker ran. To go "
                "on without them, start the worker once with "
                "RISKSTREAM_WORKER__LOST_OFFSETS=skip, and raise the topic's retention.ms."
            )
        if committed > last:
            raise KafkaFaultError(
                f"The committed offset {committed} of {tp.topic}-{tp.partition} lies beyond the "
                f"end of the log, {last}: the topic was deleted and made anew. Delete the consumer "
                "group (kafka-consumer-groups.sh --delete) and the state topics to start over."
            )
        return committed

    def _start(self, tp: TP, position: int, unit: UnitOfWork) -> None:
        lane = Lane(
            TopicPartition(*tp),
            position,
            unit=unit,
            stage=self.stage,
            settings=self._settings,
            metrics=self._metrics,
            on_flow=self._steer,
            turn=self._turn,
        )
        task = asyncio.create_task(lane.run(), name=f"lane-{tp.topic}-{tp.partition}")
        self._lanes[tp] = lane
        self._tasks[tp] = task
        task.add_done_callback(lambda done: self._ended(tp, lane, done))

    def _steer(self, source: TopicPartition, fetch: bool) -> None:
        tp = TP(*source)
        if tp not in self._lanes:
            return
        if fetch:
            self.consumer.resume_partitions({tp})
        else:
            self.consumer.pause_partitions({tp})

    def _ended(self, tp: TP, lane: Lane, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            return
        fault = task.exception()
        self._metrics.count_failure()
        self.stage.forget(tp.partition)
        if isinstance(fault, NOT_OURS) and self._lanes.get(tp) is not lane:
            log.info("fenced", topic=tp.topic, partition=tp.partition, note="no longer ours")
            return
        log.error("unit_failed", topic=tp.topic, partition=tp.partition, error=repr(fault))
        self.fail(fault or RuntimeError("a lane ended"))

    def fail(self, fault: BaseException) -> None:
        """End this process: it cannot go on without risking the guarantee."""
        if not self.fatal.done():
            self.fatal.set_result(fault)

    async def release(self) -> None:
        """Give up all partitions: units in flight end or abort, nothing new begins."""
        lanes, tasks = dict(self._lanes), dict(self._tasks)
        if not lanes:
            return
        patience = FATAL_SECONDS if self.fatal.done() else REVOKE_SECONDS
        try:
            async with asyncio.timeout(patience):
                await asyncio.gather(*(lane.drain() for lane in lanes.values()))
        except TimeoutError:
            log.warning("units_cancelled", after_seconds=patience)
            for tp, task in tasks.items():
                if not task.done():
                    self.stage.forget(tp.partition)
        self._lanes.clear()
        self._tasks.clear()
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        await _close_all(lane.unit for lane in lanes.values())
        self._metrics.assigned.set(0)
        self._metrics.brake.clear()

    def consumer_lag(self) -> dict[str, float]:
        """Records between each lane and the last stable offset."""
        lag = {}
        for tp, lane in self._lanes.items():
            end = self.consumer._thread.stable_end(tp)  # noqa: SLF001
            if end is not None:
                lag[str(tp.partition)] = float(max(end - lane.position, 0))
        return lag

    def last_fetches(self) -> dict[str, float]:
        """When Kafka last answered a fetch of each partition that is not paused; epoch seconds."""
        answered = {}
        for tp, lane in self._lanes.items():
            at = None if lane.brake.engaged else self.consumer._thread.fetched_at(tp)  # noqa: SLF001
            if at is not None:
                answered[str(tp.partition)] = at
        return answered


async def _close_all(units: Any) -> None:
    await asyncio.gather(*(unit.close() for unit in units), return_exceptions=True)
