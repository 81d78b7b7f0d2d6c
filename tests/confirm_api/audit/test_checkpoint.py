"""Notes, checkpoints and proofs against the published examples, and against what an attacker would change."""

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confirm_api.audit import checkpoint as c
from confirm_api.errors import SettingsError

C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# Of Go's golang.org/x/mod/sumdb/note
GO_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


@pytest.fixture
def key():
    return c.new_log_key("example.com/log")


def test_the_published_note_verifies_under_its_published_key():
    assert c.open_note(C2SP_NOTE, C2SP_KEY) == "This is an example message.\n"


def test_our_signature_is_byte_for_byte_the_one_gos_note_package_publishes(tmp_path):
    (tmp_path / "key").write_text(GO_PRIVATE + "\n")
    key = c.read_log_key(tmp_path / "key", "PeterNeumann")
    assert key.verifier == GO_VERIFIER
    assert key.sign(GO_TEXT) == f"{GO_TEXT}\n{GO_SIGNATURE}"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (C2SP_NOTE.replace("an example", "no example"), "does not belong"),
        (C2SP_NOTE.replace("AekyeRrm", ""), None),
        (C2SP_NOTE.replace("— example.com/foo", "— example.com/bar"), "found none"),
        (C2SP_NOTE.rstrip("\n"), "no signed note"),
        (C2SP_NOTE.replace("\n\n", "\n"), "no signed note"),
        (C2SP_NOTE.replace("message.", "message.\r"), "no signed note"),
        (C2SP_NOTE.replace("IneyaQM=", "IneyaQN="), "spare bits"),
        (C2SP_NOTE + "hello\n", "base64"),
    ],
)
def test_a_changed_note_is_refused_and_an_unchanged_one_is_not(changed, why):
    if why is None:
        assert c.open_note(changed, C2SP_KEY)
    else:
        with pytest.raises(c.NoteError, match=why):
            c.open_note(changed, C2SP_KEY)


def test_signatures_of_strangers_are_ignored_beside_the_known_one(key):
    note = key.sign("text\n") + "— stranger AAAAAAAAAA==\n"
    assert c.open_note(note, key.verifier) == "text\n"


def test_a_second_bad_signature_under_the_known_name_and_id_refuses_the_note(key):
    note = key.sign("text\n")
    bad = key.sign("other\n").rsplit("\n\n", 1)[1]
    with pytest.raises(c.NoteError, match="does not belong"):
        c.open_note(note + bad, key.verifier)


@pytest.mark.parametrize("verifier", ["", "a+b", C2SP_KEY.replace("530d903a", "530d903b"), C2SP_KEY[:-4]])
def test_a_verifier_key_that_contradicts_itself_is_refused(verifier):
    with pytest.raises(c.NoteError):
        c.open_note(C2SP_NOTE, verifier)


@given(st.integers(0, 2**53), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_comes_back_from_its_text(size, root):
    told = c.Checkpoint("example.com/log", size, root)
    assert c.parse_checkpoint(c.checkpoint_text(told)) == told


@pytest.mark.parametrize(
    "text",
    ["", "a\n1\n", "\n1\nAAAA\n", "a\n01\n" + "A" * 43 + "=\n", "a\n1\nAAAA\n", "a\n1\n" + "A" * 43 + "=\n\nx\n"],
)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(c.NoteError):
        c.parse_checkpoint(text)


def test_extension_lines_of_a_checkpoint_are_ignored():
    assert c.parse_checkpoint("a\n7\n" + "A" * 43 + "=\nextension\n").size == 7


@given(st.binary(max_size=300), st.integers(0, 2**40), st.lists(st.binary(min_size=32, max_size=32), max_size=5))
def test_a_proof_comes_back_from_its_text(leaf, index, path):
    proof = c.Proof(leaf, index, path, C2SP_NOTE)
    assert c.parse_proof(c.proof_text(proof)) == proof


@given(st.text())
def test_no_text_makes_the_parsers_fail_otherwise(text):
    for parse in (c.parse_proof, c.parse_checkpoint, lambda note: c.open_note(note, C2SP_KEY)):
        try:
            parse(text)
        except c.NoteError:
            continue
        raise AssertionError


def test_the_key_file_is_for_its_owner_and_is_never_overwritten(tmp_path, key):
    path = tmp_path / "log.key"
    c.write_log_key(key, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert c.read_log_key(path, key.origin).verifier == key.verifier
    with pytest.raises(SettingsError, match="already"):
        c.write_log_key(key, path)


def test_a_key_of_another_log_stops_the_start(tmp_path, key):
    c.write_log_key(key, tmp_path / "log.key")
    with pytest.raises(SettingsError, match="the settings say"):
        c.read_log_key(tmp_path / "log.key", "example.com/other")


@pytest.mark.parametrize("line", ["", "PRIVATE+KEY+a+b", GO_PRIVATE[:-8], GO_PRIVATE.replace("c74f", "c74e"), "\udcff"])
def test_a_broken_key_file_stops_the_start(tmp_path, line):
    (tmp_path / "log.key").write_bytes(line.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsError):
        c.read_log_key(tmp_path / "log.key", "PeterNeumann")


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "x" * 201])
def test_an_origin_that_no_note_could_carry_is_refused(origin):
    with pytest.raises(SettingsError, match="origin"):
        c.new_log_key(origin)
