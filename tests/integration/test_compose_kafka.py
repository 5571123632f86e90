"""The compose file's broker settings, put to Apache Kafka itself."""

from pathlib import Path

import pytest

from tests.support.apache_kafka import format_storage
from tests.support.deploy import compose, kafka_properties


@pytest.mark.kafka
def test_kafka_accepts_the_compose_file_s_settings(tmp_path: Path) -> None:
    """The storage tool reads the whole configuration and formats with it."""
    properties = {**kafka_properties(), "log.dirs": str(tmp_path / "logs")}
    config = tmp_path / "server.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    format_storage(config, compose()["services"]["kafka"]["environment"]["CLUSTER_ID"])
    assert (tmp_path / "logs" / "meta.properties").is_file()
