"""A static member that comes back at another address goes on, and tells the others."""

from types import SimpleNamespace

import pytest
from yarl import URL

from riskstream.config import Settings
from riskstream.streaming.apps import create_app
from riskstream.streaming.assignor import HopAssignor

FORMER, PRESENT = "http://192.0.2.1:9464", "http://192.0.2.2:9464"


class Assignor(HopAssignor):
    """Counts how often it joins again."""

    joins = 0

    def _join_again(self) -> None:
        self.joins += 1


def assigned(address: str) -> SimpleNamespace:
    """An empty assignment of the group, made for a member at this address."""
    made = member(address)
    return SimpleNamespace(assignment=[], user_data=made._compress(made._metadata.dumps()))


def member(address: str) -> Assignor:
    """The assignor of a process that listens there."""
    app, _ = create_app("assess", Settings(), "member")
    app.conf.canonical_url = URL(address)
    return Assignor(app)


async def test_the_assignor_is_the_app_s_own() -> None:
    """Faust takes the one that it is told to."""
    app, _ = create_app("assess", Settings(), "member")
    assert isinstance(app.assignor, HopAssignor)


async def test_a_former_address_is_no_fault_and_the_others_hear_of_the_new_one() -> None:
    """Kafka gives a static member its assignment back as it was."""
    back = member(PRESENT)
    back.on_assignment(assigned(FORMER))
    assert back.joins == 1
    assert back._metadata.url == PRESENT


async def test_the_group_is_asked_once() -> None:
    """A broker that goes on to name the former address must not make a storm."""
    back = member(PRESENT)
    for _ in range(3):
        back.on_assignment(assigned(FORMER))
    assert back.joins == 1


@pytest.mark.parametrize("times", [1, 2])
async def test_an_address_that_stays_needs_no_rebalance(times: int) -> None:
    """The ordinary case."""
    same = member(PRESENT)
    for _ in range(times):
        same.on_assignment(assigned(PRESENT))
    assert same.joins == 0
