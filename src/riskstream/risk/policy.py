"""The risk policy: every weight, cap, window and prior, as the file states them.

Evidence is a log10 likelihood ratio with at most three decimals. A signal that the file leaves
out is off.
"""

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from riskstream.events.vocabulary import Kind, LockScope, Sensitivity
from riskstream.risk.score import MILLI

__all__ = [
    "MAX_PRIOR",
    "Absolute",
    "AfterRiskyLogin",
    "Families",
    "Family",
    "FamilyRule",
    "History",
    "Policy",
    "Priors",
    "ProfileRule",
    "RunSteps",
    "Signals",
    "Step",
    "Steps",
    "VendorMode",
    "WhileLocked",
    "milli",
]

MAX_PRIOR = -0.5
"""A type of event is never suspicious for itself: at E = -0.5 it scores 17, Low."""
_LIMIT = 6.0
"""Beyond 10^6 to one a likelihood ratio says nothing new; the score is 100 anyway."""


def milli(evidence: float) -> int:
    """Evidence in thousandths."""
    return round(evidence * MILLI)


def _three_decimals(evidence: float) -> float:
    if abs(evidence * MILLI - milli(evidence)) > 1e-6:  # noqa: PLR2004  (float noise, not a number of the policy)
        raise ValueError("evidence has at most three decimals")
    return evidence


Evidence = Annotated[float, Field(ge=-_LIMIT, le=_LIMIT), AfterValidator(_three_decimals)]
Prior = Annotated[float, Field(ge=-_LIMIT, le=MAX_PRIOR), AfterValidator(_three_decimals)]
Positive = Annotated[float, Field(gt=0, le=_LIMIT), AfterValidator(_three_decimals)]
Negative = Annotated[float, Field(lt=0, ge=-_LIMIT), AfterValidator(_three_decimals)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Minutes = Annotated[int, Field(ge=1, le=60 * 24 * 90)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Family(StrEnum):
    """Signals that tell of the same thing share a family, and its cap."""

    FAILURES = "failures"
    """Failures and lockouts before this."""
    TAKEOVER = "takeover"
    """The success that ends a run of failures."""
    CONSENT = "consent"
    """The factor accepted after it was denied."""
    LOCK = "lock"
    """Activity of an account that should have none."""
    PLACE = "place"
    """Address and device, new or known."""
    ACTIONS = "actions"
    """What an administrator does, against what they used to do."""
    SESSION = "session"
    """What follows a risky login."""
    VENDOR = "vendor"
    """OneLogin's own score; it has no cap."""


class FamilyRule(_Part):
    """Bounds on what a family adds up to."""

    cap: Positive
    """Most evidence of the family's signals together, positive and negative each."""


class FailuresRule(FamilyRule):
    """The failures family weighs less on a device that the user is known to use."""

    known_device_factor: Annotated[float, Field(ge=0, le=1), AfterValidator(_three_decimals)]


class Families(_Part):
    """The cap of every family."""

    failures: FailuresRule
    takeover: FamilyRule
    consent: FamilyRule
    lock: FamilyRule
    place: FamilyRule
    actions: FamilyRule
    session: FamilyRule


def _complete(priors: dict[Sensitivity, float]) -> dict[Sensitivity, float]:
    missing = [each.value for each in Sensitivity if each not in priors]
    if missing:
        raise ValueError(f"there is no prior for {', '.join(missing)}")
    return priors


class Priors(_Part):
    """Evidence of an event by its type alone."""

    kind: dict[Kind, Prior] = Field(default_factory=dict)
    """Goes before ``sensitivity``."""
    sensitivity: Annotated[dict[Sensitivity, Prior], AfterValidator(_complete)]
    """For kinds that ``kind`` does not name; all three must be there."""

    def of(self, kind: Kind, sensitivity: Sensitivity) -> int:
        """The prior in thousandths."""
        return milli(self.kind.get(kind, self.sensitivity[sensitivity]))


class Step(_Part):
    """From this count on, this evidence."""

    at: Count
    evidence: Evidence


def _ascending(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    for lower, upper in pairwise(steps):
        if upper.at <= lower.at:
            raise ValueError(f"steps must ascend: {upper.at} comes after {lower.at}")
        if abs(upper.evidence) < abs(lower.evidence):
            raise ValueError(f"the step at {upper.at} weighs less than the one at {lower.at}")
    if len({each.evidence > 0 for each in steps}) > 1 or any(not each.evidence for each in steps):
        raise ValueError("steps must all be positive or all be negative")
    return steps


StepList = Annotated[tuple[Step, ...], Field(min_length=1), AfterValidator(_ascending)]


class Steps(_Part):
    """A signal whose evidence grows with a count."""

    family: Family
    steps: StepList


class RunSteps(Steps):
    """A signal about the run of failures before a success."""

    within_minutes: Minutes
    """The last failure is no older than this."""


class TakeoverSteps(RunSteps):
    """The same, where the place of the failures counts too."""

    elsewhere_factor: Annotated[float, Field(ge=0, le=1), AfterValidator(_three_decimals)]
    """Applied when the failures did not all come from the address of the success."""


class WhileLocked(_Part):
    """Activity of a locked or suspended account."""

    family: Family
    locked: Positive
    suspended: Positive


class History(_Part):
    """A signal about places, for users with a history."""

    family: Family
    evidence: Positive
    min_logins: Count
    """Successful logins, scored below High, before anything counts as new."""


class Absolute(_Part):
    """A signal that holds or does not."""

    family: Family
    evidence: Positive


class AfterRiskyLogin(_Part):
    """A sensitive action after a login that scored High."""

    family: Family
    evidence: Positive
    within_minutes: Minutes


class Vendor(_Part):
    """The vendor's own score as a signal; ``vendor.mode`` says when it decides."""

    family: Literal[Family.VENDOR]


class Signals(_Part):
    """The signals by id, in the order in which equal ones are listed; None is off."""

    login_failures_5m: Steps | None = None
    login_failures_1h: Steps | None = None
    mfa_failures_5m: Steps | None = None
    lockouts_24h: Steps | None = None
    success_after_failures: TakeoverSteps | None = None
    success_after_mfa_denials: RunSteps | None = None
    activity_while_locked: WhileLocked | None = None
    new_address: History | None = None
    new_user_agent: History | None = None
    known_address: Steps | None = None
    sensitive_first_seen: Absolute | None = None
    sensitive_burst: Steps | None = None
    after_risky_login: AfterRiskyLogin | None = None
    vendor_score: Vendor | None = None


class VendorMode(StrEnum):
    """How the vendor's score counts."""

    MAX = "max"
    """The larger of ours and theirs."""
    PREFER = "prefer"
    """Theirs, where there is one."""
    IGNORE = "ignore"
    """Shown, and nothing else."""


class VendorRule(_Part):
    """How the vendor's score counts."""

    mode: VendorMode = VendorMode.MAX


class ProfileRule(_Part):
    """How much a profile remembers, and how long a run of failures lasts."""

    addresses: Annotated[int, Field(ge=1, le=256)]
    user_agents: Annotated[int, Field(ge=1, le=256)]
    actions: Annotated[int, Field(ge=1, le=1024)]
    run_gap_minutes: Minutes
    """A failure this long after the last one begins a new run."""


class LockoutRule(_Part):
    """What is assumed about locks."""

    assumed_minutes: dict[LockScope, Minutes] = Field(default_factory=dict)
    """How long a lock of a scope lasts; a scope that is not named stays locked until unlocked."""


class Policy(_Part):
    """The whole policy."""

    version: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:+-]+$")]
    """Stands in every scored record, so that a score can be traced to its weights."""
    priors: Priors
    families: Families
    signals: Signals
    vendor: VendorRule = VendorRule()
    profile: ProfileRule
    lockouts: LockoutRule = LockoutRule()
