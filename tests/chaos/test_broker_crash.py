"""What survives a crash of the broker itself."""

from pathlib import Path

import pytest

from tests.support.apache_kafka import ApacheKafka
from tests.support.kafka import Stored, create_topics, produce, read_topic


@pytest.mark.kafka
def test_acknowledged_records_outlive_a_kill(tmp_path: Path) -> None:
    """The harness restarts a killed broker on the same port and data."""
    values = [str(number).encode() for number in range(100)]
    with ApacheKafka(tmp_path / "kafka") as broker:
        create_topics(broker, {"kept": 1})
        produce(broker, "kept", [Stored(value) for value in values])
        broker.kill()
        assert not broker.running
        broker.start()
        assert [record.value for record in read_topic(broker, "kept")] == values
