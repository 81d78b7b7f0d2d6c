"""Who may change what at the same time, on PostgreSQL; on SQLite a transaction is alone anyway.

Rules
- A question is changed only under the lock of its citizen's handle, claims on an item only under the item's lock.
- All locks of a transaction are taken at once, before it changes anything, in the order of their keys, so that two
  transactions never wait for each other. Who needs more than `FEW` of them takes the one lock of all instead: bulk work
  waits for the others and they for it, rather than filling the server's lock table.
- What the locks were to protect is read again once they are held. If more turns out to be needed (somebody was faster
  by a hair), what is free at once is taken too; else the transaction gives up with `Contention` and is done again.
- `retrying` does it again, also where the database itself found a deadlock.

>>> key_of("handle", "a") == key_of("handle", "a"), key_of("handle", "a") == key_of("item", "a")
(True, False)
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Collection
from typing import Final, TypeVar

from sqlalchemy import BigInteger, Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError, IntegrityError

from confirm_api.errors import BusyError
from confirm_api.unit import Unit, Units

FEW: Final = 400
TRIES: Final = 9
LONGEST_WAIT_SECONDS: Final = 4.0
"""Before the last try; before each earlier one half as long."""
_ALL: Final = 0x71_75_79_63_68_75_03
"""Key of the lock of all ('quychu', 3); the sequencer and the migrations have others."""
_DONE_AGAIN: Final = frozenset({"40001", "40P01"})
"""SQLSTATE of a failed serialisation and of a deadlock."""

T = TypeVar("T")

_LOCK_ALL = text("SELECT pg_advisory_xact_lock(:all)")
_LOCK_FEW = text(
    "SELECT count(*) FROM (SELECT pg_advisory_xact_lock_shared(:all)) AS shared, "
    "LATERAL (SELECT pg_advisory_xact_lock(key) FROM unnest(:keys) AS key) AS few"
).bindparams(bindparam("keys", type_=ARRAY(BigInteger)))

_TRY_FEW = text("SELECT bool_and(pg_try_advisory_xact_lock(key)) FROM unnest(:keys) AS key").bindparams(
    bindparam("keys", type_=ARRAY(BigInteger))
)


class Contention(BusyError):  # noqa: N818 - a word of the domain; whoever does not retry answers 503 with it
    """Another transaction was faster: this one did nothing and may be done again."""

    def __init__(self) -> None:
        super().__init__("another transaction was faster: do this one again", status=503, retry_after_seconds=1)


def key_of(kind: str, name: str) -> int:
    """The advisory lock's key (64 bits) of an item or a handle."""
    return int.from_bytes(hashlib.sha256(f"{kind}/{name}".encode()).digest()[:8], signed=True)


def lock(conn: Connection, handles: Collection[str], item_ids: Collection[str]) -> None:
    """Take the locks of these citizens and items until the transaction ends."""
    if conn.dialect.name != "postgresql":
        return
    keys = sorted({key_of("handle", one) for one in handles} | {key_of("item", one) for one in item_ids})
    if len(keys) > FEW:
        conn.execute(_LOCK_ALL, {"all": _ALL})
    elif keys:
        conn.execute(_LOCK_FEW, {"all": _ALL, "keys": keys})


def lock_more(conn: Connection, handles: Collection[str]) -> None:
    """Take the locks of further citizens where nobody holds them; waiting for them could be for ever."""
    keys = sorted(key_of("handle", one) for one in handles)
    if keys and not conn.execute(_TRY_FEW, {"keys": keys}).scalar_one():
        raise Contention


def retrying(units: Units, work: Callable[[Unit], T]) -> T:
    """Do `work` in a transaction of its own, again where another was faster."""
    for left in reversed(range(TRIES)):
        try:
            with units.begin() as unit:
                return work(unit)
        except (Contention, DBAPIError) as error:
            if not left or not is_contention(error):
                raise
            time.sleep(random.uniform(0, LONGEST_WAIT_SECONDS / 2**left))  # noqa: S311 - spreads the tries, no secret
    raise AssertionError("unreachable")


def is_contention(error: BaseException) -> bool:
    """Whether doing the same again can help."""
    if isinstance(error, Contention | IntegrityError):
        return True
    original = getattr(error, "orig", None)
    return getattr(original, "sqlstate", None) in _DONE_AGAIN
