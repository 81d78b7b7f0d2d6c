"""The audit log in the main database: append in a transaction, number afterwards, prove from what is signed.

Rules
- `append` writes a leaf in the transaction of its effect, without a place in the tree: writers never wait for each
  other, and a leaf exists if and only if its effect does.
- `commit` is the HMAC of the inner JWS under 32 random bytes. Both lie in `records`, under a key made of the keys of
  all citizens the message names: erasing any of them makes the record dark, while the leaf stays.
- A leaf holds no personal data: kids, hashes, stable codes. Whoever passes a `reason` passes a code.

>>> entry = Entry("landquestions", "refused", reason="8")
>>> leaf_text(entry, commit=None, now=1_764_000_000)[:60]
'{"commit":null,"event":"landquestions","from_kid":null,"outc'
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from confirm_api.store.tables import leaves, records
from exchange.canonical import canonical

if TYPE_CHECKING:
    from confirm_api.store.vault import Vault

LEAF_VERSION = 1
NONCE_BYTES = 32


@dataclass(frozen=True)
class Entry:
    """What one leaf tells; the names are the protocol's (§6), `question_id` becomes `subject`."""

    event: str
    outcome: str
    question_id: str | None = None
    sealed: str | None = None
    from_kid: str | None = None
    to_kid: str | None = None
    reason: str | None = None


def append(conn: Connection, vault: Vault, entry: Entry, *, inner: str | None, handles: Sequence[str], now: int) -> int:
    """Append one leaf and, where there is an inner JWS, the record that opens its `commit`; give the row's number."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    commit = None if inner is None else commitment(nonce, inner)
    text = leaf_text(entry, commit=commit, now=now)
    number: int = conn.execute(
        leaves.insert().values(leaf=text, sealed=entry.sealed).returning(leaves.c.no)
    ).scalar_one()
    if inner is not None:
        box = vault.seal_together(handles, record_context(number), nonce + inner.encode())
        conn.execute(records.insert().values(leaf_no=number, handles=json.dumps(list(handles)), box=box))
    return number


def record_context(number: int) -> str:
    """What binds a record's box to its leaf."""
    return f"records/{number}"


def commitment(nonce: bytes, inner: str) -> str:
    """The `commit` of a leaf: whoever is shown both can tie the text to the leaf; nobody can guess the text from it."""
    return hmac.digest(nonce, inner.encode(), "sha256").hex()


def leaf_text(entry: Entry, *, commit: str | None, now: int) -> str:
    """The leaf, byte for byte (RFC 8785)."""
    leaf = {
        "v": LEAF_VERSION,
        "time": now,
        "event": entry.event,
        "subject": None if entry.question_id is None else subject(entry.question_id),
        "sealed": entry.sealed,
        "commit": commit,
        "from_kid": entry.from_kid,
        "to_kid": entry.to_kid,
        "outcome": entry.outcome,
        "reason": entry.reason,
    }
    return canonical(leaf).decode()


def subject(question_id: str) -> str:
    """How a leaf names a question.

    >>> subject("AAAAAAAAAAAAAAAAAAAAAA")[:8]
    '8a5bdb4c'
    """
    return hashlib.sha256(question_id.encode()).hexdigest()
