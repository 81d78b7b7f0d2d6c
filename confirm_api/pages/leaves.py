"""The audit log as an auditor sees it in the browser: the newest leaves and the newest checkpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from confirm_api.store.tables import checkpoints, leaves
from confirm_api.unit import Unit

SHOWN: Final = 100
_SCANNED: Final = 5_000
"""How far back a filter by event looks."""


@dataclass(frozen=True)
class Leaf:
    """One leaf; `position` is null until the sequencer has numbered it."""

    position: int | None
    told: dict[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """The newest signed note."""

    size: int
    signed_at: int
    note: str


def newest_leaves(unit: Unit, *, event: str | None) -> list[Leaf]:
    """The newest leaves, newest first; of one event where it is asked for."""
    newest = select(leaves.c.position, leaves.c.leaf).order_by(leaves.c.no.desc())
    rows = unit.conn.execute(newest.limit(SHOWN if event is None else _SCANNED))
    told = (Leaf(row.position, json.loads(row.leaf)) for row in rows)
    return [leaf for leaf in told if event in {None, leaf.told["event"]}][:SHOWN]


def newest_checkpoint(unit: Unit) -> Checkpoint | None:
    """The newest checkpoint; null before the first is signed."""
    row = unit.conn.execute(select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)).first()
    return None if row is None else Checkpoint(row.size, row.signed_at, row.note)
