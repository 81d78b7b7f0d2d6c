import hashlib

from sqlalchemy import func, select, update

from confirm_api.office import sessions
from confirm_api.office.sessions import Limits, begin, end, is_own, resume
from confirm_api.store.tables import officers
from confirm_api.store.tables import sessions as table
from tests.confirm_api.office.conftest import LAN

LIMITS = Limits(idle_seconds=900, longest_seconds=3_600)


def start(units) -> str:
    with units.begin() as unit:
        return begin(unit, LAN, LIMITS)


def session(units, token: str):
    with units.begin() as unit:
        return resume(unit, token, LIMITS)


def test_a_session_knows_its_officer(units, staff):
    assert session(units, start(units)).actor == LAN


def test_an_unknown_token_is_nobody(units, staff):
    start(units)
    assert session(units, "x" * 43) is None


def test_the_database_holds_no_token(units, staff):
    token = start(units)
    with units.begin() as unit:
        assert unit.conn.execute(select(table.c.token_hash)).scalar_one() == hashlib.sha256(token.encode()).digest()


def test_it_ends_when_it_is_not_used(units, staff, clock):
    token = start(units)
    clock.move(901)
    assert session(units, token) is None


def test_use_keeps_it_but_not_beyond_its_longest_time(units, staff, clock):
    token = start(units)
    for _ in range(4):
        clock.move(899)
        assert session(units, token) is not None
    clock.move(5)
    assert session(units, token) is None


def test_it_ends_at_logout(units, staff):
    token = start(units)
    with units.begin() as unit:
        end(unit, token)
    assert session(units, token) is None


def test_another_role_or_commune_holds_from_the_next_page(units, staff):
    token = start(units)
    with units.begin() as unit:
        unit.conn.execute(update(officers).where(officers.c.name == "lan").values(role="auditor", commune="Xã B"))
    actor = session(units, token).actor
    assert (actor.role, actor.commune) == ("auditor", "Xã B")


def test_old_sessions_are_swept_out_when_a_new_one_begins(units, staff, clock):
    start(units)
    clock.move(901)
    start(units)
    with units.begin() as unit:
        assert unit.conn.execute(select(func.count()).select_from(table)).scalar_one() == 1


def test_a_form_belongs_to_one_session(units, staff):
    one, other = session(units, start(units)), session(units, start(units))
    assert is_own(one, one.csrf)
    assert not is_own(one, other.csrf)
    assert not is_own(one, "")
    assert not is_own(one, "ký tự lạ")


def test_the_last_use_is_written_once_a_minute(units, staff, clock):
    token = start(units)
    clock.move(sessions.SEEN_EVERY_SECONDS - 1)
    session(units, token)
    with units.begin() as unit:
        assert unit.conn.execute(select(table.c.seen_at)).scalar_one() == clock.now - 59
