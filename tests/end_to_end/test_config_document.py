"""docs/land-register-config.md stays true: its tables list every key, its examples are accepted, its config links."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from linkage import config
from linkage.compare.comparisons import CATALOGUE
from quychu.cli import cli
from tests.end_to_end.command import ROOT
from tests.end_to_end.conftest import World

TEXT = (ROOT / "docs" / "land-register-config.md").read_text(encoding="utf-8")
SHIPPED = config.shipped("land-register.toml").read_text(encoding="utf-8")
PARTS: dict[str, type[BaseModel]] = {
    "[run]": config.Run,
    "[sources.owners]": config.SourceConfig,
    "[gather]": config.Gather,
    "[[blocking]]": config.Blocking,
    "[[comparisons]]": config.ComparisonConfig,
    "[training]": config.Training,
    "[decide]": config.Decide,
}


def keys_of(part: str) -> dict[str, tuple[str, str]]:
    """Key → (default, example) as the section's table says."""
    section = TEXT[TEXT.index(f"## `{part}`") :].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| .* \| `(.*?)` \|$", section, re.MULTILINE)
    return {key: (default, example) for key, default, example in rows}


@pytest.mark.parametrize("part", PARTS)
def test_every_key_is_listed_with_its_default_and_an_example_that_is_accepted(part: str) -> None:
    fields = PARTS[part].model_fields
    listed = keys_of(part)
    assert list(listed) == list(fields)
    for key, (default, example) in listed.items():
        assert key in tomllib.loads(example)
        assert accepted(part, example)
        if re.fullmatch(r"`[\d.\[{\"].*`", default):
            said = tomllib.loads(f"it = {default.strip('`')}")["it"]
            assert said == json.loads(json.dumps(fields[key].get_default(call_default_factory=True)))


def accepted(part: str, example: str) -> bool:
    """Whether the shipped config takes the example in the place of its own value."""
    whole = place = tomllib.loads(SHIPPED)
    for step in part.strip("[]").split("."):
        place = place[step]
    (place[0] if isinstance(place, list) else place).update(tomllib.loads(example))
    return bool(config.Config.model_validate(whole))


def test_every_section_of_a_config_is_explained() -> None:
    assert set(re.findall(r"\[+(\w+)", " ".join(PARTS))) == set(config.Config.model_fields)


def test_every_comparison_is_listed_with_its_own_sentence() -> None:
    kinds = {kind: make().sentence for kind, make in CATALOGUE.items() if kind != "exact"}
    assert all(f"| `{kind}` | {sentence} |" in TEXT for kind, sentence in kinds.items())


def headers(source: str) -> dict[str, str]:
    return tomllib.loads(example())["sources"][source]["columns"]


def example() -> str:
    found = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def office(world: World, tmp_path: Path) -> Path:
    """The files of the worked example, and the config: the shipped one with the sections of the document."""
    owners = pl.read_parquet(world.owners).select(*headers("owners")).rename(headers("owners"))
    sexes = pl.col("Giới tính").replace({"Nam": "1", "Nữ": "0"})
    owners.with_columns(sexes).write_csv(tmp_path / "so.csv", separator=";")
    citizens = pl.read_parquet(world.citizens).select(*headers("citizens")).rename(headers("citizens"))
    citizens.write_csv(tmp_path / "dan-cu.csv")
    head, rest = SHIPPED.split("[sources.owners]")
    mine = f"{head}{example()}\n[gather]{rest.split('[gather]')[1]}"
    (tmp_path / "mine.toml").write_text(mine, encoding="utf-8")
    return tmp_path


def test_the_worked_example_links_files_with_vietnamese_headers(world: World, office: Path) -> None:
    files = ("--owners", office / "so.csv", "--citizens", office / "dan-cu.csv", "--config", office / "mine.toml")
    run("check", *files)
    run("link", *files, "--out", office / "ket-qua", "--no-workbook")
    said = office / "said.json"
    run("evaluate", "--links", office / "ket-qua" / "links.parquet", "--truth", world.truth, "--out", said)
    owner = json.loads(said.read_text(encoding="utf-8"))["scopes"]["owner"]
    assert owner["precision"]["value"] > 0.98
    assert owner["recall"]["value"] > 0.7


def run(*arguments: object) -> str:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output
