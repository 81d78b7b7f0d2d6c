"""A reader of the audit log of section 6 that believes nothing.

Rules
- RFC 6962 hashing: a leaf is SHA-256(0x00 || leaf), a node SHA-256(0x01 || left || right).
- A checkpoint is a C2SP signed note under the pinned verifier key; a proof is a C2SP tlog-proof with the leaf as extra.

>>> root([b"a"]) == leaf_hash(b"a")
True
>>> root([b"a", b"b", b"c"]) == node_hash(node_hash(leaf_hash(b"a"), leaf_hash(b"b")), leaf_hash(b"c"))
True
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.interop.second import schemas, strict_json, wire

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
PAGE: Final = 1000


class BadLogError(AssertionError):
    """The log says something that cannot be true, or says it in another form."""


def leaf_hash(leaf: bytes) -> bytes:
    """RFC 6962, 2.1."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, 2.1."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over these leaves."""
    return _root_of_hashes([leaf_hash(leaf) for leaf in leaves])


def _root_of_hashes(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY_ROOT
    cut = _largest_power_below(len(hashes))
    return node_hash(_root_of_hashes(hashes[:cut]), _root_of_hashes(hashes[cut:]))


def _largest_power_below(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def root_from_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root that this path leads to (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        raise BadLogError("the index lies outside the tree")
    place, last, found = index, size - 1, leaf_hash(leaf)
    for sibling in path:
        if last == 0:
            raise BadLogError("the path is too long")
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise BadLogError("the path is too short")
    return found


def check_consistency(size1: int, size2: int, root1: bytes, root2: bytes, path: Sequence[bytes]) -> None:
    """RFC 9162, 2.1.4.2: the second tree only adds to the first."""
    if size1 == size2:
        _must(not path and root1 == root2, "equal sizes, other roots or a path")
        return
    hashes = list(path)
    if size1 & (size1 - 1) == 0:
        hashes = [root1, *hashes]
    _must(bool(hashes), "an empty consistency path")
    place, last = size1 - 1, size2 - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = hashes[0]
    for node in hashes[1:]:
        _must(last != 0, "the consistency path is too long")
        if place & 1 or place == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, node)
        place, last = place >> 1, last >> 1
    _must((old, new, last) == (root1, root2, 0), "the trees are not consistent")


@dataclass(frozen=True)
class VerifierKey:
    """A C2SP vkey: `<name>+<hash>+<base64>`."""

    name: str
    key_id: bytes
    public: bytes

    @classmethod
    def read(cls, line: str) -> VerifierKey:
        """Read one line."""
        name, _, rest = line.partition("+")
        found = re.fullmatch(r"([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)", rest)
        if found is None:
            raise BadLogError("a verifier key is <name>+<8 hex digits>+<base64>")
        raw = _unbase64(found[2])
        _must(len(raw) == 33 and raw[0] == 1, "a verifier key of another kind than Ed25519")
        expected = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        _must(bytes.fromhex(found[1]) == expected, "the hash in the verifier key is wrong")
        return cls(name, expected, raw[1:])


@dataclass(frozen=True)
class Checkpoint:
    """A tree head whose signature held."""

    origin: str
    size: int
    root: bytes
    note: str

    @classmethod
    def read(cls, note: str, key: VerifierKey) -> Checkpoint:
        """Verify a signed note and read its three lines."""
        _must(all(sign == "\n" or sign >= " " for sign in note), "a control character in the note")
        body, blank, signatures = note.rpartition("\n\n")
        _must(bool(blank), "no blank line in the note")
        text = body + "\n"
        _must(_is_signed(text, signatures, key), "no signature of the pinned key")
        lines = text.split("\n")
        _must(len(lines) >= 4 and all(lines[:-1]), "fewer than three lines in the note")
        _must(lines[0] == key.name, "another origin")
        _must(re.fullmatch(r"0|[1-9][0-9]*", lines[1]) is not None, "the size is not a decimal")
        found = _unbase64(lines[2])
        _must(len(found) == 32, "the root is not 32 bytes")
        return cls(lines[0], int(lines[1]), found, note)


def _is_signed(text: str, signatures: str, key: VerifierKey) -> bool:
    _must(signatures.endswith("\n"), "the note does not end with a newline")
    held = False
    for line in signatures[:-1].split("\n"):
        found = re.fullmatch(r"— ([^ +]+) ([A-Za-z0-9+/]+=*)", line)
        if found is None:
            raise BadLogError("a signature line of another form")
        raw = _unbase64(found[2])
        if found[1] != key.name or raw[:4] != key.key_id:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], text.encode())
        except InvalidSignature:
            raise BadLogError("the checkpoint's signature does not hold") from None
        held = True
    return held


@dataclass(frozen=True)
class Proof:
    """A leaf that was shown to stand in the log."""

    index: int
    leaf: bytes
    checkpoint: Checkpoint

    @classmethod
    def read(cls, text: str, key: VerifierKey) -> Proof:
        """Verify a tlog-proof."""
        head, blank, note = text.partition("\n\n")
        _must(bool(blank), "no blank line in the proof")
        lines = head.split("\n")
        _must(lines[0] == "c2sp.org/tlog-proof@v1", "the proof's first line")
        _must(len(lines) > 2 and lines[1].startswith("extra "), "the proof has no extra line")
        index = re.fullmatch(r"index (0|[1-9][0-9]*)", lines[2])
        if index is None:
            raise BadLogError("the proof's index line")
        leaf = _unbase64(lines[1].removeprefix("extra "))
        path = [_unbase64(line) for line in lines[3:]]
        checkpoint = Checkpoint.read(note, key)
        found = root_from_inclusion(int(index[1]), checkpoint.size, leaf, path)
        _must(found == checkpoint.root, "the path does not lead to the checkpoint's root")
        return cls(int(index[1]), leaf, checkpoint)

    @property
    def entry(self) -> dict[str, Any]:
        """The leaf, read and checked."""
        return read_leaf(self.leaf)


def read_leaf(leaf: bytes) -> dict[str, Any]:
    """A leaf as section 6 wants it: exactly its fields, in canonical form."""
    entry = strict_json.loads(leaf)
    _must(rfc8785.dumps(entry) == leaf, "a leaf that is not RFC 8785")
    schemas.LEAF(entry, "")
    return entry


@dataclass(frozen=True)
class LogReader:
    """The log at one address, under a pinned key."""

    url: str
    key: VerifierKey

    @classmethod
    def at(cls, url: str, pinned: str | None = None) -> LogReader:
        """The log at a service's address; without a pinned key the first one shown is trusted."""
        answer = _text(f"{url}/v1/log/key")
        shown = answer.strip("\n")
        _must(pinned is None or shown == pinned, "the log shows another key than the pinned one")
        return cls(url, VerifierKey.read(shown))

    def checkpoint(self) -> Checkpoint:
        """The present tree head."""
        return Checkpoint.read(_text(f"{self.url}/v1/log/checkpoint"), self.key)

    def proof(self, **query: str | int) -> Proof | None:
        """A verified proof by `index` or `sealed`; None where the log answers 404."""
        (name, value), *_ = query.items()
        answer = wire.get(f"{self.url}/v1/log/proof?{name}={value}")
        if answer.status == 404:
            return None
        _must(answer.status == 200 and _is_text(answer), f"a proof answered {answer.status} {answer.media_type}")
        return Proof.read(answer.body.decode(), self.key)

    def wait_for(self, sealed: str, seconds: float = 8) -> Proof:
        """The proof of a message, which may stand in the checkpoint only after 5 s."""
        until = time.monotonic() + seconds
        while (found := self.proof(sealed=sealed)) is None:
            if time.monotonic() > until:
                raise BadLogError(f"no leaf for the message {sealed[:12]}… after {seconds:g} s")
            time.sleep(0.5)
        _must(found.entry["sealed"] == sealed, "the proof is of another message")
        return found

    def consistency(self, first: Checkpoint, second: Checkpoint) -> None:
        """That the second checkpoint only adds to the first."""
        answer = wire.get(f"{self.url}/v1/log/consistency?from={first.size}&to={second.size}")
        _must(answer.status == 200, f"consistency answered {answer.status}")
        _must(answer.media_type.partition(";")[0] == "application/json", "consistency is JSON")
        found = answer.json()
        _must(set(found) == {"from", "to", "hashes"}, "the members of the consistency answer")
        _must((found["from"], found["to"]) == (first.size, second.size), "consistency of other sizes")
        path = [_unbase64(line) for line in found["hashes"]]
        check_consistency(first.size, second.size, first.root, second.root, path)

    def leaves(self, size: int) -> list[bytes]:
        """The first so many leaves, byte for byte."""
        found: list[bytes] = []
        while len(found) < size:
            upto = min(size, len(found) + PAGE)
            answer = wire.get(f"{self.url}/v1/log/leaves?from={len(found)}&to={upto}")
            _must(answer.status == 200, f"leaves answered {answer.status}")
            _must(answer.media_type.partition(";")[0] == "application/jsonl", "leaves are JSON lines")
            page = answer.body.split(b"\n")
            _must(page.pop() == b"" and len(page) == upto - len(found), "each leaf has a newline, none is missing")
            found += page
        return found


def _text(url: str) -> str:
    answer = wire.get(url)
    _must(answer.status == 200 and _is_text(answer), f"{url} answered {answer.status} {answer.media_type}")
    return answer.body.decode()


def _is_text(answer: wire.Answer) -> bool:
    return answer.media_type.partition(";")[0].strip() == "text/plain"


def _unbase64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise BadLogError("not base64") from None
    _must(base64.b64encode(raw).decode() == text, "base64 that is not canonical")
    return raw


def _must(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise BadLogError(otherwise)
