"""A config says what is wrong with it in one sentence that names the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkage.errors import ConfigError
from linkage.tables.config import kind_of, load
from linkage.tables.job import job
from tests.linkage.tables.configs import DEDUPE, LINK, config

ROOT = Path(__file__).resolve().parents[3]

REFUSALS = {
    "an unknown key": ('kind = "link"', 'kind = "link"\nlink_att = 0.9', "expected no key 'run.link_att'"),
    "an unknown section": ("[run]", "[runn]\n[run]", "expected no key 'runn'"),
    "an unknown level": ('{ equal = "born" }', '{ equals = "born" }', "comparisons.1.levels.0.0.equals"),
    "an unknown derivation": ("words =", "wordz =", "derive.parts.wordz"),
    "an unknown type": ('"date"', '"day"', "fields.born.type"),
    "an unknown column in a rule": ('["parts", "year"]', '["parts", "yeer"]', "blocking.rules.1: .* found 'yeer'"),
    "an unknown column in a comparison": (
        '{ equal = "year" }',
        '{ equal = "yeer" }',
        "comparisons.born: .* found 'yeer'",
    ),
    "an unknown column in training": ('["born"]]', '["bron"]]', "training.em.1: .* found 'bron'"),
    "a column derived from a later one": ('words = "name"', 'words = "later"', "derive.parts: .* found 'later'"),
    "a list in training": ('["born"]]', '["parts"]]', "training.em.1"),
    "a list where text belongs": (
        'jaro_winkler = "name"',
        'jaro_winkler = "parts"',
        "expected a text column with jaro_winkler",
    ),
    "text where a list belongs": (
        '{ equal = "year" }',
        '{ shared = "year", at_least = 1 }',
        "expected a list column with shared",
    ),
    "a level without its number": (", at_least = 0.9", "", "expected the number 'at_least' with jaro_winkler"),
    "a level with the wrong number": (
        "at_least = 0.9",
        "at_most = 0.9",
        "expected the number 'at_least' with jaro_winkler",
    ),
    "a similarity above one": ("at_least = 0.9", "at_least = 9", "from 0 to 1 with jaro_winkler"),
    "two levels in one": ('{ equal = "year" }', '{ equal = "year", begins = "born" }', "exactly one of"),
    "the same level twice": ('{ equal = "year" }', '{ equal = "born" }', "levels that differ"),
    "a frequency of a likeness": (
        "at_least = 0.9",
        "at_least = 0.9, term_frequency = true",
        "'term_frequency' with equal only",
    ),
    "letters without a length": (", length = 4", "", "expected 'length' with first_letters"),
    "a name that SQL keeps": ("year = {", "order = {", "another name for the column 'order'"),
    "a name that quychu keeps": ("year = {", "id = {", "another name for the column 'id'"),
    "a name with a blank": ("year = {", '"the year" = {', "derive.the year"),
    "a field and a derived column of one name": ("year = {", "born = {", "found 'born' in .fields. and in .derive."),
    "a section of the other kind": (
        "[training]",
        "[cluster]\n[training]",
        "expected .decide. with kind link, found .cluster.",
    ),
    "a source of the other kind": ("[run]", "[sources.records]\n[run]", "expected sources left, right"),
    "a comparison that no block leaves free": ('[["name"], ["born"]]', '[["born"]]', "reads no column of 'born'"),
    "a recall without rules": (
        "[training]",
        "[training]\ncertain_recall = 0.5",
        "'certain' and 'certain_recall' together",
    ),
    "thresholds in the wrong order": (
        "[training]",
        "[decide]\nlink_at = 0.05\n[training]",
        "keep_at ≤ review_at ≤ link_at",
    ),
    "no TOML": ("[run]", "[run", "expected TOML in UTF-8"),
}


@pytest.mark.parametrize(("old", "new", "says"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_config_is_refused_for(tmp_path, old, new, says) -> None:
    assert old in LINK
    with pytest.raises(ConfigError, match=says) as refusal:
        config(tmp_path, LINK.replace(old, new, 1))
    assert "\n" not in str(refusal.value)


def test_the_shipped_configs_load() -> None:
    assert not load(ROOT / "configs/febrl4.toml").dedupe
    assert load(ROOT / "configs/historical-50k.toml").lists == ("names",)


def test_the_kind_is_told_apart_from_the_land_register(tmp_path) -> None:
    file = tmp_path / "a.toml"
    kinds = []
    for text in (LINK, DEDUPE, '[run]\nkind = "land-register"', "run = 3", "[run"):
        file.write_text(text, encoding="utf-8")
        kinds.append(kind_of(file))
    assert kinds == ["link", "dedupe", None, None, None]
    assert kind_of(None) is None
    file.write_text('[run]\nkind = "merge"', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"expected run\.kind link, dedupe or land-register, found 'merge'"):
        kind_of(file)
    assert kind_of(tmp_path / "absent.toml") is None


def test_comments_and_places_of_files_do_not_change_the_hash_but_values_do(tmp_path) -> None:
    sources = "[sources.left]\nfile = 'a.csv'\n"
    plain = config(tmp_path, sources + LINK).fingerprint()
    assert config(tmp_path, "# a word\n" + sources.replace("a.csv", "b.csv") + LINK).fingerprint() == plain
    assert config(tmp_path, sources + LINK.replace("0.9", "0.91")).fingerprint() != plain


def test_a_file_on_the_command_line_comes_before_the_one_in_the_toml(tmp_path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("[sources.left]\nfile = 'l.csv'\n[sources.right]\nfile = 'r.csv'\n" + LINK, encoding="utf-8")
    assert dict(job(file, out=tmp_path / "o").files) == {"left": tmp_path / "l.csv", "right": tmp_path / "r.csv"}
    assert job(file, out=tmp_path / "o", left=Path("x.csv")).files["left"] == Path("x.csv")


def test_a_table_without_a_file_is_refused_and_so_is_a_second_one_for_dedupe(tmp_path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(LINK, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"\[sources.right\], found none; give --right"):
        job(file, out=tmp_path, left=Path("x.csv"))
    file.write_text(DEDUPE, encoding="utf-8")
    with pytest.raises(ConfigError, match="one file for kind dedupe, found two"):
        job(file, out=tmp_path, left=Path("x.csv"), right=Path("y.csv"))
