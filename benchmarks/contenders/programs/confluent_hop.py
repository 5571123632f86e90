"""One hop by hand on confluent-kafka: consume a batch, classify, produce by category, commit.

No state, no second topic and no transaction: what any Python client has to do at the least.
The events are decoded and classified by riskstream's own functions, so that what is compared is
everything around them.
"""

import signal
from time import monotonic
from typing import Final

from confluent_kafka import Consumer, KafkaException, Message, Producer

from benchmarks.contenders.programs.core import new_ingest
from benchmarks.contenders.programs.place import Place, here
from riskstream.events.record import InputRecord, Output
from riskstream.events.topics import CLASSIFIED, RAW, SCORED
from riskstream.events.vocabulary import Category

__all__ = ["main"]

BATCH: Final = 2000
COMMIT_SECONDS: Final = 1.0
FLUSH_SECONDS: Final = 30.0
CATEGORY: Final = b'"category":"'


def _clients(place: Place) -> tuple[Consumer, Producer]:
    common = {"bootstrap.servers": place.bootstrap_servers}
    consumer = Consumer(
        common
        | {
            "group.id": f"{place.run}-loop",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    producer = Producer(
        common
        | {
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 5,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    return consumer, producer


def _record(message: Message) -> InputRecord:
    fault = message.error()
    if fault is not None:
        raise KafkaException(fault)
    return InputRecord(
        RAW,
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        message.key(),
        message.value(),
    )


_ROUTES: Final = {category.value.encode(): topic for category, topic in SCORED.items()}


def _route(output: Output) -> str | None:
    """The topic of the event's category; None for an effect, which is no event."""
    if output.topic != CLASSIFIED:
        return output.topic
    value = output.value or b""
    if b'"event":{' not in value:
        return None
    at = value.index(CATEGORY) + len(CATEGORY)
    return _ROUTES.get(value[at : value.index(b'"', at)], SCORED[Category.UNCATALOGED])


def _commit(consumer: Consumer, producer: Producer) -> None:
    """The offsets of what is surely written."""
    if producer.flush(FLUSH_SECONDS):
        raise RuntimeError("outputs were not acknowledged")
    try:
        consumer.commit(asynchronous=False)
    except KafkaException as fault:
        if fault.args[0].name() != "_NO_OFFSET":
            raise


def main() -> None:
    """Run until SIGTERM."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    consumer, producer = _clients(here())
    ingest = new_ingest()
    consumer.subscribe([RAW], on_revoke=lambda client, _: _commit(client, producer))
    due = monotonic() + COMMIT_SECONDS
    try:
        while not stopped:
            messages = consumer.consume(BATCH, timeout=0.1)
            if not messages:
                producer.poll(0)
                continue
            for output in ingest(map(_record, messages)).outputs:
                topic = _route(output)
                if topic is not None:
                    producer.produce(topic, value=output.value, key=output.key)
            producer.poll(0)
            if monotonic() >= due:
                _commit(consumer, producer)
                due = monotonic() + COMMIT_SECONDS
        _commit(consumer, producer)
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
