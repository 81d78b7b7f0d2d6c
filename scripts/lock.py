#!/usr/bin/env python3
"""Write the lock files in requirements/, or check that they are fresh.

usage: python scripts/lock.py            resolve again with uv, with the hashes of every platform's files (network)
       python scripts/lock.py --check    are the locks made from the pyproject.toml of today? (no network)

Rules
- One version of each library for Linux, macOS and Windows and for Python 3.11 to 3.13, so a fault seen in one place is
  the same fault everywhere. Plain pip installs from the files: `pip install --require-hashes -r requirements/run.txt`.
- The developers' lock holds the run-time lock's versions: what is tested is what is shipped.
- No index, host or path of the machine that resolved is written.
- The first line carries the SHA-256 of what was asked for, so freshness needs no resolver.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
UV = "uv==0.13.9"
INDEX = "https://pypi.org/simple"
OLDEST_PYTHON = "3.11"
# lock → (dependency groups beside the run-time dependencies, locks whose versions it must keep)
PLAN: dict[str, tuple[list[str], list[str]]] = {
    "run": ([], []),
    "dev": (["dev"], ["run"]),
    "bench": (["build", "bench"], ["run", "dev"]),
    "data": (["data"], []),
}
ALONE = {"data"}  # groups installed with --no-deps: only their data files are read


def wanted(project: dict[str, Any], groups: list[str]) -> list[str]:
    """Requirements of the run time and of `groups`, included groups followed."""
    found: list[str] = [] if ALONE.issuperset(groups) and groups else list(project["project"]["dependencies"])
    waiting = list(groups)
    while waiting:
        for item in project["dependency-groups"][waiting.pop()]:
            if isinstance(item, str):
                found.append(item)
            else:
                waiting.append(item["include-group"])
    return sorted(set(found))


def fingerprint(requirements: list[str]) -> str:
    """SHA-256 of what a lock was asked for."""
    return hashlib.sha256(json.dumps(requirements).encode()).hexdigest()


def first_line(requirements: list[str]) -> str:
    """The line a fresh lock begins with."""
    return f"# Written by `make lock` from pyproject.toml; asked for sha256:{fingerprint(requirements)}"


def make_uv(folder: Path) -> Path:
    """A throw-away environment with the resolver."""
    venv.create(folder, with_pip=True)
    binaries = folder / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([binaries / "python", "-m", "pip", "install", "--quiet", UV], check=True)
    return binaries / "uv"


def resolve(uv: Path, name: str, requirements: list[str], keep: list[str], folder: Path) -> None:
    """Write one lock."""
    asked = folder / f"{name}.in"
    asked.write_text("\n".join(requirements) + "\n", encoding="utf-8")
    constraints = [part for lock in keep for part in ("--constraint", str(LOCKS / f"{lock}.txt"))]
    command = [
        *(str(uv), "pip", "compile", "--universal", "--generate-hashes", "--no-header", "--no-annotate", "--no-config"),
        *("--default-index", INDEX, "--fork-strategy", "fewest", "--python-version", OLDEST_PYTHON, "--quiet"),
        *constraints,
        *(["--no-deps"] if name in ALONE else []),
        str(asked),
    ]
    pins = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    (LOCKS / f"{name}.txt").write_text(f"{first_line(requirements)}\n{pins}", encoding="utf-8", newline="\n")


def stale(project: dict[str, Any]) -> list[str]:
    """Locks that are absent or were made from other requirements."""
    late = []
    for name, (groups, _) in PLAN.items():
        lock = LOCKS / f"{name}.txt"
        head = lock.read_text(encoding="utf-8").partition("\n")[0] if lock.exists() else ""
        if head != first_line(wanted(project, groups)):
            late.append(lock.relative_to(ROOT).as_posix())
    return late


def main() -> int:
    """Write the locks, or check them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if "--check" in sys.argv[1:]:
        late = stale(project)
        print(f"not fresh: {', '.join(late)}; run `make lock`" if late else "lock files are fresh")
        return 1 if late else 0
    LOCKS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        uv = make_uv(Path(scratch) / "uv")
        for name, (groups, keep) in PLAN.items():
            resolve(uv, name, wanted(project, groups), keep, Path(scratch))
            print(f"wrote requirements/{name}.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
