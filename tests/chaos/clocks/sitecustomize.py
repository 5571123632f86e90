"""A wall clock that jumps by up to three days, back and forth, every other second.

Python imports this by its name when its folder is on PYTHONPATH. ``time.monotonic`` stays true.
"""

import time

_true = time.time
_DAYS = (0, 3, -2, 1, -3, 2, -1)
DAY_SECONDS = 86_400.0


def _jumping() -> float:
    now = _true()
    return now + _DAYS[int(now / 2) % len(_DAYS)] * DAY_SECONDS


time.time = _jumping
