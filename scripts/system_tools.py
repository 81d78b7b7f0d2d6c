#!/usr/bin/env python3
"""Programs outside Python that some tests need: what for, which Debian package brings them, how to see them.

usage: python scripts/system_tools.py             list them
       python scripts/system_tools.py --install   install what is missing, where that is allowed

Rules
- A test asks with `@pytest.mark.needs("libreoffice")`; a name that is not in TOOLS is an error.
- Installing is allowed for root, or with a sudo that asks no password, on a machine with apt. Elsewhere nothing is
  touched, the tests in want of a tool are not run, and the run ends with their list.
- A failed installation is not an error here: the tests that miss the tool say so (and fail where CI=true).

>>> TOOLS["libreoffice"].package
'libreoffice-calc'
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tool:
    """One program: the Debian package that brings it, the commands that prove it is there, and what it is for."""

    package: str
    commands: tuple[str, ...]
    purpose: str

    def path(self) -> str | None:
        """Where the program is, or None."""
        return next((found for command in self.commands if (found := _find(command))), None)


TOOLS: dict[str, Tool] = {
    "libreoffice": Tool("libreoffice-calc", ("soffice", "libreoffice"), "opens the workbooks we write"),
    "chromium": Tool("chromium", ("chromium", "chromium-browser", "google-chrome", "Chromium"), "opens the report"),
    "postgresql": Tool("postgresql", ("postgres",), "a server of the tests' own (scripts/local_postgres.py)"),
}
MAC_APPS = {
    "soffice": "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    "Chromium": "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "google-chrome": "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
}
OFF_PATH = {"postgres": ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt")}
"""Programs that Debian and Homebrew keep off the PATH, one folder a version: `/usr/lib/postgresql/15/bin/postgres`."""


def _find(command: str) -> str | None:
    return shutil.which(command) or _mac_app(command) or _newest_off_path(command)


def _newest_off_path(command: str) -> str | None:
    found = [path for folder in OFF_PATH.get(command, ()) for path in Path(folder).glob(f"*/bin/{command}")]
    return str(max(found, key=_version)) if found else None


def _version(path: Path) -> tuple[int, ...]:
    digits = "".join(sign if sign.isdigit() else " " for sign in path.parent.parent.name)
    return tuple(int(part) for part in digits.split())


def _mac_app(command: str) -> str | None:
    app = MAC_APPS.get(command)
    return app if app and Path(app).exists() else None


def missing(names: Iterable[str] = TOOLS) -> list[str]:
    """Names of the tools that cannot be found."""
    return [name for name in names if TOOLS[name].path() is None]


def root_prefix() -> list[str] | None:
    """How to become root here without a question: [] for root, sudo, or None."""
    if os.name == "nt" or shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n"] if asked.returncode == 0 else None


def install(packages: list[str]) -> bool:
    """Install Debian packages where that is allowed; True where apt was content."""
    prefix = root_prefix()
    if prefix is None:
        return False
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    steps = ([*apt, "update", "-qq"], [*apt, "install", "-y", "-qq", "--no-install-recommends", *packages])
    return all(subprocess.run(step, stdout=subprocess.DEVNULL, check=False).returncode == 0 for step in steps)


def main() -> int:
    """List the tools, or install what is missing."""
    wanted = missing()
    if "--install" in sys.argv[1:]:
        packages = [TOOLS[name].package for name in wanted]
        if packages:
            print(f"installing Debian packages for tests: {' '.join(packages)}", flush=True)
            if not install(packages):
                print("not installed (needs apt, and root or sudo without a password)")
        return 0
    for name, tool in TOOLS.items():
        state = "missing" if name in wanted else "found"
        print(f"{name}: {state}; {tool.purpose}; Debian package {tool.package}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
