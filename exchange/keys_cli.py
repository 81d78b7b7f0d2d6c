"""What `quychu keys` does, without a terminal.

Rules
- `make` makes the folder where it lacks and refuses to overwrite; `rotate` replaces the file in one step, and a step
  that is not due is refused.
- What is printed names keys by `kid`, suite, use and status, never by a private part.
- A rotation has three steps with the peers' learning between them: add-next, activate, retire.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     lines = make(Path(folder) / "service.keys.json", ["vn-p256"])
>>> [line.split()[1:] for line in lines]
[['vn-p256', 'sig', 'active'], ['vn-p256', 'enc', 'active']]
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from exchange.sealed.key_files import write_file
from exchange.sealed.keys import JwkSet, Key, KeySet

STEPS: dict[str, Callable[[KeySet, str], KeySet]] = {
    "add-next": KeySet.with_next,
    "activate": KeySet.activated,
    "retire": KeySet.retired,
}
"""In their order; each takes the set and the suite."""


def make(path: Path, suites: Collection[str]) -> list[str]:
    """New keys in a new file; a line for each."""
    keys = KeySet.generate(suites)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys.save(path)
    return lines(keys.keys)


def show(path: Path) -> list[str]:
    """A line for each key of a private or a public file."""
    return lines(_either(path).keys)


def jwks(path: Path) -> bytes:
    """The public file that peers pin, from our private one."""
    return KeySet.load(path).public().to_json()


def write_public(path: Path, text: bytes) -> None:
    """The public file, in one step; it may replace an older one."""
    write_file(path, text, mode=0o644, replace_existing=True)


def rotate(path: Path, suite: str, step: str) -> list[str]:
    """One step of a rotation, kept in the same file."""
    keys = STEPS[step](KeySet.load(path), suite)
    keys.save(path, replace_existing=True)
    return lines(keys.keys)


def lines(keys: Collection[Key]) -> list[str]:
    """`kid suite use status`."""
    return [f"{key.kid}  {key.suite}  {key.use}  {key.status}" for key in keys]


def _either(path: Path) -> KeySet | JwkSet:
    return KeySet.load(path) if is_private(path) else JwkSet.load(path)


def is_private(path: Path) -> bool:
    """Whether a file of keys has a private part anywhere; its strict reading follows."""
    try:
        return b'"d"' in path.read_bytes()
    except OSError:
        return False
