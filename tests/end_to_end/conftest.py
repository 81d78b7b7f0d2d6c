"""A small generated world, and one run on it, made once for all tests of the command."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from tests.end_to_end.command import Done, linked, quychu

CITIZENS = 1_000


@dataclass(frozen=True)
class World:
    """The generated files."""

    folder: Path

    @property
    def owners(self) -> Path:
        return self.folder / "land_owners.parquet"

    @property
    def citizens(self) -> Path:
        return self.folder / "citizens.parquet"

    @property
    def truth(self) -> Path:
        return self.folder / "truth.parquet"

    @property
    def workbook(self) -> Path:
        return self.folder / "PL3-01.xlsx"

    @property
    def workbook_truth(self) -> Path:
        return self.folder / "pl3-01_truth.parquet"

    def lines(self) -> pl.DataFrame:
        return pl.read_parquet(self.owners)

    def inputs(self) -> tuple[object, ...]:
        return ("--owners", self.owners, "--citizens", self.citizens)


@dataclass(frozen=True)
class Run:
    """A finished run and what it said."""

    out: Path
    done: Done


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """What `quychu synth` makes, in a folder with blanks and Vietnamese letters in its name."""
    folder = tmp_path_factory.mktemp("data") / "Dữ liệu đất đai"
    done = quychu("synth", "--citizens", CITIZENS, "--out", folder, "--seed", 7)
    assert done.code == 0, done.told
    return World(folder)


@pytest.fixture(scope="session")
def run(world: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`quychu link` on the Parquet files."""
    out = tmp_path_factory.mktemp("runs") / "Kết quả"
    return Run(out, linked(*world.inputs(), "--out", out))


_NO_CONNECTION = """
import sys

def refuse(event, _):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request"}:
        raise SystemExit(f"a connection was asked for: {event}")

sys.addaudithook(refuse)
"""


@pytest.fixture(scope="session")
def run_elsewhere(world: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same two files alone in another folder, without truth beside them, on one core, connections refused."""
    place = tmp_path_factory.mktemp("alone")
    guard = tmp_path_factory.mktemp("guard")
    (guard / "sitecustomize.py").write_text(_NO_CONNECTION)
    for file in (world.owners, world.citizens):
        shutil.copy(file, place)
    alone = World(place)
    out = place / "out"
    words = ("link", "--threads", 1, *alone.inputs(), "--out", out)
    done = quychu(*words, environment={"PYTHONPATH": str(guard)})
    assert done.code == 0, done.told
    return Run(out, done)


@pytest.fixture(scope="session")
def run_of_workbook(world: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`quychu link` on the generated PL3-01 workbook."""
    out = tmp_path_factory.mktemp("pl3") / "out"
    return Run(out, linked("--owners", world.workbook, "--citizens", world.citizens, "--out", out))


@pytest.fixture(scope="session")
def model(run: Run) -> Path:
    """The model that the run trained."""
    return run.out / "model.json"
