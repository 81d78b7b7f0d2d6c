"""From the members of a message to its model, or to the one sentence of a 422.

>>> sorted(set(MODELS) & set(KINDS)) == sorted(KINDS)
True
>>> parse("landcancel-receipt+jwt", {"auth_req_id": 7})
Traceback (most recent call last):
    ...
exchange.errors.InvalidPayload: auth_req_id: Input should be a valid string
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from exchange.errors import InvalidPayload
from exchange.kinds import KINDS
from exchange.payloads import answers, requests
from exchange.payloads.fields import Payload
from exchange.sealed import strict_json

__all__ = ["JSON_MODELS", "KINDS", "MODELS", "Payload", "parse", "parse_json"]

MODELS: dict[str, type[Payload]] = {
    "landquestions+jwt": requests.LandQuestions,
    "landquestions-receipt+jwt": answers.QuestionsReceipt,
    "landwithdraw+jwt": requests.LandWithdraw,
    "landwithdraw-receipt+jwt": answers.WithdrawReceipt,
    "landcollect+jwt": requests.LandCollect,
    "landanswers+jwt": answers.LandAnswers,
    "landask+jwt": requests.LandAsk,
    "landcancel+jwt": requests.LandCancel,
    "landcancel-receipt+jwt": answers.CancelReceipt,
    "landfetch+jwt": requests.LandFetch,
    "landreply+jwt": answers.LandReply,
    "landrevise+jwt": requests.LandRevise,
    "landrevise-receipt+jwt": answers.ReviseReceipt,
    "landdecl+jwt": requests.LandDecl,
    "landdecl-receipt+jwt": answers.DeclReceipt,
    "residence+jwt": requests.Residence,
    "residence-reply+jwt": answers.ResidenceReply,
}
"""Every sealed kind by its `typ`, requests and answers."""

JSON_MODELS: dict[str, type[Payload]] = {
    "ask-answer": answers.AskAnswer,
    "ask-error": answers.AskError,
    "token-error": answers.TokenError,
    "callback": answers.Callback,
}
"""What crosses unsealed, by the name of its schema."""

_Model = TypeVar("_Model", bound=Payload)
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}")


def parse(typ: str, payload: Mapping[str, Any]) -> Any:
    """The model of `typ` for an opened message's members (its class is `MODELS[typ]`)."""
    return _validated(MODELS[typ], payload)


def parse_json(model: type[_Model], text: bytes) -> _Model:
    """The model for unsealed JSON, read as strictly as a sealed message."""
    try:
        members = strict_json.parse(text)
    except strict_json.NotStrictError as error:
        raise InvalidPayload(str(error)) from error
    return _validated(model, members)


def _validated(model: type[_Model], members: Mapping[str, Any]) -> _Model:
    try:
        return model.model_validate(members)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise InvalidPayload(_sentence(first)) from None


def _sentence(fault: ErrorDetails) -> str:
    """Path and rule. An unknown field's name was chosen by the sender: it is told only where it looks like a name."""
    unknown = fault["type"] == "extra_forbidden"
    rule = "unknown field" if unknown else fault["msg"].removeprefix("Value error, ")
    path = ".".join(_step(step) for step in fault["loc"])
    return f"{path}: {rule}" if path else rule


def _step(step: int | str) -> str:
    if isinstance(step, int):
        return str(step)
    return step if _FIELD.fullmatch(step) else "?"
