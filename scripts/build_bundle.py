#!/usr/bin/env python3
"""Build the folder from which `quychu` is installed without a network.

usage: python scripts/build_bundle.py [--out dist/bundle] [--only linux-3.11 …]

Rules
- Holds wheels for Linux (x86-64, glibc 2.28 or newer) and Windows (x86-64), Python 3.11 to 3.13, our own wheel, one
  requirements.txt with the hash of each, install.sh, install.bat, SHA256SUMS and the licences.
- Only wheels of requirements/run.txt enter, checked against the hashes there.
- pip judges environment markers by the machine it runs on, so the lock is split by target here, before pip sees it.
- The installers ask pip for hashes too: a wheel changed on the way is refused also where SHA256SUMS is not looked at.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "run.txt"
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = {
    "linux": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "windows": ("win_amd64",),
}
MARKERS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
}


@dataclass(frozen=True)
class Target:
    """One system and one Python."""

    system: str
    python: str

    def __str__(self) -> str:
        """`linux-3.11`."""
        return f"{self.system}-{self.python}"

    @property
    def environment(self) -> dict[str, str]:
        """The values environment markers are judged by."""
        python = {"python_version": self.python, "python_full_version": f"{self.python}.0"}
        return {**MARKERS[self.system], **python, "implementation_name": "cpython", "extra": ""}


TARGETS = {str(target): target for target in (Target(system, python) for system in PLATFORMS for python in PYTHONS)}


def entries(lock: str) -> list[str]:
    """Lock text → one joined line a library, hashes included."""
    joined = lock.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith(("#", "-"))]


def serves(entry: str, target: Target) -> bool:
    """Is this library wanted on that target?"""
    marker = Requirement(entry.partition(" --hash")[0].strip()).marker
    return marker is None or marker.evaluate(target.environment)


def download(target: Target, lock: list[str], wheels: Path, scratch: Path) -> None:
    """Fetch the wheels of one target, hashes checked."""
    asked = scratch / f"{target}.txt"
    lines = [
        entry.partition(" ;")[0] + " --hash" + entry.partition(" --hash")[2] for entry in lock if serves(entry, target)
    ]
    asked.write_text("\n".join(lines) + "\n", encoding="utf-8")
    platforms = [part for platform in PLATFORMS[target.system] for part in ("--platform", platform)]
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"),
            *(
                "--only-binary",
                ":all:",
                "--require-hashes",
                "--implementation",
                "cp",
                "--python-version",
                target.python,
            ),
            *platforms,
            *("--dest", str(wheels), "--requirement", str(asked)),
        ],
        check=True,
    )


def build_own(wheels: Path) -> Path:
    """Build our own wheel."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT)], check=True)
    return next(wheels.glob("quychu-*.whl"))


def sha256(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_requirements(out: Path, own: Path) -> None:
    """Write the lock and our own wheel as one list that pip installs from."""
    version = own.name.split("-")[1]
    ours = f"quychu=={version} --hash=sha256:{sha256(own)}\n"
    (out / "requirements.txt").write_text(LOCK.read_text(encoding="utf-8") + ours, encoding="utf-8", newline="\n")


def write_sums(out: Path) -> None:
    """Write SHA256SUMS over every file, in the form `sha256sum --check` reads."""
    files = sorted(file for file in out.rglob("*") if file.is_file() and file.name != "SHA256SUMS")
    lines = [f"{sha256(file)}  {file.relative_to(out).as_posix()}\n" for file in files]
    (out / "SHA256SUMS").write_text("".join(lines), encoding="utf-8", newline="\n")


def copy_papers(out: Path) -> None:
    """Copy installers, licences and the instructions."""
    for source in (ROOT / "scripts" / "bundle").iterdir():
        shutil.copy(source, out / source.name)
    for name in ("LICENSE", "NOTICE", "docs/install.md"):
        shutil.copy(ROOT / name, out / Path(name).name)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Build the folder from which quychu is installed without a network.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "bundle")
    parser.add_argument("--only", nargs="+", choices=TARGETS, default=list(TARGETS), help="targets; all by default")
    return parser.parse_args()


def main() -> int:
    """Build the bundle."""
    options = arguments()
    out = options.out.resolve()
    if out.exists():
        shutil.rmtree(out)
    wheels = out / "wheels"
    wheels.mkdir(parents=True)
    lock = entries(LOCK.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.only:
            download(TARGETS[name], lock, wheels, Path(scratch))
            print(f"{name}: ready", flush=True)
    write_requirements(out, build_own(wheels))
    copy_papers(out)
    write_sums(out)
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    print(f"{out}: {len(list(wheels.iterdir()))} wheels, {size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
