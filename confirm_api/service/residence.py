"""`residence`: whether a citizen has a residential parcel by an accepted link (protocol §3).

Rules
- Only residential parcels of the last accepted run, of a citizen who is alive, are told; nothing of other parcels.
- Unknown, deceased and landless citizens get the same answer.
- The same case with another citizen is refused; with the same one it tells the present state.

Example: `residence(unit, payload, peer).content["has_residential_parcel"]`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import bindparam, insert, select

from confirm_api.errors import ContentError
from confirm_api.office.acceptance import parcel_context
from confirm_api.service import locks
from confirm_api.service.answer import UseCaseAnswer
from confirm_api.store.tables import accepted_parcels, people, residence_cases, runs
from confirm_api.unit import Unit
from exchange.payloads import Residence
from exchange.sealed.keys import Peer


def residence(unit: Unit, payload: Residence, peer: Peer) -> UseCaseAnswer:
    """Tell the residential parcels of a citizen."""
    handle = unit.vault.handle_of(payload.citizen_id, create=True)
    assert handle is not None
    known = _remember(unit, peer, payload.case_no, handle)
    parcels = _parcels(unit, handle)
    content = {
        "citizen_id": payload.citizen_id,
        "case_no": payload.case_no,
        "has_residential_parcel": bool(parcels),
        "parcels": parcels,
        "as_of": _as_of(unit),
    }
    return UseCaseAnswer(content, (handle,), None, "duplicate" if known else "accepted")


def _remember(unit: Unit, peer: Peer, case_no: str, handle: str) -> bool:
    """Whether the case is known; with another citizen it is refused."""
    locks.lock(unit.conn, [], [f"case/{peer.iss}/{case_no}"])
    case = {"peer": peer.iss, "case_no": case_no}
    known = unit.conn.execute(_CASE, case).scalar()
    if known is None:
        unit.conn.execute(insert(residence_cases), {**case, "handle": handle, "asked_at": unit.now})
    elif known != handle:
        raise ContentError("case_no: expected a new case, or the same citizen as before")
    return known is not None


def _parcels(unit: Unit, handle: str) -> list[dict[str, Any]]:
    status = unit.conn.execute(_STATUS, {"handle": handle}).scalar()
    if status == "deceased":  # who lives abroad, and a child, may own a home
        return []
    rows = unit.conn.execute(_PARCELS, {"handle": handle}).all()
    return [unit.vault.open(handle, parcel_context(row.run_no, handle), row.box) for row in rows]


def _as_of(unit: Unit) -> str:
    """The day on which the run was accepted that the answer rests on; today where there is none."""
    found: int | None = unit.conn.execute(_ACCEPTED_AT).scalar()
    return vietnamese_day(unit.now if found is None else found)


def vietnamese_day(seconds: int) -> str:
    """The date of a moment where the land is.

    >>> vietnamese_day(1_790_000_000), vietnamese_day(1_790_010_000)
    ('2026-09-21', '2026-09-22')
    """
    return datetime.fromtimestamp(seconds, timezone(timedelta(hours=7))).date().isoformat()


_CASE = select(residence_cases.c.handle).where(
    residence_cases.c.peer == bindparam("peer"), residence_cases.c.case_no == bindparam("case_no")
)
_STATUS = select(people.c.status).where(people.c.handle == bindparam("handle"))
_PARCELS = (
    select(accepted_parcels.c.run_no, accepted_parcels.c.box)
    .join_from(accepted_parcels, runs, accepted_parcels.c.run_no == runs.c.no)
    .where(accepted_parcels.c.handle == bindparam("handle"), accepted_parcels.c.residential, runs.c.active)
    .order_by(accepted_parcels.c.no)
)
_ACCEPTED_AT = select(runs.c.accepted_at).where(runs.c.active)
