"""The risk policy: every weight, cap, window and prior, as the file states them.

Evidence is a log10 likelihood ratio with at most three decimals. A signal that the file leaves
out is off.
"""

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from riskstream.events.vocabulary import Kind, LockScope, Sensitivity
from riskstream.risk.example_rules import Example
from riskstream.risk.exceptions import ExceptionRule
from riskstream.risk.levels import HIGH_FROM
from riskstream.risk.numbers import (
    MAX_PRIOR,
    Count,
    Evidence,
    Minutes,
    Part,
    Positive,
    Prior,
    Share,
    milli,
)
from riskstream.risk.usual_rules import Relays, UsualRule

__all__ = [
    "MAX_PRIOR",
    "Absolute",
    "AfterRiskyLogin",
    "AttackedRule",
    "BulkSteps",
    "ContextRule",
    "Dormant",
    "Families",
    "Family",
    "FamilyRule",
    "Listed",
    "ManyAddresses",
    "NewUser",
    "Policy",
    "Priors",
    "ProfileRule",
    "RecentPlace",
    "RunSteps",
    "SaturationRule",
    "Signals",
    "StandingRule",
    "Step",
    "Steps",
    "Travel",
    "VendorMode",
    "WhileLocked",
    "Windowed",
    "milli",
]


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
    """Where it comes from, new or usual."""
    DEVICE = "device"
    """With what, new or usual."""
    HABIT = "habit"
    """Hours and apps, unusual or usual."""
    ACTIONS = "actions"
    """What an administrator does, against what they used to do."""
    BULK = "bulk"
    """What a system does in one go, against what it used to do."""
    TRAVEL = "travel"
    """Faster than anybody travels."""
    REPUTATION = "reputation"
    """What the operator says of the address by lists, and of the user by context."""
    SESSION = "session"
    """What follows a risky login."""
    VENDOR = "vendor"
    """OneLogin's own score; it has no cap."""


class FamilyRule(Part):
    """Bounds on what a family adds up to."""

    cap: Positive
    """Most evidence of the family's signals together, positive and negative each."""


class FailuresRule(FamilyRule):
    """The failures family weighs less on a device that the user is known to use."""

    known_device_factor: Share


class Families(Part):
    """The cap of every family."""

    failures: FailuresRule
    takeover: FamilyRule
    consent: FamilyRule
    lock: FamilyRule
    place: FamilyRule
    device: FamilyRule
    habit: FamilyRule
    travel: FamilyRule
    reputation: FamilyRule
    bulk: FamilyRule
    actions: FamilyRule
    session: FamilyRule


def _complete(priors: dict[Sensitivity, float]) -> dict[Sensitivity, float]:
    missing = [each.value for each in Sensitivity if each not in priors]
    if missing:
        raise ValueError(f"there is no prior for {', '.join(missing)}")
    return priors


class Priors(Part):
    """Evidence of an event by its type alone."""

    kind: dict[Kind, Prior] = Field(default_factory=dict)
    """Goes before ``sensitivity``."""
    sensitivity: Annotated[dict[Sensitivity, Prior], AfterValidator(_complete)]
    """For kinds that ``kind`` does not name; all three must be there."""

    def of(self, kind: Kind, sensitivity: Sensitivity) -> int:
        """The prior in thousandths."""
        return milli(self.kind.get(kind, self.sensitivity[sensitivity]))


class Step(Part):
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


class Steps(Part):
    """A signal whose evidence grows with a count."""

    family: Family
    steps: StepList


class RunSteps(Steps):
    """A signal about the run of failures before a success."""

    within_minutes: Minutes
    """The last failure is no older than this."""


class TakeoverSteps(RunSteps):
    """The same, where the place of the failures counts too."""

    elsewhere_factor: Share
    """Applied when the failures did not all come from the address of the success."""


class WhileLocked(Part):
    """Activity of a locked or suspended account."""

    family: Family
    locked: Positive
    suspended: Positive


class NewUser(Part):
    """A user of whom little is known: most at the first login, none from the last one on."""

    family: Family
    evidence: Positive
    until_logins: Count


class Absolute(Part):
    """A signal that holds or does not."""

    family: Family
    evidence: Positive


class ManyAddresses(RunSteps):
    """Different addresses that a run of failures came from."""


class Travel(Steps):
    """Distance over time since the last login; steps are by km/h."""

    least_km: Count
    """Shorter distances say nothing: positions of addresses are rough."""
    shared_by: Count
    """A network that so many users of the partition know is a place used by colleagues: silent."""


class Listed(Part):
    """The address stands on lists of the operator's; the weightiest one speaks."""

    family: Family
    lists: dict[str, Evidence]
    """By name. Lists that are not named say nothing."""


class Dormant(Part):
    """A login after a long time without one."""

    family: Family
    evidence: Positive
    after_days: Annotated[int, Field(ge=1, le=89)]


class RecentPlace(Part):
    """A sensitive action from where the user has not been for long."""

    family: Family
    evidence: Positive
    days: Annotated[int, Field(ge=1, le=89)]
    """So long after they were first met, place and device are recent."""
    min_logins: Count


class Windowed(Steps):
    """A signal whose evidence grows with the failures of one kind in a window."""

    minutes: Annotated[int, Field(ge=1, le=60)]


class BulkSteps(Steps):
    """A system's run against its usual one; steps are by how many times larger it is."""

    least: Count
    """Smaller runs say nothing."""


class AfterRiskyLogin(Part):
    """A sensitive action after a login that scored High."""

    family: Family
    evidence: Positive
    within_minutes: Minutes


class Vendor(Part):
    """The vendor's own score as a signal; ``vendor.mode`` says when it decides."""

    family: Literal[Family.VENDOR]


class Signals(Part):
    """The signals by id, in the order in which equal ones are listed; None is off."""

    login_failures_5m: Steps | None = None
    login_failures_1h: Steps | None = None
    mfa_failures_5m: Steps | None = None
    lockouts_24h: Steps | None = None
    success_after_failures: TakeoverSteps | None = None
    success_after_mfa_denials: RunSteps | None = None
    activity_while_locked: WhileLocked | None = None
    guessing_from_many_addresses: ManyAddresses | None = None
    app_failures: Windowed | None = None
    admin_denials: Windowed | None = None
    api_failures: Windowed | None = None
    listed_address: Listed | None = None
    impossible_travel: Travel | None = None
    automated_client: Absolute | None = None
    dormant_account: Dormant | None = None
    new_user: NewUser | None = None
    sensitive_first_seen: Absolute | None = None
    sensitive_burst: Steps | None = None
    after_risky_login: AfterRiskyLogin | None = None
    factor_changed_then_used: AfterRiskyLogin | None = None
    sensitive_from_recent_place: RecentPlace | None = None
    assumed_session: Absolute | None = None
    own_account: Absolute | None = None
    unusual_bulk: BulkSteps | None = None
    privileged_user: Absolute | None = None
    vendor_score: Vendor | None = None


class VendorMode(StrEnum):
    """How the vendor's score counts."""

    MAX = "max"
    """The larger of ours and theirs."""
    PREFER = "prefer"
    """Theirs, where there is one."""
    IGNORE = "ignore"
    """Shown, and nothing else."""


class VendorRule(Part):
    """How the vendor's score counts."""

    mode: VendorMode = VendorMode.MAX


class SaturationRule(Part):
    """Failures, and what is new about the same event, often have one cause: a user on the road."""

    weaker: Share
    """What the weaker of the two weighs beside the stronger."""
    failed: Positive
    """Most that the two add up to where the event itself failed: nobody got in."""


class ContextRule(Part):
    """How what the operator says of users is taken."""

    human_only: tuple[str, ...] = ()
    """Ids of signals that say nothing about clients, systems and service accounts."""


class AttackedRule(Part):
    """When a user is under attack: marked, and not held against their usual place and device."""

    failures_1h: Count
    """Failed logins from places that are not usual, in an hour."""


class ProfileRule(Part):
    """How long a run of failures lasts."""

    run_gap_minutes: Minutes
    """A failure this long after the last one begins a new run."""
    bulk_gap_minutes: Minutes = 30
    """A change by a system this long after the last one begins a new run of it."""


class StandingRule(Part):
    """How bad things are with a subject, from what its events scored; ``standing`` has the sum."""

    half_life_hours: Annotated[int, Field(ge=1, le=96)]
    """In so many hours half of an event's score is left."""
    from_score: Annotated[int, Field(ge=18, le=HIGH_FROM)]
    """Events below say nothing. 17 is the most that an event scores by its type alone."""
    halfway: Annotated[int, Field(ge=1, le=10_000)]
    """So many points beside the strongest cause lead half of the way from it to 100."""
    rearm_points: Annotated[int, Field(ge=0, le=50)]
    """A rise to High is told again once the score has been so far below High."""


class LockoutRule(Part):
    """What is assumed about locks."""

    assumed_minutes: dict[LockScope, Minutes] = Field(default_factory=dict)
    """How long a lock of a scope lasts; a scope that is not named stays locked until unlocked."""


class Policy(Part):
    """The whole policy."""

    version: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:+-]+$")]
    """Stands in every scored record, so that a score can be traced to its weights."""
    priors: Priors
    families: Families
    signals: Signals
    vendor: VendorRule = VendorRule()
    saturation: SaturationRule
    usual: UsualRule
    relays: Relays = Relays()
    context: ContextRule = ContextRule()
    attacked: AttackedRule
    profile: ProfileRule
    standing: StandingRule
    lockouts: LockoutRule = LockoutRule()
    exceptions: tuple[ExceptionRule, ...] = ()
    """Signals silenced for some, until a day, for a reason."""
    examples: tuple[Example, ...] = ()
    """Stories that ``riskstream policy check`` runs."""
