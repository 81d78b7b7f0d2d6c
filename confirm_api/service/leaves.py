"""Many leaves of the audit log in few statements, in the transaction of their effects.

Example: `write(unit, [Entry("state", "accepted", question_id, reason="created")])`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert

from confirm_api.audit.log import NONCE_BYTES, Entry, commitment, leaf_text, record_context
from confirm_api.service.rows import insert_numbered
from confirm_api.store.tables import leaves, records
from confirm_api.store.vault import Erased
from confirm_api.unit import Unit

_NEW_LEAVES = insert(leaves)
_NEW_RECORDS = insert(records)


@dataclass(frozen=True)
class Message:
    """A leaf of a sealed message, with the JWS that its `commit` ties to it."""

    entry: Entry
    inner: str
    handles: Sequence[str]


def write(unit: Unit, entries: Iterable[Entry]) -> None:
    """Leaves without a message to tie."""
    rows = [{"leaf": leaf_text(entry, commit=None, now=unit.now), "sealed": entry.sealed} for entry in entries]
    if rows:
        unit.conn.execute(_NEW_LEAVES, rows)


def write_messages(unit: Unit, messages: Sequence[Message]) -> None:
    """Leaves of sealed messages, each with the record that opens its `commit`."""
    if not messages:
        return
    nonces = [secrets.token_bytes(NONCE_BYTES) for _ in messages]
    rows = [_row(unit, message, nonce) for message, nonce in zip(messages, nonces, strict=True)]
    numbers = insert_numbered(unit.conn, leaves, rows)
    kept = [
        record
        for number, message, nonce in zip(numbers, messages, nonces, strict=True)
        if (record := _record(unit, number, message, nonce)) is not None
    ]
    if kept:
        unit.conn.execute(_NEW_RECORDS, kept)


def _row(unit: Unit, message: Message, nonce: bytes) -> dict[str, Any]:
    commit = commitment(nonce, message.inner)
    return {"leaf": leaf_text(message.entry, commit=commit, now=unit.now), "sealed": message.entry.sealed}


def _record(unit: Unit, number: int, message: Message, nonce: bytes) -> dict[str, Any] | None:
    """What opens the `commit`; None where a citizen was erased meanwhile, so that it is dark from the start."""
    try:
        box = unit.vault.seal_together(message.handles, record_context(number), nonce + message.inner.encode())
    except Erased:
        return None
    return {"leaf_no": number, "handles": json.dumps(list(message.handles)), "box": box}
