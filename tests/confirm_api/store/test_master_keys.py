"""The keys above the key store come from private files or the environment, and never show themselves."""

from __future__ import annotations

import pytest

from confirm_api.errors import StoreError
from confirm_api.store.master_keys import INDEX_FILE, MASTER_FILE, MasterKeys

TEXT = "A" * 43
OTHER = "B" * 42 + "A"


def test_keys_made_are_the_keys_loaded(tmp_path):
    made = MasterKeys.make(tmp_path / "keys")
    assert MasterKeys.load(tmp_path / "keys") == made
    assert made.master != made.index


def test_files_are_for_their_owner_only(tmp_path):
    MasterKeys.make(tmp_path)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in (MASTER_FILE, INDEX_FILE)] == [0o600, 0o600]


def test_keys_are_never_written_over(tmp_path):
    made = MasterKeys.make(tmp_path)
    with pytest.raises(StoreError, match="exists already"):
        MasterKeys.make(tmp_path)
    assert MasterKeys.load(tmp_path) == made


def test_one_key_that_is_there_already_stops_both(tmp_path):
    (tmp_path / INDEX_FILE).write_text("old")
    with pytest.raises(StoreError, match="exists already"):
        MasterKeys.make(tmp_path)
    assert not (tmp_path / MASTER_FILE).exists()


def test_a_file_that_others_may_read_is_refused_with_what_to_do(tmp_path):
    MasterKeys.make(tmp_path)
    (tmp_path / INDEX_FILE).chmod(0o640)
    with pytest.raises(StoreError, match=r"index\.key may be read by others \(mode 0640\); run: chmod 600"):
        MasterKeys.load(tmp_path)


def test_keys_are_read_as_written():
    assert MasterKeys.parse(TEXT, f" {OTHER}\n").master == bytes(32)


@pytest.mark.parametrize("text", ["", "A" * 42, "A" * 44, "A" * 42 + "B", "A" * 42 + "+", "A" * 42 + "=", "á" * 43])
def test_what_is_not_32_bytes_in_base64url_is_no_key(text):
    with pytest.raises(StoreError, match="the master key is no key: 32 bytes as 43 base64url characters") as refused:
        MasterKeys.parse(text, OTHER)
    assert not text or text not in str(refused.value)


def test_one_key_for_both_is_refused():
    with pytest.raises(StoreError, match="two different keys"):
        MasterKeys.parse(TEXT, TEXT)


def test_keys_do_not_show_themselves():
    assert repr(MasterKeys.parse(TEXT, OTHER)) == "MasterKeys(…)"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"master\.key cannot be read: No such file"):
        MasterKeys.load(tmp_path)
