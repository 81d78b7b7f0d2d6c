"""From what was seen to figures: the steady state, percentiles, the share of the cryptography. No process, no network.

Rules
- The steady state begins when `WARM_UP` of all questions had their outcomes and ends with the last posting, or when
  `1 - TAIL` had them where that is earlier: while it lasts, as many are posted as come back. Its rate is the questions
  that ended in between, divided by the seconds in between.
- A percentile is a value that was measured (nearest rank), never one in between: p99 of fewer than 100 calls is the
  slowest.
- A message counts as sealed where its leaf says `sent`, as opened where it came to us and its leaf has a `sealed`.

>>> percentile([0.3, 0.1, 0.2], 0.5), percentile([0.3, 0.1, 0.2], 0.99), percentile([], 0.5)
(0.2, 0.3, None)
>>> steady([(0.0, 10), (1.0, 40), (2.0, 40), (3.0, 10)], warm_up=0.1, tail=0.1)
Steady(begin=0.0, end=2.0, questions=80)
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

WARM_UP, TAIL = 0.2, 0.1
SENT = "sent"
OPENED = frozenset({"accepted", "duplicate", "refused"})
UNSEALED = frozenset({"callback", "state", "officer", "erasure", "checkpoint"})


@dataclass(frozen=True)
class Steady:
    """The stretch that counts."""

    begin: float
    end: float
    questions: int

    @property
    def per_second(self) -> float:
        """Full questions a second."""
        return self.questions / max(self.end - self.begin, 1e-9)


def steady(
    done: Sequence[tuple[float, int]], *, until: float = math.inf, warm_up: float = WARM_UP, tail: float = TAIL
) -> Steady:
    """What lies between the first `warm_up` and the last `tail` of the outcomes, and before `until`.

    >>> steady([(0.0, 10), (1.0, 40), (2.0, 40), (3.0, 10)], until=1.9, warm_up=0.1, tail=0.1)
    Steady(begin=0.0, end=1.0, questions=40)
    """
    everything = sum(count for _, count in done)
    first = _reached(done, warm_up * everything)
    last = _reached(done, (1.0 - tail) * everything)
    while last > first + 1 and done[last][0] > until:
        last -= 1
    return Steady(done[first][0], done[last][0], sum(count for _, count in done[first + 1 : last + 1]))


def _reached(done: Sequence[tuple[float, int]], wanted: float) -> int:
    """The first entry with which so many are done."""
    so_far = 0.0
    for place, (_, count) in enumerate(done):
        so_far += count
        if so_far >= wanted - 1e-9:
            return place
    return len(done) - 1


def percentile(values: Iterable[float], share: float) -> float | None:
    """The smallest measured value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


# ---- endpoints -----------------------------------------------------------------------------------------------------


@dataclass
class Endpoint:
    """The seconds of one endpoint's calls: as clients saw them, and as the service's own log tells them."""

    client: list[float] = field(default_factory=list)
    service: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def judged(self) -> list[float]:
        """What the target is about: the client's side where we are the client."""
        return self.client or self.service


def access_lines(log: Iterable[str], begin: float, end: float) -> Iterable[tuple[str, int, float]]:
    """Route, status and seconds of the requests that the service's log tells of between two instants.

    >>> told = {"event": "request", "route": "/metrics", "status": 200, "seconds": 0.5}
    >>> line = json.dumps({**told, "timestamp": "1970-01-01T00:00:09Z"})
    >>> list(access_lines([line, "no JSON"], 8.0, 10.0)), list(access_lines([line], 10.0, 11.0))
    ([('/metrics', 200, 0.5)], [])
    """
    for line in log:
        told = _line(line)
        if told.get("event") == "request" and begin <= _instant(told) - told["seconds"] <= end:
            yield told["route"], told["status"], told["seconds"]


def _line(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _instant(told: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(told["timestamp"]).timestamp()


# ---- cryptography --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """Processor seconds of one seal and one open of a kind of message."""

    seal: float
    open: float


def counted(leaves: Iterable[str]) -> Counter[tuple[str, str]]:
    """How many messages of each kind the service sealed (`seal`) and opened (`open`), and boxes of its log (`record`).

    >>> counted(['{"event": "landask", "outcome": "sent", "sealed": "00", "commit": "00"}'])
    Counter({('landask', 'seal'): 1, ('', 'record'): 1})
    """
    found: Counter[tuple[str, str]] = Counter()
    for text in leaves:
        leaf = json.loads(text)
        event, outcome = leaf["event"], leaf["outcome"]
        if leaf["sealed"] is not None and event not in UNSEALED:
            if outcome == SENT:
                found[event, "seal"] += 1
            elif outcome in OPENED:
                found[event, "open"] += 1
        found["", "record"] += leaf["commit"] is not None
    return found


def envelope_seconds(counts: Mapping[tuple[str, str], int], costs: Mapping[str, Cost]) -> float:
    """What all seals and opens took; a kind that was not measured costs what the dearest of the others does.

    >>> envelope_seconds({("a", "seal"): 2, ("b", "open"): 1}, {"a": Cost(1.0, 0.5)})
    2.5
    """
    dearest = Cost(max(cost.seal for cost in costs.values()), max(cost.open for cost in costs.values()))
    total = 0.0
    for (event, what), count in counts.items():
        cost = costs.get(event, dearest)
        total += count * {"seal": cost.seal, "open": cost.open}.get(what, 0.0)
    return total


def milliseconds(value: float | None, digits: int = 1) -> str:
    """Seconds as ms.

    >>> milliseconds(0.01234), milliseconds(None)
    ('12.3 ms', '–')
    """
    return "–" if value is None else f"{value * 1e3:.{digits}f} ms"
