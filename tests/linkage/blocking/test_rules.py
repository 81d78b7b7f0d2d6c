"""Blocking finds each pair once, counts what it cuts, and never matches a missing value."""

from __future__ import annotations

import polars as pl

from linkage.blocking.rules import BlockingRule, Settling, block
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


def _people() -> Connection:
    con = connect(threads=1)
    words = [["an", "le"], ["le", "an"], ["le"], None, ["bo"]]
    load(con, "t", pl.DataFrame({"id": range(5), "words": words, "also": [["x"]] * 5, "year": [1, 1, 2, 1, 1]}))
    return con


def test_a_table_paired_with_itself_gives_each_pair_once_and_none_of_a_record_with_itself() -> None:
    con = _people()
    report = block(con, [BlockingRule(("year",))], left="t", right="t", dedupe=True)
    assert fetch(con, "select l, r from pairs order by l, r").rows() == [(0, 1), (0, 3), (0, 4), (1, 3), (1, 4), (3, 4)]
    assert report.rules[0].largest_block == 6
    assert report.reduction_ratio == 1 - 6 / 10


def test_lists_agree_where_they_share_a_value_and_the_pair_stands_once() -> None:
    con = _people()
    rule = BlockingRule(("words",), lists=("words",))
    report = block(con, [rule], left="t", right="t", dedupe=True)
    assert fetch(con, "select l, r from pairs order by l, r").rows() == [(0, 1), (0, 2), (1, 2)]
    assert report.rules[0].pairs == 3


def test_two_lists_and_a_plain_column_agree_together_as_splink_would_say() -> None:
    con = _people()
    rule = BlockingRule(("words", "also", "year"), lists=("words", "also"))
    block(con, [rule], left="t", right="t", dedupe=True)
    splinks = f"select l.id, r.id from t as l join t as r on {rule.sql()} where l.id < r.id order by all"
    assert fetch(con, "select l, r from pairs order by l, r").rows() == con.execute(splinks).fetchall() == [(0, 1)]


def test_a_common_word_above_the_cap_is_left_out_and_counted() -> None:
    con = _people()
    rule = BlockingRule(("words",), max_block_pairs=2, lists=("words",))
    report = block(con, [rule], left="t", right="t", dedupe=True)
    assert fetch(con, "select l, r from pairs").rows() == [(0, 1)]  # by 'an'; 'le' would give three
    assert (report.rules[0].overflow_blocks, report.rules[0].overflow_pairs) == (1, 3)


def test_what_the_first_rules_settle_meets_no_later_rule_but_for_the_sample() -> None:
    con = _tables()
    rules = [BlockingRule(("year",)), BlockingRule(("name",))]
    for sample, found in ((0, [(0, 0), (2, 1)]), (10, [(0, 0), (1, 0), (2, 1)])):
        block(con, rules, left="a", right="b", settling=Settling(1, "l.name = r.name", sample))
        assert fetch(con, "select l, r from pairs order by l, r").rows() == found
