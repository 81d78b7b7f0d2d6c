#!/usr/bin/env python3
"""All checks of `make check`, every one run even when an earlier one failed; ends with the list of what failed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
CHECKS: dict[str, list[str]] = {
    "rules of style (ruff)": [PYTHON, "-m", "ruff", "check", "--quiet", "."],
    "form (ruff format)": [PYTHON, "-m", "ruff", "format", "--check", "--quiet", "."],
    "types (mypy --strict)": [PYTHON, "-m", "mypy"],
    "types of scripts": [PYTHON, "-m", "mypy", "-p", "scripts"],
    "who may import whom": [str(Path(PYTHON).with_name("lint-imports")), "--config", ".importlinter"],
    "schemas of the protocol": [PYTHON, "scripts/write_protocol_schemas.py", "--check"],
    "licences": [PYTHON, "scripts/check_licences.py"],
    "lock files": [PYTHON, "scripts/lock.py", "--check"],
}


def passes(name: str, command: list[str]) -> bool:
    """Run one check; show what it prints only where it fails."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    good = done.returncode == 0
    print(f"{'ok    ' if good else 'FAILED'} {name} ({time.monotonic() - started:.1f} s)", flush=True)
    if not good:
        print(done.stdout + done.stderr, flush=True)
    return good


def main() -> int:
    """Run all checks."""
    failed = [name for name, command in CHECKS.items() if not passes(name, command)]
    print(f"failed: {', '.join(failed)}" if failed else f"all {len(CHECKS)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
