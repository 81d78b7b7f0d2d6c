"""What a citizen says of one item: used by the reply and by its revision.

Rules (protocol §3)
- `challenge_response` is null unless the verdict is `mine`; whether a challenge was set only the ask knows.
- Corrections are proposals for an officer and never applied by the machine.

>>> CitizenAnswer(item_id="A" * 22, verdict="unsure", challenge_response=None, corrections=[]).verdict
'unsure'
"""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from exchange.payloads.fields import CorrectionField, Id, Payload, Text, Verdict


class Correction(Payload):
    """A proposal for an officer."""

    field: CorrectionField
    value: Text


class CitizenAnswer(Payload):
    """One item's verdict; challenge_response is null unless it is `mine` and a challenge was set."""

    item_id: Id
    verdict: Verdict
    challenge_response: Text | None
    corrections: list[Correction]

    @model_validator(mode="after")
    def _response_only_with_mine(self) -> Self:
        if self.challenge_response is not None and self.verdict != "mine":
            raise ValueError("challenge_response is null unless the verdict is mine")
        return self
