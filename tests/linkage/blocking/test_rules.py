"""Blocking finds each pair once, counts what it cuts, and never matches a missing value."""

from __future__ import annotations

import polars as pl

from linkage.blocking.rules import BlockingRule, block
from linkage.engines.duckdb import Connection, connect, fetch, load


def _tables() -> Connection:
    con = connect(threads=1)
    load(con, "a", pl.DataFrame({"id": [0, 1, 2, 3], "name": ["x", "x", "y", None], "year": [1, 2, 3, None]}))
    load(con, "b", pl.DataFrame({"id": [0, 1, 2], "name": ["x", "y", None], "year": [1, 3, None]}))
    return con


def test_a_pair_that_two_rules_find_stands_once_under_the_first() -> None:
    con = _tables()
    report = block(con, [BlockingRule(("name",)), BlockingRule(("year",))], left="a", right="b")
    pairs = fetch(con, "select l, r, match_key from pairs order by l, r").rows()
    assert pairs == [(0, 0, 0), (1, 0, 0), (2, 1, 0)]
    assert [(rule.pairs, rule.new_pairs) for rule in report.rules] == [(3, 3), (2, 0)]


def test_null_equals_nothing() -> None:
    con = _tables()
    block(con, [BlockingRule(("name", "year"))], left="a", right="b")
    assert fetch(con, "select count(*) as n from pairs where l = 3 or r = 2")["n"].item() == 0


def test_a_block_above_its_cap_is_cut_and_counted() -> None:
    con = _tables()
    report = block(con, [BlockingRule(("name",), max_block_pairs=1)], left="a", right="b")
    rule = report.rules[0]
    assert (rule.pairs, rule.overflow_blocks, rule.overflow_pairs, rule.largest_block) == (1, 1, 2, 1)


def test_the_reduction_ratio_is_the_share_of_pairs_never_compared() -> None:
    report = block(_tables(), [BlockingRule(("name",))], left="a", right="b")
    assert report.reduction_ratio == 1 - 3 / 12
