"""Refusals of the simulator: each one sentence (expected, found, what to do), without a personal value.

    SimulatorError
    ├── SettingsError    a bad setting or key: the start stops with this sentence
    ├── BusyError        the database cannot take more now: 503, try again
    ├── AnswerError      an answer that cannot be given as it stands; `faults` names each item and what is wrong with it
    └── NotOpenError     the request has ended, is not this citizen's, or never was: they look the same from outside

>>> NotOpenError().code
'not-open'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class SimulatorError(Exception):
    """Root of the simulator's refusals."""

    code = "simulator"


class SettingsError(SimulatorError):
    """A setting or key that stops the start."""

    code = "settings"


class BusyError(SimulatorError):
    """Not now: the queue of writes is full, or the database is locked or its disk full."""

    code = "busy"


@dataclass(frozen=True)
class AnswerFault:
    """What is wrong with one answer: where, and a stable code that the pages put into words."""

    item_id: str
    field: str
    code: str


class AnswerError(SimulatorError):
    """An answer that cannot be given as it stands."""

    code = "answer"

    def __init__(self, faults: Sequence[AnswerFault]) -> None:
        super().__init__(f"the answer has {len(faults)} faults: {', '.join(sorted({fault.code for fault in faults}))}")
        self.faults = tuple(faults)


class NotOpenError(SimulatorError):
    """There is nothing to answer here."""

    code = "not-open"

    def __init__(self) -> None:
        super().__init__("expected a request that waits for an answer of this citizen; found none")
