"""What the yardsticks look at: an event by its fields, with what the network registry says."""

from dataclasses import dataclass
from typing import Final, Protocol

from evaluation.world.browsers import Agent, parse_agent
from evaluation.world.internet import Location, locate
from riskstream.demo.tenant_event import TenantEvent

__all__ = ["LOGIN", "Contender", "Sighting", "sighting"]

LOGIN: Final = "USER_LOGGED_INTO_ONELOGIN"
FAILURE: Final = "USER_FAILED_ONELOGIN_LOGIN"
_OF_USER: Final = frozenset({LOGIN, FAILURE, "USER_VERIFIED_OTP_DEVICE", "USER_LOGGED_INTO_APP"})


@dataclass(frozen=True, slots=True)
class Sighting:
    """A user who was seen somewhere with something."""

    user: int
    at_ms: int
    success: bool
    """A successful login: what the yardsticks learn from."""
    failure: bool
    """A wrong password."""
    address: str
    location: Location
    agent: Agent


class Contender(Protocol):
    """Scores sightings: the higher, the more it looks like an attack."""

    @property
    def name(self) -> str:
        """In tables."""

    def score(self, seen: Sighting) -> float | None:
        """By what was learned so far; None without a history to go by."""

    def learn(self, seen: Sighting) -> None:
        """Take it into the history, or not, as the contender's rules are."""


def sighting(event: TenantEvent) -> Sighting | None:
    """None where no person is seen anywhere: systems, clients, locks, strangers."""
    fields = event.fields
    kind = event.type
    user = fields.get("user_id" if kind in _OF_USER else "actor_user_id")
    address, agent = fields.get("ipaddr"), fields.get("user_agent")
    if not isinstance(user, int) or not isinstance(address, str) or not isinstance(agent, str):
        return None
    location = locate(address)
    if location is None or not agent:
        return None
    return Sighting(
        user, event.at_ms, kind == LOGIN, kind == FAILURE, address, location, parse_agent(agent)
    )
