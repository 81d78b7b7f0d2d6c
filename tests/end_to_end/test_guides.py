"""The guides stay true: their `sh` blocks are run, in order, each guide in a folder of its own.

Rules
- A block whose fence says `needs-namespaces` is run where the kernel lets an ordinary user make a network namespace.
- `quychu` and `python` are this checkout's; the land office's files are the generated ones.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.command import ROOT, surroundings
from tests.end_to_end.conftest import World

GUIDES = ROOT / "docs" / "guides"
_BLOCK = re.compile(r"^```sh(?P<needs>[^\n]*)\n(?P<script>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(guide: str) -> list[tuple[str, str]]:
    """What each `sh` block needs, and its lines; a path is one from the guides' folder."""
    text = (GUIDES / guide).read_text(encoding="utf-8")
    return [(match["needs"].strip(), match["script"]) for match in _BLOCK.finditer(text)]


def can_make_namespaces() -> bool:
    if shutil.which("unshare") is None:
        return False
    return (
        subprocess.run(["unshare", "--map-root-user", "--net", "true"], capture_output=True, check=False).returncode
        == 0
    )


@pytest.fixture
def office(world: World, tmp_path: Path) -> Path:
    """A folder with the land office's files, and beside it the commands."""
    folder, commands = tmp_path / "Văn phòng", tmp_path / "bin"
    folder.mkdir()
    commands.mkdir()
    shutil.copy(world.workbook, folder / "PL3-01.xlsx")
    shutil.copy(world.citizens, folder / "dan-cu.parquet")
    for name, words in {"quychu": "-m quychu.cli", "python": ""}.items():
        script = commands / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    return folder


@pytest.mark.timeout(900)  # a dozen commands one after another, on a machine that may be busy
@pytest.mark.parametrize("guide", ["data-team.md", "land-office.md", "security-reviewer.md", "../service.md"])
def test_every_command_of_the_guide_runs(guide: str, office: Path):
    path = os.pathsep.join((str(office.parent / "bin"), os.environ["PATH"]))
    environment = surroundings({"PATH": path, "CHECKOUT": str(ROOT)})
    found = blocks(guide)
    assert found
    for needs, script in found:
        if needs == "needs-namespaces" and not can_make_namespaces():
            continue
        # `set -e` passes over a command behind `!`, so a success there is made a failure by hand.
        strict = re.sub(r"^! (.*)$", r"if \1; then exit 97; fi", script, flags=re.MULTILINE)
        done = subprocess.run(
            ["sh", "-euc", strict], cwd=office, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"


def test_the_guides_are_all_there_and_their_links_lead_somewhere():
    guides = sorted(GUIDES.glob("*.md"))
    assert {guide.name for guide in guides} >= {"citizen.md", "data-team.md", "land-office.md", "security-reviewer.md"}
    for guide in guides:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", guide.read_text(encoding="utf-8")):
            assert (guide.parent / target).exists(), f"{guide.name}: {target}"


def test_the_land_office_reads_the_very_words_of_the_workbook():
    from linkage.decide.decisions import DECISIONS

    text = (GUIDES / "land-office.md").read_text(encoding="utf-8")
    assert all(words in text for words in DECISIONS.values())
