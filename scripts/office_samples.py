"""Sample cases of the land office, one of each kind, with invented citizens: for tests and screenshots.

Example: `fill(units)` on an empty database leaves nine cases, as the service would have opened them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, update

from confirm_api.office import officers
from confirm_api.office.acceptance import Review, accept_run
from confirm_api.office.cases import open_case
from confirm_api.service import contexts
from confirm_api.store.tables import attempts, declarations, items, questions, replies, revisions
from confirm_api.unit import Unit, Units

TRUONG, KHE = "Xã Xuân Trường", "Phường Hoà Khê"
STAFF = (
    ("lan", "reviewer", None),
    ("minh", "second_reviewer", None),
    ("hoa", "reviewer", TRUONG),
    ("tra", "auditor", None),
)


@dataclass(frozen=True)
class Asked:
    """A question with one item, as it was posted and answered."""

    name: str  # letters that make its ids
    citizen_id: str
    item: str
    verdict: str
    state: str = "office"
    evidence: str = "tap"
    rank: int = 1
    wrong: int = 0
    response: str | None = None
    commune: str = TRUONG
    serial: str | None = "AB 904512"
    corrections: tuple[tuple[str, str], ...] = ()


QUESTIONS = (
    Asked("fraud", "001085000011", "item-fraud", "suspected_fraud", evidence="tap", serial="BK 118204"),
    Asked("one", "001079000012", "item-shared", "mine", "disputed", "challenge", 1, 0, "4512"),
    Asked("two", "001182000013", "item-shared", "mine", "disputed", "challenge", 2, 0, "4512"),
    Asked("wrong", "001066000014", "item-wrong", "mine", wrong=3, response="9871", serial="CD 550918", commune=KHE),
    Asked("plain", "001090000015", "item-plain", "mine", serial=None),
    Asked("unsure", "001175000016", "item-unsure", "unsure", commune=KHE, serial="AĐ 266864"),
    Asked("back", "001188000017", "item-back", "not_mine", serial="BA 730021"),
    Asked("mend", "001072000018", "item-mend", "mine", "settled", "challenge", response="0021", commune=KHE,
          corrections=(("co_owner_name", "Trần Thị Bích Hạnh"), ("address", "Thôn Đông, xã Xuân Trường"))),
)  # fmt: skip


def fill(units: Units, *, password_hash: str | None = None) -> dict[str, int]:
    """Officers and one case of each kind; the numbers of the cases by their kinds."""
    with units.begin() as unit:
        for name, role, commune in STAFF:
            subject = None if password_hash else f"oidc-{name}"
            officers.add(unit, name, role, commune=commune, password_hash=password_hash, oidc_subject=subject)
        made = {asked.name: ask(unit, asked) for asked in QUESTIONS}
        found = dict(_open(unit, made))
    accept_run(units, "0" * 64, [], [], [[_review()]])
    return found | {"review": len(found) + 1}


def _open(unit: Unit, made: dict[str, tuple[int, str]]) -> list[tuple[str, int]]:
    kinds = (
        ("suspected_fraud", "fraud"), ("dispute", "one"), ("dispute", "two"), ("failed_challenge", "wrong"),
        ("unproven", "plain"), ("unsure", "unsure"), ("revision", "back"), ("correction", "mend"),
    )  # fmt: skip
    told = {asked.name: asked for asked in QUESTIONS}
    opened: list[tuple[str, int]] = []
    for place, (kind, name) in enumerate(kinds):
        question_no, handle = made[name]
        content = {"corrections": _corrections(told[name])} if kind == "correction" else None
        early = Unit(unit.conn, unit.now - (len(kinds) - place) * 21 * 3_600, unit.vault)
        no = open_case(
            early, kind, handle=handle, question_no=question_no, item_id=_id(told[name].item), content=content
        )
        opened.append((f"{kind}_{name}" if kind in dict(opened) else kind, no))
    return [*opened, ("declaration", declare(unit))]


def ask(unit: Unit, asked: Asked) -> tuple[int, str]:
    """A question with its item, its answered attempt and the reply; its number and the citizen's handle."""
    handle = unit.vault.handle_of(asked.citizen_id, create=True)
    assert handle is not None
    posted = insert(questions).values(_question(unit, asked, handle)).returning(questions.c.no)
    no = int(unit.conn.execute(posted).scalar_one())
    box = unit.vault.seal(handle, contexts.item(no, _id(asked.item)), _parcel(asked))
    unit.conn.execute(insert(items).values(_item(unit, asked, no, box)))
    begun = insert(attempts).values(_attempt(unit, no, asked)).returning(attempts.c.no)
    attempt = int(unit.conn.execute(begun).scalar_one())
    _reply(unit, asked, attempt, handle)
    return no, handle


def declare(unit: Unit) -> int:
    """A declaration with two attachments, and its case."""
    handle = unit.vault.handle_of("001193000019", create=True)
    assert handle is not None
    told = {
        "certificate_serial": "CS 01277",
        "parcel_address": "Thửa 118, tờ bản đồ 7, thôn Đông, xã Xuân Trường",
        "on_behalf_of": {"name": "Nguyễn Văn Tân", "reason": "Cha tôi không dùng điện thoại thông minh"},
        "attachments": [
            {"name": "gcn-mat-truoc.jpg", "media_type": "image/jpeg", "sha256": "4b" * 32, "size": 1_830_212},
            {"name": "gcn-trang-2.pdf", "media_type": "application/pdf", "sha256": "c7" * 32, "size": 64_000},
        ],
    }
    declaration_id = _id("declaration")
    values = {"declaration_id": declaration_id, "peer": "urn:quychu:peer:vneid", "handle": handle, "fingerprint": b"x"}
    box = unit.vault.seal(handle, contexts.declaration(declaration_id), told)
    unit.conn.execute(
        insert(declarations).values(**values, status="queued_for_review", received_at=unit.now - 9_000, box=box)
    )
    early = Unit(unit.conn, unit.now - 9_000, unit.vault)
    return open_case(early, "declaration", handle=handle, declaration_id=declaration_id)


def _review() -> Review:
    parcel = {"parcel_code": "19333-7-118", "address": "Thôn Đông, xã Xuân Trường", "certificate_serial": "AB 118901"}
    told = {"owner_name": "Hộ ông Phạm Văn Sửu (đã chết)", "decision_reason": "Công dân đã chết theo CSDL dân cư"}
    content = {**told, "match_probability": 0.93, "parcel": {**parcel, "role": "owner", "residential": True}}
    return Review("001048000020", "1/owner", TRUONG, content)


def _id(name: str) -> str:
    return (name + "-" * 22)[:22]


def _corrections(asked: Asked) -> list[dict[str, str]]:
    return [{"field": field, "value": value} for field, value in asked.corrections]


def _parcel(asked: Asked) -> dict[str, Any]:
    return {
        "item_id": _id(asked.item),
        "rank": asked.rank,
        "parcel_code": "19333-7-118",
        "commune_name": asked.commune,
        "hamlet": "Thôn Đông",
        "land_use_code": "ONT+CLN",
        "area_m2": 412.5,
        "certificate_serial": asked.serial,
        "certificate_year": 2004 if asked.serial else None,
        "co_owner_name": "Trần Thị Hạnh",
        "role": "owner",
    }


def _question(unit: Unit, asked: Asked, handle: str) -> dict[str, Any]:
    letters = (asked.name.upper().translate(str.maketrans("OI", "XY")) + "QRSTUVWX")[:8]
    return {
        "question_id": _id("question-" + asked.name),
        "handle": handle,
        "fingerprint": b"x",
        "priority": 0.5,
        "accepted_at": unit.now - 20 * 86_400,
        "expires_at": unit.now + 10 * 86_400,
        "state": "ended",
        "frozen": asked.verdict == "suspected_fraud",
        "binding_message": f"{letters[:4]}-{letters[4:]}",
        "attempt": 1,
    }


def _item(unit: Unit, asked: Asked, no: int, box: bytes) -> dict[str, Any]:
    return {
        "question_no": no,
        "item_id": _id(asked.item),
        "place": 0,
        "rank": asked.rank,
        "state": asked.state,
        "commune": asked.commune,
        "verdict": asked.verdict,
        "said": asked.verdict,
        "met": asked.evidence == "challenge",
        "proven": asked.evidence == "challenge",
        "evidence_level": asked.evidence,
        "answered_at": unit.now - 10 * 86_400,
        "wrong": asked.wrong,
        "box": box,
    }


def _attempt(unit: Unit, no: int, asked: Asked) -> dict[str, Any]:
    times = {"requested_expiry": 86_400, "begun_at": unit.now - 15 * 86_400}
    told = {"peer": "urn:quychu:peer:vneid", "state": "closed", "item_ids": f'["{_id(asked.item)}"]'}
    return {"question_no": no, "attempt": 1, **told, **times}


def _reply(unit: Unit, asked: Asked, attempt: int, handle: str) -> None:
    at = unit.now - 10 * 86_400
    first = "mine" if asked.name == "back" else asked.verdict
    stored = {"attempt_no": attempt, "received_at": at + 30, "answered_at": at}
    box = unit.vault.seal(handle, contexts.reply(attempt), _answers(asked, first))
    unit.conn.execute(insert(replies).values(**stored, late=False, box=box))
    if first != asked.verdict:
        later = at + 86_400
        box = unit.vault.seal(handle, contexts.revision(attempt, later), _answers(asked, asked.verdict))
        unit.conn.execute(
            insert(revisions).values(
                attempt_no=attempt, answered_at=later, fingerprint=b"x", received_at=later, box=box
            )
        )
    unit.conn.execute(update(attempts).where(attempts.c.no == attempt).values(auth_req_id=_id(f"auth-{asked.name}")))


def _answers(asked: Asked, verdict: str) -> dict[str, Any]:
    told = {"item_id": _id(asked.item), "verdict": verdict, "challenge_response": asked.response}
    return {"answers": [{**told, "corrections": _corrections(asked)}]}
