"""Fault knobs: a provider that is slow, loses, doubles, reorders, fails, signs wrongly, or has its clock off.

Rules
- Each knob draws from a stream of its own, seeded by `seed` and the knob's name: the n-th decision of a knob is the
  same in every run, whatever the other knobs do.
- Turning a knob while running keeps its stream, unless the seed is turned too.
- Nothing here waits or sends: callers ask, and act.

>>> settings = FaultSettings(lost_ping_share=0.5, seed=7)
>>> one, other = Faults(settings), Faults(settings)
>>> [one.strikes("lost_ping") for _ in range(9)] == [other.strikes("lost_ping") for _ in range(9)]
True
>>> Faults(FaultSettings()).strikes("error")
False
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from confirm_api.vneid_sim.errors import SettingsError
from confirm_api.vneid_sim.settings import FaultSettings
from exchange.sealed.keys import KeySet, Own

Knob = Literal["slow", "error", "lost_answer", "wrong_signature", "lost_ping", "double_ping", "reordered"]


class Faults:
    """The knobs as they are set now."""

    def __init__(self, settings: FaultSettings) -> None:
        self.settings = settings
        self.struck: Counter[str] = Counter()
        self._streams: dict[str, random.Random] = {}

    def turn(self, changes: Mapping[str, Any]) -> None:
        """Set some knobs; an unknown one or a value out of range changes nothing and is told."""
        try:
            settings = FaultSettings.model_validate({**self.settings.model_dump(), **changes})
        except ValueError as error:
            raise SettingsError(
                f"expected knobs of {', '.join(FaultSettings.model_fields)}, each in its range."
            ) from error
        if settings.seed != self.settings.seed:
            self._streams.clear()
        self.settings = settings

    def strikes(self, knob: Knob) -> bool:
        """Whether the knob's fault happens this time."""
        share: float = getattr(self.settings, f"{knob}_share")
        struck = share > 0 and self._stream(knob).random() < share
        self.struck[knob] += struck
        return struck

    def delay(self) -> float:
        """Seconds that an answer waits."""
        return self._stream("slow_seconds").uniform(*self.settings.slow_seconds) if self.strikes("slow") else 0.0

    def held_back(self) -> float:
        """Seconds that a message of ours waits while later ones overtake it."""
        held = self.strikes("reordered")
        return self._stream("reordered_seconds").uniform(*self.settings.reordered_seconds) if held else 0.0

    def _stream(self, name: str) -> random.Random:
        if name not in self._streams:
            self._streams[name] = random.Random(f"{self.settings.seed}:{name}")  # noqa: S311 - repeatable, not secret
        return self._streams[name]


def forger(own: Own) -> Own:
    """`own` with other private keys under the same key ids: what it signs does not verify."""
    other = KeySet.generate(own.keys.suites)
    keys = [
        replace(key, jose=other.active(key.suite, key.use).jose) if key.use == "sig" else key for key in own.keys.keys
    ]
    return Own(own.iss, KeySet(keys))
