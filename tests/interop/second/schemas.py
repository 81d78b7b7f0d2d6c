"""The payloads of section 3, as tables.

Rules
- Every field named is present, no other is; null only where `maybe` says so.
- Integers are written without point, so `5.0` is no integer; a number may be either.
- `ANSWERS` are the plain JSON answers of the provider.

>>> check("landrevise-receipt+jwt", {"revises": "A" * 22})
>>> check("landcollect+jwt", {"after": None, "limit": 0})
Traceback (most recent call last):
tests.interop.second.schemas.InvalidError: limit: expected an integer from 1 to 1000
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from typing import Any, Final

Check = Callable[[object, str], None]


class InvalidError(ValueError):
    """A payload that does not fit; the sentence names the field, never its value."""


def _need(holds: bool, where: str, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise InvalidError(f"{where}: expected {what}")


def record(**fields: Check) -> Check:
    """An object of exactly these fields."""

    def run(value: object, where: str) -> None:
        _need(isinstance(value, dict), where, "an object")
        assert isinstance(value, dict)
        _need(set(value) == set(fields), where, f"exactly the fields {', '.join(sorted(fields))}")
        for name, field in fields.items():
            field(value[name], f"{where}.{name}".lstrip("."))

    return run


def many(each: Check, least: int = 0, most: int | None = None) -> Check:
    """A list."""

    def run(value: object, where: str) -> None:
        _need(isinstance(value, list), where, "a list")
        assert isinstance(value, list)
        _need(least <= len(value) and (most is None or len(value) <= most), where, f"{least} to {most} entries")
        for place, entry in enumerate(value):
            each(entry, f"{where}[{place}]")

    return run


def maybe(inner: Check) -> Check:
    """Null, or what it says."""
    return lambda value, where: None if value is None else inner(value, where)


def pattern(form: str, called: str) -> Check:
    """A text of this form."""

    def run(value: object, where: str) -> None:
        _need(isinstance(value, str) and re.fullmatch(form, value) is not None, where, called)

    return run


def text(most: int = 500, least: int = 0) -> Check:
    """A text of some length."""

    def run(value: object, where: str) -> None:
        _need(isinstance(value, str) and least <= len(value) <= most, where, f"text of {least} to {most} characters")

    return run


def integer(least: int, most: int) -> Check:
    """An integer, never a truth value, never a float."""

    def run(value: object, where: str) -> None:
        _need(type(value) is int and least <= value <= most, where, f"an integer from {least} to {most}")

    return run


def number(least: float, most: float) -> Check:
    """An integer or a float."""

    def run(value: object, where: str) -> None:
        _need(type(value) in {int, float}, where, "a number")
        assert isinstance(value, int | float)
        _need(least <= value <= most, where, f"a number from {least} to {most}")

    return run


def one_of(*words: object) -> Check:
    """One of these values."""
    return lambda value, where: _need(value in words and type(value) is not bool, where, f"one of {words}")


def truth(value: object, where: str) -> None:
    """True or false."""
    _need(type(value) is bool, where, "true or false")


def date(value: object, where: str) -> None:
    """A day."""
    pattern(r"\d{4}-\d{2}-\d{2}", "a date YYYY-MM-DD")(value, where)
    dt.date.fromisoformat(str(value))


ID = pattern(r"[A-Za-z0-9_-]{22,64}", "an id of 22 to 64 base64url characters")
TOKEN = pattern(r"[A-Za-z0-9_-]{22,256}", "a token of 22 to 256 base64url characters")
CITIZEN = pattern(r"[0-9]{12}", "12 digits")
HASH = pattern(r"[0-9a-f]{64}", "64 lower-case hex digits")
ACR = pattern(r"urn:vneid:level:[1-9][0-9]*", "urn:vneid:level:N")
SHORT = text(64, 1)
TEXT = text()
TIME = integer(0, 2**53 - 1)
VERDICT = one_of("mine", "not_mine", "unsure", "suspected_fraud")
STATE = one_of("settled", "declined", "expired", "withdrawn", "undeliverable", "disputed", "office")
CORRECTION = record(
    field=one_of("full_name", "birth_date", "id_no", "address", "co_owner_name", "transferred_to"), value=TEXT
)
ANSWER = record(item_id=ID, verdict=VERDICT, challenge_response=maybe(TEXT), corrections=many(CORRECTION))
CHALLENGES = (
    record(kind=one_of("certificate_suffix"), length=integer(4, 4)),
    record(kind=one_of("none"), length=integer(0, 0)),
)


def challenge(value: object, where: str) -> None:
    """One of the two challenges."""
    kind = value.get("kind") if isinstance(value, dict) else None
    CHALLENGES[kind == "none"](value, where)


PARCEL = record(
    item_id=ID,
    rank=integer(1, 2**53 - 1),
    parcel_code=maybe(TEXT),
    commune_name=maybe(TEXT),
    hamlet=maybe(TEXT),
    land_use_code=maybe(TEXT),
    area_m2=maybe(number(0, 2**53 - 1)),
    certificate_serial=maybe(TEXT),
    certificate_year=maybe(integer(0, 9999)),
    co_owner_name=maybe(TEXT),
    role=maybe(one_of("owner", "co_owner")),
)
QUESTION = record(
    question_id=ID,
    citizen_id=CITIZEN,
    parcels=many(PARCEL, 1),
    priority=number(0, 1),
    expires_in=integer(60, 2_592_000),
)
LOOSE_QUESTIONS: Final = record(
    batch_id=ID,
    questions=many(
        record(
            question_id=ID,
            citizen_id=TEXT,
            parcels=many(PARCEL),
            priority=number(-math.inf, math.inf),
            expires_in=integer(-(2**53) + 1, 2**53 - 1),
        )
    ),
)
"""Types only, for a service: a question out of range is refused in the receipt, not with the batch."""
ITEM = record(
    item_id=ID,
    facts=many(
        record(label=one_of("commune", "hamlet", "land_use", "area", "certificate", "co_owner"), value=text(120))
    ),
    challenge=challenge,
)
ASK = record(
    question_id=ID,
    attempt=integer(1, 2**53 - 1),
    purpose=one_of("land_confirmation"),
    remind_after_days=lambda value, where: _need(value == [3, 10, 24], where, "[3, 10, 24]"),
    items=many(ITEM, 1),
)
ATTACHMENT = record(
    name=TEXT,
    media_type=one_of("application/pdf", "image/png", "image/jpeg"),
    sha256=HASH,
    size=integer(0, 3_500_000),
)
PAYLOADS: Final[dict[str, Check]] = {
    "landquestions+jwt": record(batch_id=ID, questions=many(QUESTION)),
    "landquestions-receipt+jwt": record(
        batch_id=ID,
        accepted=many(ID),
        duplicates=many(ID),
        refused=many(record(question_id=ID, why=one_of("conflict", "too_many_asks", "not_askable", "invalid"))),
    ),
    "landwithdraw+jwt": record(batch_id=ID, question_ids=many(ID, 1, 1000), reason=TEXT),
    "landwithdraw-receipt+jwt": record(batch_id=ID, withdrawn=many(ID), too_late=many(ID), unknown=many(ID)),
    "landcollect+jwt": record(after=maybe(SHORT), limit=integer(1, 1000)),
    "landanswers+jwt": record(
        answers=many(
            record(
                question_id=ID,
                item_id=ID,
                citizen_id=CITIZEN,
                state=STATE,
                verdict=maybe(VERDICT),
                proven=truth,
                evidence_level=one_of("none", "tap", "challenge", "officer"),
                answered_at=maybe(TIME),
            )
        ),
        next=SHORT,
    ),
    "landask+jwt": record(
        scope=one_of("openid land_confirmation"),
        login_hint=CITIZEN,
        client_notification_token=TOKEN,
        binding_message=pattern(r"[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}", "XXXX-XXXX"),
        requested_expiry=integer(0, 2_592_000),
        ask=ASK,
    ),
    "landcancel+jwt": record(auth_req_id=ID, question_id=ID, reason=one_of("withdrawn", "frozen", "expired")),
    "landcancel-receipt+jwt": record(auth_req_id=ID),
    "landfetch+jwt": record(grant_type=one_of("urn:openid:params:grant-type:ciba"), auth_req_id=ID),
    "landreply+jwt": record(
        auth_req_id=ID,
        question_id=ID,
        attempt=integer(1, 2**53 - 1),
        ask_jti=ID,
        sub=CITIZEN,
        acr=ACR,
        answers=many(ANSWER, 1),
        answered_at=TIME,
    ),
    "landrevise+jwt": record(revises=ID, sub=CITIZEN, acr=ACR, answers=many(ANSWER, 1), answered_at=TIME),
    "landrevise-receipt+jwt": record(revises=ID),
    "landdecl+jwt": record(
        declaration_id=ID,
        sub=CITIZEN,
        acr=ACR,
        certificate_serial=maybe(TEXT),
        parcel_address=maybe(TEXT),
        on_behalf_of=maybe(record(name=TEXT, reason=TEXT)),
        attachments=many(ATTACHMENT, 0, 10),
    ),
    "landdecl-receipt+jwt": record(declaration_id=ID, status=one_of("matched", "queued_for_review", "settled")),
    "residence+jwt": record(citizen_id=CITIZEN, case_no=SHORT, purpose=one_of("residence_registration")),
    "residence-reply+jwt": record(
        citizen_id=CITIZEN,
        case_no=SHORT,
        has_residential_parcel=truth,
        parcels=many(
            record(
                parcel_code=TEXT,
                address=maybe(TEXT),
                certificate_serial=maybe(TEXT),
                role=maybe(one_of("owner", "co_owner")),
            )
        ),
        as_of=date,
    ),
}
ANSWERS: Final[dict[str, Check]] = {
    "authorize": record(auth_req_id=ID, expires_in=integer(0, 2_592_000), interval=integer(1, 60)),
    "callback": record(auth_req_id=ID),
}
LEAF: Final = record(
    v=integer(1, 1),
    time=TIME,
    event=one_of(
        *(typ.removesuffix("+jwt") for typ in PAYLOADS), "callback", "state", "officer", "erasure", "checkpoint"
    ),
    subject=maybe(HASH),
    sealed=maybe(HASH),
    commit=maybe(HASH),
    from_kid=maybe(pattern(r"[A-Za-z0-9_-]{43}", "a kid")),
    to_kid=maybe(pattern(r"[A-Za-z0-9_-]{43}", "a kid")),
    outcome=one_of("accepted", "duplicate", "refused", "sent", "delivered", "retry", "dead"),
    reason=lambda value, where: _need(value is None or type(value) is str, where, "a text or null"),
)


def check(typ: str, content: dict[str, Any]) -> None:
    """Check (15): the content of a message of this kind."""
    PAYLOADS[typ](content, "")
