from __future__ import annotations

import polars as pl
import pytest

from exchange.payloads import AnswerEntry, Parcel, Question
from exchange.tables import ANSWERS, ITEMS, PARCEL, QUESTIONS, TABLES


def test_the_tables_hold_the_fields_of_the_protocol():
    assert [field.name for field in PARCEL.fields] == list(Parcel.model_fields)
    assert set(Question.model_fields) <= set(QUESTIONS.columns)
    assert set(ANSWERS.columns) == set(AnswerEntry.model_fields) | {"entry"}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_an_empty_table_keeps_its_contract_through_a_file(table, tmp_path):
    table.empty().write_parquet(tmp_path / table.name)
    assert table.faults(pl.scan_parquet(tmp_path / table.name)) == []
    assert all(means.endswith((".", "…")) for _, means in table.columns.values())


def test_a_missing_column_and_a_wrong_type_are_told_and_more_columns_are_not():
    frame = ITEMS.empty().drop("person_id").with_columns(item_id=pl.lit(1, pl.Int64), more=pl.lit(True))
    assert ITEMS.faults(frame) == ["item_id is Int64, expected String", "person_id is missing"]
