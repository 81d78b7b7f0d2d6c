"""Sessions of the officers' pages.

Rules
- The browser holds a random token; the database only its SHA-256.
- A session ends after `idle_seconds` without a page, after `longest_seconds` in any case, at logout, and as soon as its
  account is disabled or gets another password. The officer's role and commune are read anew with every page.
- Every form carries the session's own random token against cross-site requests, compared in constant time.
- The last use is written at most once a minute.

>>> stands(begun_at=0, seen_at=100, now=1_000, limits=Limits(idle_seconds=900)), stands(0, 100, 1_001, Limits(900))
(True, False)
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, or_, select, update

from confirm_api.office.officers import actor_of
from confirm_api.office.rules import Actor
from confirm_api.store.tables import sessions
from confirm_api.unit import Unit

TOKEN_BYTES = 32
SEEN_EVERY_SECONDS = 60


@dataclass(frozen=True)
class Limits:
    """How long a session lasts: a quarter of an hour unused, a working day in any case."""

    idle_seconds: int = 15 * 60
    longest_seconds: int = 9 * 3_600


@dataclass(frozen=True)
class Session:
    """An officer's open session."""

    actor: Actor
    csrf: str


def begin(unit: Unit, actor: Actor, limits: Limits) -> str:
    """A new session for the officer; the token for the cookie. Sessions that ended are swept out."""
    _sweep(unit, limits)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    values = {"token_hash": _hash(token), "officer": actor.name, "csrf": secrets.token_urlsafe(TOKEN_BYTES)}
    unit.conn.execute(insert(sessions).values(**values, begun_at=unit.now, seen_at=unit.now))
    return token


def resume(unit: Unit, token: str, limits: Limits) -> Session | None:
    """The session of a token while it stands and its officer is active."""
    row = unit.conn.execute(select(sessions).where(sessions.c.token_hash == _hash(token))).first()
    if row is None:
        return None
    actor = actor_of(unit, row.officer)
    if actor is None or not stands(row.begun_at, row.seen_at, unit.now, limits):
        end(unit, token)
        return None
    if unit.now - row.seen_at >= SEEN_EVERY_SECONDS:
        unit.conn.execute(update(sessions).where(sessions.c.token_hash == row.token_hash).values(seen_at=unit.now))
    return Session(actor, row.csrf)


def end(unit: Unit, token: str) -> None:
    """End the session of this token, if there is one."""
    unit.conn.execute(delete(sessions).where(sessions.c.token_hash == _hash(token)))


def stands(begun_at: int, seen_at: int, now: int, limits: Limits) -> bool:
    """Is a session within both limits?"""
    return now - seen_at <= limits.idle_seconds and now - begun_at <= limits.longest_seconds


def is_own(session: Session, csrf: str) -> bool:
    """Does the form come from this session?"""
    return hmac.compare_digest(session.csrf.encode(), csrf.encode())


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _sweep(unit: Unit, limits: Limits) -> None:
    old = or_(
        sessions.c.seen_at < unit.now - limits.idle_seconds,
        sessions.c.begun_at < unit.now - limits.longest_seconds,
    )
    unit.conn.execute(delete(sessions).where(old))
