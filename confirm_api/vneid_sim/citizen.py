"""What a citizen does, each in one transaction: answer, decline, change an answer, declare a certificate.

Rules
- A request has one reply for ever: whoever comes second is told that it is not open.
- A citizen reaches only requests of their own; another's looks like one that never was.
- What is to be sent is written with what was said (outbox), before the citizen is told that it is done.
- A change of an answer has a later second than what it changes, since its id is `revises` with `answered_at`. It is
  sent once the service has fetched what it changes: before that it knows of no answer.

Example: `store.run(lambda conn: answer(conn, auth_req_id, said, desk=desk, now=now, citizen_id="001085000123"))`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from confirm_api.vneid_sim import tables
from confirm_api.vneid_sim.answers import checked, plain_text
from confirm_api.vneid_sim.errors import NotOpenError
from confirm_api.vneid_sim.provider import ANSWERED, DECLINED, OPEN, Desk, ping, request_of
from exchange.ids import new_id
from exchange.payloads import parse

QUEUED = "queued"
_NEVER_FETCHED = 7 * 86_400
"""After this the provider gives the reply no more, so that waiting longer helps nobody."""

_NEW_REPLY = insert(tables.replies)
_ENDED = (
    update(tables.requests)
    .where(tables.requests.c.no == bindparam("of"))
    .values(state=bindparam("as"), ended_at=bindparam("at"))
)
_NO_DRAFT = delete(tables.drafts).where(tables.drafts.c.auth_req_id == bindparam("of"))


@dataclass(frozen=True)
class File:
    """An attachment as the citizen gave it."""

    name: str
    media_type: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Its name in the protocol."""
        return hashlib.sha256(self.content).hexdigest()


def answer(conn: Connection, auth_req_id: str, said: Any, desk: Desk, now: int, citizen_id: str | None = None) -> None:
    """Answer every item of an open request."""
    request = open_request(conn, auth_req_id, now, citizen_id)
    answers = checked(json.loads(request.ask)["items"], said, whole=True)
    reply = {"auth_req_id": auth_req_id, "answers": _text(answers), "acr": desk.acr, "answered_at": now}
    conn.execute(_NEW_REPLY, reply)
    _end(conn, request, ANSWERED, now)


def decline(conn: Connection, auth_req_id: str, now: int, citizen_id: str | None = None) -> None:
    """Decline to answer at all."""
    _end(conn, open_request(conn, auth_req_id, now, citizen_id), DECLINED, now)


def _end(conn: Connection, request: Row[Any], state: str, now: int) -> None:
    conn.execute(_ENDED, {"of": request.no, "as": state, "at": now})
    conn.execute(_NO_DRAFT, {"of": request.auth_req_id})
    ping(conn, request.auth_req_id, now)


def open_request(conn: Connection, auth_req_id: str, now: int, citizen_id: str | None) -> Row[Any]:
    """The request, where it waits for an answer of this citizen (None: of anybody, for the driver)."""
    found = _request(conn, auth_req_id, citizen_id)
    if found is None or found.state != OPEN or now >= found.expires_at:
        raise NotOpenError
    return found


def answered_request(conn: Connection, auth_req_id: str, citizen_id: str | None) -> Row[Any]:
    """The request, where this citizen has answered it."""
    found = _request(conn, auth_req_id, citizen_id)
    if found is None or found.state != ANSWERED:
        raise NotOpenError
    return found


def _request(conn: Connection, auth_req_id: str, citizen_id: str | None) -> Row[Any] | None:
    found = request_of(conn, auth_req_id)
    return None if found is None or citizen_id not in {None, found.citizen_id} else found


def revise(conn: Connection, auth_req_id: str, said: Any, desk: Desk, now: int, citizen_id: str | None = None) -> int:
    """Change the answers to one or more items; the number of the change."""
    request = answered_request(conn, auth_req_id, citizen_id)
    answers = checked(json.loads(request.ask)["items"], said, whole=False)
    at = max(now, _last_said_at(conn, auth_req_id) + 1)
    number: int = conn.execute(
        insert(tables.revisions)
        .values(auth_req_id=auth_req_id, answers=_text(answers), acr=desk.acr, answered_at=at, state=QUEUED)
        .returning(tables.revisions.c.no)
    ).scalar_one()
    conn.execute(_NO_DRAFT, {"of": auth_req_id})
    _send(conn, "revise", str(number), at if request.fetched_at is not None else request.expires_at + _NEVER_FETCHED)
    return number


def _last_said_at(conn: Connection, auth_req_id: str) -> int:
    said, changed = (
        conn.execute(select(func.max(table.c.answered_at)).where(table.c.auth_req_id == auth_req_id)).scalar()
        for table in (tables.replies, tables.revisions)
    )
    return max(said or 0, changed or 0)


def declare(  # noqa: PLR0913 - the fields of a declaration
    conn: Connection,
    citizen_id: str,
    *,
    serial: str,
    address: str,
    behalf: Mapping[str, str] | None,
    files: Sequence[File],
    desk: Desk,
    now: int,
    declaration_id: str | None = None,
) -> str:
    """Declare a certificate; the id of the declaration. One given by a form that is sent twice declares once."""
    declaration_id = declaration_id or new_id(desk.entropy)
    known = select(tables.declarations.c.citizen_id).where(tables.declarations.c.declaration_id == declaration_id)
    if (whose := conn.execute(known).scalar()) is not None:
        if whose != citizen_id:
            raise NotOpenError
        return declaration_id
    content = {
        "declaration_id": declaration_id,
        "sub": citizen_id,
        "acr": desk.acr,
        "certificate_serial": plain_text(serial).upper() or None,
        "parcel_address": plain_text(address) or None,
        "on_behalf_of": behalf and {name: plain_text(value) for name, value in behalf.items()},
        "attachments": [
            {"name": plain_text(one.name), "media_type": one.media_type, "sha256": one.sha256, "size": len(one.content)}
            for one in files
        ],
    }
    parse("landdecl+jwt", content)
    _keep(conn, files)
    conn.execute(
        insert(tables.declarations).values(
            declaration_id=declaration_id, citizen_id=citizen_id, content=_text(content), declared_at=now, state=QUEUED
        )
    )
    _send(conn, "declare", declaration_id, now)
    return declaration_id


def _keep(conn: Connection, files: Sequence[File]) -> None:
    for one in files:
        conn.execute(
            upsert(tables.attachments)
            .values(sha256=one.sha256, media_type=one.media_type, size=len(one.content), content=one.content)
            .on_conflict_do_nothing()
        )


def _send(conn: Connection, kind: str, ref: str, due_at: float) -> None:
    conn.execute(insert(tables.outbox).values(kind=kind, ref=ref, due_at=due_at))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
