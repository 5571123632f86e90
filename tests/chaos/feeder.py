"""Feeds the raw topic in bursts while the faults happen."""

import random
import threading
import time
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, Message, Producer

from tests.chaos.workload import Workload

__all__ = ["Feeder"]

RAW = "iam.events.raw.v1"
TICK_SECONDS = 0.25
PATIENCE_SECONDS = 120.0


class Feeder:
    """A thread that sends what the workload makes; each record once, whatever the broker does.

    Args:
        bootstrap_servers: The broker.
        workload: What to send.
        rate: Events a second on average; bursts bring four times as many, and pauses none.
        seed: Of the bursts.
        idempotent: Off for a broker that forgets its producers when it dies; then nothing may be
            under way at that time.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        workload: Workload,
        *,
        rate: float,
        seed: int,
        idempotent: bool = True,
    ) -> None:
        self.workload = workload
        self.events = 0
        """Sent so far, hostile records among them."""
        self._rate = rate
        self._rng = random.Random(seed)
        self._faults: list[str] = []
        self._flowing = threading.Event()
        self._idle = threading.Event()
        self._over = threading.Event()
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "partitioner": "murmur2_random",
                "enable.idempotence": idempotent,
                "linger.ms": 5,
                "message.max.bytes": 2_000_000,
                "message.timeout.ms": int(PATIENCE_SECONDS * 1000),
                "log_level": 0,  # a broker that dies is part of the plan
            }
        )
        self._thread = threading.Thread(target=self._feed, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._flowing.set()
        self._thread.join()

    def resume(self) -> None:
        """Go on sending."""
        self._flowing.set()

    def pause(self) -> None:
        """Stop sending, and return when all that was sent is acknowledged.

        Raises:
            RuntimeError: The broker refused a record, or never answered.
        """
        self._flowing.clear()
        if not self._idle.wait(PATIENCE_SECONDS):
            raise RuntimeError("the feeder does not stop")
        left = self._producer.flush(PATIENCE_SECONDS)
        if left or self._faults:
            raise RuntimeError(f"{left} records not acknowledged; faults: {self._faults[:3]}")

    def send_now(self, events: int) -> None:
        """One burst, acknowledged when this returns; only while paused."""
        self._burst(events)
        self.pause()

    def _feed(self) -> None:
        while not self._over.is_set():
            if not self._flowing.is_set():
                self._idle.set()
                self._flowing.wait()
                self._idle.clear()
                continue
            self._burst(int(self._rate * TICK_SECONDS * self._rng.choice((0, 0.5, 0.5, 1, 1, 3))))
            self._producer.poll(0)
            time.sleep(TICK_SECONDS)

    def _burst(self, events: int) -> None:
        sent = 0
        while sent < events:
            record = self.workload.next()
            while True:
                try:
                    self._producer.produce(
                        RAW, record.value, record.key, on_delivery=self._delivered
                    )
                except BufferError:
                    self._producer.poll(0.1)
                else:
                    break
            sent += record.events
        self.events += sent

    def _delivered(self, fault: KafkaError | None, _: Message) -> None:
        if fault is not None:
            self._faults.append(str(fault))
