"""From a form's fields to what was said, and from faults to sentences with the place they belong to.

Rules
- Fields are numbered by the order of the parcels: `verdict-1`, `response-1`, `full_name-1`, …; no id of the protocol
  stands in a page's fields.
- What was written is kept beside a fault, so that nobody types it twice.
- A parcel of which nothing is chosen is left out, and so is one of which the answer is kept (in a change).

>>> asked = [{"item_id": "A" * 22, "facts": [], "challenge": {"kind": "none", "length": 0}}]
>>> said({"verdict-1": "unsure", "address-1": "Thôn Tiên Mỹ"}, asked)[0]["corrections"]
[{'field': 'address', 'value': 'Thôn Tiên Mỹ'}]
>>> said({"verdict-1": "keep"}, asked)
[]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile

from confirm_api.vneid_sim.answers import CORRECTION_FIELDS, VERDICTS, plain_text
from confirm_api.vneid_sim.citizen import File
from confirm_api.vneid_sim.errors import AnswerFault
from confirm_api.vneid_sim.pages.texts import Words
from exchange.payloads.fields import MAX_TEXT
from exchange.payloads.requests import MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS

KEEP = "keep"
Fields = Mapping[str, str]

_BEGINS: dict[bytes, str] = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}
_LONGEST_FILE_NAME = 100


@dataclass(frozen=True)
class Fault:
    """One sentence of the list of errors, and the field it leads to."""

    field: str
    text: str


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def said(fields: Fields, asked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the fields say of each parcel; nothing is checked here but what cannot be asked otherwise."""
    return [
        _said_of(fields, number, item["item_id"])
        for number, item in enumerate(asked, 1)
        if fields.get(f"verdict-{number}", KEEP) != KEEP
    ]


def _said_of(fields: Fields, number: int, item_id: str) -> dict[str, Any]:
    corrections = [
        {"field": field, "value": value}
        for field in CORRECTION_FIELDS
        if (value := fields.get(f"{field}-{number}", ""))
    ]
    return {
        "item_id": item_id,
        "verdict": fields.get(f"verdict-{number}"),
        "challenge_response": fields.get(f"response-{number}"),
        "corrections": corrections,
    }


def kept_fields(fields: Fields, asked: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The fields of the form that are ours, to be shown again or kept until they are confirmed."""
    names = ("verdict", "response", *CORRECTION_FIELDS)
    numbered = [f"{name}-{number}" for number in range(1, len(asked) + 1) for name in names]
    return {name: plain_text(fields[name])[: MAX_TEXT + 1] for name in numbered if fields.get(name)}


def answer_faults(faults: Sequence[AnswerFault], asked: Sequence[Mapping[str, Any]], words: Words) -> list[Fault]:
    """The faults as a citizen reads them."""
    numbers = {item["item_id"]: number for number, item in enumerate(asked, 1)}
    return [_answer_fault(fault, numbers, words) for fault in faults]


def _answer_fault(fault: AnswerFault, numbers: Mapping[str, int], words: Words) -> Fault:
    number = numbers.get(fault.item_id, 1)
    field = f"{fault.field}-{number}-{VERDICTS[0]}" if fault.field == "verdict" else f"{fault.field}-{number}"
    return Fault(field, words(f"fault.{fault.code}", item=item_name(words, number, len(numbers))))


def item_name(words: Words, number: int, count: int) -> str:
    """How a parcel is called."""
    return words("item.legend") if count == 1 else words("item.legend_of", number=number, count=count)


# ── declarations ─────────────────────────────────────────────────────────────────────────────────────────────────────

DECLARE_FIELDS = ("serial", "address", "behalf_name", "behalf_reason")


def declared_texts(form: Mapping[str, Any]) -> dict[str, str]:
    """The written fields of a declaration."""
    found = {name: form.get(name) for name in DECLARE_FIELDS}
    return {name: plain_text(value) if isinstance(value, str) else "" for name, value in found.items()}


def declare_faults(texts: Fields, files: Sequence[File], words: Words, *, confirmed: bool) -> list[Fault]:
    """What is wrong with a declaration."""
    faults = [Fault(name, words("declare.fault_long")) for name, text in texts.items() if len(text) > MAX_TEXT]
    if not (texts["serial"] or texts["address"]):
        faults.append(Fault("serial", words("declare.fault_either")))
    if bool(texts["behalf_name"]) != bool(texts["behalf_reason"]):
        empty = "behalf_reason" if texts["behalf_name"] else "behalf_name"
        faults.append(Fault(empty, words("declare.fault_behalf")))
    if len(files) > MAX_ATTACHMENTS:
        faults.append(Fault("files", words("declare.fault_count")))
    faults += [fault for file in files if (fault := _file_fault(file, words))]
    if not confirmed:
        faults.append(Fault("true", words("declare.fault_true")))
    return faults


def _file_fault(file: File, words: Words) -> Fault | None:
    if len(file.content) > MAX_ATTACHMENT_BYTES:
        return Fault("files", words("declare.fault_size", name=file.name))
    if not file.media_type:
        return Fault("files", words("declare.fault_kind", name=file.name))
    return None


async def files_of(uploads: Sequence[object]) -> list[File]:
    """The chosen files; what they are is told by their first bytes, not by their name."""
    chosen = [upload for upload in uploads if isinstance(upload, UploadFile) and upload.filename]
    return [_file(str(upload.filename), await upload.read(MAX_ATTACHMENT_BYTES + 1)) for upload in chosen]


def _file(name: str, content: bytes) -> File:
    return File(_file_name(name), media_type(content), content)


def media_type(content: bytes) -> str:
    """The kind that a file's first bytes show, or nothing.

    >>> media_type(b"%PDF-1.7 ..."), media_type(b"MZ")
    ('application/pdf', '')
    """
    return next((kind for begin, kind in _BEGINS.items() if content.startswith(begin)), "")


def _file_name(name: str) -> str:
    """The last part of a path, short enough to show."""
    return plain_text(name.replace("\\", "/").rpartition("/")[2])[-_LONGEST_FILE_NAME:]
