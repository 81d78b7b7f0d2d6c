"""What a citizen may say, and how it becomes the answers of a `landreply`; pure.

Rules (protocol §3)
- A reply has every asked item exactly once; a revision has one or more of them.
- `challenge_response` is sent only with `mine`, where a challenge is set and something was written; leaving it empty is
  no wrong answer. Blanks, dots and hyphens are taken out and letters made capital, as the service compares it.
- A response has the challenge's length, so that a slip of the finger is told at once and does not cost one of the three
  tries; whether it is right nobody here knows.
- A correction has a field of the protocol and at most 500 characters; empty ones are left out.

>>> asked = [{"item_id": "A" * 22, "facts": [], "challenge": {"kind": "certificate_suffix", "length": 4}}]
>>> said = [{"item_id": "A" * 22, "verdict": "mine", "challenge_response": " 90 83"}]
>>> checked(asked, said, whole=True)[0]["challenge_response"]
'9083'
>>> checked(asked, [], whole=True)
Traceback (most recent call last):
    ...
confirm_api.vneid_sim.errors.AnswerError: the answer has 1 faults: choose
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from confirm_api.vneid_sim.errors import AnswerError, AnswerFault
from exchange.payloads.fields import MAX_TEXT, CorrectionField, Verdict

VERDICTS: tuple[str, ...] = get_args(Verdict)
CORRECTION_FIELDS: tuple[str, ...] = get_args(CorrectionField)

_BLANKS = re.compile(r"[\s.\-]+")
_RESPONSE = re.compile(r"[A-Z0-9Đ]+")
_MEMBERS = {"item_id", "verdict", "challenge_response", "corrections"}

Answer = dict[str, Any]


def checked(asked: Sequence[Mapping[str, Any]], said: Any, *, whole: bool) -> list[Answer]:
    """The answers as the protocol wants them, in the order of the items; every fault is told at once."""
    by_item = _by_item(asked, said)
    chosen = [item for item in asked if whole or item["item_id"] in by_item]
    faults: list[AnswerFault] = []
    answers = [_answer(item, by_item.get(item["item_id"], {}), faults) for item in chosen]
    if not answers:
        faults.append(AnswerFault("", "verdict", "nothing"))
    if faults:
        raise AnswerError(faults)
    return answers


def _by_item(asked: Sequence[Mapping[str, Any]], said: Any) -> dict[str, Mapping[str, Any]]:
    known = {item["item_id"] for item in asked}
    if not isinstance(said, list) or not all(isinstance(one, dict) and one.keys() <= _MEMBERS for one in said):
        raise AnswerError([AnswerFault("", "answers", "form")])
    ids = [one.get("item_id") for one in said]
    if not all(isinstance(item_id, str) and item_id in known for item_id in ids) or len(set(ids)) != len(ids):
        raise AnswerError([AnswerFault("", "item_id", "unknown")])
    return {one["item_id"]: one for one in said}


def _answer(item: Mapping[str, Any], said: Mapping[str, Any], faults: list[AnswerFault]) -> Answer:
    item_id, verdict = item["item_id"], said.get("verdict")
    if verdict not in VERDICTS:
        faults.append(AnswerFault(item_id, "verdict", "choose"))
    response = _response(item, said, faults) if verdict == "mine" else None
    corrections = _corrections(item_id, said.get("corrections") or [], faults)
    return {"item_id": item_id, "verdict": verdict, "challenge_response": response, "corrections": corrections}


def _response(item: Mapping[str, Any], said: Mapping[str, Any], faults: list[AnswerFault]) -> str | None:
    written = said.get("challenge_response")
    if item["challenge"]["kind"] == "none" or written is None:
        return None
    response = _BLANKS.sub("", written).upper() if isinstance(written, str) else "?"
    if not response:
        return None
    if len(response) != item["challenge"]["length"] or not _RESPONSE.fullmatch(response):
        faults.append(AnswerFault(item["item_id"], "response", "length"))
    return response


def _corrections(item_id: str, said: Any, faults: list[AnswerFault]) -> list[dict[str, str]]:
    if not isinstance(said, list) or not all(_is_correction(one) for one in said):
        faults.append(AnswerFault(item_id, "corrections", "form"))
        return []
    cleaned = [{"field": one["field"], "value": plain_text(one["value"])} for one in said]
    faults.extend(AnswerFault(item_id, one["field"], "long") for one in cleaned if len(one["value"]) > MAX_TEXT)
    return [one for one in cleaned if one["value"]]


def _is_correction(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and one.keys() == {"field", "value"}
        and one["field"] in CORRECTION_FIELDS
        and isinstance(one["value"], str)
    )


def plain_text(text: str) -> str:
    r"""Composed, on one line, without control characters or lone surrogates, which no message may carry.

    >>> plain_text("Nguyễn\tVăn\x00 A  ")
    'Nguyễn Văn A'
    """
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(" " if unicodedata.category(sign) in {"Cc", "Cs"} else sign for sign in composed)
    return " ".join(visible.split())
