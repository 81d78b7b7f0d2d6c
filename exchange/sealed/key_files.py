"""Files of keys: there in full or not at all, never overwritten unawares, private ones not for everybody's eyes.

Rules
- A file is written under a name of its own beside its place, brought to the disk, then given its place in one step.
- Where nothing may be overwritten that step fails if the name is taken, also when two run at the same moment.
- A private file that every user of the machine may read is refused.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     path = Path(folder) / "keys.json"
...     write_file(path, b"{}", mode=0o600, replace_existing=False)
...     oct(path.stat().st_mode & 0o777), read_file(path)
('0o600', b'{}')
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from exchange.errors import KeyFileError


def read_file(path: Path) -> bytes:
    """The whole file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(
            f"{path}: could not be read ({error.strerror}); make keys with `quychu keys make`."
        ) from error


def refuse_open_mode(path: Path) -> None:
    """Windows has no such bits: there the folder's access list holds. An absent file is told by its reading."""
    with suppress(OSError):
        if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO:
            raise KeyFileError(f"{path}: every user of this machine may read it; run `chmod 600`, or make new keys.")


def write_file(path: Path, content: bytes, *, mode: int, replace_existing: bool) -> None:
    """`content` at `path`, durable when this returns."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        _write_new(temporary, content, mode)
        if replace_existing:
            temporary.replace(path)
        else:
            os.link(temporary, path)  # fails where the name is taken; a rename would overwrite
        _sync_folder(path.parent)
    except FileExistsError as error:
        raise KeyFileError(f"{path}: is there already and is not overwritten; move it away first.") from error
    except OSError as error:
        raise KeyFileError(f"{path}: could not be written ({error.strerror}); see that its folder is there.") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _write_new(path: Path, content: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Windows neither needs nor allows it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
