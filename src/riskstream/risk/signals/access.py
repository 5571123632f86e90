"""Signals about success where there should be none: after failures, denials, under a lock."""

from riskstream.events.vocabulary import EventOutcome
from riskstream.risk.policy import RunSteps, TakeoverSteps, WhileLocked, milli
from riskstream.risk.profile import Run
from riskstream.risk.score import MILLI
from riskstream.risk.signals.signal import Finding, Signal, evidence_at, ladder, some
from riskstream.risk.situation import Situation
from riskstream.windows.panes import MINUTE_MS

__all__ = ["activity_while_locked", "success_after_failures", "success_after_mfa_denials"]


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
