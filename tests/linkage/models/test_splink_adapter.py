"""Our weights are Splink's weights: the model file means the same there and here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from linkage.blocking.rules import BlockingRule, block
from linkage.compare.comparisons import exact
from linkage.engines.duckdb import connect, fetch
from linkage.errors import ModelError
from linkage.models import artefact, splink_adapter
from linkage.models.scoring import weights_sql
from linkage.models.training import TrainingPlan, train
from tests.linkage.models.register_pair import fill

COMPARISONS = (exact("name", term_frequency=True), exact("year"), exact("sex"), exact("commune"))
PLAN = TrainingPlan(blocks=(("name",), ("year",)), u_pairs=200_000, block_pairs=100_000)
RULES = [BlockingRule(("year",)), BlockingRule(("name", "sex"))]


def test_every_pair_weighs_what_splink_says_to_a_millionth_of_a_bit() -> None:
    con = connect(threads=2)
    fill(con)
    trained = train(con, COMPARISONS, PLAN, left="left_rows", right="right_rows")
    block(con, RULES, left="left_rows", right="right_rows")
    con.execute(f"create table ours as {weights_sql(trained.model, 'pairs', 'left_rows', 'right_rows')}")
    theirs = splink_adapter.predict(con, trained.model, RULES, "left_rows", "right_rows")
    both = fetch(con, "select l, r, evidence_bits from ours").join(theirs, on=["l", "r"])
    assert both.height == theirs.height > 10_000
    prior = both["match_weight"] - both["evidence_bits"]
    assert prior.max() - prior.min() < 1e-6  # type: ignore[operator]


def test_a_model_file_gives_the_model_back(tmp_path: Path) -> None:
    con = connect(threads=1)
    fill(con)
    trained = train(con, COMPARISONS, PLAN, left="left_rows", right="right_rows")
    file = tmp_path / "model.json"
    file.write_text(json.dumps(artefact.write(trained, RULES, card={})), encoding="utf-8")
    model, body = artefact.read(file, COMPARISONS)
    assert model == trained.model
    assert body["card"]["training_blocks"][0]["block"] == ["name"]


def test_a_model_refuses_other_comparisons_and_edited_settings(tmp_path: Path) -> None:
    con = connect(threads=1)
    fill(con)
    body = artefact.write(train(con, COMPARISONS, PLAN, left="left_rows", right="right_rows"), RULES, card={})
    file = tmp_path / "model.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    with pytest.raises(ModelError, match="other comparisons or levels"):
        artefact.read(file, COMPARISONS[:2])
    body["splink"]["comparisons"][0]["comparison_levels"][1]["m_probability"] = 0.5
    file.write_text(json.dumps(body), encoding="utf-8")
    with pytest.raises(ModelError, match="found changed ones"):
        artefact.read(file, COMPARISONS)
    file.write_text("PDF", encoding="utf-8")
    with pytest.raises(ModelError, match="no readable JSON"):
        artefact.read(file, COMPARISONS)
