"""The key store: whose a handle is, and each citizen's key. A database of its own, so that erasing here is true.

Rules
- The main database knows random handles. Here stands, for each: the number's HMAC under the index key (`tag`, to find
  it), and one box under the master key with the citizen's key and number. Neither is in the main database or its
  backups: deleting the row makes every copy of the main database dark for that citizen.
- What concerns one citizen is sealed under a key of theirs; what concerns several, under one derived from all of
  theirs; what concerns nobody, under the service's own.
- The vault commits by itself and at once: a handle without a question is harmless, a question without its key is lost.
- Unwrapped keys and known handles stay in memory at most `KEEP_SECONDS`, and at most so many. An erasure in this
  process takes effect at once; in another process after `KEEP_SECONDS` at the latest, because nothing outlives that.
  Whoever erases waits that long before saying that it is done.
- The store knows by which master and index key it was made, and refuses others at once.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     vault = open_vault(f"sqlite:///{folder}/keys.sqlite", MasterKeys(bytes(32), bytes(range(32))))
...     handle = vault.handle_of("001090000001", create=True)
...     box = vault.seal(handle, "items/7/box", {"role": "owner"})
...     print(
...         vault.open(handle, "items/7/box", box), vault.erase(handle), vault.handle_of("001090000001", create=False)
...     )
...     vault.close()
{'role': 'owner'} True None
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, Select, delete, exc, select
from sqlalchemy.dialects import postgresql, sqlite

from confirm_api.errors import StoreError
from confirm_api.store import boxes
from confirm_api.store.engine import first_line, open_engine, reading, upgrade
from confirm_api.store.key_tables import citizen_keys, marks
from confirm_api.store.master_keys import MasterKeys
from confirm_api.store.recent import Recent
from exchange.ids import new_id

__all__ = ["KEEP_SECONDS", "Erased", "MasterKeys", "Vault", "open_vault"]

KEEP_SECONDS = 60.0
"""No key and no handle stays longer in memory: the longest that an erasure elsewhere goes unnoticed."""
KEEP_KEYS = 20_000
"""Unwrapped keys in memory, about 10 MB."""
KEEP_HANDLES = 50_000
CHUNK = 10_000
"""Citizens in one statement and one transaction; more are faster by the citizen, and keep others waiting longer."""

T = TypeVar("T")


class Erased(StoreError):  # noqa: N818 - the word of the domain: a citizen's data were erased
    """A citizen's key is gone, or never was: nothing sealed under it opens any more."""

    code = "erased"

    def __init__(self) -> None:
        super().__init__("the key of a citizen is gone from the key store: what was sealed under it cannot be opened")


class _Citizen(NamedTuple):
    key: bytes
    number: str


def open_vault(
    url: str,
    keys: MasterKeys,
    *,
    pool_size: int = 8,
    clock: Callable[[], float] = time.monotonic,
    entropy: Callable[[int], bytes] = os.urandom,
) -> Vault:
    """The key store at `url`, made there where there is none; refuses keys that are not those it was made with."""
    engine = open_engine(url, pool_size=pool_size)
    upgrade(engine, "keys")
    vault = Vault(engine, keys, clock, entropy)
    vault.check_keys()
    return vault


class Vault:
    """Handles, citizens' keys and what is sealed under them; safe between threads and processes."""

    def __init__(
        self, engine: Engine, keys: MasterKeys, clock: Callable[[], float], entropy: Callable[[int], bytes]
    ) -> None:
        self._engine, self._keys, self._entropy = engine, keys, entropy
        self._service_key = boxes.derive_key(keys.master, "service")
        self._handles = Recent[bytes, str](size=KEEP_HANDLES, seconds=KEEP_SECONDS, clock=clock)
        self._citizens = Recent[str, _Citizen](size=KEEP_KEYS, seconds=KEEP_SECONDS, clock=clock)

    def close(self) -> None:
        """Forget all keys and close the connections."""
        self._handles.clear()
        self._citizens.clear()
        self._engine.dispose()

    def check_keys(self) -> None:
        """Refuse master and index keys that the store was not made with; mark a new store with them."""
        mark = hmac.digest(self._keys.index, b"quychu/1/mark", hashlib.sha256)
        with _saying("the key store cannot be read"), self._engine.begin() as conn:
            box = boxes.seal_box(self._keys.master, "marks/keys", mark)
            conn.execute(_insert_new(conn, marks), [{"name": "keys", "value": box}])
            box = conn.execute(select(marks.c.value).where(marks.c.name == "keys")).scalar_one()
        try:
            same = boxes.open_box(self._keys.master, "marks/keys", box) == mark
        except boxes.BoxError:
            same = False
        if not same:
            raise StoreError("the key store was made with another master or index key: give the keys it was made with")

    # ---- whose ----

    def handle_of(self, citizen_id: str, *, create: bool) -> str | None:
        """The citizen's handle; a new one, durable at once, where there is none and `create` asks for it."""
        return self.handles_of([citizen_id], create=create).get(citizen_id)

    def handles_of(self, citizen_ids: Sequence[str], *, create: bool) -> dict[str, str]:
        """The handles of many citizens; whoever has none is left out, unless `create` asks for new ones."""
        tags = {self._tag(number): number for number in citizen_ids}
        known = {tag: handle for tag in tags if (handle := self._handles.get(tag)) is not None}
        with _saying("the key store cannot be read or written"):
            for chunk in _chunks([tag for tag in tags if tag not in known]):
                known.update(self._find(chunk))
                new = [tag for tag in chunk if tag not in known]
                if create and new:
                    known.update(self._create({tag: tags[tag] for tag in sorted(new)}))
        return {number: known[tag] for tag, number in tags.items() if tag in known}

    def citizen_of(self, handle: str) -> str:
        """The number behind a handle; Erased where it is gone."""
        return self._citizen(handle).number

    def citizens_of(self, handles: Iterable[str]) -> dict[str, str]:
        """The numbers behind many handles; those that are gone are left out."""
        return {handle: citizen.number for handle, citizen in self._known(handles).items()}

    def erase(self, handle: str) -> bool:
        """Delete a citizen's key, number and handle for ever; False where there was none."""
        with _saying("the key store cannot be written"), self._engine.begin() as conn:
            gone = conn.execute(delete(citizen_keys).where(citizen_keys.c.handle == handle)).rowcount > 0
        self._forget(handle)
        if gone and self._engine.dialect.name == "sqlite":
            with _saying("the key store cannot be written"), reading(self._engine) as conn:
                # The row's bytes are overwritten in the file (secure_delete) and leave the log beside it too.
                conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    # ---- under one citizen's key ----

    def seal(self, handle: str, context: str, value: Any) -> bytes:
        """A JSON value in a box under the citizen's key, for the place that `context` names."""
        return boxes.seal_box(self._citizen(handle).key, context, _json(value), entropy=self._entropy)

    def open(self, handle: str, context: str, box: bytes) -> Any:
        """What was sealed; Erased where the key is gone, BoxError where it is another's or stood elsewhere."""
        return json.loads(boxes.open_box(self._citizen(handle).key, context, box))

    def fingerprint(self, handle: str, content: bytes) -> bytes:
        """A keyed hash that tells the same content of one citizen, and tells nothing to whoever lacks the key."""
        key = boxes.derive_key(self._citizen(handle).key, "fingerprint")
        return hmac.digest(key, content, hashlib.sha256)

    # ---- under the keys of several ----

    def seal_together(self, handles: Iterable[str], context: str, plaintext: bytes) -> bytes:
        """A box that opens as long as the keys of **all** these citizens are there; of nobody, under the service's."""
        return boxes.seal_box(self._common_key(handles), context, plaintext, entropy=self._entropy)

    def open_together(self, handles: Iterable[str], context: str, box: bytes) -> bytes:
        """What was sealed together, the handles in any order; Erased where one of them is gone."""
        return boxes.open_box(self._common_key(handles), context, box)

    def _common_key(self, handles: Iterable[str]) -> bytes:
        together = sorted(set(handles))
        if not together:
            return self._service_key
        citizens = self._known(together)
        if len(citizens) < len(together):
            raise Erased
        return boxes.derive_key(b"".join(citizens[handle].key for handle in together), "together")

    # ---- keys ----

    def _tag(self, number: str) -> bytes:
        return hmac.digest(self._keys.index, number.encode(), hashlib.sha256)

    def _citizen(self, handle: str) -> _Citizen:
        citizen = self._citizens.get(handle) or self._known([handle]).get(handle)
        if citizen is None:
            self._forget(handle)
            raise Erased
        return citizen

    def _known(self, handles: Iterable[str]) -> dict[str, _Citizen]:
        wanted = list(handles)
        known = {handle: citizen for handle in wanted if (citizen := self._citizens.get(handle)) is not None}
        with _saying("the key store cannot be read"):
            for chunk in _chunks([handle for handle in wanted if handle not in known]):
                query = select(citizen_keys.c.handle, citizen_keys.c.wrapped).where(citizen_keys.c.handle.in_(chunk))
                with reading(self._engine) as conn:
                    rows = conn.execute(query).all()
                known.update({handle: self._unwrap(handle, wrapped) for handle, wrapped in rows})
        return known

    def _unwrap(self, handle: str, wrapped: bytes) -> _Citizen:
        plain = boxes.open_box(self._keys.master, f"citizen_keys/{handle}", wrapped)
        citizen = _Citizen(plain[: boxes.KEY_BYTES], plain[boxes.KEY_BYTES :].decode())
        self._citizens.put(handle, citizen)
        return citizen

    def _find(self, tags: Sequence[bytes]) -> dict[bytes, str]:
        with reading(self._engine) as conn:
            return self._remember(conn.execute(_by_tags(tags)).all())

    def _create(self, numbers: dict[bytes, str]) -> dict[bytes, str]:
        """New rows; where another process was faster, its rows. Sorted by tag, so that two cannot lock each other."""
        rows = [self._new_row(tag, number) for tag, number in numbers.items()]
        with self._engine.begin() as conn:
            conn.execute(_insert_new(conn, citizen_keys), rows)
            found = conn.execute(_by_tags(list(numbers))).all()
        return self._remember(found)

    def _new_row(self, tag: bytes, number: str) -> dict[str, Any]:
        handle = new_id(self._entropy)
        plain = self._entropy(boxes.KEY_BYTES) + number.encode()
        wrapped = boxes.seal_box(self._keys.master, f"citizen_keys/{handle}", plain, entropy=self._entropy)
        return {"handle": handle, "tag": tag, "wrapped": wrapped}

    def _remember(self, rows: Iterable[Any]) -> dict[bytes, str]:
        found = {bytes(tag): str(handle) for tag, handle in rows}
        for tag, handle in found.items():
            self._handles.put(tag, handle)
        return found

    def _forget(self, handle: str) -> None:
        self._citizens.forget(handle)
        self._handles.forget_value(handle)


def _by_tags(tags: Sequence[bytes]) -> Select[tuple[bytes, str]]:
    return select(citizen_keys.c.tag, citizen_keys.c.handle).where(citizen_keys.c.tag.in_(tags))


def _insert_new(conn: Connection, table: Any) -> Any:
    """An insert that leaves rows alone which are there already."""
    insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))


@contextmanager
def _saying(what: str) -> Iterator[None]:
    """Turn the database's error into our one sentence."""
    try:
        yield
    except exc.SQLAlchemyError as error:
        raise StoreError(f"{what}: {first_line(error)}") from error
