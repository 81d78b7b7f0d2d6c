"""The kinds of values the protocol names, each once.

Rules (protocol §2, Conventions)
- Ids match `[A-Za-z0-9_-]{22,64}`, tokens up to 256, `citizen_id`, `login_hint` and `sub` are 12 digits, hashes 64
  lower-case hex digits, text at most 500 characters, a `case_no` and a `next` 1 to 64.
- Times are integer seconds since 1970 UTC, dates `YYYY-MM-DD`.

>>> from pydantic import TypeAdapter
>>> TypeAdapter(CitizenId).validate_python("079085001234")
'079085001234'
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from exchange.ids import BINDING_PATTERN, ID_PATTERN, TOKEN_PATTERN

MAX_EXPIRES_IN_SECONDS = 2_592_000
"""30 days."""
MIN_EXPIRES_IN_SECONDS = 60
CITIZEN_ID_PATTERN = r"^[0-9]{12}$"
ACR_PATTERN = r"^urn:vneid:level:([2-9]|[1-9][0-9]{1,9})$"
"""At least level 2, without leading zeros."""
MAX_TEXT = 500
MAX_FACT = 120
MAX_SHORT = 64


def _day(text: str) -> str:
    try:
        dt.date.fromisoformat(text)
    except ValueError:  # its own message repeats the text
        raise ValueError("not a day of the calendar") from None
    return text


Id = Annotated[str, Field(pattern=ID_PATTERN)]
Token = Annotated[str, Field(pattern=TOKEN_PATTERN)]
BindingMessage = Annotated[str, Field(pattern=BINDING_PATTERN)]
CitizenId = Annotated[str, Field(pattern=CITIZEN_ID_PATTERN)]
Acr = Annotated[str, Field(pattern=ACR_PATTERN)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
FactText = Annotated[str, Field(max_length=MAX_FACT)]
Short = Annotated[str, Field(min_length=1, max_length=MAX_SHORT)]
Time = Annotated[int, Field(ge=0)]
Date = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_day)]
Attempt = Annotated[int, Field(ge=1)]

ParcelRole = Literal["owner", "co_owner"]
Verdict = Literal["mine", "not_mine", "unsure", "suspected_fraud"]
State = Literal["settled", "declined", "expired", "withdrawn", "undeliverable", "disputed", "office"]
EvidenceLevel = Literal["none", "tap", "challenge", "officer"]
FactLabel = Literal["commune", "hamlet", "land_use", "area", "certificate", "co_owner"]
CancelReason = Literal["withdrawn", "frozen", "expired"]
CorrectionField = Literal["full_name", "birth_date", "id_no", "address", "co_owner_name", "transferred_to"]
MediaType = Literal["application/pdf", "image/png", "image/jpeg"]
QuestionRefusal = Literal["conflict", "too_many_asks", "not_askable", "invalid"]
DeclStatus = Literal["matched", "queued_for_review", "settled"]


class Payload(BaseModel):
    """What all payloads share: no leniency, no unknown field, and nothing of the input in an error."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
        regex_engine="rust-regex",
    )
