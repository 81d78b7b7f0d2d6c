"""What is out of range inside one question: that question is refused as `invalid`, its batch is not.

Rules (protocol §3, landquestions)
- Missing, unknown and wrong-typed fields refuse the batch (the models); ranges and patterns refuse the question.
- A `question_id` is checked by the models: a receipt could not name one that is no id.

>>> parcel = Parcel(
...     item_id="A" * 22,
...     rank=1,
...     parcel_code=None,
...     commune_name="Xã Ba Vì",
...     hamlet=None,
...     land_use_code="ONT",
...     area_m2=120.5,
...     certificate_serial=None,
...     certificate_year=2004,
...     co_owner_name=None,
...     role="owner",
... )
>>> good = Question(question_id="B" * 22, citizen_id="001099012345", parcels=[parcel], priority=0.5, expires_in=86_400)
>>> question_fault(good) is None
True
>>> question_fault(good.model_copy(update={"priority": 2}))
'priority is a number from 0 to 1'
>>> question_fault(good.model_copy(update={"parcels": [parcel, parcel]}))
'an item_id stands twice'
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from exchange.ids import ID_PATTERN
from exchange.payloads.fields import CITIZEN_ID_PATTERN, MAX_EXPIRES_IN_SECONDS, MAX_TEXT, MIN_EXPIRES_IN_SECONDS
from exchange.payloads.requests import Parcel, Question

_ID = re.compile(ID_PATTERN[1:-1])
_CITIZEN_ID = re.compile(CITIZEN_ID_PATTERN[1:-1])
_ROLES = frozenset({"owner", "co_owner", None})


def question_fault(question: Question) -> str | None:
    """The first rule that the question breaks, without its value; None where it breaks none."""
    return next(_faults(question), None)


def _faults(question: Question) -> Iterator[str]:
    if not _CITIZEN_ID.fullmatch(question.citizen_id):
        yield "citizen_id is 12 digits"
    if not 0 <= question.priority <= 1:
        yield "priority is a number from 0 to 1"
    if not MIN_EXPIRES_IN_SECONDS <= question.expires_in <= MAX_EXPIRES_IN_SECONDS:
        yield f"expires_in is {MIN_EXPIRES_IN_SECONDS} to {MAX_EXPIRES_IN_SECONDS} seconds"
    if not question.parcels:
        yield "a question has at least one parcel"
    if len({parcel.item_id for parcel in question.parcels}) != len(question.parcels):
        yield "an item_id stands twice"
    for parcel in question.parcels:
        yield from _parcel_faults(parcel)


def _parcel_faults(parcel: Parcel) -> Iterator[str]:
    if not _ID.fullmatch(parcel.item_id):
        yield "item_id is 22 to 64 base64url characters"
    if parcel.rank < 1:
        yield "rank is 1 or more"
    if parcel.role not in _ROLES:
        yield "role is owner, co_owner or null"
    if parcel.area_m2 is not None and parcel.area_m2 < 0:
        yield "area_m2 is not negative"
    texts = (
        parcel.parcel_code,
        parcel.commune_name,
        parcel.hamlet,
        parcel.land_use_code,
        parcel.certificate_serial,
        parcel.co_owner_name,
    )
    if any(text is not None and len(text) > MAX_TEXT for text in texts):
        yield f"a text has at most {MAX_TEXT} characters"
