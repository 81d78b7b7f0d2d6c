r"""Files that are either there in full or not at all.

Rules
- A file is written under a temporary name beside its place, brought to the disk, and renamed: a stopped run leaves the
  old file or the new one, never half of one.
- A temporary file is named `.<name>.<process>.quychu-tmp`, so that the next run can clear away what a killed one left.
- The same content gives the same bytes: JSON keeps the order given, Parquet has one writer setting.
- A disk that is full or a file that is open in Excel ends in one sentence (`RunFolderError`).

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     write_json(Path(folder) / "run.json", {"rows": 3})
...     (Path(folder) / "run.json").read_text(encoding="utf-8")
'{\n  "rows": 3\n}\n'
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import polars as pl

from linkage.errors import RunFolderError

TEMPORARY_SUFFIX = ".quychu-tmp"

_PARQUET_ROW_GROUP = 131_072
_REPLACE_TRIES = 5
_REPLACE_WAIT_SECONDS = 0.1


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that takes the place of `path` when the block ends well, and vanishes when it does not."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        with temporary.open("w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise RunFolderError(
            f"{path.name}: could not be written ({error.strerror or type(error).__name__}); "
            "close any program that has it open, see that the disk has room, and run again."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_parquet(path: Path, frame: pl.DataFrame) -> None:
    """`frame` as zstd Parquet: the same rows give the same bytes."""
    with replacing(path) as file:
        frame.write_parquet(
            file, compression="zstd", compression_level=1, statistics=True, row_group_size=_PARQUET_ROW_GROUP
        )


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """`content` as indented UTF-8 JSON, in the order given; NaN and infinity are refused, as JSON has none."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """`text` as UTF-8 with the line ends it has."""
    with replacing(path) as file:
        file.write(text.encode("utf-8"))


def move_into(source: Path, path: Path) -> None:
    """Moves a finished file of the same disk to `path`, as durably as if it had been written there."""
    with source.open("rb+") as file:
        os.fsync(file.fileno())
    _replace(source, path)
    sync_folder(path.parent)


def copy_file(source: Path, path: Path) -> None:
    """The same bytes at `path`, there in full or not at all."""
    with source.open("rb") as old, replacing(path) as new:
        shutil.copyfileobj(old, new, 1 << 20)


def sha256_of(path: Path) -> str:
    """The hex SHA-256 of a file, read as a stream."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_leftovers(folder: Path) -> None:
    """Deletes the temporary files that a killed run left in `folder`."""
    for leftover in folder.glob(f".*{TEMPORARY_SUFFIX}"):
        with suppress(OSError):
            leftover.unlink()


def sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` survive a power cut; Windows neither needs nor allows it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:  # some network drives refuse to sync a folder; the file itself is on the disk
        pass
    finally:
        os.close(handle)


def _replace(temporary: Path, path: Path) -> None:
    """Renames; on Windows a virus scanner may hold either file for a moment, so a few tries are made."""
    for remaining in reversed(range(_REPLACE_TRIES)):
        try:
            temporary.replace(path)
        except PermissionError:
            if os.name != "nt" or not remaining:
                raise
            time.sleep(_REPLACE_WAIT_SECONDS)
        else:
            return
