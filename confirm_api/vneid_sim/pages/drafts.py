"""What was chosen and not yet sent, and since when the request is open.

Rules
- Opening a request's form begins its draft; choosing fills it; sending, declining or changing ends it.
- A draft whose request was opened more than ten minutes ago has to be confirmed with the passcode (protocol §4).

>>> Draft(1_000, {}).is_stale(1_601, 600), Draft(1_000, {}).is_stale(1_600, 600)
(True, False)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from confirm_api.vneid_sim import tables

Purpose = Literal["answer", "change"]


@dataclass(frozen=True)
class Draft:
    """One form between its opening and its sending."""

    opened_at: int
    fields: dict[str, str]

    def is_stale(self, now: int, longest_seconds: int) -> bool:
        """Whether the request was opened too long ago to be sent without asking once more."""
        return now - self.opened_at > longest_seconds


def begin(conn: Connection, auth_req_id: str, purpose: Purpose, now: int) -> None:
    """The form is opened; what was chosen before is kept."""
    row = {"auth_req_id": auth_req_id, "purpose": purpose, "opened_at": now, "form": "{}"}
    statement = upsert(tables.drafts).values(row)
    conn.execute(statement.on_conflict_do_update(index_elements=["auth_req_id", "purpose"], set_={"opened_at": now}))


def fill(conn: Connection, auth_req_id: str, purpose: Purpose, fields: Mapping[str, str], now: int) -> None:
    """Something was chosen."""
    form = json.dumps(fields, ensure_ascii=False)
    row = {"auth_req_id": auth_req_id, "purpose": purpose, "opened_at": now, "form": form}
    statement = upsert(tables.drafts).values(row)
    conn.execute(statement.on_conflict_do_update(index_elements=["auth_req_id", "purpose"], set_={"form": form}))


def reopen(conn: Connection, auth_req_id: str, purpose: Purpose, now: int) -> None:
    """It was confirmed that the same citizen is still there."""
    of_draft = (tables.drafts.c.auth_req_id == auth_req_id) & (tables.drafts.c.purpose == purpose)
    conn.execute(update(tables.drafts).where(of_draft).values(opened_at=now))


def draft_of(conn: Connection, auth_req_id: str, purpose: Purpose) -> Draft | None:
    """The draft, where there is one."""
    of_draft = (tables.drafts.c.auth_req_id == auth_req_id) & (tables.drafts.c.purpose == purpose)
    row = conn.execute(select(tables.drafts).where(of_draft)).first()
    return None if row is None else Draft(row.opened_at, json.loads(row.form))
