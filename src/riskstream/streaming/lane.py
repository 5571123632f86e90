"""A lane: one task that owns all work on one partition of one hop."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter, time

from aiokafka import TopicPartition
from structlog import get_logger

from riskstream.config import Settings
from riskstream.errors import KafkaFaultError
from riskstream.observability.metrics import Metrics
from riskstream.streaming.brake import Brake
from riskstream.streaming.chunk import Chunk, pieces
from riskstream.streaming.journal import tell_chunk, tell_dead_letters
from riskstream.streaming.stages import Stage, Work
from riskstream.streaming.unit import UnitOfWork

__all__ = ["Lane"]

UNIT_BYTES = 4_194_304
"""A unit of work ends with the record that fills this: some 5,000 raw events, or 2,000 classified
ones. Larger ones cost less per event, but the next hop waits longer for them. While so many bytes
wait, the partition is not fetched."""
SLICE_RECORDS = 250
SLICE_BYTES = 262_144
"""Records worked on before the event loop gets a turn: some milliseconds."""
REST = 0.5
"""Of the time a commit took, what a lane waits for more to come when little does. A transaction
costs the broker the same however small it is, and all lanes share it: resting makes units larger
and commits quicker, and took a third off the delivery time at 1,000 events a second."""
MOST_REST_SECONDS = 0.1

log = get_logger(__name__)


class Lane:
    """Takes what waits of a partition, unit after unit: process, commit, apply, count.

    Chunks that came while the last unit was committed make one unit, so units are small while
    little comes, and grow with what comes until they are full.

    ``position`` moves with the commits alone, so it always equals the committed offset or, past
    it, control records that hold nothing.

    Args:
        turn: Of all lanes of this process. One works at a time, so that its unit is ready sooner,
            and commits while the next one works.
    """

    def __init__(  # noqa: PLR0913  (wired in one place, by name)
        self,
        source: TopicPartition,
        position: int,
        *,
        unit: UnitOfWork,
        stage: Stage,
        settings: Settings,
        metrics: Metrics,
        on_flow: Callable[[TopicPartition, bool], None],
        turn: asyncio.Lock,
    ) -> None:
        self.source = source
        self.position = position
        self.unit = unit
        self.brake = Brake(settings.brake)
        self._stage = stage
        self._metrics = metrics
        metrics.brake.labels(str(source.partition)).set(0)
        self._chunk_records = settings.worker.chunk_records
        self._on_flow = on_flow
        self._turn = turn
        self._waiting: deque[Chunk] = deque()
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._working = asyncio.Lock()
        self._paused = False
        self.draining = False

    def put(self, chunk: Chunk) -> None:
        """Queue a chunk; asks for a pause in fetching when too much waits."""
        self._waiting.append(chunk)
        self._waiting_bytes += chunk.nbytes
        self._arrived.set()
        self._steer()

    def release_brake(self) -> None:
        """Go on with the partition."""
        self.brake.release()
        self._metrics.brake.labels(str(self.source.partition)).set(0)
        self._open.set()
        self._steer()

    def _steer(self) -> None:
        """Fetch or do not fetch, by what waits here and by the brake."""
        pause = self.brake.engaged or self._waiting_bytes >= UNIT_BYTES
        if pause != self._paused:
            self._paused = pause
            self._on_flow(self.source, not pause)

    async def run(self) -> None:
        """Work until cancelled. Any exception means that this partition must be given up."""
        while True:
            await self._arrived.wait()
            await self._open.wait()
            async with self._working:
                if self.draining:
                    return
                resting = await self._work()
            if self._waiting_bytes < SLICE_BYTES:
                await asyncio.sleep(resting)

    async def drain(self) -> None:
        """Return once the unit in flight, if any, has ended; no other will begin."""
        self.draining = True
        async with self._working:
            pass

    async def _work(self) -> float:
        """Commit one unit, and say for how many seconds to rest if little waits."""
        async with self._turn:
            chunk = self._take()
            if chunk.start != self.position:
                raise self._gap(chunk.start)
            if not chunk.records:
                self.position = chunk.end
                return 0.0
            began = perf_counter()
            work = await self._process(chunk)
            processed = perf_counter()
        written = await self.unit.commit(work.outputs, work.changelog, self.source, chunk.end)
        work.apply(chunk.end, written)
        self.position = chunk.end
        took = processed - began, perf_counter() - processed
        self._count(work, len(chunk.records), *took)
        tell_chunk(
            self.source,
            chunk.start,
            chunk.end,
            work.tally,
            outputs=len(work.outputs),
            processing=took[0],
            committing=took[1],
        )
        return min(REST * took[1], MOST_REST_SECONDS)

    def _take(self) -> Chunk:
        """The records of the next unit. What does not continue them is left for the next."""
        waiting = self._waiting
        chunk = waiting.popleft()
        while (
            waiting
            and waiting[0].start == chunk.end
            and len(chunk.records) < self._chunk_records
            and chunk.nbytes < UNIT_BYTES
        ):
            chunk = chunk.joined(waiting.popleft())
        chunk, rest = chunk.cut(self._chunk_records, UNIT_BYTES)
        if rest is not None:
            waiting.appendleft(rest)
        if not waiting:
            self._arrived.clear()
        self._waiting_bytes -= chunk.nbytes
        self._steer()
        return chunk

    def _gap(self, start: int) -> KafkaFaultError:
        return KafkaFaultError(
            f"A chunk of {self.source.topic}-{self.source.partition} begins at position {start}, "
            f"but the committed offset is {self.position}. The worker stops rather than lose or "
            "repeat records; it goes on from the committed offset when it is started again."
        )

    async def _process(self, chunk: Chunk) -> Work:
        """In slices, so that the commits of other lanes go on meanwhile."""
        processing = self._stage.begin(self.source.partition, chunk.records)
        for records in pieces(chunk.records, SLICE_RECORDS, SLICE_BYTES):
            processing.feed(records)
            await asyncio.sleep(0)
        return processing.finish()

    def _count(self, work: Work, records: int, processing: float, committing: float) -> None:
        metrics, tally, now = self._metrics, work.tally, time()
        metrics.count(tally, topic=self.source.topic, now=now)
        metrics.commits.inc()
        metrics.last_commit.set(now)
        metrics.chunk_records.observe(records)
        metrics.chunk_seconds.labels("process").observe(processing)
        metrics.chunk_seconds.labels("commit").observe(committing)
        if tally.newest_event_ms:
            newest = tally.newest_event_ms / 1000
            metrics.newest_event.set(max(newest, metrics.newest))
            metrics.newest = max(newest, metrics.newest)
            metrics.event_lag.set(now - newest)
        dead = tally.dead_lettered.total()
        if dead:
            tell_dead_letters(work.outputs)
        events = tally.received or tally.outcomes
        if self.brake.observe(events=events, dead_letters=dead):
            self._engage_brake()

    def _engage_brake(self) -> None:
        partition = self.source.partition
        self._open.clear()
        self._metrics.brake.labels(str(partition)).set(1)
        self._steer()
        log.error(
            "brake_engaged",
            topic=self.source.topic,
            partition=partition,
            offset=self.position,
            cure="look at the dead letters (riskstream dlq list), then riskstream dlq release",
        )
