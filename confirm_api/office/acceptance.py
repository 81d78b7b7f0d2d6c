"""Takes over a finished run: accepted parcels for residence proofs, people's status, review links as cases.

Rules
- A run is loaded beside the active one in transactions of `CHUNK` rows and becomes active in one short transaction at
  the end. Until then every residence proof rests on the old run; afterwards the old run's rows are removed.
- The same run again continues where it stopped, and does nothing once it is active: the rows must come in the same
  order each time, which the hash of the run stands for.
- A person's status is stored where it is not `alive`, or where an earlier one has to be changed; who is never asked and
  owns nothing needs no row.
- A review link keeps its case from run to run. What an officer decided about it is not asked again, and a confirmed one
  goes over into the new run; an undecided one that the new run no longer holds ends as `superseded`.
- One leaf for the run (`run-accepted`), none for each of its rows.

Example: `accept_run(units, run_hash, parcels, people, reviews)` with batches (lists) of `Parcel`, `Person`, `Review`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import and_, delete, func, insert, select, update

from confirm_api.errors import OfficeError
from confirm_api.office.cases import UNDECIDED, contents_of
from confirm_api.office.cases import context as case_context
from confirm_api.store.tables import accepted_parcels, cases, people, runs
from confirm_api.store.vault import Erased, Vault
from confirm_api.unit import Unit, Units
from exchange.canonical import canonical

CHUNK: Final = 2_000
"""Rows in one transaction: long enough for speed, short enough that nobody waits a second for it."""

BOX: Final = ("parcel_code", "address", "certificate_serial", "role")
"""What a residence proof tells of a parcel."""


class Parcel(NamedTuple):
    """An accepted link: one living citizen's parcel."""

    citizen_id: str
    residential: bool
    parcel_code: str
    address: str | None
    certificate_serial: str | None
    role: str | None  # owner, co_owner


class Person(NamedTuple):
    """A citizen's standing in the register."""

    citizen_id: str
    status: str  # alive, deceased, emigrated, minor


class Review(NamedTuple):
    """A link that only an officer can settle; `line` names its place on the register, `content` is what is read."""

    citizen_id: str
    line: str
    commune: str | None
    content: Mapping[str, Any]  # with `parcel` (the keys of BOX and `residential`) for what a confirmation accepts


@dataclass(frozen=True)
class Accepted:
    """What was taken over."""

    parcels: int
    not_alive: int
    reviews: int
    superseded: int
    was_active: bool


Report = Callable[[str, int], None]
"""Told the step and how many rows it has done so far."""


def accept_run(
    units: Units,
    run_hash: str,
    parcels: Iterable[Sequence[Parcel]],
    people_: Iterable[Sequence[Person]],
    reviews: Iterable[Sequence[Review]] = (),
    *,
    report: Report = lambda _step, _done: None,
) -> Accepted:
    """Take over a run: load, switch, remove the old one."""
    run_no, active = _run(units, run_hash)
    if active:
        _remove_others(units, run_no, report)  # what an interruption may have left
        return Accepted(0, 0, 0, 0, was_active=True)
    loaded = _load_parcels(units, run_no, parcels, report)
    not_alive = _load_people(units, people_, report)
    held = _load_reviews(units, reviews, report)
    superseded = _switch(units, run_no, held)
    _remove_others(units, run_no, report)
    return Accepted(loaded, not_alive, len(held), superseded, was_active=False)


def parcel_context(run_no: int, handle: str) -> str:
    """What binds the box of an accepted parcel to its run and its citizen; its row's number is not known beforehand."""
    return f"accepted_parcels/{run_no}/{handle}"


# With RETURNING, many rows go to the server in one statement; without it, one by one.
_STORED: Final = insert(accepted_parcels).returning(accepted_parcels.c.no)
_STATUS: Final = insert(people).returning(people.c.handle)


# ---- the steps -----------------------------------------------------------------------------------------------------


def _run(units: Units, run_hash: str) -> tuple[int, bool]:
    with units.begin() as unit:
        row = unit.conn.execute(select(runs.c.no, runs.c.active).where(runs.c.run_hash == run_hash)).first()
        if row is not None:
            return row.no, row.active
        values = {"run_hash": run_hash, "accepted_at": unit.now, "active": False}
        return int(unit.conn.execute(insert(runs).values(values).returning(runs.c.no)).scalar_one()), False


def _load_parcels(units: Units, run_no: int, parcels: Iterable[Sequence[Parcel]], report: Report) -> int:
    with units.begin() as unit:
        mine = accepted_parcels.c.run_no == run_no
        done = unit.conn.execute(select(func.count()).where(mine)).scalar_one()
    last = _last(units, run_no)
    for chunk in _chunks(_behind(parcels, done)):
        handles = units.vault.handles_of([parcel.citizen_id for parcel in chunk], create=True)
        sealed = [_row_of(units.vault, run_no, handles[parcel.citizen_id], parcel) for parcel in chunk]
        last = _store_chunk(units, run_no, last, sealed)
        done += len(chunk)
        report("parcels", done)
    return int(done)


def _store_chunk(units: Units, run_no: int, last: int, rows: Sequence[Mapping[str, Any]]) -> int:
    """One transaction; refused where somebody else has added to the run since."""
    with units.begin() as unit:
        unit.conn.execute(select(runs.c.no).where(runs.c.no == run_no).with_for_update())
        if _last_in(unit, run_no) != last:
            raise OfficeError("Kết quả này đang được tiếp nhận bởi một lệnh khác; hãy chờ lệnh đó xong.")
        return max(int(no) for no in unit.conn.execute(_STORED, list(rows)).scalars())


def _load_people(units: Units, people_: Iterable[Sequence[Person]], report: Report) -> int:
    done = not_alive = 0
    for chunk in _chunks(_flat(people_)):
        not_alive += _store_people(units, chunk)
        done += len(chunk)
        report("people", done)
    return not_alive


def _store_people(units: Units, chunk: Sequence[Person]) -> int:
    gone = [person for person in chunk if person.status != "alive"]
    handles = units.vault.handles_of([person.citizen_id for person in gone], create=True)
    rows = [{"handle": handles[person.citizen_id], "status": person.status} for person in gone]
    alive = [person.citizen_id for person in chunk if person.status == "alive"]
    back = list(units.vault.handles_of(alive, create=False).values())
    with units.begin() as unit:
        both = [*back, *(row["handle"] for row in rows)]
        if both:
            unit.conn.execute(delete(people).where(people.c.handle.in_(both)))
        if rows:
            unit.conn.execute(_STATUS, rows)
    return len(rows)


def _load_reviews(units: Units, reviews: Iterable[Sequence[Review]], report: Report) -> set[int]:
    held: set[int] = set()
    for chunk in _chunks(_flat(reviews)):
        held |= _store_reviews(units, chunk)
        report("reviews", len(held))
    return held


def _store_reviews(units: Units, chunk: Sequence[Review]) -> set[int]:
    handles = units.vault.handles_of([review.citizen_id for review in chunk], create=True)
    keyed = {
        _review_key(units.vault, handles[review.citizen_id], review.line): (handles[review.citizen_id], review)
        for review in chunk
    }
    with units.begin() as unit:
        same = and_(cases.c.question_no.is_(None), cases.c.item_id.in_(keyed), cases.c.kind == "review")
        known = {row.item_id: row.no for row in unit.conn.execute(select(cases.c.item_id, cases.c.no).where(same))}
        new = {key: told for key, told in keyed.items() if key not in known}
        return {*known.values(), *(_open_review(unit, key, *told) for key, told in new.items())}


def _open_review(unit: Unit, key: str, handle: str, review: Review) -> int:
    values = {"kind": "review", "state": "open", "handle": handle, "item_id": key, "commune": review.commune}
    stored = insert(cases).values(**values, opened_at=unit.now).returning(cases.c.no)
    no = int(unit.conn.execute(stored).scalar_one())
    box = unit.vault.seal(handle, case_context(no), {"entries": [dict(review.content)]})
    unit.conn.execute(update(cases).where(cases.c.no == no).values(box=box))
    return no


def _switch(units: Units, run_no: int, held: set[int]) -> int:
    """In one transaction: the new run holds, with what officers confirmed; what it no longer asks is closed."""
    with units.begin() as unit:
        _carry_over(unit, run_no)
        waiting = select(cases.c.no).where(cases.c.kind == "review", cases.c.state.in_(UNDECIDED))
        idle = [no for no in unit.conn.execute(waiting).scalars() if no not in held]
        ended = {"state": "decided", "outcome": "superseded", "decided_at": unit.now}
        for part in _chunks(iter(idle)):
            unit.conn.execute(update(cases).where(cases.c.no.in_(part)).values(ended))
        unit.conn.execute(update(runs).where(runs.c.active).values(active=False))
        unit.conn.execute(update(runs).where(runs.c.no == run_no).values(active=True, accepted_at=unit.now))
        unit.leaf("officer", "accepted", reason="run-accepted")
    return len(idle)


def _remove_others(units: Units, run_no: int, report: Report) -> None:
    """Remove the rows of every other run, and what is left of them in `runs`, little by little."""
    others = accepted_parcels.c.run_no != run_no
    removed = 0
    while True:
        with units.begin() as unit:
            some = select(accepted_parcels.c.no).where(others).order_by(accepted_parcels.c.no).limit(CHUNK)
            numbers = list(unit.conn.execute(some).scalars())
            if not numbers:
                unit.conn.execute(delete(runs).where(runs.c.no != run_no))
                return
            unit.conn.execute(delete(accepted_parcels).where(accepted_parcels.c.no.in_(numbers)))
        removed += len(numbers)
        report("old", removed)


# ---- what officers confirm -----------------------------------------------------------------------------------------


def add_reviewed(unit: Unit, case_no: int) -> None:
    """Let the parcel of a confirmed review link count in the active run; nothing where no run is active yet."""
    run_no = _active(unit)
    if run_no is not None:
        _add_reviewed(unit, run_no, case_no)


def drop_reviewed(unit: Unit, case_no: int) -> None:
    """Let it count no longer."""
    handle, parcel = _reviewed(unit, case_no)
    run_no = _active(unit)
    if handle is None or parcel is None or run_no is None:
        return
    for no, held in _parcels_of(unit, run_no, handle):
        if held == _boxed(parcel):
            unit.conn.execute(delete(accepted_parcels).where(accepted_parcels.c.no == no))


def _carry_over(unit: Unit, run_no: int) -> None:
    decided = select(cases.c.no).where(
        cases.c.kind == "review", cases.c.state == "decided", cases.c.outcome == "confirm"
    )
    for no in unit.conn.execute(decided).scalars().all():
        _add_reviewed(unit, run_no, no)


def _add_reviewed(unit: Unit, run_no: int, case_no: int) -> None:
    handle, parcel = _reviewed(unit, case_no)
    if handle is None or parcel is None or _is_dead(unit, handle):
        return
    if _boxed(parcel) in [held for _, held in _parcels_of(unit, run_no, handle)]:
        return
    box = unit.vault.seal(handle, parcel_context(run_no, handle), _boxed(parcel))
    values = {"run_no": run_no, "handle": handle, "residential": bool(parcel["residential"]), "box": box}
    unit.conn.execute(insert(accepted_parcels).values(values))


def _reviewed(unit: Unit, case_no: int) -> tuple[str | None, Mapping[str, Any] | None]:
    row = unit.conn.execute(select(cases.c.handle, cases.c.box).where(cases.c.no == case_no)).one()
    entries = contents_of(unit, case_no, row.handle, row.box)
    return row.handle, entries[0].get("parcel") if entries else None


def _parcels_of(unit: Unit, run_no: int, handle: str) -> list[tuple[int, Any]]:
    mine = and_(accepted_parcels.c.handle == handle, accepted_parcels.c.run_no == run_no)
    rows = unit.conn.execute(select(accepted_parcels.c.no, accepted_parcels.c.box).where(mine)).all()
    try:
        return [(row.no, unit.vault.open(handle, parcel_context(run_no, handle), row.box)) for row in rows]
    except Erased:
        return []


def _is_dead(unit: Unit, handle: str) -> bool:
    return unit.conn.execute(select(people.c.status).where(people.c.handle == handle)).scalar() == "deceased"


def _active(unit: Unit) -> int | None:
    return unit.conn.execute(select(runs.c.no).where(runs.c.active)).scalar()


# ---- small parts ---------------------------------------------------------------------------------------------------


def _boxed(parcel: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parcel[name] for name in BOX}


def _row_of(vault: Vault, run_no: int, handle: str, parcel: Parcel) -> dict[str, Any]:
    box = vault.seal(handle, parcel_context(run_no, handle), _boxed(parcel._asdict()))
    return {"run_no": run_no, "handle": handle, "residential": parcel.residential, "box": box}


def _review_key(vault: Vault, handle: str, line: str) -> str:
    """Names a review link from run to run, under the citizen's key: it tells nothing of the line."""
    return vault.fingerprint(handle, canonical({"review": line})).hex()[:64]


def _last(units: Units, run_no: int) -> int:
    with units.begin() as unit:
        return _last_in(unit, run_no)


def _last_in(unit: Unit, run_no: int) -> int:
    newest = select(accepted_parcels.c.no).where(accepted_parcels.c.run_no == run_no)
    return unit.conn.execute(newest.order_by(accepted_parcels.c.no.desc()).limit(1)).scalar() or 0


def _flat(batches: Iterable[Sequence[Any]]) -> Iterator[Any]:
    for batch in batches:
        yield from batch


def _behind(batches: Iterable[Sequence[Any]], done: int) -> Iterator[Any]:
    """The rows behind the first `done`; whole batches are skipped without looking at them.

    >>> list(_behind([[1, 2], [3, 4], [5]], 3))
    [4, 5]
    """
    for batch in batches:
        if done >= len(batch):
            done -= len(batch)
        else:
            yield from batch[done:]
            done = 0


def _chunks(rows: Iterator[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    """Lists of at most `size` rows.

    >>> list(_chunks(iter("abc"), 2))
    [['a', 'b'], ['c']]
    """
    chunk: list[Any] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
