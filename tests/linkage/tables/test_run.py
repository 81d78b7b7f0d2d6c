"""A generic run accounts for every row, goes on where it stopped, and its model is Splink's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from splink import DuckDBAPI, Linker

from linkage.engines.duckdb import connect, load
from linkage.errors import InputError, MissingColumnError, ModelError, RunFolderError
from linkage.models.scoring import term_frequency_columns
from linkage.tables import records
from linkage.tables import run as runs
from linkage.tables.derive import prepare
from linkage.tables.job import TablesJob, comparisons_of, job
from linkage.tables.judge import judge
from tests.linkage.tables.configs import DEDUPE, LINK
from tests.linkage.tables.people import register

OTHER = LINK.replace("at_least = 0.9", "at_least = 0.91")
ROOT = Path(__file__).resolve().parents[3]


def people(size: int = 600) -> pl.DataFrame:
    return register(size).select(pl.col("id").alias("unique_id"), name="full_name", born="birth_date")


def a_job(folder: Path, text: str = LINK, **told: Any) -> TablesJob:
    config = folder / "a.toml"
    config.write_text(text, encoding="utf-8")
    left = people()
    left.write_csv(folder / "left.csv")
    slips = pl.when(pl.int_range(pl.len()) % 9 == 0).then(pl.lit("1950-01-01")).otherwise("born")
    right = left.select(pl.format("x{}", "unique_id").alias("unique_id"), "name", born=slips)
    right.write_csv(folder / "right.csv")
    given = {"out": folder / "out", "left": folder / "left.csv", "right": folder / "right.csv", **told}
    return job(config, **given)


def test_the_same_files_give_the_same_links_and_a_finished_run_is_not_done_again(tmp_path) -> None:
    first = runs.link(a_job(tmp_path))
    written = (tmp_path / "out/links.parquet").read_bytes()
    again = runs.link(a_job(tmp_path))
    steps = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))["steps"]
    assert all(step["continued"] for step in steps)
    assert again.counts == first.counts
    runs.link(a_job(tmp_path, out=tmp_path / "other", threads=1))
    assert (tmp_path / "other/links.parquet").read_bytes() == written


def test_a_run_stopped_after_training_goes_on_to_the_same_links(tmp_path) -> None:
    runs.link(a_job(tmp_path))
    written = (tmp_path / "out/links.parquet").read_bytes()
    for step in ("score", "decide", "write"):
        (tmp_path / f"out/.steps/{step}.step.json").unlink()
    runs.link(a_job(tmp_path))
    steps = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))["steps"]
    assert [step["continued"] for step in steps] == [True, True, False, False, False]
    assert (tmp_path / "out/links.parquet").read_bytes() == written


def test_another_config_or_input_needs_a_fresh_start(tmp_path) -> None:
    runs.link(a_job(tmp_path))
    with pytest.raises(RunFolderError, match="found another config"):
        runs.link(a_job(tmp_path, OTHER))
    runs.link(a_job(tmp_path, OTHER, fresh=True))


def test_a_model_of_other_comparisons_is_refused(tmp_path) -> None:
    runs.train_to(a_job(tmp_path), tmp_path / "m.json")
    assert not list(tmp_path.glob(".m-training"))
    with pytest.raises(ModelError, match="other comparisons or levels"):
        runs.link(a_job(tmp_path, OTHER, model=tmp_path / "m.json"))


def test_the_posterior_shares_one_probability_among_the_candidates_of_a_record(tmp_path) -> None:
    told = a_job(tmp_path, LINK + '[decide]\nprobability = "posterior"\nkeep_at = 0.0\nreview_at = 0.1\n')
    runs.link(told)
    candidates = pl.read_parquet(tmp_path / "out/candidates.parquet")
    sums = candidates.group_by("unique_id_l").agg(pl.col("match_probability").sum())["match_probability"]
    assert candidates.height > sums.len()
    assert sums.max() <= 1.0 + 1e-9  # type: ignore[operator]
    shown = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))
    assert 0.9 < shown["share_in_register"] <= 1.0


REFUSALS = {
    "a lost column": (
        {"name": "nom"},
        MissingColumnError,
        "expected a column 'name', found 'unique_id', 'nom', 'born'",
    ),
    "a lost identifier": ({"unique_id": "no"}, MissingColumnError, "expected a column 'unique_id'"),
}


@pytest.mark.parametrize(("renamed", "error", "says"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_file_is_refused_for(tmp_path, renamed, error, says) -> None:
    told = a_job(tmp_path)
    people().rename(renamed).write_csv(tmp_path / "left.csv")
    with pytest.raises(error, match=says):
        runs.link(told)


def test_a_file_that_is_absent_or_has_no_rows_is_refused(tmp_path) -> None:
    told = a_job(tmp_path, left=tmp_path / "absent.csv")
    with pytest.raises(InputError, match=r"absent\.csv: expected a file, found none"):
        runs.link(told)
    told = a_job(tmp_path)
    people().with_columns(unique_id=pl.lit(None, pl.String)).write_csv(tmp_path / "left.csv")
    with pytest.raises(InputError, match="expected rows to link, found none"):
        runs.link(told)


# ---- one table, and Splink ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def historical(tmp_path_factory) -> Path:
    """The shipped config, with a smaller sample for u, on the first 1,500 records."""
    folder = tmp_path_factory.mktemp("historical")
    text = (ROOT / "configs/historical-50k.toml").read_text(encoding="utf-8").replace("2_000_000", "100_000")
    (folder / "a.toml").write_text(text, encoding="utf-8")
    pl.read_parquet(ROOT / "tests/data/historical_50k.parquet").head(1500).write_parquet(folder / "records.parquet")
    runs.link(job(folder / "a.toml", out=folder / "out", left=folder / "records.parquet"))
    return folder


def test_one_table_is_freed_of_duplicates(historical) -> None:
    links = pl.read_parquet(historical / "out/links.parquet")
    assert links.columns == ["unique_id", "cluster_id", "match_weight", "match_probability", "decision"]
    truth = pl.read_parquet(historical / "records.parquet").select("unique_id", "cluster")
    assert links["unique_id"].to_list() == truth["unique_id"].to_list()
    found = json.loads(judge(links, truth).json)
    assert found["f1"] > 0.8
    told = json.loads((historical / "out/run.json").read_text(encoding="utf-8"))
    assert told["counts"]["persons"] == links["cluster_id"].n_unique()
    assert told["groups"]["groups_over_cap"] == 0


def splinks_weights(folder: Path, told: TablesJob) -> pl.DataFrame:
    """What Splink says with our model file, on our tables, with its own blocking and term frequencies."""
    con = connect(threads=2)
    tables = records.tables_of(told.config)
    for side, table in zip(told.config.sides, tables, strict=True):
        load(con, table, prepare(records.read(told.files[side], told.config, side).lines, told.config))
    body = json.loads((folder / "out/model.json").read_text(encoding="utf-8"))
    api = DuckDBAPI(connection=con)
    linker = Linker(
        [api.register(name, dataset_display_name=name) for name in tables], body["splink"], log_level="ERROR"
    )
    assert term_frequency_columns(comparisons_of(told.config))
    found = linker.inference.predict()
    return con.sql(f"select id_l, id_r, match_weight as theirs, match_probability as p from {found.physical_name}").pl()


@pytest.mark.parametrize("kind", ["link", "dedupe"])
def test_splink_opens_the_model_and_gives_the_same_weights(kind, tmp_path, historical) -> None:
    if kind == "link":
        folder, told = tmp_path, a_job(tmp_path, LINK + "[decide]\nkeep_at = 0.0\n")
        runs.link(told)
    else:
        folder, told = (
            historical,
            job(historical / "a.toml", out=historical / "out", left=historical / "records.parquet"),
        )
    theirs = splinks_weights(folder, told)
    ids = [pl.Series(folder_ids(told, side)) for side in (told.config.sides[0], told.config.sides[-1])]
    named = theirs.with_columns(unique_id_l=ids[0].gather(theirs["id_l"]), unique_id_r=ids[1].gather(theirs["id_r"]))
    ours = pl.read_parquet(folder / "out/candidates.parquet")
    both = ours.join(named, on=["unique_id_l", "unique_id_r"])
    assert both.height == ours.height > 500
    assert both.select((pl.col("match_weight") - pl.col("theirs")).abs().max()).item() < 1e-6
    assert both.select((pl.col("match_probability") - pl.col("p")).abs().max()).item() < 1e-9


def folder_ids(told: TablesJob, side: str) -> list[str]:
    return records.read(told.files[side], told.config, side).lines["unique_id"].to_list()


def test_a_dedupe_pairs_no_record_with_itself(tmp_path) -> None:
    doubled = pl.concat([people(300), people(300).with_columns(pl.format("x{}", "unique_id").alias("unique_id"))])
    told = a_job(tmp_path, DEDUPE, right=None)
    doubled.write_csv(tmp_path / "left.csv")
    runs.link(told)
    candidates = pl.read_parquet(tmp_path / "out/candidates.parquet")
    assert candidates.filter(pl.col("unique_id_l") == pl.col("unique_id_r")).height == 0
    links = pl.read_parquet(tmp_path / "out/links.parquet")
    pairs = links.filter(pl.col("unique_id") == pl.format("x{}", "cluster_id"))
    assert pairs.height > 290
