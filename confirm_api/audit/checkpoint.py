"""Texts that anybody can check: the signed note, the checkpoint and the proof of C2SP, byte for byte.

Rules (c2sp.org/signed-note, tlog-checkpoint, tlog-proof)
- A note is text that ends in a newline, an empty line, then lines `— <name> base64(key id ‖ signature)`.
- The key id is SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)[:4]; 0x01 says Ed25519. A verifier key is
  `<name>+<key id in hex>+base64(0x01 ‖ public key)`.
- Signatures of unknown keys are ignored; one of the known key that does not verify refuses the whole note.
- The log's own key signs under the name of its origin. Its file is one line in the form of Go's `note` package,
  `PRIVATE+KEY+<origin>+<key id>+base64(0x01 ‖ seed)`, with mode 0600.

>>> key = LogKey("quychu.local/log", Ed25519PrivateKey.from_private_bytes(bytes(32)))
>>> key.verifier
'quychu.local/log+7b5e94fc+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop'
>>> parse_checkpoint(open_note(sign_checkpoint(Checkpoint("quychu.local/log", 1, bytes(32)), key), key.verifier)).size
1
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from confirm_api.errors import ServiceError, SettingsError

ED25519 = b"\x01"
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
_PRIVATE = "PRIVATE+KEY+"
_SIGNATURE = "— "
_ORIGIN = re.compile(r"[^\s+]{1,200}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteError(ServiceError):
    """A note, a checkpoint or a proof that is not what it should be."""

    code = "note"


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: whose log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True)
class Proof:
    """What a `tlog-proof` holds; `note` is the signed checkpoint, verbatim."""

    leaf: bytes
    index: int
    path: list[bytes]
    note: str


@dataclass(frozen=True)
class LogKey:
    """The log's own signing key; its name is the log's origin."""

    origin: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return self.private.public_key().public_bytes_raw()

    @property
    def verifier(self) -> str:
        """The verifier key that readers pin."""
        return f"{self.origin}+{key_id(self.origin, self.public).hex()}+{_text64(ED25519 + self.public)}"

    def sign(self, text: str) -> str:
        """The note of this text under this key."""
        blob = key_id(self.origin, self.public) + self.private.sign(text.encode())
        return f"{text}\n{_SIGNATURE}{self.origin} {_text64(blob)}\n"


# ── notes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def key_id(name: str, public: bytes) -> bytes:
    """The four bytes that name an Ed25519 key beside its name."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def open_note(note: str, verifier: str) -> str:
    """The text of a note that carries a good signature of this verifier key."""
    text, end, signatures = note.rpartition("\n\n")
    if not end or not signatures.endswith("\n") or any(sign < " " and sign != "\n" for sign in note):
        raise NoteError("expected text, an empty line and signature lines; found no signed note.")
    name, expected_id, public = _verifier_parts(verifier)
    found = [_signature(line) for line in signatures.splitlines()]
    ours = [blob[4:] for who, blob in found if (who, blob[:4]) == (name, expected_id)]
    if not ours:
        raise NoteError(f"expected a signature of {name}, found none; compare the pinned verifier key.")
    for signature in ours:
        _verify(public, signature, f"{text}\n")
    return f"{text}\n"


def _signature(line: str) -> tuple[str, bytes]:
    name, space, encoded = line.removeprefix(_SIGNATURE).partition(" ")
    blob = _bytes64(encoded)
    if not line.startswith(_SIGNATURE) or not name or not space or len(blob) < 5:
        raise NoteError("expected signature lines of the form '— name base64', found another line.")
    return name, blob


def _verify(public: bytes, signature: bytes, text: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text.encode())
    except InvalidSignature as error:
        raise NoteError("the signature does not belong to this text; the note was changed.") from error


def _verifier_parts(verifier: str) -> tuple[str, bytes, bytes]:
    parts = verifier.split("+", 2)
    material = _bytes64(parts[-1])
    if len(parts) != 3 or len(material) != 33 or material[:1] != ED25519:
        raise NoteError("expected a verifier key <name>+<8 hex digits>+<base64> of an Ed25519 key.")
    name, identifier, public = parts[0], key_id(parts[0], material[1:]), material[1:]
    if parts[1] != identifier.hex():
        raise NoteError("the verifier key's id is not that of its key; copy it again from the log.")
    return name, identifier, public


def _text64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("expected standard base64 with padding.") from error
    if _text64(data) != text:
        raise NoteError("expected base64 without spare bits.")
    return data


# ── checkpoints and proofs ───────────────────────────────────────────────────────────────────────────────────────────


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """The three lines of a checkpoint.

    >>> checkpoint_text(Checkpoint("example.com/log", 0, bytes(32))).split()
    ['example.com/log', '0', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=']
    """
    return f"{checkpoint.origin}\n{checkpoint.size}\n{_text64(checkpoint.root)}\n"


def sign_checkpoint(checkpoint: Checkpoint, key: LogKey) -> str:
    """The signed note of a checkpoint."""
    return key.sign(checkpoint_text(checkpoint))


def parse_checkpoint(text: str) -> Checkpoint:
    """The tree head that a note's text tells; extension lines are taken and ignored."""
    *lines, end = text.split("\n")
    if end or len(lines) < 3 or not all(lines) or not _SIZE.fullmatch(lines[1]):
        raise NoteError("expected the lines origin, tree size and root hash, found no checkpoint.")
    return Checkpoint(lines[0], int(lines[1]), _hash(lines[2]))


def proof_text(proof: Proof) -> str:
    """The `tlog-proof`: the leaf as `extra`, its index, its path, the checkpoint verbatim."""
    lines = [PROOF_HEADER, f"extra {_text64(proof.leaf)}", f"index {proof.index}", *map(_text64, proof.path)]
    return "\n".join(lines) + f"\n\n{proof.note}"


def parse_proof(text: str) -> Proof:
    """The parts of a `tlog-proof`; what they prove is for `merkle.verify_inclusion` and `open_note`."""
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    if len(lines) < 3 or lines[0] != PROOF_HEADER or not lines[1].startswith("extra "):
        raise NoteError(f"expected {PROOF_HEADER} with extra and index lines, found no proof.")
    index = lines[2].removeprefix("index ")
    if index == lines[2] or not _SIZE.fullmatch(index) or not note:
        raise NoteError("expected an index line and a checkpoint, found no proof.")
    return Proof(_bytes64(lines[1].removeprefix("extra ")), int(index), [_hash(line) for line in lines[3:]], note)


def _hash(text: str) -> bytes:
    value = _bytes64(text)
    if len(value) != 32:
        raise NoteError(f"expected a hash of 32 bytes, found {len(value)}.")
    return value


def encode_hashes(hashes: Sequence[bytes]) -> list[str]:
    """Hashes as the consistency endpoint gives them."""
    return [_text64(value) for value in hashes]


# ── the log's key file ───────────────────────────────────────────────────────────────────────────────────────────────


def new_log_key(origin: str) -> LogKey:
    """A new key for a log of this origin."""
    _refuse_bad_origin(origin)
    return LogKey(origin, Ed25519PrivateKey.generate())


def write_log_key(key: LogKey, path: Path) -> None:
    """Write the private key once, for its owner alone; a file that exists is never overwritten."""
    seed = ED25519 + key.private.private_bytes_raw()
    line = f"{_PRIVATE}{key.origin}+{key_id(key.origin, key.public).hex()}+{_text64(seed)}\n"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise SettingsError(
            f"{path}: is there already; a log keeps its key for ever, so it is not replaced."
        ) from error
    except OSError as error:
        raise SettingsError(
            f"{path}: could not be written ({error.strerror}); see that the folder is there."
        ) from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def read_log_key(path: Path, origin: str) -> LogKey:
    """The log's key, refused where the file is of another log."""
    try:
        line = path.read_text("utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: could not be read; expected the log's key, made by `quychu keys`.") from error
    key = _parse_private(line, path)
    if key.origin != origin:
        raise SettingsError(
            f"{path}: is the key of the log {key.origin}, the settings say {origin}; correct one of them."
        )
    return key


def _parse_private(line: str, path: Path) -> LogKey:
    parts = line.removeprefix(_PRIVATE).split("+", 2)
    try:
        seed = _bytes64(parts[-1])
    except NoteError:
        seed = b""
    if not line.startswith(_PRIVATE) or len(parts) != 3 or len(seed) != 33 or seed[:1] != ED25519:
        raise SettingsError(f"{path}: expected one line PRIVATE+KEY+<origin>+<id>+<base64>, found something else.")
    key = LogKey(parts[0], Ed25519PrivateKey.from_private_bytes(seed[1:]))
    if parts[1] != key_id(key.origin, key.public).hex():
        raise SettingsError(f"{path}: the id is not that of the key; restore the file from its backup.")
    return key


def _refuse_bad_origin(origin: str) -> None:
    if not _ORIGIN.fullmatch(origin):
        raise SettingsError(
            "the log's origin: expected 1 to 200 characters without blanks or '+', like quychu.local/log."
        )
