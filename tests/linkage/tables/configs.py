"""The smallest configs that run, for tests to bend."""

from __future__ import annotations

from pathlib import Path

from linkage.tables.config import TablesConfig, load

LINK = """
[run]
kind = "link"
[fields]
name = { type = "name" }
born = { type = "date" }
[derive]
year = { first_letters = "born", length = 4 }
parts = { words = "name" }
[blocking]
rules = [["name"], ["parts", "year"]]
[[comparisons]]
name = "name"
missing = ["name"]
levels = [{ equal = "name", term_frequency = true }, { jaro_winkler = "name", at_least = 0.9 }]
[[comparisons]]
name = "born"
missing = ["born"]
levels = [{ equal = "born" }, { equal = "year" }]
[training]
em = [["name"], ["born"]]
u_pairs = 50_000
"""
DEDUPE = LINK.replace('kind = "link"', 'kind = "dedupe"')


def config(folder: Path, text: str = LINK) -> TablesConfig:
    """The config of a text."""
    file = folder / "bent.toml"
    file.write_text(text, encoding="utf-8")
    return load(file)
