import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from confirm_api.office import officers, sessions
from confirm_api.office.refusals import AccountError, LoginError, PasswordRuleError
from confirm_api.office.rules import Actor
from confirm_api.store.tables import officers as table

GOOD = "Ruộng lúa chín vàng 2026"
WRONG = "Ruộng lúa chín vàng 2025"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    """The weakest argon2id: the rules are tested here, not the library's cost."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(officers, "_HASHER", quick)
    monkeypatch.setattr(officers, "_NOBODY", quick.hash("nobody"))


@pytest.fixture
def lan(units) -> Actor:
    with units.begin() as unit:
        officers.add(unit, "lan", "reviewer", commune="Xã A", password_hash=officers.hashed("lan", GOOD))
    return Actor("lan", "reviewer", "Xã A")


def fail(units, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(LoginError):
            officers.login(units, "lan", WRONG)


def test_the_right_password_opens_the_account(units, lan):
    assert officers.login(units, "lan", GOOD) == lan


def test_a_password_typed_on_another_keyboard_is_the_same(units, lan):
    assert officers.login(units, "lan", GOOD.replace("ộ", "ộ")) == lan


@pytest.mark.parametrize("name", ["lan", "nobody", "", "x" * 500])
def test_every_refusal_is_the_same_sentence(units, lan, name):
    with pytest.raises(LoginError) as refusal:
        officers.login(units, name, WRONG)
    assert str(refusal.value) == LoginError.sentence


def test_an_unknown_name_costs_a_hash_too(units, monkeypatch):
    verified = []
    real = officers._HASHER

    class Counting:
        def verify(self, stored, password):
            verified.append(stored)
            return real.verify(stored, password)

    monkeypatch.setattr(officers, "_HASHER", Counting())
    with pytest.raises(LoginError):
        officers.login(units, "nobody", GOOD)
    assert len(verified) == 1


def test_the_password_of_nobody_opens_nothing(units, monkeypatch):
    with pytest.raises(LoginError):
        officers.login(units, "unknown", "nobody")


def test_five_failures_lock_the_account_even_for_the_right_password(units, lan, clock):
    fail(units, 5)
    with pytest.raises(LoginError):
        officers.login(units, "lan", GOOD)
    clock.move(31)
    assert officers.login(units, "lan", GOOD) == lan


def test_four_failures_do_not_lock(units, lan):
    fail(units, 4)
    assert officers.login(units, "lan", GOOD) == lan


def test_the_lock_grows_and_failures_during_it_do_not_count(units, lan, clock):
    fail(units, 9)
    clock.move(31)
    fail(units)
    clock.move(31)
    with pytest.raises(LoginError):
        officers.login(units, "lan", GOOD)
    clock.move(30)
    assert officers.login(units, "lan", GOOD) == lan


def test_a_success_forgets_the_failures(units, lan, clock):
    fail(units, 4)
    officers.login(units, "lan", GOOD)
    fail(units, 4)
    assert officers.login(units, "lan", GOOD) == lan


def test_a_disabled_account_stays_closed_and_loses_its_sessions(units, lan):
    with units.begin() as unit:
        token = sessions.begin(unit, lan, sessions.Limits())
        officers.disable(unit, "lan")
        assert sessions.resume(unit, token, sessions.Limits()) is None
    with pytest.raises(LoginError):
        officers.login(units, "lan", GOOD)


def test_a_new_password_ends_lock_and_sessions(units, lan):
    fail(units, 5)
    with units.begin() as unit:
        token = sessions.begin(unit, lan, sessions.Limits())
        officers.set_password(unit, "lan", officers.hashed("lan", WRONG + "!"))
        assert sessions.resume(unit, token, sessions.Limits()) is None
    assert officers.login(units, "lan", WRONG + "!") == lan


def test_an_account_of_openid_connect_has_no_password(units, staff):
    with pytest.raises(LoginError):
        officers.login(units, "lan", "")


def test_a_subject_of_openid_connect_opens_its_account_only(units, staff):
    with units.begin() as unit:
        assert officers.login_by_subject(unit, "oidc-lan") == Actor("lan", "reviewer", None)
        assert officers.login_by_subject(unit, "oidc-nobody") is None
        officers.disable(unit, "lan")
        assert officers.login_by_subject(unit, "oidc-lan") is None


def test_the_database_holds_argon2id_only(units, lan):
    with units.begin() as unit:
        stored = unit.conn.execute(select(table.c.password_hash)).scalar_one()
    assert stored.startswith("$argon2id$")
    assert GOOD not in stored


def test_every_login_and_change_is_a_leaf(units, lan, reasons_of):
    fail(units)
    officers.login(units, "lan", GOOD)
    assert reasons_of() == ["account-added-reviewer", "login", "login"]


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "aaaaaaaaaaaaaaaa",
        "password1234",
        "matkhau123456",
        "lan-lan-lan-lan-x1",
        "123456123456123456",
        "x" * 129,
    ],
)
def test_an_easy_password_is_refused(password):
    with pytest.raises(PasswordRuleError):
        officers.check_password("lan", password)


def test_a_long_sentence_is_a_good_password():
    officers.check_password("lan", "trâu ăn cỏ bên bờ sông")


@pytest.mark.parametrize(
    ("name", "role", "commune"),
    [("Lan", "reviewer", None), ("l", "reviewer", None), ("lan", "boss", None), ("lan", "reviewer", " ")],
)
def test_an_account_that_makes_no_sense_is_refused(units, name, role, commune):
    with units.begin() as unit, pytest.raises(AccountError):
        officers.add(unit, name, role, commune=commune, oidc_subject="s")


def test_a_name_is_given_once(units, lan):
    with units.begin() as unit, pytest.raises(AccountError):
        officers.add(unit, "lan", "reviewer", oidc_subject="s")


def test_an_unknown_account_can_be_neither_disabled_nor_changed(units):
    with units.begin() as unit:
        with pytest.raises(AccountError):
            officers.disable(unit, "lan")
        with pytest.raises(AccountError):
            officers.set_password(unit, "lan", "hash")
