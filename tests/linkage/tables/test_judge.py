"""Links are judged by the kind of their truth, and a truth of another kind is refused."""

from __future__ import annotations

import json

import polars as pl
import pytest

from linkage.errors import MissingColumnError
from linkage.tables.judge import is_ours, judge, judge_files

LINKS = pl.DataFrame(
    {
        "unique_id_l": ["a", "b", "c", "d"],
        "unique_id_r": ["1", "2", "3", None],
        "match_weight": [9.0, 8.0, 1.0, None],
        "match_probability": [0.99, 0.98, 0.6, None],
        "decision": ["link", "link", "review", "no_match"],
    }
)
TRUE_PAIRS = pl.DataFrame({"unique_id_l": ["a", "b", "c", "d"], "unique_id_r": ["1", "9", "3", "4"]})


def test_only_pairs_decided_link_count_and_every_true_pair_is_wanted() -> None:
    found = json.loads(judge(LINKS, TRUE_PAIRS).json)
    assert (found["precision"]["value"], found["recall"]["value"]) == (0.5, 0.25)


def test_groups_are_judged_by_their_pairs_whatever_the_column_of_truth_is_called(tmp_path) -> None:
    links = pl.DataFrame({"unique_id": list("abcd"), "cluster_id": ["a", "a", "a", "d"]})
    for name in ("cluster", "cluster_id"):
        truth = pl.DataFrame({"unique_id": list("abcd"), "more": [1, 2, 3, 4], name: ["x", "x", "y", "y"]})
        truth.write_csv(tmp_path / "truth.csv")
        links.write_parquet(tmp_path / "links.parquet")
        found = json.loads(judge_files(tmp_path / "links.parquet", tmp_path / "truth.csv").json)
        assert (found["found_pairs"], found["right_pairs"], found["true_pairs"]) == (3, 1, 2)


def test_a_truth_of_the_other_kind_is_refused() -> None:
    groups = pl.DataFrame({"unique_id": ["a"], "cluster_id": ["a"]})
    with pytest.raises(MissingColumnError, match="cluster_id"):
        judge(groups, TRUE_PAIRS)
    with pytest.raises(MissingColumnError, match="unique_id_l"):
        judge(LINKS, groups)


def test_links_of_the_land_register_and_unreadable_files_are_left_to_others(tmp_path) -> None:
    pl.DataFrame({"owner_record_id": ["a"]}).write_parquet(tmp_path / "land.parquet")
    (tmp_path / "no.parquet").write_text("PDF", encoding="utf-8")
    LINKS.write_parquet(tmp_path / "ours.parquet")
    answers = [is_ours(tmp_path / f"{name}.parquet") for name in ("land", "no", "absent", "ours")]
    assert answers == [False, False, False, True]
