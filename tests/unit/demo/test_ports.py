"""Ports for what we start are free, and stay out of the way of outgoing connections."""

import socket

import pytest

from riskstream.demo import ports
from riskstream.demo.ports import free_port, free_ports
from riskstream.errors import KafkaFaultError


def test_they_lie_below_the_range_of_outgoing_connections() -> None:
    """All of a row, the last one too."""
    assert 20_000 <= free_port() < 32_768
    first = free_ports(50)
    assert 20_000 <= first < first + 49 < 32_768


def test_a_row_with_a_port_in_use_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the only row has a listener in it, there is none."""
    first = free_ports(3)
    monkeypatch.setattr(ports, "FIRST", first)
    monkeypatch.setattr(ports, "LAST", first + 3)
    assert free_ports(3) == first
    with (
        socket.create_server(("127.0.0.1", first + 1)),
        pytest.raises(KafkaFaultError, match="no 3 free ports in a row"),
    ):
        free_ports(3)
