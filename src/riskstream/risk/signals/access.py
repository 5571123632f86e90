"""Signals about success where there should be none: after failures, denials, under a lock."""

from riskstream.events.vocabulary import EventOutcome
from riskstream.risk.features import device_levels
from riskstream.risk.policy import (
    Absolute,
    AfterRiskyLogin,
    Dormant,
    ManyAddresses,
    RunSteps,
    TakeoverSteps,
    WhileLocked,
    milli,
)
from riskstream.risk.profile import Run, is_known
from riskstream.risk.score import MILLI
from riskstream.risk.signals.signal import Finding, Signal, evidence_at, ladder, some
from riskstream.risk.situation import Situation
from riskstream.windows.panes import DAY_MS, MINUTE_MS

__all__ = [
    "activity_while_locked",
    "automated_client",
    "dormant_account",
    "factor_changed_then_used",
    "guessing_from_many_addresses",
    "success_after_failures",
    "success_after_mfa_denials",
]


def success_after_failures(rule: TakeoverSteps) -> Signal:
    """A login or factor succeeds soon after a run of failures, from their address or elsewhere."""
    steps, within = ladder(rule), rule.within_minutes * MINUTE_MS
    elsewhere = milli(rule.elsewhere_factor)

    def evaluate(situation: Situation) -> Finding | None:
        run = _recent_run(situation)
        if run is None or situation.time_ms - run.last_ms > within:
            return None
        failures = run.login + run.mfa
        evidence = evidence_at(steps, failures)
        if not evidence:
            return None
        address = situation.facts.ip
        if run.address != address and situation.besieged():
            return None
        if address is not None and run.address == address:
            return evidence, f"success after {some(failures, 'failure')} from the same address"
        less = (2 * evidence * elsewhere + MILLI) // (2 * MILLI)
        return (less, f"success after {some(failures, 'failure')}") if less else None

    return evaluate


def success_after_mfa_denials(rule: RunSteps) -> Signal:
    """A factor or login succeeds soon after the owner said no to a push."""
    steps, within = ladder(rule), rule.within_minutes * MINUTE_MS

    def evaluate(situation: Situation) -> Finding | None:
        run = _recent_run(situation)
        if run is None or not run.denied or situation.time_ms - run.denied_ms > within:
            return None
        evidence = evidence_at(steps, run.denied)
        return (evidence, f"accepted after {some(run.denied, 'MFA denial')}") if evidence else None

    return evaluate


def guessing_from_many_addresses(rule: ManyAddresses) -> Signal:
    """Failures against one user from many addresses."""
    steps, within = ladder(rule), rule.within_minutes * MINUTE_MS

    def evaluate(situation: Situation) -> Finding | None:
        run = _recent_run(situation)
        if run is None or situation.time_ms - run.last_ms > within or situation.besieged():
            return None
        addresses = len(run.sources)
        evidence = evidence_at(steps, addresses)
        return (evidence, f"failures from {addresses} addresses") if evidence else None

    return evaluate


def dormant_account(rule: Dormant) -> Signal:
    """A person logs in who has not for long."""
    evidence, after = milli(rule.evidence), rule.after_days * DAY_MS

    def evaluate(situation: Situation) -> Finding | None:
        profile = situation.profile
        if profile is None or profile.last_login is None:
            return None
        away = situation.time_ms - profile.last_login.time_ms
        if away < after or situation.facts.subject_type != "user":
            return None
        return evidence, f"first login for {away // DAY_MS} days"

    return evaluate


def automated_client(rule: Absolute) -> Signal:
    """A program logs in as a person, and it is not one that this person uses."""
    evidence = milli(rule.evidence)

    def evaluate(situation: Situation) -> Finding | None:
        facts, profile = situation.facts, situation.profile
        if facts.device != "automated" or facts.subject_type != "user":
            return None
        if profile is not None and is_known(profile, device_levels(facts)):
            return None
        return evidence, f"a program logs in: {facts.browser or 'unknown'}"

    return evaluate


def factor_changed_then_used(rule: AfterRiskyLogin) -> Signal:
    """A factor succeeds soon after the user's factors changed, from where the user is not known."""
    evidence, within = milli(rule.evidence), rule.within_minutes * MINUTE_MS

    def evaluate(situation: Situation) -> Finding | None:
        profile = situation.profile
        if profile is None or not profile.factor_ms:
            return None
        passed = situation.time_ms - profile.factor_ms
        if not 0 <= passed <= within or situation.on_known_device():
            return None
        return evidence, f"factors changed {passed // MINUTE_MS} minutes before, from a new place"

    return evaluate


def activity_while_locked(rule: WhileLocked) -> Signal:
    """Something succeeds for an account that is shut out."""
    locked, suspended = milli(rule.locked), milli(rule.suspended)

    def evaluate(situation: Situation) -> Finding | None:
        if situation.held is None or situation.facts.outcome is EventOutcome.FAILURE:
            return None
        if situation.suspended:
            return suspended, "activity while the account is suspended"
        return locked, "activity while the account is locked"

    return evaluate


def _recent_run(situation: Situation) -> Run | None:
    return None if situation.profile is None else situation.profile.run
