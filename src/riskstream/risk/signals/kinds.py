"""Which kinds of events a signal speaks about."""

from typing import Final

from riskstream.events.vocabulary import Kind

__all__ = ["ABOUT_USER", "ACTIONS", "ACTIVE", "AUTHENTICATED", "AUTHENTICATION", "OWN"]

AUTHENTICATED: Final = frozenset({Kind.LOGIN_SUCCESS, Kind.MFA_SUCCESS})
AUTHENTICATION: Final = AUTHENTICATED | {
    Kind.LOGIN_FAILURE,
    Kind.MFA_CHALLENGE,
    Kind.MFA_FAILURE,
    Kind.MFA_DENIED,
    Kind.LOCKOUT,
}
ABOUT_USER: Final = AUTHENTICATION | {Kind.APP_ACCESS, Kind.APP_ACCESS_FAILURE}
"""Kinds whose subject is the user acted upon."""
_BACKGROUND: Final = frozenset(
    {
        Kind.PROVISIONING,
        Kind.PROVISIONING_FAILURE,
        Kind.DIRECTORY,
        Kind.DIRECTORY_FAILURE,
        Kind.HOOK,
        Kind.HOOK_FAILURE,
        Kind.MAPPING,
        Kind.SYSTEM,
    }
)
"""Nobody sits at a keyboard: an address says nothing about the subject."""
OWN: Final = frozenset(Kind) - _BACKGROUND
ACTIVE: Final = OWN - {Kind.LOCKOUT, Kind.UNLOCK, Kind.MFA_CHALLENGE, Kind.LOGIN_OTHER}
"""Kinds that an account that is shut out should not show."""
ACTIONS: Final = OWN - AUTHENTICATION
