"""The simulator's database.

Rules
- One row of `requests` is one attempt of one question; its `no` grows in the order of commitment, so a reader that
  remembers the last `no` misses nothing.
- A row of `replies` is what a citizen said, once and for ever. `revisions` and `declarations` come after.
- `outbox` holds what is still to be sent; its row goes when the message has arrived, or is given up.
- Times are integer seconds since 1970 UTC, `due_at` excepted, which has fractions.
- This is a simulator: personal fields are not encrypted here. A provider's own rules hold for a provider.

>>> sorted(metadata.tables)[:4]
['accounts', 'attachments', 'cancels', 'declarations']
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text, UniqueConstraint, text

SCHEMA_VERSION = 1
"""Kept in `PRAGMA user_version`: a file of another version is refused, not guessed at."""

metadata = MetaData()

accounts = Table(
    "accounts",
    metadata,
    Column("citizen_id", String(12), primary_key=True),
    Column("level", Integer, nullable=False),  # 0: nobody of that number; 1: no level-2 account
    Column("wrong_passcodes", Integer, nullable=False, server_default="0"),
    Column("locked_until", Integer, nullable=False, server_default="0"),
)

requests = Table(
    "requests",
    metadata,
    Column("no", Integer, primary_key=True, autoincrement=True),
    Column("auth_req_id", String(64), nullable=False, unique=True),
    Column("question_id", String(64), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("citizen_id", String(12), nullable=False, index=True),
    Column("ask", Text, nullable=False),  # canonical JSON, so equal text is the same content
    Column("ask_jti", String(64), nullable=False),  # of the last ask taken
    Column("token", String(256)),  # the last token taken; forgotten after the last ping
    Column("binding_message", String(9), nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("state", String(10), nullable=False),  # open, answered, declined, cancelled, superseded
    Column("ended_at", Integer),
    Column("end_reason", String(10)),  # of a cancel: withdrawn, frozen, expired
    Column("fetched_at", Integer),  # when the service first took the reply
    UniqueConstraint("question_id", "attempt"),
    Index("ix_requests_open", "no", sqlite_where=text("state = 'open'")),
    sqlite_autoincrement=True,
)

replies = Table(
    "replies",
    metadata,
    Column("auth_req_id", String(64), primary_key=True),
    Column("answers", Text, nullable=False),
    Column("acr", String(40), nullable=False),
    Column("answered_at", Integer, nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("no", Integer, primary_key=True, autoincrement=True),
    Column("auth_req_id", String(64), nullable=False, index=True),
    Column("answers", Text, nullable=False),
    Column("acr", String(40), nullable=False),
    Column("answered_at", Integer, nullable=False),
    Column("state", String(10), nullable=False),  # queued, delivered, refused
    UniqueConstraint("auth_req_id", "answered_at"),
)

declarations = Table(
    "declarations",
    metadata,
    Column("declaration_id", String(64), primary_key=True),
    Column("citizen_id", String(12), nullable=False, index=True),
    Column("content", Text, nullable=False),  # the payload
    Column("declared_at", Integer, nullable=False),
    Column("state", String(20), nullable=False),  # queued, refused, or the receipt's status
)

attachments = Table(
    "attachments",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("media_type", String(20), nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("no", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(10), nullable=False),  # ping, revise, declare
    Column("ref", String(64), nullable=False),  # auth_req_id, number of the revision, declaration_id
    Column("due_at", Float, nullable=False, index=True),
    Column("tries", Integer, nullable=False, server_default="0"),
    UniqueConstraint("kind", "ref"),
    sqlite_autoincrement=True,  # a number is never used again: a delivery under way settles its own row only
)

cancels = Table(
    "cancels",
    metadata,
    Column("auth_req_id", String(64), primary_key=True),
    Column("content", Text, nullable=False),  # the first cancel's, canonical
)

seen_messages = Table(
    "seen_messages",
    metadata,
    Column("iss", String(500), primary_key=True),
    Column("jti", String(64), primary_key=True),
    Column("seen_at", Integer, nullable=False, index=True),
    sqlite_with_rowid=False,
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("citizen_id", String(12), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("started_at", Integer, nullable=False),
    Column("ends_at", Integer, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    Column("auth_req_id", String(64), primary_key=True),
    Column("purpose", String(8), primary_key=True),  # answer, change
    Column("opened_at", Integer, nullable=False),
    Column("form", Text, nullable=False),
)
