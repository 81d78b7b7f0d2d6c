"""Judging a run against the truth: every expected figure is worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.errors import DuplicateIdError, MissingColumnError, UnreadableFileError
from linkage.report.metrics import (
    Evaluation,
    evaluate,
    evaluate_clusters,
    evaluate_files,
    evaluate_pairs,
    summary_lines,
)

if TYPE_CHECKING:
    from pathlib import Path

TRUTH = pl.DataFrame(
    [
        # id, role, kind, person, citizen
        ("1", "owner", "person", "an", "c-an"),
        ("2", "owner", "person", "an", "c-an"),
        ("3", "owner", "person", "binh", "c-binh"),
        ("4", "owner", "person", "chi", None),  # not in the register
        ("5", "owner", "organisation", None, None),
        ("6", "owner", "person", "dung", "c-dung"),
        ("1", "co_owner", "person", "em", "c-em"),
        ("3", "co_owner", "person", "ly", "c-ly"),
    ],
    schema=["owner_record_id", "role", "kind", "person", "citizen_id"],
    orient="row",
)
LINKS = pl.DataFrame(
    [
        # id, role, person, citizen, weight, probability, decision
        ("1", "owner", "P1", "c-an", 20.0, 0.99999, "link"),
        ("2", "owner", "P1", "c-an", 12.0, 0.999, "link"),
        ("3", "owner", "P2", "c-x", 11.0, 0.999, "link"),  # wrong citizen
        ("4", "owner", "P3", "c-y", 9.0, 0.99, "link"),  # not in the register
        ("5", "owner", "P4", "c-z", 9.0, 0.98, "link"),  # an organisation
        ("6", "owner", "P5", "c-dung", 2.0, 0.6, "ask"),  # right, but not linked: missed
        ("1", "co_owner", "P6", "c-em", 15.0, 0.9995, "link"),
        ("1", "co_owner_2", "P7", "c-w", 8.0, 0.97, "link"),  # nobody: invented
        # the co-owner of line 3 is missing: missed
    ],
    schema=[
        "owner_record_id", "role", "person_id", "citizen_id", "match_weight", "match_probability", "decision",
    ],
    orient="row",
)  # fmt: skip


def test_owners_are_judged_by_hand_counted_figures() -> None:
    owners = evaluate(LINKS, TRUTH).scopes["owner"]
    assert (owners.linked, owners.right, owners.known, owners.missed) == (5, 2, 4, 2)
    assert owners.precision.value == pytest.approx(2 / 5)
    assert owners.recall.value == pytest.approx(2 / 4)
    assert owners.f1.value == pytest.approx(2 * 2 / (5 + 4))


def test_each_wrong_link_is_counted_under_its_own_kind() -> None:
    assert evaluate(LINKS, TRUTH).scopes["all"].wrong == {
        "organisation": 1,
        "invented": 1,
        "not_in_register": 1,
        "wrong_citizen": 1,
    }


def test_a_co_owner_absent_from_links_is_missed() -> None:
    evaluation = evaluate(LINKS, TRUTH)
    assert evaluation.absent_rows == 1
    assert evaluation.scopes["co_owner"].missed == 1
    assert evaluation.scopes["co_owner"].recall.value == pytest.approx(1 / 2)


def test_by_persons_two_lines_that_say_the_same_are_one_statement() -> None:
    owners = evaluate(LINKS, TRUTH).scopes["owner"]
    assert (owners.person_precision.hits, owners.person_precision.of) == (1, 4)
    assert (owners.person_recall.hits, owners.person_recall.of) == (1, 3)


def test_roles_are_taken_literally() -> None:
    moved = LINKS.with_columns(pl.col("role").replace({"co_owner": "co_owner_3"}))
    assert evaluate(moved, TRUTH).scopes["co_owner"].right == 0


def test_the_best_threshold_takes_ties_together() -> None:
    """At 0.999 a right and a wrong line differ in weight only; with equal weights they cannot be parted."""
    points = {p.wanted_precision: p for p in evaluate(LINKS, TRUTH).scopes["owner"].operating_points}
    assert (points[0.999].hits, points[0.999].match_weight, points[0.999].missed) == (2, 12.0, 0.5)
    level = LINKS.with_columns(match_weight=pl.lit(5.0))
    points = {p.wanted_precision: p for p in evaluate(level, TRUTH).scopes["owner"].operating_points}
    assert (points[0.999].hits, points[0.999].match_probability) == (1, 0.99999)


def test_no_threshold_is_named_where_none_reaches_the_precision() -> None:
    wrong = LINKS.with_columns(citizen_id=pl.lit("c-nobody"))
    point = evaluate(wrong, TRUTH).scopes["all"].operating_points[0]
    assert (point.match_probability, point.recall) == (None, None)


def test_calibration_compares_the_promised_with_the_observed_share() -> None:
    links = LINKS.filter(role="owner").with_columns(match_probability=pl.lit(0.75))
    calibration = evaluate(links, TRUTH).scopes["owner"].calibration
    (only,) = calibration.bins
    assert (only.low, only.high, only.observed.hits, only.observed.of) == (0.7, 0.8, 3, 6)
    assert calibration.expected_calibration_error == pytest.approx(0.25)
    assert calibration.brier_score == pytest.approx((3 * 0.25**2 + 3 * 0.75**2) / 6)


def test_thirty_lines_of_one_wrong_person_widen_the_interval() -> None:
    """30 wrong lines of 300: one person's are far less certain than thirty persons'."""

    def width(person: pl.Expr) -> float:
        lines = pl.DataFrame({"n": range(300)}).with_columns(owner_record_id=pl.col("n").cast(pl.String))
        truth = lines.select(
            "owner_record_id",
            role=pl.lit("owner"),
            kind=pl.lit("person"),
            person=person.cast(pl.String),
            citizen_id=person.cast(pl.String),
        )
        wrong = pl.col("n") < 30
        links = truth.with_columns(lines["n"], decision=pl.lit("link")).with_columns(
            citizen_id=pl.when(wrong).then(pl.lit("no")).otherwise("citizen_id")
        )
        rate = evaluate(links, truth).scopes["owner"].precision
        assert rate.value == pytest.approx(0.9)
        return (rate.high or 0) - (rate.low or 0)

    assert width(pl.col("n").clip(lower_bound=29)) > 2 * width(pl.col("n"))


def test_gathering_counts_pairs_of_lines_of_one_true_person() -> None:
    truth = pl.DataFrame(
        {
            "owner_record_id": list("abcdef"),
            "role": ["owner"] * 6,
            "kind": ["person"] * 6,
            "person": ["x", "x", "x", "y", "y", "z"],
            "citizen_id": [None] * 6,
        },
        schema_overrides={"citizen_id": pl.String},
    )
    links = truth.select(
        "owner_record_id",
        "role",
        person_id=pl.Series(["1", "1", "2", "2", "3", "4"]),
        citizen_id=pl.lit(None, dtype=pl.String),
        decision=pl.lit("no_match"),
    )
    gathering = evaluate(links, truth).gathering
    assert gathering is not None
    assert (gathering.found_pairs, gathering.true_pairs, gathering.right_pairs) == (2, 4, 1)
    assert (gathering.precision, gathering.recall) == (0.5, 0.25)
    # B-cubed precision: a, b → 1; c, d → 1/2; e, f → 1.  recall: a, b → 2/3; c → 1/3; d, e → 1/2; f → 1
    assert gathering.bcubed_precision == pytest.approx(5 / 6)
    assert gathering.bcubed_recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 / 2 + 1 / 2 + 1) / 6)
    by_size = {row.size: (row.groups, row.precision, row.recall) for row in gathering.by_size}
    assert by_size == {"1": (1, None, None), "2": (1, 0.0, 0.0), "3-5": (1, 2 / 3, 1 / 3)}


def test_an_organisation_that_was_set_aside_takes_no_part_in_gathering() -> None:
    truth = TRUTH.filter(owner_record_id="5")
    links = LINKS.filter(owner_record_id="5").with_columns(decision=pl.lit("not_a_person"))
    gathering = evaluate(links, truth).gathering
    assert gathering is not None
    assert gathering.rows == 0


def test_an_invented_person_gathered_with_a_real_one_costs_precision() -> None:
    links = LINKS.with_columns(person_id=pl.col("person_id").replace({"P7": "P1"}))
    gathering = evaluate(links, TRUTH).gathering
    assert gathering is not None
    assert (gathering.found_pairs, gathering.right_pairs) == (3, 1)


def test_subgroups_are_split_and_small_ones_marked() -> None:
    links = LINKS.with_columns(
        has_id=pl.col("owner_record_id") == "1",
        sex=pl.lit("F"),
        birth_year=pl.lit(1957, dtype=pl.Int16),
        commune_code=pl.lit(None, dtype=pl.String),
    )
    groups = {(g.by, g.value): g for g in evaluate(links, TRUTH).subgroups}
    assert set(groups) == {("id_number", "with"), ("id_number", "without"), ("sex", "F"), ("decade_of_birth", "1950s")}
    assert (groups["id_number", "with"].precision.hits, groups["id_number", "with"].precision.of) == (2, 3)
    assert all(group.small for group in groups.values())


def test_decisions_tell_how_often_the_best_candidate_was_right() -> None:
    rows = {row.decision: row for row in evaluate(LINKS, TRUTH).decisions}
    assert (rows["ask"].rows, rows["ask"].candidate_right) == (1, 1)
    assert (rows["link"].rows, rows["link"].candidate_right) == (7, 3)


def test_an_evaluation_survives_json() -> None:
    evaluation = evaluate(LINKS, TRUTH)
    assert Evaluation.from_json(evaluation.to_json()) == evaluation


def test_the_order_of_rows_changes_nothing() -> None:
    assert evaluate(LINKS.reverse(), TRUTH.sample(fraction=1, shuffle=True, seed=3)) == evaluate(LINKS, TRUTH)


def test_a_person_judged_twice_is_refused() -> None:
    with pytest.raises(DuplicateIdError, match="found 1 repeated"):
        evaluate(pl.concat([LINKS, LINKS.head(1)]), TRUTH)


def test_a_table_without_its_column_is_refused_by_name() -> None:
    with pytest.raises(MissingColumnError, match="truth: expected a column 'kind'"):
        evaluate(LINKS, TRUTH.drop("kind"))


def test_empty_links_miss_everyone_and_an_empty_truth_is_no_crash() -> None:
    everything = evaluate(LINKS.clear(), TRUTH).scopes["all"]
    assert (everything.precision.value, everything.recall.value, everything.missed) == (None, 0.0, 6)
    assert evaluate(LINKS, TRUTH.clear()).scopes["all"].wrong["invented"] == 7
    assert evaluate(LINKS.clear(), TRUTH.clear()).scopes == {}


def test_files_are_read_as_parquet_or_csv(tmp_path: Path) -> None:
    LINKS.write_parquet(tmp_path / "links.parquet")
    TRUTH.write_csv(tmp_path / "truth.csv")
    assert evaluate_files(tmp_path / "links.parquet", tmp_path / "truth.csv") == evaluate(LINKS, TRUTH)


@pytest.mark.parametrize("content", [None, b"", b"PAR1 cut off"])
def test_a_file_that_is_not_a_table_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "links.parquet"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"links\.parquet"):
        evaluate_files(file, file)


def test_the_summary_names_every_scope() -> None:
    text = "\n".join(summary_lines(evaluate(LINKS, TRUTH)))
    assert "owner" in text
    assert "co_owner" in text
    assert "precision 40.000%" in text


def test_pairs_of_two_tables_are_judged_by_their_keys() -> None:
    pairs = pl.DataFrame(
        {
            "unique_id_l": ["a", "b", "c"],
            "unique_id_r": ["1", "2", "9"],
            "match_probability": [0.9, 0.4, 0.8],
            "decision": ["link", "review", "link"],
        }
    )
    truth = pl.DataFrame({"unique_id_l": ["a", "b", "c", "d"], "unique_id_r": ["1", "2", "3", "4"]})
    scores = evaluate_pairs(pairs, truth)
    assert (scores.linked, scores.right, scores.known) == (2, 1, 4)
    assert (scores.precision.value, scores.recall.value) == (0.5, 0.25)
    assert scores.f1.value == pytest.approx(1 / 3)
    assert scores.best_f1 == pytest.approx(4 / 7)
    assert scores.best_f1_probability == 0.4


def test_within_one_table_a_pair_has_no_direction() -> None:
    pairs = pl.DataFrame({"unique_id_l": ["b", "a"], "unique_id_r": ["a", "b"]})
    truth = pl.DataFrame({"unique_id_l": ["a"], "unique_id_r": ["b"]})
    assert evaluate_pairs(pairs, truth, undirected=True).f1.value == 1.0
    assert evaluate_pairs(pairs, truth).precision.value == 0.5


def test_clusters_are_judged_over_pairs() -> None:
    found = pl.DataFrame({"unique_id": ["a", "b", "c"], "cluster_id": ["x", "x", "y"], "weight": [1, 2, 3]})
    truth = pl.DataFrame({"unique_id": ["a", "b", "c", "d"], "cluster": ["1", "1", "1", "2"]})
    scores = evaluate_clusters(found, truth)
    assert (scores.precision, scores.f1) == (1.0, 0.5)
    assert scores.recall == pytest.approx(1 / 3)


_PERSONS = st.lists(st.integers(0, 5), min_size=1, max_size=30)


@given(_PERSONS)
@settings(max_examples=25, deadline=None)
def test_perfect_links_score_one(persons: list[int]) -> None:
    truth = _truth_of(persons)
    links = truth.select(
        "owner_record_id", "role", "citizen_id", person_id="person", decision=pl.lit("link"),
        match_probability=pl.lit(1.0), match_weight=pl.lit(9.0),
    )  # fmt: skip
    evaluation = evaluate(links, truth, bootstraps=20)
    scores = evaluation.scopes["owner"]
    assert {scores.precision.value, scores.recall.value, scores.f1.value, scores.person_recall.value} == {1.0}
    assert scores.operating_points[0].missed == 0.0
    assert evaluation.gathering is not None
    assert evaluation.gathering.recall in (1.0, None)


@given(_PERSONS, st.lists(st.booleans(), min_size=30, max_size=30), st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_an_interval_contains_its_share_and_stays_in_bounds(persons: list[int], right: list[bool], seed: int) -> None:
    truth = _truth_of(persons)
    keep = pl.Series(right[: len(persons)])
    links = truth.select(
        "owner_record_id",
        "role",
        decision=pl.lit("link"),
        citizen_id=pl.when(keep).then("citizen_id").otherwise(pl.lit("wrong")),
    )
    scores = evaluate(links, truth, seed=seed, bootstraps=20).scopes["owner"]
    for rate in (scores.precision, scores.recall, scores.f1, scores.person_precision, scores.person_recall):
        assert rate.value is not None
        assert 0 <= (rate.low or 0) <= rate.value <= (rate.high or 0) <= 1


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=25))
@settings(max_examples=30, deadline=None)
def test_pairs_counted_from_tables_equal_pairs_written_out(rows: list[tuple[int, int]]) -> None:
    ids = [str(n) for n in range(len(rows))]
    found = pl.DataFrame({"unique_id": ids, "cluster_id": [str(a) for a, _ in rows]})
    truth = pl.DataFrame({"unique_id": ids, "cluster_id": [str(b) for _, b in rows]})
    scores = evaluate_clusters(found, truth)
    pairs = [(x, y) for n, x in enumerate(rows) for y in rows[:n]]
    assert scores.found_pairs == sum(x[0] == y[0] for x, y in pairs)
    assert scores.true_pairs == sum(x[1] == y[1] for x, y in pairs)
    assert scores.right_pairs == sum(x == y for x, y in pairs)


def _truth_of(persons: list[int]) -> pl.DataFrame:
    return pl.DataFrame({"n": range(len(persons)), "who": persons}).select(
        owner_record_id=pl.col("n").cast(pl.String),
        role=pl.lit("owner"),
        kind=pl.lit("person"),
        person=pl.col("who").cast(pl.String),
        citizen_id=pl.col("who").cast(pl.String),
    )
