"""Named points at which a test kills the process, as a power cut would: nothing is flushed, nothing is tidied.

Rules
- `QUYCHU_FAILPOINT=name[:n]` kills the process with SIGKILL at the n-th passing of that point (the first unless told).
- Unset, a point costs one comparison. A name that is no point stops the start, so that no test passes by a typing slip.
- The points: `accept` (a request is committed, its answer not sent), `send` (a message is logged as sent, no byte has
  left), `ping` (a callback is committed, its answer not sent), `fetch` (a reply was fetched, nothing is stored),
  `store` (a reply's effects are written, not committed), `settle` (they are committed).

>>> armed("fetch:3")
('fetch', 3)
>>> armed("") is None
True
"""

from __future__ import annotations

import os
import signal
from threading import Lock

from confirm_api.errors import SettingsError

POINTS = ("accept", "send", "ping", "fetch", "store", "settle")
VARIABLE = "QUYCHU_FAILPOINT"


def armed(text: str) -> tuple[str, int] | None:
    """The point and its passing that this setting names."""
    if not text:
        return None
    name, _, count = text.partition(":")
    if name not in POINTS or not (count or "1").isdecimal() or int(count or "1") < 1:
        raise SettingsError(
            f"{VARIABLE}: expected one of {', '.join(POINTS)}, optionally with ':n'; correct it or unset it."
        )
    return name, int(count or "1")


_ARMED = armed(os.environ.get(VARIABLE, ""))
_passed = 0
_lock = Lock()


def reach(name: str) -> None:
    """Pass the point `name`, or die there."""
    if _ARMED is not None and _ARMED[0] == name:
        _count(_ARMED[1])


def _count(fatal: int) -> None:
    global _passed  # noqa: PLW0603 - a counter of the process, as its death is
    with _lock:
        _passed += 1
        if _passed == fatal:
            os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
