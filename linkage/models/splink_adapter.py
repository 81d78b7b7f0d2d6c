"""The one door to Splink: our model as Splink settings, and Splink's own predictions to check ours against.

Rules
- The settings hold everything that a weight needs but term frequencies, which Splink takes as a table.
- `_l` is the table whose name comes first in the alphabet: `citizen_features` before `person_features`.
- Splink is imported here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import polars as pl
from splink import DuckDBAPI, Linker

from linkage.blocking.rules import BlockingRule
from linkage.compare.comparisons import Comparison, Level
from linkage.models.model import Model
from linkage.models.scoring import term_frequency_columns


def _level(model: Model, comparison: Comparison, level: Level) -> dict[str, Any]:
    written: dict[str, Any] = {"sql_condition": level.sql or "ELSE", "label_for_charts": level.label}
    if level.is_null:
        return {**written, "is_null_level": True}
    written |= {"m_probability": model.m(comparison, level), "u_probability": model.u(comparison, level)}
    if level.term_frequency:
        written |= {
            "tf_adjustment_column": level.term_frequency,
            "tf_adjustment_weight": 1.0,
            "disable_tf_exact_match_detection": True,
        }
    return written


def settings(model: Model, rules: Sequence[BlockingRule], *, link_type: str = "link_only") -> dict[str, Any]:
    """The model as a Splink settings dictionary: `Linker(tables, settings)` scores with it."""
    return {
        "link_type": link_type,
        "unique_id_column_name": "id",
        "probability_two_random_records_match": model.probability_two_random_records_match,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "blocking_rules_to_generate_predictions": [{"blocking_rule": rule.sql()} for rule in rules],
        "comparisons": [
            {
                "output_column_name": comparison.name,
                "comparison_description": comparison.sentence,
                "comparison_levels": [_level(model, comparison, level) for level in comparison.levels],
            }
            for comparison in model.comparisons
        ],
    }


def model_from_settings(written: Mapping[str, Any], comparisons: Sequence[Comparison]) -> Model:
    """The model read back; the comparisons must be the ones it was written from (`KeyError` where they are not)."""
    m: dict[str, dict[str, float]] = {}
    u: dict[str, dict[str, float]] = {}
    by_name = {part["output_column_name"]: part for part in written["comparisons"]}
    for comparison in comparisons:
        levels = {part["label_for_charts"]: part for part in by_name[comparison.name]["comparison_levels"]}
        m[comparison.name] = {level.label: levels[level.label]["m_probability"] for level in comparison.scored}
        u[comparison.name] = {level.label: levels[level.label]["u_probability"] for level in comparison.scored}
    return Model(tuple(comparisons), m, u, written["probability_two_random_records_match"])


def predict(
    con: duckdb.DuckDBPyConnection, model: Model, rules: Sequence[BlockingRule], left: str, right: str
) -> pl.DataFrame:
    """Splink's own match weights: `l`, `r`, `match_weight` (bits, with Splink's prior)."""
    api = DuckDBAPI(connection=con)
    tables = [api.register(table, dataset_display_name=table) for table in (left, right)]
    linker = Linker(tables, settings(model, rules), log_level="ERROR")
    for column in term_frequency_columns(model.comparisons):
        lookup = f"lookup_{column}"
        con.execute(
            f"create or replace table {lookup} as select distinct {column}, tf_{column} from {left} "
            f"where {column} is not null"
        )
        linker.table_management.register_term_frequency_lookup(
            api.register(lookup, dataset_display_name=lookup), column
        )
    found = linker.inference.predict()
    return con.sql(f"select id_l as l, id_r as r, match_weight from {found.physical_name}").pl()
