"""Each level of the catalogue holds where its sentence says, and not just beyond."""

from __future__ import annotations

import polars as pl
import pytest

from linkage.engines.duckdb import connect, fetch, load
from linkage.models.scoring import patterns_sql
from linkage.tables.levels import comparison, fixes, sql, starts
from linkage.tables.parts import ComparisonConfig, LevelConfig

HOLDS = {
    "equal": ({"equal": "x"}, {"x": ("a", "a")}, {"x": ("a", "b")}),
    "likeness": ({"jaro_winkler": "x", "at_least": 0.9}, {"x": ("martha", "marhta")}, {"x": ("martha", "marble")}),
    "one letter": ({"levenshtein": "x", "at_most": 1}, {"x": ("12", "13")}, {"x": ("12", "21")}),
    "one letter lost": ({"levenshtein": "x", "at_most": 1}, {"x": ("12", "1")}, {"x": ("123", "1")}),
    "neighbours swapped": ({"damerau": "x", "at_most": 1}, {"x": ("12", "21")}, {"x": ("12", "34")}),
    "near numbers": ({"within": "x", "at_most": 2}, {"x": (10.0, 12.0)}, {"x": (10.0, 12.5)}),
    "crossed": ({"crossed": ["x", "y"]}, {"x": ("a", "b"), "y": ("c", "a")}, {"x": ("a", "a"), "y": ("c", "c")}),
    "crossed the other way": (
        {"crossed": ["x", "y"]}, {"x": ("b", "a"), "y": ("a", "c")}, {"x": ("a", "b"), "y": ("a", "b")}
    ),
    "word of": (
        {"word_of": ["x", "y"]}, {"x": ("a", "b"), "y": (["a"], ["a", "b"])}, {"x": ("a", "b"), "y": (["a"], ["b"])}
    ),
    "shared words": ({"shared": "x", "at_least": 2}, {"x": (["a", "b"], ["b", "a"])}, {"x": (["a", "b"], ["b", "c"])}),
    "begins": ({"begins": "x"}, {"x": ("ann", "anna")}, {"x": ("anna", "banna")}),
}  # fmt: skip


def holds(condition: str, values: dict) -> bool:
    con = connect(threads=1)
    sides = {f"{column}_{side}": [both[i]] for column, both in values.items() for i, side in enumerate("lr")}
    load(con, "pair", pl.DataFrame(sides))
    return bool(fetch(con, f"select {condition} as held from pair")["held"].item())


@pytest.mark.parametrize(("told", "near", "beyond"), HOLDS.values(), ids=HOLDS.keys())
def test_a_level_holds_and_its_near_miss_does_not(told, near, beyond) -> None:
    condition = sql(LevelConfig(**told))
    assert holds(condition, near)
    assert not holds(condition, beyond)


def test_the_first_level_that_holds_counts_and_a_list_holds_as_a_whole() -> None:
    told = ComparisonConfig(
        name="born",
        missing=["born"],
        levels=[
            {"equal": "born"},
            [{"equal": "year"}, {"levenshtein": "born", "at_most": 1}],
            {"equal": "year"},
        ],
    )
    con = connect(threads=1)
    born = ["19600101", "19600102", "19601212", "19500101", None]
    frame = pl.DataFrame({"id": range(5), "born": born}).with_columns(year=pl.col("born").str.slice(0, 4))
    load(con, "t", frame)
    load(con, "pairs", pl.DataFrame({"l": [0] * 5, "r": range(5)}))
    found = fetch(con, patterns_sql([comparison(told)], "pairs", "t", "t"))
    assert found.sort("gamma_born", descending=True).rows() == [(3, 1.0), (2, 1.0), (1, 1.0), (0, 1.0), (-1, 1.0)]


def test_only_a_plain_equality_is_counted_exactly() -> None:
    levels = [{"equal": "x", "term_frequency": True}, [{"equal": "x"}, {"equal": "y"}], {"begins": "x"}]
    made = comparison(ComparisonConfig(name="x", missing=["x"], levels=levels))
    assert [level.equal for level in made.scored] == [("x",), (), (), ()]
    assert [level.term_frequency for level in made.scored] == ["x", None, None, None]


def test_a_block_fixes_every_comparison_that_reads_one_of_its_columns() -> None:
    made = comparison(ComparisonConfig(name="born", missing=["born"], levels=[{"equal": "born"}, {"equal": "year"}]))
    assert fixes(made, ["name", "year"])
    assert not fixes(made, ["name"])


@pytest.mark.parametrize("levels", [1, 2, 3, 8])
def test_the_first_guesses_of_m_sum_to_one_and_fall(levels) -> None:
    shares = starts(levels)
    assert sum(shares) == pytest.approx(1.0)
    assert len(shares) == levels + 1
    assert shares[:-1] == sorted(shares[:-1], reverse=True)
