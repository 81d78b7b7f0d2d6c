"""From rows to what a page shows; pure, but for reading.

Rules
- Every look-up names the citizen: a row of somebody else is not there.
- What the service did with an answer is told as far as the protocol tells it here: fetched, asked again, closed.

>>> days_left(1_000_000, 1_000_000 - 3 * 86_400 - 5)
3
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from confirm_api.vneid_sim import tables
from confirm_api.vneid_sim.provider import ANSWERED, OPEN

_DAY = 86_400


@dataclass(frozen=True)
class Item:
    """One parcel on a page."""

    number: int
    facts: list[tuple[str, str]]
    challenged: bool
    before: str | None = None
    """The verdict that stands, where it may be changed."""


@dataclass(frozen=True)
class Change:
    """One change of an answer."""

    answered_at: int
    state: str
    answers: list[Mapping[str, Any]]


@dataclass(frozen=True)
class Request:
    """One request with all that its pages show."""

    auth_req_id: str
    attempt: int
    binding_message: str
    created_at: int
    expires_at: int
    ended_at: int | None
    fetched_at: int | None
    state: str
    end_reason: str | None
    asked: list[dict[str, Any]]
    items: list[Item]
    answers: list[dict[str, Any]]
    """What was answered at first; empty where nothing was."""
    answered_at: int | None
    changes: list[Change]
    later: str | None
    """A later attempt of the same question that waits for an answer."""
    wrong_before: bool
    """Whether a number given in the attempt before is asked for again."""

    @property
    def count(self) -> int:
        """How many parcels."""
        return len(self.items)

    @property
    def present(self) -> list[dict[str, Any]]:
        """The answers as they stand after all changes."""
        by_item = {answer["item_id"]: answer for answer in self.answers}
        for change in self.changes:
            by_item |= {answer["item_id"]: dict(answer) for answer in change.answers}
        return [by_item[item["item_id"]] for item in self.asked if item["item_id"] in by_item]


def days_left(expires_at: int, now: int) -> int:
    """Whole days until the end."""
    return max(0, expires_at - now) // _DAY


def reminders(row: Row[Any], now: int) -> int:
    """How many of the request's reminders are due."""
    return sum(now >= row.created_at + days * _DAY for days in json.loads(row.ask)["remind_after_days"])


def state_of(row: Any, now: int) -> str:
    """The state as a citizen sees it: an open request past its end is expired."""
    return "expired" if row.state == OPEN and now >= row.expires_at else str(row.state)


def open_list(conn: Connection, citizen_id: str, now: int) -> list[dict[str, Any]]:
    """What waits for an answer, the nearest end first."""
    mine = (tables.requests.c.citizen_id == citizen_id) & (tables.requests.c.state == OPEN)
    waiting = mine & (tables.requests.c.expires_at > now)
    rows = conn.execute(select(tables.requests).where(waiting).order_by(tables.requests.c.expires_at)).all()
    return [_listed(row, now) for row in rows]


def past_list(conn: Connection, citizen_id: str, now: int) -> list[dict[str, Any]]:
    """What is over, the latest first."""
    of_citizen = tables.requests.c.citizen_id == citizen_id
    rows = conn.execute(select(tables.requests).where(of_citizen).order_by(tables.requests.c.no.desc())).all()
    return [_listed(row, now) for row in rows if state_of(row, now) != OPEN]


def _listed(row: Row[Any], now: int) -> dict[str, Any]:
    items = json.loads(row.ask)["items"]
    places = dict.fromkeys(fact["value"] for item in items for fact in item["facts"] if fact["label"] == "commune")
    return {
        "auth_req_id": row.auth_req_id,
        "state": state_of(row, now),
        "end_reason": row.end_reason,
        "count": len(items),
        "places": list(places),
        "expires_at": row.expires_at,
        "at": row.ended_at or row.expires_at,
        "days": days_left(row.expires_at, now),
        "reminders": reminders(row, now),
        "attempt": row.attempt,
    }


def request_of(conn: Connection, citizen_id: str, auth_req_id: str, now: int) -> Request | None:
    """A request of this citizen."""
    found = (tables.requests.c.auth_req_id == auth_req_id) & (tables.requests.c.citizen_id == citizen_id)
    row = conn.execute(select(tables.requests).where(found)).first()
    return None if row is None else _request(conn, row, now)


def _request(conn: Connection, row: Row[Any], now: int) -> Request:
    asked = json.loads(row.ask)["items"]
    reply = conn.execute(select(tables.replies).where(tables.replies.c.auth_req_id == row.auth_req_id)).first()
    request = Request(
        auth_req_id=row.auth_req_id,
        attempt=row.attempt,
        binding_message=row.binding_message,
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        fetched_at=row.fetched_at,
        state=state_of(row, now),
        end_reason=row.end_reason,
        asked=asked,
        items=[],
        answers=json.loads(reply.answers) if reply else [],
        answered_at=reply.answered_at if reply else None,
        changes=_changes(conn, row.auth_req_id),
        later=_later(conn, row, now),
        wrong_before=_wrong_before(conn, row, asked),
    )
    before = {answer["item_id"]: answer["verdict"] for answer in request.present}
    request.items.extend(_item(number, item, before.get(item["item_id"])) for number, item in enumerate(asked, 1))
    return request


def _item(number: int, item: Mapping[str, Any], before: str | None) -> Item:
    facts = [(fact["label"], fact["value"]) for fact in item["facts"]]
    return Item(number, facts, item["challenge"]["kind"] != "none", before)


def _changes(conn: Connection, auth_req_id: str) -> list[Change]:
    found = select(tables.revisions).where(tables.revisions.c.auth_req_id == auth_req_id)
    rows = conn.execute(found.order_by(tables.revisions.c.answered_at)).all()
    return [Change(row.answered_at, row.state, json.loads(row.answers)) for row in rows]


def _later(conn: Connection, row: Row[Any], now: int) -> str | None:
    requests = tables.requests.c
    later = (requests.question_id == row.question_id) & (requests.attempt > row.attempt) & (requests.state == OPEN)
    return conn.execute(select(requests.auth_req_id).where(later, requests.expires_at > now)).scalar()


def _wrong_before(conn: Connection, row: Row[Any], asked: list[dict[str, Any]]) -> bool:
    """An item answered `mine` with a number is asked for again where that number was wrong."""
    requests = tables.requests.c
    earlier = (
        (requests.question_id == row.question_id) & (requests.attempt < row.attempt) & (requests.state == ANSWERED)
    )
    found = select(tables.replies.c.answers).join(tables.requests, requests.auth_req_id == tables.replies.c.auth_req_id)
    answered = requests.state == ANSWERED
    latest = conn.execute(found.where(earlier & answered).order_by(requests.attempt.desc()).limit(1)).scalar()
    again = {item["item_id"] for item in asked}
    return latest is not None and any(
        answer["item_id"] in again and answer["challenge_response"] is not None for answer in json.loads(latest)
    )


def declarations_of(conn: Connection, citizen_id: str) -> list[dict[str, Any]]:
    """What this citizen declared, the latest first."""
    found = select(tables.declarations).where(tables.declarations.c.citizen_id == citizen_id)
    rows = conn.execute(found.order_by(tables.declarations.c.declared_at.desc())).all()
    return [_declaration(row) for row in rows]


def declaration_of(conn: Connection, citizen_id: str, declaration_id: str) -> dict[str, Any] | None:
    """One declaration of this citizen."""
    declarations = tables.declarations.c
    found = (declarations.declaration_id == declaration_id) & (declarations.citizen_id == citizen_id)
    row = conn.execute(select(tables.declarations).where(found)).first()
    return None if row is None else _declaration(row)


def _declaration(row: Row[Any]) -> dict[str, Any]:
    return {**json.loads(row.content), "declared_at": row.declared_at, "state": row.state}
