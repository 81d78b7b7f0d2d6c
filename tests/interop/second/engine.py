"""The linkage batch as a client: post questions, withdraw them, collect answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.interop.second.caller import Caller
from tests.interop.second.envelope import new_id

QUESTIONS, WITHDRAW, ANSWERS = "/v1/questions", "/v1/questions/withdraw", "/v1/answers"


def parcel(**changes: Any) -> dict[str, Any]:
    """A parcel with a certificate of a known serial."""
    return {
        "item_id": new_id(),
        "rank": 1,
        "parcel_code": None,
        "commune_name": "Xã Vĩnh Thạnh",
        "hamlet": "Ấp Bình Lợi",
        "land_use_code": "ONT",
        "area_m2": 1234.5,
        "certificate_serial": "BK 987654",
        "certificate_year": 2012,
        "co_owner_name": None,
        "role": "owner",
        **changes,
    }


def question(citizen_id: str, *parcels: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A question to one citizen, about a parcel unless others are named."""
    return {
        "question_id": new_id(),
        "citizen_id": citizen_id,
        "parcels": list(parcels) or [parcel()],
        "priority": 0.5,
        "expires_in": 86_400,
        **changes,
    }


@dataclass(frozen=True)
class Engine:
    """The engine in one suite."""

    caller: Caller

    def post(self, *questions: dict[str, Any], batch_id: str | None = None) -> dict[str, Any]:
        """Post a batch; the receipt."""
        content = {"batch_id": batch_id or new_id(), "questions": list(questions)}
        return self.caller.ask(QUESTIONS, "landquestions+jwt", content, "landquestions-receipt+jwt").content

    def withdraw(self, *question_ids: str, batch_id: str | None = None, reason: str = "đã rõ") -> dict[str, Any]:
        """Withdraw questions; the receipt."""
        content = {"batch_id": batch_id or new_id(), "question_ids": list(question_ids), "reason": reason}
        return self.caller.ask(WITHDRAW, "landwithdraw+jwt", content, "landwithdraw-receipt+jwt").content

    def collect(self, after: str | None = None, limit: int = 1000) -> dict[str, Any]:
        """One page of answers."""
        content = {"after": after, "limit": limit}
        return self.caller.ask(ANSWERS, "landcollect+jwt", content, "landanswers+jwt").content

    def collect_all(self, after: str | None = None) -> list[dict[str, Any]]:
        """Every entry after this place, oldest first."""
        entries: list[dict[str, Any]] = []
        while True:
            page = self.collect(after)
            entries += page["answers"]
            if page["next"] == after or not page["answers"]:
                return entries
            after = page["next"]

    def entries(self, *question_ids: str) -> dict[str, list[dict[str, Any]]]:
        """What was ever said of the items of these questions, by item, oldest first."""
        found: dict[str, list[dict[str, Any]]] = {}
        for entry in self.collect_all():
            if entry["question_id"] in question_ids:
                found.setdefault(entry["item_id"], []).append(entry)
        return found
