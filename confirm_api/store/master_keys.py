"""The two keys above the key store: one wraps the citizens' keys, one makes the index of their numbers.

Rules
- A key is 32 random bytes, written as 43 base64url characters in a file that its owner alone may read, or given by the
  environment in the same form. It never stands in a settings file, a log or an error.
- Both must be kept, apart from the backups of the key store: without the master key nothing can be opened again.

>>> MasterKeys.parse("A" * 43, "_" * 42 + "8")
MasterKeys(…)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from confirm_api.errors import StoreError
from confirm_api.store.boxes import KEY_BYTES
from exchange.errors import KeyFileError
from exchange.sealed import base64url
from exchange.sealed.key_files import write_file

MASTER_FILE, INDEX_FILE = "master.key", "index.key"


@dataclass(frozen=True, repr=False)
class MasterKeys:
    """`master` wraps citizens' keys, `index` makes the tags of their numbers."""

    master: bytes
    index: bytes

    def __post_init__(self) -> None:
        if len(self.master) != KEY_BYTES or len(self.index) != KEY_BYTES or self.master == self.index:
            raise StoreError(f"two different keys of {KEY_BYTES} bytes are expected as master and index key")

    def __repr__(self) -> str:
        return "MasterKeys(…)"

    @classmethod
    def make(cls, folder: Path) -> Self:
        """Two new keys in `folder`; refuses to write over others."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = cls(os.urandom(KEY_BYTES), os.urandom(KEY_BYTES))
        files = {folder / MASTER_FILE: keys.master, folder / INDEX_FILE: keys.index}
        for path in files:
            if path.exists():
                raise StoreError(f"{path} exists already; a key is never written over: choose another folder")
        for path, key in files.items():
            _write_new(path, key)
        return keys

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The keys that `make` wrote."""
        return cls.from_files(folder / MASTER_FILE, folder / INDEX_FILE)

    @classmethod
    def from_files(cls, master: Path, index: Path) -> Self:
        """Keys from two files that their owner alone may read."""
        return cls(parse_key(read_private(master), str(master)), parse_key(read_private(index), str(index)))

    @classmethod
    def parse(cls, master: str, index: str) -> Self:
        """Keys as written (from the environment)."""
        return cls(parse_key(master, "the master key"), parse_key(index, "the index key"))


def read_private(path: Path) -> str:
    """The text of a file of secrets; refuses one that others may read."""
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & 0o077:
            raise StoreError(f"{path} may be read by others (mode {mode & 0o777:04o}); run: chmod 600 {path}")
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise StoreError(f"{path} is no file of a secret: plain ASCII text is expected") from None


def parse_key(text: str, where: str) -> bytes:
    """The key that a text writes; `where` stands in the sentence of a refusal, the text never."""
    try:
        key = base64url.decode(text.strip().encode())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise StoreError(f"{where} is no key: {KEY_BYTES} bytes as 43 base64url characters are expected")
    return key


def _write_new(path: Path, key: bytes) -> None:
    try:
        write_file(path, f"{base64url.encode(key)}\n".encode(), mode=0o600, replace_existing=False)
    except KeyFileError as error:
        raise StoreError(str(error)) from None
