"""The keys that the service alone has are made once, privately, and never written over."""

from __future__ import annotations

from pathlib import Path

from confirm_api.audit.checkpoint import read_log_key
from confirm_api.store.master_keys import MasterKeys
from tests.end_to_end.command import quychu


def test_the_logs_key_is_made_and_its_verifier_told(tmp_path: Path):
    done = quychu("keys", "log", tmp_path / "log.key", "--origin", "example.vn/log")
    assert done.code == 0, done.err
    assert done.out.strip() == read_log_key(tmp_path / "log.key", "example.vn/log").verifier
    assert (tmp_path / "log.key").stat().st_mode & 0o077 == 0


def test_a_logs_key_is_never_written_over(tmp_path: Path):
    quychu("keys", "log", tmp_path / "log.key")
    before = (tmp_path / "log.key").read_bytes()
    done = quychu("keys", "log", tmp_path / "log.key")
    assert "is there already" in done.refusal
    assert (tmp_path / "log.key").read_bytes() == before


def test_the_keys_above_the_key_store_are_made_once(tmp_path: Path):
    assert quychu("keys", "store", tmp_path / "k").code == 0
    made = MasterKeys.load(tmp_path / "k")
    assert "exists already" in quychu("keys", "store", tmp_path / "k").refusal
    assert MasterKeys.load(tmp_path / "k") == made
