"""Masking: names of users and addresses become keyed hashes before anything is written out.

The same name has the same hash for as long as the key stays, whatever its case, so counts, joins
and searches by hash go on working. Without the key nobody can try names against the hashes.
Scores do not change: signals see the real address, which goes no further than the internal topics.
"""

import re
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address
from typing import Final

import msgspec

from riskstream.events.event import Origin
from riskstream.events.vendor import VendorEvent
from riskstream.pipeline.envelope import usable_address
from riskstream.risk.scorer import Risk

__all__ = ["MASKED_NETWORK", "MASKED_PREFIX", "Mask", "mask_of", "masked_reference"]

MASKED_PREFIX: Final = "masked-"
"""A masked name is this and 20 hex digits."""
MASKED_NETWORK: Final = "2001:db8::/32"
"""Masked addresses lie here, where no real one does, so a sink's address fields take them."""

_PERSONS: Final = ("user_name", "actor_user_name", "imported_user_name", "login_name")
"""Fields that hold a user's name and nothing else."""
_AGENT: Final = "user_agent"
"""Versions in it look like addresses."""
_KEPT: Final = frozenset(
    {"event_type_id", "account_id", "id", "uuid", "created_at", "event_timestamp", "client_id"}
)
"""Identity and time stay."""
_TEXTS: Final = tuple(
    field.name
    for field in msgspec.structs.fields(VendorEvent)
    if field.name not in {*_PERSONS, *_KEPT, "ipaddr", "data", "status", "event", "detail"}
)
_LOOKED_AT: Final = 8192
"""Characters of other text that are kept: four times what is shown of any."""
_SHORTEST: Final = 3
"""A shorter name is not looked for in other text: it would be found in every word."""
_REMEMBERED: Final = 16_384

_TOKEN: Final = re.compile(r"(?<![0-9A-Fa-f:.])[0-9A-Fa-f:.]*[:.][0-9A-Fa-f:.]*")
"""Whatever an address could be a part of."""
_MAIL: Final = re.compile(r"[\w.+'-]{1,128}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")


def masked_reference(origin: Origin) -> str:
    """What stands for the received text: where it lies, and no hash that could be guessed at."""
    return f"masked origin={origin.topic}-{origin.partition}-{origin.offset}#{origin.member}"


def mask_of(key: bytes | None) -> "Mask | None":
    """A mask with this key; None without one."""
    return None if key is None else Mask(key)


class Mask:
    """Masks with one key.

    Args:
        key: Secret, at least 16 bytes. Another key gives other hashes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = blake2b(key, digest_size=32).digest()
        self.name = lru_cache(maxsize=_REMEMBERED)(self._name)
        self.address = lru_cache(maxsize=_REMEMBERED)(self._address)

    def _name(self, text: str) -> str:
        """``masked-…`` of a name; case and blanks around it do not count."""
        return MASKED_PREFIX + self._digest(b"name", text.strip().casefold(), 10).hex()

    def _address(self, text: str) -> str:
        """An address in ``MASKED_NETWORK`` for the canonical form of an address."""
        return str(IPv6Address(b"\x20\x01\x0d\xb8" + self._digest(b"address", text, 12)))

    def ident(self, ident: str) -> str:
        """An event's id; one that is a hash of the event's bytes is hashed again, with the key."""
        account, _, rest = ident.partition(":")
        if not rest.startswith("sha256-"):
            return ident
        return f"{account}:keyed-{self._digest(b'event', rest, 16).hex()}"

    def event(self, event: VendorEvent) -> VendorEvent:
        """A copy with names and addresses masked, wherever they stand in it."""
        changed: dict[str, str | None] = {}
        names = []
        for field in _PERSONS:
            name = getattr(event, field)
            if name and not name.isspace():
                names.append(name.strip())
                changed[field] = self.name(name)
        if event.ipaddr:
            address = usable_address(event.ipaddr)
            changed["ipaddr"] = None if address is None else self.address(address)
        known = tuple(names)
        for field in _TEXTS:
            text = getattr(event, field)
            if text and isinstance(text, str):
                changed[field] = self._text(text, known, addresses=field != _AGENT)
        return msgspec.structs.replace(event, **changed)

    def risk(self, risk: Risk) -> Risk:
        """The same risk with the addresses in its details masked."""
        if not risk.reasons:
            return risk
        signals = tuple(
            msgspec.structs.replace(each, detail=self.text(each.detail)) for each in risk.signals
        )
        reasons = "; ".join([each.detail for each in signals])
        return msgspec.structs.replace(risk, signals=signals, reasons=reasons)

    def text(self, text: str) -> str:
        """Text with everything that has the form of an address or a mail address masked."""
        return self._text(text, (), addresses=True)

    def _text(self, text: str, names: tuple[str, ...], *, addresses: bool) -> str:
        text = text[:_LOOKED_AT]
        folded = text.casefold()
        if any(name.casefold() in folded for name in names):
            known = _any_of(names)
            text = text if known is None else known.sub(lambda found: self.name(found[0]), text)
        if "@" in text:
            text = _MAIL.sub(lambda found: self.name(found[0]), text)
        return _TOKEN.sub(lambda found: self._token(found[0]), text) if addresses else text

    def _token(self, token: str) -> str:
        """Mask the address in a token, with what stands around it: full stops, colons, a port."""
        inner = token.strip(".")
        for part in (inner, inner.removeprefix(":").removesuffix(":")):
            address = usable_address(part)
            if address is not None:
                return token.replace(part, self.address(address), 1)
        pieces = [(piece, usable_address(piece.strip("."))) for piece in token.split(":")]
        return ":".join(
            [
                piece if address is None else piece.replace(piece.strip("."), self.address(address))
                for piece, address in pieces
            ]
        )

    def _digest(self, what: bytes, text: str, size: int) -> bytes:
        data = text.encode("utf-8", "surrogatepass")
        return blake2b(data, digest_size=size, key=self._key, person=what).digest()


@lru_cache(maxsize=512)
def _any_of(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """Finds these names as whole words, the longest first; None where there is none to find."""
    found = sorted({name for name in names if len(name) >= _SHORTEST}, key=len, reverse=True)
    if not found:
        return None
    alternatives = "|".join(re.escape(name) for name in found)
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)
