"""How usual a value is across the tenant: how many of the partition's users have it.

The rows say it, so nothing else is stored: a value counts once for every profile in which it is
usual. The counts are kept in a Count-Min sketch (Cormode and Muthukrishnan 2005), which is linear:
a row that changes takes off what it said before and adds what it says now, in any order.

Two things make the counts a function of the partition's log alone, however it is cut, and over
restarts. Profiles are counted in the 45-day epoch of their newest event, and only the current
epoch and the one before it are asked; an expired profile lies in neither, so it does not matter
when its tombstone is written. And all is counted again from the rows after a recovery.

Beside it stands, per six-hour pane, how many users took a value up: for what 20 colleagues took
up within a day.
"""

from array import array
from collections.abc import Iterable
from typing import Final

from riskstream.risk.features import Feature, feature_of
from riskstream.risk.habits import (
    PANES_A_DAY,
    Habits,
    first_pane,
    is_alike,
    is_provisional,
    pane_of,
)
from riskstream.risk.profile import PROFILES_TTL_MS, Profile

__all__ = ["NOBODY", "TenantCounts", "TenantView"]

EPOCH_MS: Final = PROFILES_TTL_MS // 2
KEPT_PANES: Final = 2 * PANES_A_DAY
"""Panes up to the watermark's that are kept."""
_WIDTH_BITS: Final = 15
_PANE_WIDTH_BITS: Final = 12
_SLOT_BITS: Final = 17
"""A cell is a slot (an epoch, or a pane) above its index in the slot's two rows."""
_PANES: Final = 1 << 20
"""Slots of panes lie from here on, those of epochs below."""
_SLOT_MASK: Final = (1 << _SLOT_BITS) - 1
_USERS: Final = 2 << _WIDTH_BITS
"""Index of the number of users of an epoch, behind its two rows."""
_FIRST: Final = 0x9E37_79B9_7F4A_7C15
_SECOND: Final = 0xC2B2_AE3D_27D4_EB4F
_WORD: Final = (1 << 64) - 1
_EPOCH_SHIFT: Final = 64 - _WIDTH_BITS
_PANE_SHIFT: Final = 64 - _PANE_WIDTH_BITS
_NO_SLOT: Final = array("i")
_COUNTED: Final = frozenset(Feature) - {Feature.TOTAL, Feature.ACTION}


class TenantCounts:
    """The counts of one partition's committed rows."""

    def __init__(self, rows: Iterable[Profile] = (), watermark_ms: int = 0) -> None:
        self.slots: dict[int, array[int]] = {}
        view = TenantView(self, watermark_ms)
        for row in rows:
            view.replaced(None, row)
        self.apply(view.cells, watermark_ms)

    def apply(self, cells: dict[int, int], watermark_ms: int) -> None:
        """Take over what a chunk changed, and forget what nobody asks for any more."""
        slots = self.slots
        for cell, more in cells.items():
            slot = cell >> _SLOT_BITS
            row = slots.get(slot)
            if row is None:
                size = _USERS + 1 if slot < _PANES else 2 << _PANE_WIDTH_BITS
                row = slots[slot] = array("i", bytes(4 * size))
            row[cell & _SLOT_MASK] += more
        epoch, pane = watermark_ms // EPOCH_MS, _PANES + pane_of(watermark_ms)
        gone = [
            slot
            for slot in slots
            if (slot < epoch - 1 if slot < _PANES else slot <= pane - KEPT_PANES)
        ]
        for slot in gone:
            del slots[slot]


class TenantView:
    """The counts with the changes of a chunk laid over them.

    Args:
        counts: Of the committed rows.
        watermark_ms: The partition's; it is moved on by whoever moves the chunk's.
    """

    __slots__ = ("_slots", "cells", "watermark_ms")

    def __init__(self, counts: TenantCounts, watermark_ms: int) -> None:
        self._slots = counts.slots
        self.cells: dict[int, int] = {}
        """What the chunk changes."""
        self.watermark_ms = watermark_ms

    @property
    def total(self) -> int:
        """Users with a login."""
        epoch = self.watermark_ms // EPOCH_MS
        return self._at(epoch, _USERS) + self._at(epoch - 1, _USERS)

    def users(self, key: int) -> int:
        """Users to whom a value is usual; by the sketch's nature never too few, seldom more."""
        first = (key * _FIRST & _WORD) >> _EPOCH_SHIFT
        second = ((key * _SECOND & _WORD) >> _EPOCH_SHIFT) + (1 << _WIDTH_BITS)
        epoch, changed, users = self.watermark_ms // EPOCH_MS, self.cells.get, 0
        for slot in (epoch, epoch - 1):
            cell, row = slot << _SLOT_BITS, self._slots.get(slot)
            one, other = changed(cell | first, 0), changed(cell | second, 0)
            if row is not None:
                one, other = one + row[first], other + row[second]
            users += min(one, other)
        return users

    def takers(self, key: int, time_ms: int) -> int:
        """Users who took a value up in the day before ``time_ms``."""
        first = (key * _FIRST & _WORD) >> _PANE_SHIFT
        second = ((key * _SECOND & _WORD) >> _PANE_SHIFT) + (1 << _PANE_WIDTH_BITS)
        now, taken = pane_of(time_ms), 0
        oldest = max(now - PANES_A_DAY, pane_of(self.watermark_ms) - KEPT_PANES)
        for pane in range(oldest + 1, now + 1):
            slot = _PANES + pane
            taken += min(self._at(slot, first), self._at(slot, second))
        return taken

    def replaced(self, before: Profile | None, after: Profile) -> None:
        """A profile is written; ``before`` is None where none was, or one that had expired."""
        epoch = after.as_of_ms // EPOCH_MS
        if before is None or not before.logins:
            if after.logins:
                self._all(epoch, after, 1)
            return
        former = before.as_of_ms // EPOCH_MS
        if former != epoch:
            self._all(former, before, -1)
            self._all(epoch, after, 1)
            return
        if after.shape == before.shape:
            return
        if after.usual is not before.usual:
            self._differ(epoch, before.usual, after.usual)
        if after.doings is not before.doings:
            self._differ(epoch, before.doings, after.doings)

    def _differ(self, epoch: int, old: Habits, new: Habits) -> None:
        for key, held in new.items():
            other = old.get(key)
            if other is None:
                self._value(epoch, key, held, 1)
            elif not is_alike(held, other):
                self._value(epoch, key, other, -1)
                self._value(epoch, key, held, 1)
        for key in old.keys() - new.keys():
            self._value(epoch, key, old[key], -1)

    def _all(self, epoch: int, profile: Profile, sign: int) -> None:
        self._add(epoch, _USERS, sign)
        for habits in (profile.usual, profile.doings):
            for key, held in habits.items():
                self._value(epoch, key, held, sign)

    def _value(self, epoch: int, key: int, held: int, sign: int) -> None:
        if feature_of(key) not in _COUNTED:
            return
        first, second = key * _FIRST & _WORD, key * _SECOND & _WORD
        if not is_provisional(held):
            self._add(epoch, first >> _EPOCH_SHIFT, sign)
            self._add(epoch, (second >> _EPOCH_SHIFT) + (1 << _WIDTH_BITS), sign)
        pane = first_pane(held)
        if pane > pane_of(self.watermark_ms) - KEPT_PANES:
            slot = _PANES + pane
            self._add(slot, first >> _PANE_SHIFT, sign)
            self._add(slot, (second >> _PANE_SHIFT) + (1 << _PANE_WIDTH_BITS), sign)

    def _add(self, slot: int, index: int, more: int) -> None:
        cell = slot << _SLOT_BITS | index
        self.cells[cell] = self.cells.get(cell, 0) + more

    def _at(self, slot: int, index: int) -> int:
        row = self._slots.get(slot, _NO_SLOT)
        more = self.cells.get(slot << _SLOT_BITS | index, 0)
        return row[index] + more if row else more


NOBODY: Final = TenantView(TenantCounts(), 0)
"""A tenant of whom nothing is known."""
