"""How far a conversation with the service is: one line on a terminal, rewritten; a line now and then when piped.

>>> import io
>>> out = io.StringIO()
>>> tell = counter("posted", stream=out, clock=iter([0.0, 10.0, 20.0]).__next__)
>>> for done in (50, 100):
...     tell(done, 100)
>>> print(out.getvalue(), end="")
posted: 50 of 100, about 10 s left
posted: 100 of 100
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

_EVERY_SECONDS = 5.0


def counter(
    what: str, *, quiet: bool = False, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
) -> Callable[[int, int], None]:
    """A function of (done, in all) that shows them with the time left, not more often than every few seconds."""
    if quiet:
        return lambda _done, _all: None
    out, begun, shown = stream or sys.stderr, clock(), -_EVERY_SECONDS

    def tell(done: int, total: int) -> None:
        nonlocal shown
        now = clock()
        if now - shown < _EVERY_SECONDS and done != total:
            return
        shown = now
        left = (now - begun) / done * (total - done) if done else None
        tail = "" if done == total or left is None else f", about {left:.0f} s left"
        print(f"{what}: {done:,} of {total:,}{tail}", file=out, flush=True)

    return tell
