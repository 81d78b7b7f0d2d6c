"""The payloads of every kind and every answer, as strict models; JSON Schemas are written from them.

Rules
- Every field is present, none is unknown, null stands only where the protocol allows it (protocol §2, §3).
- Integers are integers: no `1.0`, no booleans. Numbers may be either.
- A refusal names the field's path and the rule, never the value.
- Inside one question of `landquestions` only types and presence are checked here: a value out of range refuses that
  question alone, as `question_fault` tells.

>>> parse("landcollect+jwt", {"after": None, "limit": 1000}).limit
1000
>>> parse("landcollect+jwt", {"after": None, "limit": 1001})
Traceback (most recent call last):
    ...
exchange.errors.InvalidPayload: limit: Input should be less than or equal to 1000
"""

from __future__ import annotations

from exchange.payloads.answers import (
    AnswerEntry,
    AskAnswer,
    AskError,
    Callback,
    CancelReceipt,
    CitizenAnswer,
    Correction,
    DeclReceipt,
    LandAnswers,
    LandReply,
    QuestionsReceipt,
    RefusedQuestion,
    ResidenceParcel,
    ResidenceReply,
    ReviseReceipt,
    TokenError,
    WithdrawReceipt,
)
from exchange.payloads.parsing import JSON_MODELS, MODELS, Payload, parse, parse_json
from exchange.payloads.question import question_fault
from exchange.payloads.requests import (
    Ask,
    Attachment,
    Challenge,
    Fact,
    Item,
    LandAsk,
    LandCancel,
    LandCollect,
    LandDecl,
    LandFetch,
    LandQuestions,
    LandRevise,
    LandWithdraw,
    OnBehalfOf,
    Parcel,
    Question,
    Residence,
)

__all__ = [
    "JSON_MODELS",
    "MODELS",
    "AnswerEntry",
    "Ask",
    "AskAnswer",
    "AskError",
    "Attachment",
    "Callback",
    "CancelReceipt",
    "Challenge",
    "CitizenAnswer",
    "Correction",
    "DeclReceipt",
    "Fact",
    "Item",
    "LandAnswers",
    "LandAsk",
    "LandCancel",
    "LandCollect",
    "LandDecl",
    "LandFetch",
    "LandQuestions",
    "LandReply",
    "LandRevise",
    "LandWithdraw",
    "OnBehalfOf",
    "Parcel",
    "Payload",
    "Question",
    "QuestionsReceipt",
    "RefusedQuestion",
    "Residence",
    "ResidenceParcel",
    "ResidenceReply",
    "ReviseReceipt",
    "TokenError",
    "WithdrawReceipt",
    "parse",
    "parse_json",
    "question_fault",
]
