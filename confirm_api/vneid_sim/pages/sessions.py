"""Who is signed in: accounts, passcode, session, the form's secret.

Rules
- A session is a random cookie of which the database keeps a hash; it ends after 15 minutes without a page, after 8
  hours in any case, and when signing out.
- Every form bears the session's own secret; without it nothing is done (SameSite=Strict stands before that).
- Five wrong passcodes in a row lock an account for 15 minutes. Whether a number has an account is never told.
- This is a simulator: all accounts share one passcode, and the sign-in page says so.

>>> hashed("a") == hashed("a"), len(hashed("a"))
(True, 64)
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from confirm_api.vneid_sim import tables
from confirm_api.vneid_sim.provider import level_of
from confirm_api.vneid_sim.settings import AppSettings

_WRONG_IN_A_ROW = 5
_LOCKED_SECONDS = 900
_LONGEST_SECONDS = 8 * 3_600
_TOUCH_SECONDS = 60
_LEVEL_2 = 2


@dataclass(frozen=True)
class Session:
    """One signed-in citizen."""

    token_hash: str
    citizen_id: str
    csrf: str
    started_at: int
    ends_at: int


@dataclass(frozen=True)
class SignedIn:
    """A new session's cookie."""

    token: str


@dataclass(frozen=True)
class NotSignedIn:
    """Why not: `wrong`, or `locked` for so many minutes."""

    code: str
    minutes: int = 0


def hashed(token: str) -> str:
    """What the database keeps of a cookie."""
    return hashlib.sha256(token.encode()).hexdigest()


def sign_in(
    conn: Connection, citizen_id: str, passcode: str, app: AppSettings, default_level: int, now: int
) -> SignedIn | NotSignedIn:
    """Begin a session, or count a wrong passcode."""
    locked = _lock(conn, citizen_id)
    if locked > now:
        return NotSignedIn("locked", -(-(locked - now) // 60))
    level = level_of(conn, citizen_id, default_level)
    if not is_passcode(passcode, app) or level < _LEVEL_2:
        _count_wrong(conn, citizen_id, level, now)
        return NotSignedIn("wrong")
    token = secrets.token_urlsafe(32)
    conn.execute(update(tables.accounts).where(tables.accounts.c.citizen_id == citizen_id).values(wrong_passcodes=0))
    conn.execute(
        insert(tables.sessions).values(
            token_hash=hashed(token),
            citizen_id=citizen_id,
            csrf=secrets.token_urlsafe(32),
            started_at=now,
            ends_at=now + app.session_minutes * 60,
        )
    )
    return SignedIn(token)


def is_still_there(
    conn: Connection, citizen_id: str, passcode: str, app: AppSettings, default_level: int, now: int
) -> bool:
    """The passcode once more, within a session; a wrong one counts, and a locked account stays locked."""
    if _lock(conn, citizen_id) > now:
        return False
    if is_passcode(passcode, app):
        return True
    _count_wrong(conn, citizen_id, default_level, now)
    return False


def is_passcode(passcode: str, app: AppSettings) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(passcode.encode(), app.passcode.encode())


def _lock(conn: Connection, citizen_id: str) -> int:
    found = tables.accounts.c.citizen_id == citizen_id
    return conn.execute(select(tables.accounts.c.locked_until).where(found)).scalar() or 0


def _count_wrong(conn: Connection, citizen_id: str, level: int, now: int) -> None:
    """Counted for numbers without an account too, so that the lock tells nothing either."""
    accounts = tables.accounts.c
    row = {"citizen_id": citizen_id, "level": level, "wrong_passcodes": 1}
    count = upsert(tables.accounts).values(row)
    conn.execute(
        count.on_conflict_do_update(
            index_elements=["citizen_id"], set_={"wrong_passcodes": accounts.wrong_passcodes + 1}
        )
    )
    too_many = (accounts.citizen_id == citizen_id) & (accounts.wrong_passcodes >= _WRONG_IN_A_ROW)
    locked = {"wrong_passcodes": 0, "locked_until": now + _LOCKED_SECONDS}
    conn.execute(update(tables.accounts).where(too_many).values(locked))


def session_of(conn: Connection, token: str, now: int) -> Session | None:
    """The session of a cookie, where it has not ended."""
    if not token:
        return None
    row: Any = conn.execute(select(tables.sessions).where(tables.sessions.c.token_hash == hashed(token))).first()
    if row is None or row.ends_at <= now:
        return None
    return Session(row.token_hash, row.citizen_id, row.csrf, row.started_at, row.ends_at)


def needs_touch(session: Session, app: AppSettings, now: int) -> bool:
    """Whether the session's end has to be moved; not more than once a minute."""
    return session.ends_at - now < app.session_minutes * 60 - _TOUCH_SECONDS


def touch(conn: Connection, session: Session, app: AppSettings, now: int) -> None:
    """Somebody is still there."""
    ends_at = min(now + app.session_minutes * 60, session.started_at + _LONGEST_SECONDS)
    of_session = tables.sessions.c.token_hash == session.token_hash
    conn.execute(update(tables.sessions).where(of_session).values(ends_at=ends_at))


def sign_out(conn: Connection, session: Session) -> None:
    """End the session."""
    conn.execute(delete(tables.sessions).where(tables.sessions.c.token_hash == session.token_hash))


def is_genuine(secret: str, given: object) -> bool:
    """Whether a form bears the session's secret."""
    return isinstance(given, str) and hmac.compare_digest(secret.encode(), given.encode())
