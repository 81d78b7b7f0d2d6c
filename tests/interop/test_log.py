"""The log reader, on a log made here."""

from __future__ import annotations

import base64
import contextlib
import hashlib

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.interop.second import log
from tests.interop.second.log import BadLogError, Checkpoint, Proof, VerifierKey, check_consistency, node_hash, root

ORIGIN = "quychu.local/log"
LEAVES = [f"leaf {number}".encode() for number in range(40)]


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1, as it is written there."""
    if len(leaves) < 2:
        return []
    cut = log._largest_power_below(len(leaves))
    if index < cut:
        return [*path(index, leaves[:cut]), root(leaves[cut:])]
    return [*path(index - cut, leaves[cut:]), root(leaves[:cut])]


def consistency(size: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:  # noqa: FBT001, FBT002 - as in the RFC
    """RFC 6962, 2.1.2, as it is written there."""
    if size == len(leaves):
        return [] if whole else [root(leaves)]
    cut = log._largest_power_below(len(leaves))
    if size <= cut:
        return [*consistency(size, leaves[:cut], whole), root(leaves[cut:])]
    return [*consistency(size - cut, leaves[cut:], False), root(leaves[:cut])]


@pytest.fixture(scope="module")
def signer():
    return Ed25519PrivateKey.generate()


def vkey(signer, name=ORIGIN) -> str:
    raw = b"\1" + signer.public_key().public_bytes_raw()
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    return f"{name}+{key_id.hex()}+{base64.b64encode(raw).decode()}"


def note(signer, size, head, name=ORIGIN) -> str:
    text = f"{name}\n{size}\n{base64.b64encode(head).decode()}\n"
    signature = bytes.fromhex(vkey(signer, name).split("+")[1]) + signer.sign(text.encode())
    return f"{text}\n— {name} {base64.b64encode(signature).decode()}\n"


def proof(signer, index, leaves) -> str:
    lines = ["c2sp.org/tlog-proof@v1", f"extra {base64.b64encode(leaves[index]).decode()}", f"index {index}"]
    lines += [base64.b64encode(node).decode() for node in path(index, leaves)]
    return "\n".join(lines) + "\n\n" + note(signer, len(leaves), root(leaves))


def test_the_vkey_and_note_of_the_specification_verify():
    key = VerifierKey.read("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    text = "This is an example message.\n"
    line = (
        "— example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    assert log._is_signed(text, line, key)


def test_the_root_of_three_leaves_is_as_the_rfc_draws_it():
    one, two, three = (log.leaf_hash(leaf) for leaf in LEAVES[:3])
    assert root(LEAVES[:3]) == node_hash(node_hash(one, two), three)
    assert root([]) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 21])
def test_every_leaf_of_a_tree_is_proven(signer, size):
    key = VerifierKey.read(vkey(signer))
    for index in range(size):
        found = Proof.read(proof(signer, index, LEAVES[:size]), key)
        assert (found.index, found.leaf, found.checkpoint.size) == (index, LEAVES[index], size)


@pytest.mark.parametrize("size2", [1, 2, 3, 8, 13, 16, 40])
def test_every_smaller_tree_is_consistent_with_a_larger_one(size2):
    leaves = LEAVES[:size2]
    for size1 in range(1, size2 + 1):
        check_consistency(size1, size2, root(leaves[:size1]), root(leaves), consistency(size1, leaves))


def test_a_tree_with_another_past_is_not_consistent():
    forged = [b"other", *LEAVES[1:13]]
    for size1 in range(1, 13):
        with pytest.raises(BadLogError):
            check_consistency(size1, 13, root(LEAVES[:size1]), root(forged), consistency(size1, forged))


BENT = {
    "another leaf": lambda text: text.replace("extra ", "extra AAAA", 1),
    "another index": lambda text: text.replace("index 5", "index 4"),
    "an index with a zero before": lambda text: text.replace("index 5", "index 05"),
    "no extra": lambda text: "\n".join(line for line in text.split("\n") if not line.startswith("extra")),
    "a hash left out": lambda text: (
        text.replace("index 5\n", "index 5\n# ", 1)
        .replace("# ", "", 1)
        .replace(base64.b64encode(path(5, LEAVES[:21])[0]).decode() + "\n", "", 1)
    ),
    "another size": lambda text: text.replace("\n21\n", "\n22\n"),
    "another origin": lambda text: text.replace(ORIGIN, "other.local/log"),
    "no signature": lambda text: text.rpartition("\n\n")[0] + "\n\n",
    "no newline at the end": lambda text: text[:-1],
    "another version": lambda text: text.replace("@v1", "@v2"),
}


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT.keys())
def test_a_bent_proof_is_refused(signer, bend):
    good = proof(signer, 5, LEAVES[:21])
    key = VerifierKey.read(vkey(signer))
    assert Proof.read(good, key).index == 5
    with pytest.raises(BadLogError):
        Proof.read(bend(good), key)


def test_a_checkpoint_of_another_key_is_refused(signer):
    key = VerifierKey.read(vkey(signer))
    other = Ed25519PrivateKey.generate()
    with pytest.raises(BadLogError):
        Checkpoint.read(note(other, 3, root(LEAVES[:3])), key)


def test_an_unknown_signature_beside_a_good_one_is_ignored(signer):
    key = VerifierKey.read(vkey(signer))
    witnessed = note(signer, 3, root(LEAVES[:3])) + "— witness.example " + base64.b64encode(b"x" * 68).decode() + "\n"
    assert Checkpoint.read(witnessed, key).size == 3


def test_a_key_with_a_wrong_hash_is_refused(signer):
    name, _, rest = vkey(signer).partition("+")
    with pytest.raises(BadLogError):
        VerifierKey.read(f"{name}+00000000+{rest.partition('+')[2]}")


LEAF = {
    "v": 1,
    "time": 1_800_000_000,
    "event": "landask",
    "subject": "0" * 64,
    "sealed": None,
    "commit": None,
    "from_kid": "A" * 43,
    "to_kid": None,
    "outcome": "sent",
    "reason": None,
}


def test_a_leaf_of_the_schema_is_read():
    assert log.read_leaf(rfc8785.dumps(LEAF)) == LEAF


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"event": "landask+jwt"},
        {"outcome": "ok"},
        {"time": "now"},
        {"subject": "F" * 64},
        {"more": 1},
        {"reason": 8},
    ],
    ids=str,
)
def test_a_leaf_off_the_schema_is_refused(change):
    with pytest.raises(ValueError, match="expected"):
        log.read_leaf(rfc8785.dumps({**LEAF, **change}))


def test_a_leaf_that_is_not_canonical_is_refused():
    with pytest.raises(BadLogError):
        log.read_leaf(rfc8785.dumps(LEAF).replace(b'"v":1', b'"v": 1'))


def test_suppressing_is_only_for_what_is_expected():
    with contextlib.suppress(BadLogError):
        log._unbase64("AB==")
    with pytest.raises(BadLogError):
        log._unbase64("A")
