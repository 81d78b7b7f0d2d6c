"""Residence procedures as a client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.interop.second.caller import Caller

RESIDENCE = "/v1/residence-proofs"


def case(citizen_id: str, case_no: str) -> dict[str, Any]:
    """What the police asks."""
    return {"citizen_id": citizen_id, "case_no": case_no, "purpose": "residence_registration"}


@dataclass(frozen=True)
class Police:
    """The police in one suite."""

    caller: Caller

    def residence(self, citizen_id: str, case_no: str) -> dict[str, Any]:
        """Whether a citizen has a residential parcel."""
        return self.caller.ask(RESIDENCE, "residence+jwt", case(citizen_id, case_no), "residence-reply+jwt").content
