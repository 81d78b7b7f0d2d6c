"""The audit log in the main database: append in a transaction, number afterwards, prove from what is signed.

Rules
- `append` writes a leaf in the transaction of its effect, without a place in the tree: writers never wait for each
  other, and a leaf exists if and only if its effect does.
- `commit` is the HMAC of the inner JWS under 32 random bytes. Both lie in `records`, under a key made of the keys of
  all citizens the message names: erasing any of them makes the record dark, while the leaf stays.
- A leaf holds no personal data: kids, hashes, stable codes. Whoever passes a `reason` passes a code.
- `sequence` is the one sequencer: one at a time across all processes it gives committed rows of `leaves` and `feed`
  their positions in the order of their numbers, extends the tree and signs a checkpoint, all in one transaction. On
  PostgreSQL a smaller number may commit later than a larger one; it gets a later position, and no gap ever fills.
- The size of the tree is that of the newest checkpoint, so nothing that is not signed is ever proven or given.
- Subtrees of fewer than 8 leaves are hashed again from the leaves where they are needed: an eighth of the rows.

>>> entry = Entry("landquestions", "refused", reason="8")
>>> leaf_text(entry, commit=None, now=1_764_000_000)[:60]
'{"commit":null,"event":"landquestions","from_kid":null,"outc'
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, Table, func, literal, select, text, tuple_, update

from confirm_api.audit import checkpoint as notes
from confirm_api.audit import merkle
from confirm_api.store.tables import checkpoints, feed, leaves, records, tree_nodes
from confirm_api.store.vault import Erased, Vault

LEAF_VERSION = 1
NONCE_BYTES = 32
BATCH = 5_000
"""Rows that one transaction of the sequencer numbers at most."""
MOST_LEAVES = 1_000
"""Leaves that one reader gets at once (protocol §6)."""
STORED_FROM_LEVEL = 3
_SEQUENCER_LOCK = 0x71_75_79_63_68_75_02
"""Key of the advisory lock on PostgreSQL ('quychu', 2); on SQLite the transaction itself is the lock."""
_NEW_LEAF = leaves.insert()
_NEW_RECORD = records.insert()
"""Made once: building a statement costs more than running it."""
_Result = TypeVar("_Result")


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
    leaf = leaf_text(entry, commit=commit, now=now)
    key = conn.execute(_NEW_LEAF, {"leaf": leaf, "sealed": entry.sealed}).inserted_primary_key
    assert key is not None
    number: int = key[0]
    if inner is not None:
        _keep_record(conn, vault, number, handles, nonce + inner.encode())
    return number


def _keep_record(conn: Connection, vault: Vault, number: int, handles: Sequence[str], opening: bytes) -> None:
    """Keep what opens the `commit`; where a citizen was erased it is dark at once, and there is nothing to keep."""
    try:
        box = vault.seal_together(handles, record_context(number), opening)
    except Erased:
        return
    conn.execute(_NEW_RECORD, {"leaf_no": number, "handles": json.dumps(list(handles)), "box": box})


def record_context(number: int) -> str:
    """What binds a record's box to its leaf."""
    return f"records/{number}"


def commitment(nonce: bytes, inner: str) -> str:
    """The `commit` of a leaf: whoever is shown both can tie the text to the leaf; nobody can guess the text from it."""
    return hmac.digest(nonce, inner.encode(), "sha256").hex()


def leaf_text(entry: Entry, *, commit: str | None, now: int) -> str:
    """The leaf, byte for byte: of texts, integers and nulls plain JSON with sorted names is the form of RFC 8785."""
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
    return json.dumps(leaf, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def subject(question_id: str) -> str:
    """How a leaf names a question.

    >>> subject("AAAAAAAAAAAAAAAAAAAAAA")[:8]
    '8a5bdb4c'
    """
    return hashlib.sha256(question_id.encode()).hexdigest()


# ── the sequencer ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Numbered:
    """What one run of the sequencer did."""

    leaves: int
    entries: int
    size: int

    @property
    def more(self) -> bool:
        """Whether there may be rows left."""
        return BATCH in {self.leaves, self.entries}


def sequence(conn: Connection, now: int, key: notes.LogKey) -> Numbered:
    """Number what is committed and not yet numbered, and sign the tree where it grew; at most `BATCH` rows of each."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SEQUENCER_LOCK})
    entries = conn.execute(select(func.coalesce(func.max(feed.c.position), 0))).scalar_one()
    given = _number(conn, feed, entries + 1)
    head = latest_checkpoint(conn)
    size = head.size if head else 0
    fresh = _number(conn, leaves, size)
    if fresh or head is None:
        _grow(conn, size, [text_ for _, text_ in sorted(fresh)], now, key)
    return Numbered(len(fresh), len(given), size + len(fresh))


def _number(conn: Connection, table: Table, first: int) -> list[tuple[int, str]]:
    """Give positions from `first` on to the rows without one, in the order of their numbers; tell position and leaf."""
    told = table.c.leaf if table is leaves else literal("")
    waiting = select(table.c.no).where(table.c.position.is_(None)).order_by(table.c.no).limit(BATCH).subquery()
    placed = select(waiting.c.no, (func.row_number().over(order_by=waiting.c.no) - 1).label("place")).subquery()
    numbered = (update(table).where(table.c.no == placed.c.no).values(position=first + placed.c.place)).returning(
        table.c.position, told
    )
    return [(position, leaf) for position, leaf in conn.execute(numbered)]


def _grow(conn: Connection, size: int, texts: Sequence[str], now: int, key: notes.LogKey) -> None:
    """Store the subtrees that these leaves complete, and sign the new head."""
    hashes = [merkle.leaf_hash(leaf.encode()) for leaf in texts]
    nodes = _nodes(conn, merkle.frontier(size))
    fresh = list(merkle.extend(size, _from(nodes), hashes))
    nodes |= {(level, place): value for level, place, value in fresh}
    stored = [
        {"level": level, "place": place, "hash": value} for level, place, value in fresh if level >= STORED_FROM_LEVEL
    ]
    if stored:
        conn.execute(tree_nodes.insert(), stored)
    _sign(
        conn,
        notes.Checkpoint(key.origin, size + len(hashes), merkle.root_of(size + len(hashes), _from(nodes))),
        now,
        key,
    )


def _sign(conn: Connection, head: notes.Checkpoint, now: int, key: notes.LogKey) -> None:
    note = notes.sign_checkpoint(head, key)
    conn.execute(checkpoints.insert().values(size=head.size, root=head.root, note=note, signed_at=now))


# ── what anybody may read ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Head:
    """A signed head of the tree."""

    size: int
    root: bytes
    note: str
    signed_at: int


def latest_checkpoint(conn: Connection) -> Head | None:
    """The newest signed head; None before the sequencer's first run."""
    columns = select(checkpoints.c.size, checkpoints.c.root, checkpoints.c.note, checkpoints.c.signed_at)
    row = conn.execute(columns.order_by(checkpoints.c.size.desc()).limit(1)).first()
    return None if row is None else Head(row.size, bytes(row.root), row.note, row.signed_at)


def proof(conn: Connection, *, index: int | None = None, sealed: str | None = None) -> str | None:
    """The `tlog-proof` of the leaf at `index`, or of the first leaf that has `sealed`; None where there is none."""
    head = latest_checkpoint(conn)
    if head is None:
        return None
    wanted = leaves.c.position == index if sealed is None else leaves.c.sealed == sealed
    query = select(leaves.c.position, leaves.c.leaf).where(wanted, leaves.c.position < head.size)
    found = conn.execute(query.order_by(leaves.c.position).limit(1)).first()
    if found is None:
        return None
    path = _planned(conn, lambda get_node: merkle.inclusion_path(found.position, head.size, get_node))
    return notes.proof_text(notes.Proof(found.leaf.encode(), found.position, path, head.note))


def consistency(conn: Connection, first: int, second: int) -> list[bytes] | None:
    """The proof that the tree of `second` leaves begins with that of `first`; None where it is not signed yet."""
    head = latest_checkpoint(conn)
    if head is None or second > head.size:
        return None
    return _planned(conn, lambda get_node: merkle.consistency_path(first, second, get_node))


def leaf_texts(conn: Connection, first: int, end: int) -> list[str] | None:
    """The leaves from `first` to before `end`, at most `MOST_LEAVES`; None where they are not all signed."""
    head = latest_checkpoint(conn)
    if head is None or end > head.size:
        return None
    query = select(leaves.c.leaf).where(leaves.c.position >= first, leaves.c.position < min(end, first + MOST_LEAVES))
    return list(conn.execute(query.order_by(leaves.c.position)).scalars())


def unnumbered(conn: Connection) -> int:
    """How many leaves wait for the sequencer."""
    return conn.execute(select(func.count()).select_from(leaves).where(leaves.c.position.is_(None))).scalar_one()


def lag_seconds(conn: Connection, now: int) -> int:
    """How long the oldest unnumbered leaf has waited; 0 where none does."""
    oldest = select(leaves.c.leaf).where(leaves.c.position.is_(None)).order_by(leaves.c.no).limit(1)
    leaf = conn.execute(oldest).scalar()
    return 0 if leaf is None else max(0, now - int(json.loads(leaf)["time"]))


# ── subtrees ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _planned(conn: Connection, fold: Callable[[merkle.GetNode], _Result]) -> _Result:
    """Run `fold` twice: first to learn which subtrees it asks for, then with all of them read at once."""
    asked: set[tuple[int, int]] = set()

    def ask(level: int, place: int) -> bytes:
        asked.add((level, place))
        return b""

    fold(ask)
    return fold(_from(_nodes(conn, asked)))


def _from(nodes: dict[tuple[int, int], bytes]) -> merkle.GetNode:
    return lambda level, place: nodes[level, place]


def _nodes(conn: Connection, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """These subtrees: the stored ones as they are, the small ones hashed from their leaves."""
    asked = set(wanted)
    small = {node for node in asked if node[0] < STORED_FROM_LEVEL}
    return _stored_nodes(conn, asked - small) | _small_nodes(conn, small)


def _stored_nodes(conn: Connection, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    if not wanted:
        return {}
    key = tuple_(tree_nodes.c.level, tree_nodes.c.place)
    rows = conn.execute(select(tree_nodes).where(key.in_(sorted(wanted))))
    return {(row.level, row.place): bytes(row.hash) for row in rows}


def _small_nodes(conn: Connection, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    if not wanted:
        return {}
    indices = {index for level, place in wanted for index in range(place << level, (place + 1) << level)}
    rows = conn.execute(select(leaves.c.position, leaves.c.leaf).where(leaves.c.position.in_(sorted(indices))))
    hashes = {row.position: merkle.leaf_hash(row.leaf.encode()) for row in rows}
    return {
        (level, place): merkle.root([hashes[index] for index in range(place << level, (place + 1) << level)])
        for level, place in wanted
    }
