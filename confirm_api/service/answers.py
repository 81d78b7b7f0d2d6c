"""The citizen's answers to an attempt: checked against what was asked, and compared with the challenge.

Rules (protocol §3)
- Every asked item exactly once in a reply, one or more of them in a revision; a response only to a challenge that was
  set (the payload's model already refuses one without `mine`).
- Serials are read only where a response has to be compared.

Example: `read(unit, asked, payload.answers)` gives the pure answers that `confirm_api.question` takes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from confirm_api.question import NO_PROOF, Answer
from confirm_api.service import contexts, facts
from confirm_api.service.rows import any_of
from confirm_api.store.tables import items
from confirm_api.unit import Unit
from exchange.payloads import CitizenAnswer


@dataclass(frozen=True)
class Asked:
    """What an attempt asked, and of whom."""

    question_no: int
    handle: str
    item_ids: tuple[str, ...]
    serials: Mapping[str, str | None]

    def fault(self, answers: Collection[CitizenAnswer], *, whole: bool) -> str | None:
        """The code of the first rule that these answers break."""
        said = [answer.item_id for answer in answers]
        if len(set(said)) != len(said) or not set(said) <= set(self.item_ids):
            return "items"
        if whole and len(said) != len(self.item_ids):
            return "items"
        if any(one.challenge_response is not None and not facts.is_set(self.serials[one.item_id]) for one in answers):
            return "challenge"
        return None

    def compared(self, answers: Iterable[CitizenAnswer]) -> list[Answer]:
        """The answers with their responses compared."""
        return [Answer(one.item_id, one.verdict, self._proof(one)) for one in answers]

    def _proof(self, answer: CitizenAnswer) -> Any:
        if answer.verdict != "mine":
            return NO_PROOF
        return facts.proof_of(self.serials[answer.item_id], answer.challenge_response)


def read_asked(unit: Unit, attempts: Sequence[tuple[int, str, tuple[str, ...]]]) -> list[Asked]:
    """What these attempts (question, handle, items) asked, with the serials behind their challenges."""
    rows = unit.conn.execute(_BOXES, {"nos": sorted({no for no, _, _ in attempts})})
    boxes = {(row.question_no, row.item_id): row.box for row in rows}
    return [Asked(no, handle, ids, _serials(unit, no, handle, ids, boxes)) for no, handle, ids in attempts]


def _serials(
    unit: Unit, no: int, handle: str, item_ids: Iterable[str], boxes: Mapping[tuple[int, str], bytes]
) -> dict[str, str | None]:
    return {
        item_id: unit.vault.open(handle, contexts.item(no, item_id), boxes[no, item_id])["certificate_serial"]
        for item_id in item_ids
    }


def kept(answers: Iterable[CitizenAnswer]) -> dict[str, Any]:
    """What is stored of them."""
    return {"answers": [answer.model_dump() for answer in answers]}


def corrections(answers: Iterable[CitizenAnswer]) -> dict[str, dict[str, Any]]:
    """The proposals for an officer, by item."""
    return {
        answer.item_id: {"corrections": [one.model_dump() for one in answer.corrections]}
        for answer in answers
        if answer.corrections
    }


_BOXES = select(items.c.question_no, items.c.item_id, items.c.box).where(any_of(items.c.question_no, "nos"))
