"""Read a policy file and report all of its faults at once."""

import tomllib
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from riskstream.errors import PolicyError
from riskstream.risk.policy import Policy
from riskstream.risk.signals.registry import SIGNAL_IDS

__all__ = ["SHIPPED", "load_policy", "parse_policy"]

SHIPPED: Final = Path(__file__).with_name("policy.toml")
"""The policy that comes with riskstream."""


def load_policy(path: Path | None = None) -> Policy:
    """The policy of a file; without a path the one that is shipped.

    Raises:
        PolicyError: The file cannot be read or has faults; every fault is listed with its place.
    """
    source = SHIPPED if path is None else path
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise PolicyError(f"The policy file {source} cannot be read: {fault}.") from fault
    return parse_policy(text, str(source))


def parse_policy(text: str, name: str) -> Policy:
    """The policy that a text states; ``name`` is what messages call it.

    Raises:
        PolicyError: Every fault is listed with its place.
    """
    try:
        policy = Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as fault:
        raise PolicyError(f"The policy file {name} is not valid TOML: {fault}.") from fault
    except ValidationError as fault:
        lines = [
            f"  {'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
            for error in fault.errors()
        ]
        raise PolicyError(f"The policy file {name} has faults:\n" + "\n".join(lines)) from fault
    unknown = sorted(_named_signals(policy) - {*SIGNAL_IDS})
    if unknown:
        raise PolicyError(
            f"The policy file {name} has faults:\n"
            f"  exceptions, context and examples: there is no signal {', '.join(unknown)}"
        )
    return policy


def _named_signals(policy: Policy) -> set[str]:
    excepted = {id_ for rule in policy.exceptions for id_ in rule.signals}
    excepted |= {*policy.context.human_only}
    return excepted | {id_ for example in policy.examples for id_ in example.expect.signals}
