"""Officers, citizens and a question that waits for an officer."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from confirm_api.office import officers
from confirm_api.office.rules import Actor
from confirm_api.store.tables import leaves

LAN = Actor("lan", "reviewer", None)
MINH = Actor("minh", "second_reviewer", None)
HOA = Actor("hoa", "reviewer", "Xã Xuân Trường")
TRA = Actor("tra", "auditor", None)
ALL = (LAN, MINH, HOA, TRA)

REASON = "Đã đối chiếu bản gốc giấy chứng nhận."


@pytest.fixture
def staff(units):
    """Four accounts that open through OpenID Connect only: no password has to be hashed."""
    with units.begin() as unit:
        for actor in ALL:
            officers.add(unit, actor.name, actor.role, commune=actor.commune, oidc_subject=f"oidc-{actor.name}")
    return ALL


@pytest.fixture
def reasons_of(units):
    """The reasons of all leaves of an event, in their order."""

    def found(event: str = "officer") -> list[str]:
        with units.begin() as unit:
            texts = unit.conn.execute(select(leaves.c.leaf).order_by(leaves.c.no)).scalars().all()
        told = [json.loads(text) for text in texts]
        return [leaf["reason"] for leaf in told if leaf["event"] == event]

    return found


@pytest.fixture
def citizen(vault) -> str:
    """A citizen's handle."""
    return vault.handle_of("001090000001", create=True)
