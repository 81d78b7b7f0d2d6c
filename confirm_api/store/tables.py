"""The main database: one schema for SQLite and PostgreSQL.

Rules
- A citizen is a random `handle`; whose it is stands in the key store alone (`confirm_api.store.vault`). No column holds
  a name, an id number, a serial, or a plain hash of one: what is personal lies in a `box`, encrypted under the
  citizen's own key and bound to its row.
- A `fingerprint` tells *same content* and is an HMAC under the citizen's key, so it cannot be asked for a number.
- `leaves` and `feed` are numbered in two steps: a row is written in the transaction of its effect, its `position` is
  given afterwards by the one sequencer (`confirm_api.audit.log`), so that readers never see a gap that fills later.
- Times are integer seconds since 1970 UTC.

>>> sorted(table for table in metadata.tables if table.startswith("question"))
['questions']
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(64)
"""An id made by a party, or by us."""

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A growing number; SQLite grows only `INTEGER PRIMARY KEY`."""

_UNNUMBERED = text("position IS NULL")


def _number() -> Column[int]:
    return Column("no", NUMBER, primary_key=True, autoincrement=True)


# ---- questions -----------------------------------------------------------------------------------------------------

people = Table(
    "people",
    metadata,
    Column("handle", ID, primary_key=True),
    Column("status", String(16), nullable=False),  # alive, deceased, emigrated, minor: from the last accepted run
)

questions = Table(
    "questions",
    metadata,
    _number(),  # the order of acceptance
    Column("question_id", ID, nullable=False, unique=True),
    Column("handle", ID, nullable=False, index=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("priority", Float, nullable=False),
    Column("accepted_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),  # created, sent, answered, ended
    Column("frozen", Boolean, nullable=False, default=False),
    Column("binding_message", String(9), nullable=False),
    Column("attempt", Integer, nullable=False, default=0),  # the last attempt begun
    Column("asked_at", BigInteger),  # when its first landask was intended: it counts as an ask from then
    Column("ended_at", BigInteger),
    Index("ix_questions_open", "state", "expires_at"),
)

items = Table(
    "items",
    metadata,
    Column("question_no", NUMBER, ForeignKey("questions.no"), primary_key=True),
    Column("item_id", ID, primary_key=True),
    Column("place", Integer, nullable=False),  # its place in the question
    Column("rank", Integer, nullable=False),
    # held, free, asked; settled, declined, expired, withdrawn, undeliverable, disputed, office
    Column("state", String(16), nullable=False),
    Column("commune", Text),  # the parcel's commune, for the officers' limits
    Column("verdict", String(16)),
    Column("proven", Boolean, nullable=False, default=False),
    Column("evidence_level", String(16), nullable=False, default="none"),
    Column("said", String(16)),  # the citizen's own verdict, which the officers' `verdict` may overrule
    Column("met", Boolean, nullable=False, default=False),  # said `mine` with the challenge met
    Column("answered_at", BigInteger),
    Column("wrong", Integer, nullable=False, default=0),  # wrong responses so far
    Column("box", LargeBinary, nullable=False),  # the parcel as posted
    Index("ix_items_item_id", "item_id"),
)

attempts = Table(
    "attempts",
    metadata,
    _number(),
    Column("question_no", NUMBER, ForeignKey("questions.no"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("peer", String(64), nullable=False),  # the iss of the identity provider asked
    # sending, open, closing (to be taken back), dead (its ask is a dead letter), closed
    Column("state", String(16), nullable=False),
    Column("item_ids", Text, nullable=False),  # JSON list, in the order asked
    Column("requested_expiry", BigInteger, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("auth_req_id", String(256)),
    Column("idp_expires_at", BigInteger),
    Column("interval", Integer),
    Column("poll_at", BigInteger),  # when to fetch next; null: not polled
    Column("claimed_until", BigInteger, nullable=False, default=0),  # a worker fetches until then
    Column("pinged", Boolean, nullable=False, default=False),
    Index("uq_attempts_question_attempt", "question_no", "attempt", unique=True),
    Index("ix_attempts_auth_req_id", "auth_req_id"),
    Index("ix_attempts_poll", "poll_at"),
)

asks = Table(
    "asks",  # every landask sealed: its jti may be named by a reply, its token may be used by a ping
    metadata,
    Column("jti", ID, primary_key=True),
    Column("attempt_no", NUMBER, ForeignKey("attempts.no"), nullable=False, index=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("sent_at", BigInteger, nullable=False),
)

replies = Table(
    "replies",  # every reply acknowledged, once
    metadata,
    Column("attempt_no", NUMBER, ForeignKey("attempts.no"), primary_key=True),
    Column("received_at", BigInteger, nullable=False),
    Column("answered_at", BigInteger, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("box", LargeBinary, nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("attempt_no", NUMBER, ForeignKey("attempts.no"), primary_key=True),
    Column("answered_at", BigInteger, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("box", LargeBinary, nullable=False),
)

feed = Table(
    "feed",  # what landcollect gives: one entry for each change of an item's outcome
    metadata,
    _number(),
    Column("position", NUMBER, unique=True),  # given by the sequencer; null until then
    Column("question_no", NUMBER, ForeignKey("questions.no"), nullable=False),
    Column("item_id", ID, nullable=False),
    Column("state", String(16), nullable=False),
    Column("verdict", String(16)),
    Column("proven", Boolean, nullable=False),
    Column("evidence_level", String(16), nullable=False),
    Column("answered_at", BigInteger),
    Index("ix_feed_unnumbered", "no", postgresql_where=_UNNUMBERED, sqlite_where=_UNNUMBERED),
)

# ---- messages ------------------------------------------------------------------------------------------------------

seen_jtis = Table(
    "seen_jtis",
    metadata,
    Column("iss", String(256), primary_key=True),
    Column("jti", ID, primary_key=True),
    Column("seen_at", BigInteger, nullable=False, index=True),
)

deliveries = Table(
    "deliveries",  # the outbox: landask and landcancel; fetches are polled from `attempts`
    metadata,
    _number(),
    Column("typ", String(32), nullable=False),
    Column("attempt_no", NUMBER, ForeignKey("attempts.no"), nullable=False, index=True),
    Column("reason", String(64)),  # of a landcancel
    # waiting, held (a landcancel whose auth_req_id is not known yet), delivered, dead, dropped
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("due_at", BigInteger, nullable=False),
    Column("claimed_until", BigInteger, nullable=False, default=0),
    Column("outcome", String(64)),  # the last stable code
    Column("created_at", BigInteger, nullable=False),
    Index("ix_deliveries_due", "state", "due_at"),
)

# ---- declarations, residence, officers' matters --------------------------------------------------------------------

declarations = Table(
    "declarations",
    metadata,
    Column("declaration_id", ID, primary_key=True),
    Column("peer", String(256), nullable=False),
    Column("handle", ID, nullable=False, index=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", String(32), nullable=False),  # matched, queued_for_review, settled
    Column("received_at", BigInteger, nullable=False),
    Column("box", LargeBinary, nullable=False),
)

residence_cases = Table(
    "residence_cases",  # which citizen a case of the police is about: the same case with another one is refused
    metadata,
    Column("peer", String(256), primary_key=True),
    Column("case_no", String(64), primary_key=True),
    Column("handle", ID, nullable=False, index=True),
    Column("asked_at", BigInteger, nullable=False),
)

runs = Table(
    "runs",  # runs whose accepted links the office has taken over
    metadata,
    _number(),
    Column("run_hash", String(64), nullable=False, unique=True),
    Column("accepted_at", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
)

accepted_parcels = Table(
    "accepted_parcels",  # for residence proofs: a living citizen's parcels by an accepted link
    metadata,
    _number(),
    Column("run_no", NUMBER, ForeignKey("runs.no"), nullable=False),
    Column("handle", ID, nullable=False, index=True),
    Column("residential", Boolean, nullable=False),
    Column("box", LargeBinary, nullable=False),  # parcel_code, address, certificate_serial, role
)

cases = Table(
    "cases",  # whatever waits for an officer
    metadata,
    _number(),
    # unproven, failed_challenge, unsure, dispute, suspected_fraud, correction, revision, declaration, review
    Column("kind", String(24), nullable=False),
    Column("state", String(16), nullable=False),  # open, first_vote, decided
    Column("handle", ID, index=True),
    Column("question_no", NUMBER, ForeignKey("questions.no")),
    Column("item_id", ID),
    Column("declaration_id", ID),
    Column("commune", Text),
    Column("opened_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    Column("outcome", String(24)),
    Column("box", LargeBinary),  # what the officer needs beyond the item: corrections, a declaration, a review link
    Index("ix_cases_state_commune", "state", "commune"),
    Index("ix_cases_item", "question_no", "item_id"),
)

votes = Table(
    "votes",  # what officers decided; an ended dispute or freeze has two, by different officers
    metadata,
    _number(),
    Column("case_no", NUMBER, ForeignKey("cases.no"), nullable=False, index=True),
    Column("officer", String(64), nullable=False),
    Column("action", String(24), nullable=False),  # confirm, reject, nobody, reopen, unfreeze …
    Column("at", BigInteger, nullable=False),
    Column("round", Integer, nullable=False),  # grows with each reopening
    Column("box", LargeBinary),  # the reason in the officer's words; null where erased
)

officers = Table(
    "officers",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(24), nullable=False),  # reviewer, second_reviewer, auditor
    Column("commune", Text),  # null: all communes
    Column("password_hash", Text),  # argon2id; null: OpenID Connect only
    Column("oidc_subject", String(256), unique=True),
    Column("active", Boolean, nullable=False, default=True),
    Column("failed", Integer, nullable=False, default=0),
    Column("locked_until", BigInteger, nullable=False, default=0),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("officer", String(64), ForeignKey("officers.name"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

# ---- the audit log -------------------------------------------------------------------------------------------------

leaves = Table(
    "leaves",
    metadata,
    _number(),
    Column("position", NUMBER, unique=True),  # index in the tree; null until numbered
    Column("leaf", Text, nullable=False),  # RFC 8785 JSON, byte for byte
    Column("sealed", String(64), index=True),
    Index("ix_leaves_unnumbered", "no", postgresql_where=_UNNUMBERED, sqlite_where=_UNNUMBERED),
)

records = Table(
    "records",  # what ties a leaf's `commit` to the text: erasing one of its citizens makes it dark
    metadata,
    Column("leaf_no", NUMBER, ForeignKey("leaves.no"), primary_key=True),
    Column("handles", Text, nullable=False),  # JSON list: all their keys are needed
    Column("box", LargeBinary, nullable=False),  # the 32 random bytes and the inner JWS
)

tree_nodes = Table(
    "tree_nodes",  # hashes of complete subtrees
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("place", NUMBER, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", NUMBER, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
)
