from __future__ import annotations

import os
import threading

import pytest

from exchange.errors import KeyFileError
from exchange.sealed.key_files import write_file
from exchange.sealed.keys import KeySet


def test_a_private_file_is_for_its_owner_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        KeySet.generate(["vn-p256"]).save(tmp_path / "own.json")
    finally:
        os.umask(before)
    assert (tmp_path / "own.json").stat().st_mode & 0o777 == 0o600


def test_an_existing_file_is_not_overwritten_and_nothing_is_left_behind(tmp_path):
    path = tmp_path / "own.json"
    path.write_bytes(b"precious")
    with pytest.raises(KeyFileError, match="is not overwritten"):
        KeySet.generate(["vn-p256"]).save(path)
    assert [child.name for child in tmp_path.iterdir()] == ["own.json"]
    assert path.read_bytes() == b"precious"


def test_of_many_writers_at_once_one_wins(tmp_path):
    refused = []

    def write(content: bytes) -> None:
        try:
            write_file(tmp_path / "own.json", content, mode=0o600, replace_existing=False)
        except KeyFileError:
            refused.append(content)

    threads = [threading.Thread(target=write, args=(bytes([65 + index]) * 1000,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7
    assert (tmp_path / "own.json").read_bytes() not in refused


def test_a_file_everybody_may_read_is_refused(tmp_path):
    path = tmp_path / "own.json"
    KeySet.generate(["vn-p256"]).save(path)
    for mode, good in ((0o600, True), (0o640, True), (0o644, False), (0o604, False)):
        path.chmod(mode)
        if good:
            KeySet.load(path)
        else:
            with pytest.raises(KeyFileError, match="chmod 600"):
                KeySet.load(path)


def test_a_file_or_folder_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(KeyFileError, match="could not be read"):
        KeySet.load(tmp_path / "nothing.json")
    with pytest.raises(KeyFileError, match="could not be written"):
        KeySet.generate(["vn-p256"]).save(tmp_path / "nowhere" / "own.json")


def test_a_damaged_file_is_one_sentence_without_its_content(tmp_path):
    path = tmp_path / "own.json"
    KeySet.generate(["vn-p256"]).save(path)
    whole = path.read_bytes()
    for cut in range(0, len(whole) - 1, 40):
        path.write_bytes(whole[:cut])
        with pytest.raises(KeyFileError, match=r"^own\.json: [^{]*"):
            KeySet.load(path)
