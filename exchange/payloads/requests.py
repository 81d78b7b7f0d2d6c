"""The payloads of the requests, one model a kind (protocol §3).

>>> Challenge(kind="none", length=0)
Challenge(kind='none', length=0)
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from exchange.payloads.citizen import CitizenAnswer
from exchange.payloads.fields import (
    Acr,
    Attempt,
    BindingMessage,
    CancelReason,
    CitizenId,
    FactLabel,
    FactText,
    Id,
    MediaType,
    Payload,
    Sha256,
    Short,
    Text,
    Time,
    Token,
)

MAX_ATTACHMENTS = 10
MAX_ATTACHMENT_BYTES = 3_500_000
KNOWN_CHALLENGES = frozenset({("certificate_suffix", 4), ("none", 0)})
MAX_PAGE = 1000
"""Of entries in one `landcollect`, and of ids in one `landwithdraw`."""


# ── engine → service ─────────────────────────────────────────────────────────────────────────────────────────────────


class Parcel(Payload):
    """One person's place on one register line; a value out of range makes its question `invalid`, not the batch."""

    item_id: Annotated[str, Field(description="22 to 64 base64url characters; once in a question")]
    rank: Annotated[int, Field(description="1 or more: the order of asking")]
    parcel_code: str | None
    commune_name: str | None
    hamlet: str | None
    land_use_code: str | None
    area_m2: Annotated[float | None, Field(description="not negative")]
    certificate_serial: str | None
    certificate_year: int | None
    co_owner_name: str | None
    role: Annotated[str | None, Field(description="owner, co_owner or null")]


class Question(Payload):
    """All doubtful parcels of one citizen. A value out of range makes the question `invalid`, not the batch."""

    question_id: Id
    citizen_id: Annotated[str, Field(description="12 digits")]
    parcels: Annotated[list[Parcel], Field(description="at least one")]
    priority: Annotated[float, Field(description="from 0 to 1")]
    expires_in: Annotated[int, Field(description="60 to 2,592,000 seconds, counted from acceptance")]


class LandQuestions(Payload):
    """`landquestions`: a batch of questions; no question_id stands twice."""

    batch_id: Id
    questions: list[Question]

    @model_validator(mode="after")
    def _each_question_once(self) -> Self:
        if len({question.question_id for question in self.questions}) != len(self.questions):
            raise ValueError("a question_id stands twice")
        return self


class LandWithdraw(Payload):
    """`landwithdraw`: questions of any batch that need no answer any more."""

    batch_id: Id
    question_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_PAGE)]
    reason: Text


class LandCollect(Payload):
    """`landcollect`: the entries after the last `next`."""

    after: Short | None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)]


# ── service → vneid ──────────────────────────────────────────────────────────────────────────────────────────────────


class Fact(Payload):
    """One masked fact, as the citizen reads it."""

    label: FactLabel
    value: FactText


class Challenge(Payload):
    """`certificate_suffix` with length 4 or `none` with length 0; another gets `invalid_request`, not 422."""

    kind: Short
    length: int

    @property
    def is_known(self) -> bool:
        """Whether version 1 of the protocol has it."""
        return (self.kind, self.length) in KNOWN_CHALLENGES


class Item(Payload):
    """One parcel as it is shown in the app."""

    item_id: Id
    facts: list[Fact]
    challenge: Challenge


class Ask(Payload):
    """What the citizen is asked, in one attempt of a question; no item_id stands twice."""

    question_id: Id
    attempt: Attempt
    purpose: Literal["land_confirmation"]
    remind_after_days: Annotated[list[int], Field(json_schema_extra={"const": [3, 10, 24]})]
    items: list[Item]

    @model_validator(mode="after")
    def _fixed_reminders_and_each_item_once(self) -> Self:
        if self.remind_after_days != [3, 10, 24]:
            raise ValueError("remind_after_days is [3, 10, 24]")
        if len({item.item_id for item in self.items}) != len(self.items):
            raise ValueError("an item_id stands twice")
        return self


class LandAsk(Payload):
    """`landask`: the backchannel authentication request of CIBA, with its question."""

    scope: Literal["openid land_confirmation"]
    login_hint: CitizenId
    client_notification_token: Token
    binding_message: BindingMessage
    requested_expiry: Annotated[int, Field(ge=0)]
    ask: Ask


class LandCancel(Payload):
    """`landcancel`: the app takes the request away."""

    auth_req_id: Id
    question_id: Id
    reason: CancelReason


class LandFetch(Payload):
    """`landfetch`: the token request of CIBA."""

    grant_type: Literal["urn:openid:params:grant-type:ciba"]
    auth_req_id: Id


# ── vneid → service ──────────────────────────────────────────────────────────────────────────────────────────────────


class LandRevise(Payload):
    """`landrevise`: the citizen takes back an answer; no item_id stands twice."""

    revises: Id
    sub: CitizenId
    acr: Acr
    answers: Annotated[list[CitizenAnswer], Field(min_length=1)]
    answered_at: Time

    @model_validator(mode="after")
    def _each_item_once(self) -> Self:
        if len({answer.item_id for answer in self.answers}) != len(self.answers):
            raise ValueError("an item_id stands twice")
        return self


class OnBehalfOf(Payload):
    """For whom somebody declares, and why."""

    name: Text
    reason: Text


class Attachment(Payload):
    """A file that stays with the identity provider under its hash."""

    name: Text
    media_type: MediaType
    sha256: Sha256
    size: Annotated[int, Field(ge=0, le=MAX_ATTACHMENT_BYTES)]


class LandDecl(Payload):
    """`landdecl`: a citizen declares a certificate of one's own; serial and address are not both null."""

    declaration_id: Id
    sub: CitizenId
    acr: Acr
    certificate_serial: Text | None
    parcel_address: Text | None
    on_behalf_of: OnBehalfOf | None
    attachments: Annotated[list[Attachment], Field(max_length=MAX_ATTACHMENTS)]

    @model_validator(mode="after")
    def _says_which_parcel(self) -> Self:
        if self.certificate_serial is None and self.parcel_address is None:
            raise ValueError("one of certificate_serial and parcel_address is not null")
        return self


# ── police → service ─────────────────────────────────────────────────────────────────────────────────────────────────


class Residence(Payload):
    """`residence`: does this citizen have a residential parcel?"""

    citizen_id: CitizenId
    case_no: Short
    purpose: Literal["residence_registration"]
