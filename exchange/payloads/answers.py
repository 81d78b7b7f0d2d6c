"""The payloads of the answers, and the unsealed JSON of `/bc-authorize`, `/token` and the ping (protocol §3).

>>> TokenError(error="authorization_pending").error
'authorization_pending'
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from exchange.payloads.citizen import CitizenAnswer, Correction
from exchange.payloads.fields import (
    Acr,
    Attempt,
    CitizenId,
    Date,
    DeclStatus,
    EvidenceLevel,
    Id,
    ParcelRole,
    Payload,
    QuestionRefusal,
    Short,
    State,
    Text,
    Time,
    Verdict,
)

__all__ = [
    "AnswerEntry",
    "AskAnswer",
    "AskError",
    "Callback",
    "CancelReceipt",
    "CitizenAnswer",
    "Correction",
    "DeclReceipt",
    "LandAnswers",
    "LandReply",
    "QuestionsReceipt",
    "RefusedQuestion",
    "ResidenceParcel",
    "ResidenceReply",
    "ReviseReceipt",
    "TokenError",
    "WithdrawReceipt",
]


class RefusedQuestion(Payload):
    """A question that was not taken, and why."""

    question_id: Id
    why: QuestionRefusal


class QuestionsReceipt(Payload):
    """The receipt of `landquestions`: every question stands in exactly one list."""

    batch_id: Id
    accepted: list[Id]
    duplicates: list[Id]
    refused: list[RefusedQuestion]

    @model_validator(mode="after")
    def _each_in_one_list(self) -> Self:
        _refuse_repeated([*self.accepted, *self.duplicates, *(refused.question_id for refused in self.refused)])
        return self


class WithdrawReceipt(Payload):
    """The receipt of `landwithdraw`: each id stands in exactly one list."""

    batch_id: Id
    withdrawn: list[Id]
    too_late: list[Id]
    unknown: list[Id]

    @model_validator(mode="after")
    def _each_in_one_list(self) -> Self:
        _refuse_repeated([*self.withdrawn, *self.too_late, *self.unknown])
        return self


def _refuse_repeated(ids: list[str]) -> None:
    if len(set(ids)) != len(ids):
        raise ValueError("a question_id stands in two lists or twice in one")


class AnswerEntry(Payload):
    """One item's end, or a later change of it; proven exactly for evidence_level challenge or officer with `mine`."""

    question_id: Id
    item_id: Id
    citizen_id: CitizenId
    state: State
    verdict: Verdict | None
    proven: bool
    evidence_level: EvidenceLevel
    answered_at: Time | None

    @model_validator(mode="after")
    def _proven_by_evidence(self) -> Self:
        proof = self.evidence_level in {"challenge", "officer"} and self.verdict == "mine"
        if self.proven != proof:
            raise ValueError("proven is true for evidence_level challenge or officer with the verdict mine, else false")
        return self


class LandAnswers(Payload):
    """`landanswers`: entries after `after`, and where to go on."""

    answers: list[AnswerEntry]
    next: Short


class CancelReceipt(Payload):
    """The receipt of `landcancel`, also for an unknown or ended request."""

    auth_req_id: Id


class LandReply(Payload):
    """`landreply`: the citizen's answers to one attempt, every asked item exactly once."""

    auth_req_id: Id
    question_id: Id
    attempt: Attempt
    ask_jti: Id
    sub: CitizenId
    acr: Acr
    answers: list[CitizenAnswer]
    answered_at: Time

    @model_validator(mode="after")
    def _each_item_once(self) -> Self:
        if len({answer.item_id for answer in self.answers}) != len(self.answers):
            raise ValueError("an item_id stands twice")
        return self


class ReviseReceipt(Payload):
    """The receipt of `landrevise`."""

    revises: Id


class DeclReceipt(Payload):
    """The receipt of `landdecl`: the declaration's present status."""

    declaration_id: Id
    status: DeclStatus


class ResidenceParcel(Payload):
    """A residential parcel with an accepted link."""

    parcel_code: Text
    address: Text | None
    certificate_serial: Text | None
    role: ParcelRole | None


class ResidenceReply(Payload):
    """The residence proof; unknown, deceased and landless citizens get the same `false` and `[]`."""

    citizen_id: CitizenId
    case_no: Short
    has_residential_parcel: bool
    parcels: list[ResidenceParcel]
    as_of: Annotated[Date | Time, Field(description="the day of the register; a time in seconds is read too")]
    """The one field that the protocol leaves open to two readings; a date is what we write."""


class AskAnswer(Payload):
    """The JSON answer of `/bc-authorize`."""

    auth_req_id: Id
    expires_in: Annotated[int, Field(ge=0)]
    interval: Annotated[int, Field(ge=1, le=60)]


class AskError(Payload):
    """The JSON error of `/bc-authorize`: `unknown_user_id`, `access_denied` or `invalid_request`."""

    error: Short


class TokenError(Payload):
    """The JSON error of `/token`: `authorization_pending`, `slow_down`, `expired_token`, … ."""

    error: Short


class Callback(Payload):
    """The ping: it carries no answer."""

    auth_req_id: Id
