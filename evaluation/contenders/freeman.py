"""The yardstick: Freeman et al., NDSS 2016, as the authors of the RBA dataset published it.

Equation 7 without attack data, with the weights, the smoothing and the edge cases of
das-group/rba-algorithm (MIT), restated from its description; none of its code is here. A score S is
a likelihood ratio: 1 says that attacker and owner are equally likely.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

from evaluation.contenders.sighting import Contender, Sighting

__all__ = ["ADDRESS_WEIGHTS", "AGENT_WEIGHTS", "UNSEEN_FACTOR", "Freeman", "FreemanScorer"]

ADDRESS_WEIGHTS: Final = (0.6, 0.3, 0.1)
"""Address, autonomous system, country."""
AGENT_WEIGHTS: Final = (
    0.5386653840551359,
    0.2680451498625666,
    0.18818295100109536,
    0.0051065150812021525,
)
"""User agent, browser with version, system with version, device type."""
UNSEEN_FACTOR: Final = 4.0
"""What a feature weighs that the user was never seen with, on no level."""

Values = tuple[object, ...]
"""One feature's values, from fine to coarse."""


@dataclass(slots=True)
class _Feature:
    """Counts of one feature's values over all users."""

    weights: Sequence[float]
    levels: list[Counter[object]] = field(default_factory=list)
    within: dict[object, list[set[object]]] = field(default_factory=dict)
    """By finest value, the coarser values it came with, level by level."""

    def __post_init__(self) -> None:
        self.levels = [Counter() for _ in self.weights]

    def add(self, values: Values) -> None:
        for level, value in zip(self.levels, values, strict=True):
            level[value] += 1
        coarser = self.within.setdefault(values[0], [set() for _ in values[1:]])
        for held, value in zip(coarser, values[1:], strict=True):
            held.add(value)

    def likelihood(self, values: Values, logins: int, around: "_Feature") -> float:
        """p(x): the finest level smoothed, and thinned by what lies within it; the others plain."""
        finest = self.levels[0][values[0]]
        unseen = 1 + sum(len(level) for level in self.levels[1:])
        if finest:
            smoothed = finest / logins * (1 - unseen / (logins + unseen))
        else:
            smoothed = 1 / (logins + unseen)
        return self.weights[0] * smoothed * around.thinned(values[0]) + sum(
            weight * level[value] / logins
            for weight, level, value in zip(
                self.weights[1:], self.levels[1:], values[1:], strict=True
            )
        )

    def thinned(self, finest: object) -> float:
        """The smoothing within a finest value; 1 where it was never seen."""
        count = self.levels[0][finest]
        if not count:
            return 1.0
        inside = 1 + sum(len(held) for held in self.within[finest])
        return count / (count + inside)


@dataclass(slots=True)
class _User:
    logins: int = 0
    features: tuple[list[Counter[object]], ...] = ()


class Freeman:
    """The scorer over any users and values.

    Args:
        weights: Of the levels of each feature.
        around: Another scorer, that has seen more, for how a finest value is thinned; the
            published scores are of this kind. Without it the scorer looks at its own past.
    """

    def __init__(
        self,
        weights: Sequence[Sequence[float]] = (ADDRESS_WEIGHTS, AGENT_WEIGHTS),
        around: "Freeman | None" = None,
    ) -> None:
        self._features = [_Feature(each) for each in weights]
        self._around = self if around is None else around
        self._users: dict[object, _User] = {}
        self.logins = 0

    def add(self, user: object, features: Sequence[Values]) -> None:
        """A successful login."""
        self.logins += 1
        own = self._users.setdefault(user, _User())
        if not own.features:
            own.features = tuple([Counter() for _ in each.levels] for each in self._features)
        own.logins += 1
        for feature, counters, values in zip(self._features, own.features, features, strict=True):
            feature.add(values)
            for counter, value in zip(counters, values, strict=True):
                counter[value] += 1

    def score(self, user: object, features: Sequence[Values]) -> float | None:
        """S of a login; None for a user without one before."""
        own = self._users.get(user)
        if own is None:
            return None
        score = self.logins / (own.logins * len(self._users))
        around = self._around._features  # noqa: SLF001  (another of the same class)
        for feature, wider, counters, values in zip(
            self._features, around, own.features, features, strict=True
        ):
            local = sum(
                weight * counter[value] / own.logins
                for weight, counter, value in zip(feature.weights, counters, values, strict=True)
            )
            if local:
                score *= feature.likelihood(values, self.logins, wider) / local
            else:
                score *= UNSEEN_FACTOR
        return score


class FreemanScorer(Contender):
    """The same as a contender: address and user agent of every successful login."""

    name = "Freeman 2016"

    def __init__(self) -> None:
        self._freeman = Freeman()

    @override
    def score(self, seen: Sighting) -> float | None:
        return self._freeman.score(seen.user, _features(seen))

    @override
    def learn(self, seen: Sighting) -> None:
        if seen.success:
            self._freeman.add(seen.user, _features(seen))


def _features(seen: Sighting) -> tuple[Values, Values]:
    where, agent = seen.location, seen.agent
    return (
        (seen.address, where.asn, where.city.country),
        (agent.text, agent.browser, agent.system, agent.device),
    )
