"""Files are there in full or not at all."""

from __future__ import annotations

import hashlib

import polars as pl
import pytest

from linkage.errors import RunFolderError
from linkage.outputs.durable import (
    TEMPORARY_SUFFIX,
    remove_leftovers,
    replacing,
    sha256_of,
    write_json,
    write_parquet,
    write_text,
)


def stop_while_writing(path):
    with replacing(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "run.json"
    write_text(path, "old")
    with pytest.raises(KeyboardInterrupt):
        stop_while_writing(path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]


def test_a_full_disk_is_one_sentence_that_names_the_file(tmp_path):
    with (
        pytest.raises(RunFolderError, match=r"^links\.xlsx: could not be written \(No space left"),
        replacing(tmp_path / "links.xlsx"),
    ):
        raise OSError(28, "No space left on device")


def test_the_same_table_gives_the_same_bytes(tmp_path):
    frame = pl.DataFrame({"a": ["Nguyễn", None], "n": [1, 2]})
    for name in ("one", "two"):
        write_parquet(tmp_path / name, frame)
    assert sha256_of(tmp_path / "one") == sha256_of(tmp_path / "two")
    assert pl.read_parquet(tmp_path / "one").equals(frame)


def test_json_keeps_its_order_and_vietnamese_letters_and_has_no_nan(tmp_path):
    write_json(tmp_path / "a.json", {"z": "Xã", "a": 1})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "z": "Xã",\n  "a": 1\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})


def test_a_hash_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_only_our_own_leftovers_are_removed(tmp_path):
    kept = ["links.parquet", ".hidden", f"mine{TEMPORARY_SUFFIX}"]
    for name in [*kept, f".links.parquet.123{TEMPORARY_SUFFIX}"]:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(kept)
