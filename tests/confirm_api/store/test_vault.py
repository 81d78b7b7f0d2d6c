"""The key store gives each citizen one handle and one key; without its row nothing of that citizen opens."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading

import pytest
from sqlalchemy import func, select

from confirm_api.errors import StoreError
from confirm_api.store import boxes
from confirm_api.store import vault as vaults
from confirm_api.store.boxes import BoxError
from confirm_api.store.engine import open_engine, reading
from confirm_api.store.key_tables import citizen_keys
from confirm_api.store.vault import KEEP_SECONDS, Erased, MasterKeys, open_vault
from tests.confirm_api.conftest import KEYS

ANA, BAO, CHI = "001090000001", "001090000002", "001090000003"
PLACE = "items/7/box"


@pytest.fixture
def ana(vault):
    return vault.handle_of(ANA, create=True)


@pytest.fixture
def bao(vault):
    return vault.handle_of(BAO, create=True)


@pytest.fixture
def elsewhere(key_store, clock):
    """The same key store as another process sees it."""
    vault = open_vault(key_store, KEYS, clock=clock)
    yield vault
    vault.close()


def rows(key_store):
    engine = open_engine(key_store)
    with reading(engine) as conn:
        count = conn.execute(select(func.count()).select_from(citizen_keys)).scalar_one()
    engine.dispose()
    return count


class TestHandles:
    def test_a_citizen_keeps_the_handle(self, vault, ana, elsewhere):
        assert vault.handle_of(ANA, create=True) == ana
        assert vault.handle_of(ANA, create=False) == ana
        assert elsewhere.handle_of(ANA, create=True) == ana

    def test_another_citizen_has_another(self, ana, bao):
        assert ana != bao

    def test_nobody_is_made_unasked(self, vault, key_store):
        assert vault.handle_of(ANA, create=False) is None
        assert vault.handles_of([ANA, BAO], create=False) == {}
        assert rows(key_store) == 0

    def test_a_handle_tells_the_number_to_who_has_the_keys(self, ana, elsewhere):
        assert elsewhere.citizen_of(ana) == ANA

    def test_many_at_once_are_the_same_as_one_by_one(self, vault, ana, elsewhere):
        together = vault.handles_of([BAO, ANA, CHI, BAO], create=True)
        assert together == {number: elsewhere.handle_of(number, create=False) for number in (ANA, BAO, CHI)}
        assert together[ANA] == ana
        assert vault.citizens_of(together.values()) == {handle: number for number, handle in together.items()}

    def test_more_than_one_statement_takes(self, vault, key_store, monkeypatch):
        monkeypatch.setattr(vaults, "CHUNK", 7)
        numbers = [f"{number:012}" for number in range(50)]
        handles = vault.handles_of(numbers, create=True)
        assert list(handles) == numbers
        assert len(set(handles.values())) == rows(key_store) == 50
        assert vault.citizens_of(handles.values()) == dict(zip(handles.values(), numbers, strict=True))

    def test_nobody_asked_for_is_nobody_given(self, vault):
        assert vault.handles_of([], create=True) == {}
        assert vault.citizens_of([]) == {}

    def test_threads_that_meet_a_citizen_at_once_get_one_handle(self, vault, elsewhere, key_store):
        numbers = [f"{number:012}" for number in range(40)]
        got, start = [], threading.Barrier(4)

        def ask(which, order):
            start.wait()
            got.append(which.handles_of(order, create=True))

        orders = (numbers, numbers[::-1])
        threads = [threading.Thread(target=ask, args=pair) for pair in itertools.product((vault, elsewhere), orders)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == [got[0]] * 4
        assert rows(key_store) == 40

    def test_a_handle_is_durable_before_it_is_told(self, key_store):
        """A process that dies at once after it heard the handle has not lost it."""
        program = (
            "import os, sys; from confirm_api.store.vault import *;"
            "vault = open_vault(sys.argv[1], MasterKeys(bytes(range(32)), bytes(range(32, 64))));"
            f"print(vault.handle_of('{ANA}', create=True), flush=True); os.kill(os.getpid(), 9)"
        )
        told = subprocess.run([sys.executable, "-c", program, key_store], capture_output=True, text=True, check=False)
        vault = open_vault(key_store, KEYS)
        assert vault.handle_of(ANA, create=False) == told.stdout.strip()
        vault.close()


class TestSealing:
    @pytest.mark.parametrize(
        "value", [{"role": "owner", "tên": "Nguyễn Thị Ánh"}, [1, 2.5, None, True], "chữ", {}, None]
    )
    def test_what_is_sealed_opens_here_and_elsewhere(self, vault, elsewhere, ana, value):
        box = vault.seal(ana, PLACE, value)
        assert vault.open(ana, PLACE, box) == elsewhere.open(ana, PLACE, box) == value

    def test_a_box_of_one_citizen_never_opens_as_anothers(self, vault, ana, bao):
        box = vault.seal(ana, PLACE, {})
        with pytest.raises(BoxError):
            vault.open(bao, PLACE, box)

    def test_a_box_moved_to_another_row_is_refused(self, vault, ana):
        box = vault.seal(ana, PLACE, {})
        with pytest.raises(BoxError):
            vault.open(ana, "items/8/box", box)

    def test_a_wrapped_key_moved_to_another_citizen_is_refused(self, elsewhere, key_store, ana, bao):
        engine = open_engine(key_store)
        with engine.begin() as conn:
            wrapped = conn.execute(select(citizen_keys.c.wrapped).where(citizen_keys.c.handle == ana)).scalar_one()
            conn.execute(citizen_keys.update().where(citizen_keys.c.handle == bao).values(wrapped=wrapped))
        engine.dispose()
        with pytest.raises(BoxError):
            elsewhere.citizen_of(bao)

    def test_a_fingerprint_tells_the_same_content_of_one_citizen(self, vault, elsewhere, ana, bao):
        same = vault.fingerprint(ana, b"content")
        assert elsewhere.fingerprint(ana, b"content") == same
        assert len(same) == 32
        assert same not in {vault.fingerprint(ana, b"contents"), vault.fingerprint(bao, b"content")}


class TestTogether:
    def test_all_are_needed_in_any_order(self, vault, elsewhere, ana, bao):
        box = vault.seal_together([ana, bao], PLACE, b"text")
        assert elsewhere.open_together([bao, ana, bao], PLACE, box) == b"text"

    def test_fewer_more_and_others_do_not_open(self, vault, ana, bao):
        chi = vault.handle_of(CHI, create=True)
        box = vault.seal_together([ana, bao], PLACE, b"text")
        for handles in ([ana], [bao], [ana, bao, chi], [ana, chi], []):
            with pytest.raises(BoxError):
                vault.open_together(handles, PLACE, box)

    def test_together_with_oneself_is_not_alone(self, vault, ana):
        with pytest.raises(BoxError):
            vault.open_together([ana], PLACE, vault.seal(ana, PLACE, "text"))

    def test_what_names_nobody_is_under_the_services_key(self, vault, elsewhere):
        assert elsewhere.open_together([], PLACE, vault.seal_together([], PLACE, b"text")) == b"text"

    def test_erasing_one_of_them_makes_it_dark(self, vault, ana, bao):
        box = vault.seal_together([ana, bao], PLACE, b"text")
        vault.erase(bao)
        with pytest.raises(Erased):
            vault.open_together([ana, bao], PLACE, box)
        with pytest.raises(BoxError):
            vault.open_together([ana], PLACE, box)

    def test_two_hundred_citizens_need_one_statement(self, elsewhere, vault):
        handles = list(vault.handles_of([f"{number:012}" for number in range(200)], create=True).values())
        box = vault.seal_together(handles, PLACE, b"text")
        asked = count_statements(elsewhere)
        assert elsewhere.open_together(handles, PLACE, box) == b"text"
        assert len(asked) == 1


def count_statements(vault):
    from sqlalchemy import event

    asked = []
    event.listen(vault._engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    return asked


class TestErasure:
    def test_nothing_opens_any_more(self, vault, ana):
        box = vault.seal(ana, PLACE, {})
        assert vault.erase(ana)
        assert not vault.erase(ana)
        for use in (
            lambda: vault.open(ana, PLACE, box),
            lambda: vault.seal(ana, PLACE, {}),
            lambda: vault.fingerprint(ana, b""),
            lambda: vault.citizen_of(ana),
            lambda: vault.seal_together([ana], PLACE, b""),
        ):
            with pytest.raises(Erased):
                use()

    def test_not_with_master_and_index_key_in_hand_either(self, vault, ana, bao, key_store):
        box = vault.seal(ana, PLACE, {})
        vault.erase(ana)
        own = [KEYS.master, KEYS.index, vault._service_key, vault._citizen(bao).key]
        own += [boxes.derive_key(key, label) for key in own for label in ("service", "together", "fingerprint", ana)]
        for key in own:
            with pytest.raises(BoxError):
                boxes.open_box(key, PLACE, box)
        again = open_vault(key_store, KEYS)
        with pytest.raises(Erased):
            again.open(ana, PLACE, box)
        again.close()

    def test_the_others_keep_theirs(self, vault, ana, bao):
        box = vault.seal(bao, PLACE, "text")
        vault.erase(ana)
        assert vault.open(bao, PLACE, box) == "text"

    def test_a_citizen_who_comes_again_is_somebody_new(self, vault, ana):
        box = vault.seal(ana, PLACE, {})
        vault.erase(ana)
        assert vault.handle_of(ANA, create=False) is None
        new = vault.handle_of(ANA, create=True)
        assert new != ana
        with pytest.raises(BoxError):
            vault.open(new, PLACE, box)

    def test_another_process_notices_within_a_minute(self, vault, elsewhere, ana, clock):
        box = elsewhere.seal(ana, PLACE, {})
        assert elsewhere.handle_of(ANA, create=False) == ana
        vault.erase(ana)
        clock.move(int(KEEP_SECONDS))
        assert elsewhere.handle_of(ANA, create=False) is None
        with pytest.raises(Erased):
            elsewhere.open(ana, PLACE, box)

    def test_whoever_finds_the_key_gone_forgets_the_handle_too(self, vault, elsewhere, ana, clock):
        elsewhere.citizen_of(ana)
        clock.move(30)
        elsewhere.handle_of(ANA, create=False)
        vault.erase(ana)
        clock.move(30)
        with pytest.raises(Erased):
            elsewhere.citizen_of(ana)
        assert elsewhere.handle_of(ANA, create=False) is None

    def test_the_row_is_overwritten_in_the_file_and_leaves_the_log_beside_it(self, new_database, clock, tmp_path):
        url = new_database("sqlite", "keys")
        vault = open_vault(url, KEYS, clock=clock)
        handle = vault.handle_of(ANA, create=True)
        before = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        vault.erase(handle)
        after = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        vault.close()
        assert handle.encode() in before
        assert handle.encode() not in after


class TestTheStoreItself:
    def test_it_holds_neither_numbers_nor_open_keys(self, vault, ana, key_store):
        key = vault._citizen(ana).key
        engine = open_engine(key_store)
        with reading(engine) as conn:
            row = conn.execute(select(citizen_keys)).one()
        engine.dispose()
        held = b"".join([row.handle.encode(), row.tag, row.wrapped])
        assert ANA.encode() not in held
        assert key not in held

    @pytest.mark.usefixtures("vault")
    @pytest.mark.parametrize(
        "other",
        [MasterKeys(KEYS.master, bytes(32)), MasterKeys(bytes(32), KEYS.index), MasterKeys(KEYS.index, KEYS.master)],
        ids=["another index", "another master", "interchanged"],
    )
    def test_keys_it_was_not_made_with_are_refused_at_once(self, key_store, other):
        with pytest.raises(StoreError, match="made with another master or index key"):
            open_vault(key_store, other)

    def test_the_memory_is_bounded(self, vault):
        vault._handles._size = vault._citizens._size = 10
        handles = vault.handles_of([f"{number:012}" for number in range(100)], create=True)
        vault.citizens_of(handles.values())
        assert (len(vault._handles), len(vault._citizens)) == (10, 10)

    def test_a_database_that_fails_is_told_in_one_sentence_without_values(self, vault, key_store):
        engine = open_engine(key_store)
        with engine.begin() as conn:
            conn.exec_driver_sql("ALTER TABLE citizen_keys RENAME TO gone")
        engine.dispose()
        with pytest.raises(StoreError, match="the key store cannot be read or written: ") as refused:
            vault.handle_of(ANA, create=True)
        assert ANA not in str(refused.value)
        assert "\n" not in str(refused.value)
