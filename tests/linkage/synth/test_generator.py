from __future__ import annotations

import re
import unicodedata

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from linkage.errors import ConfigError
from linkage.synth import generate

CONTRACT_CITIZENS = [
    "citizen_id", "full_name", "former_id_no", "birth_date", "sex", "commune_code", "address", "spouse_name",
    "spouse_citizen_id", "father_name", "mother_name", "household_id", "status",
]  # fmt: skip


def test_the_same_seed_gives_the_same_files(tmp_path):
    for name in ("a", "b"):
        generate(1_000, tmp_path / name, seed=3)
    for table in ("land_owners", "citizens", "truth", "applied_errors", "pl3-01_truth"):
        assert_frame_equal(*(pl.read_parquet(tmp_path / name / f"{table}.parquet") for name in ("a", "b")))
    assert (tmp_path / "a" / "PL3-01.xlsx").read_bytes() == (tmp_path / "b" / "PL3-01.xlsx").read_bytes()


def test_another_seed_gives_another_register(tmp_path):
    for seed in (1, 2):
        generate(1_000, tmp_path / str(seed), seed=seed)
    first, second = (pl.read_parquet(tmp_path / str(seed) / "citizens.parquet") for seed in (1, 2))
    assert not first["citizen_id"].equals(second["citizen_id"])


@pytest.mark.parametrize("citizens", [200, 457])
def test_a_hamlet_is_enough(tmp_path, citizens):
    assert generate(citizens, tmp_path).citizens == citizens


def test_too_few_citizens_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="--citizens: expected at least"):
        generate(5, tmp_path)


def test_the_summary_counts_what_is_in_the_files(folder):
    assert folder.summary.citizens == folder.citizens.height == 20_000
    assert folder.summary.lines == folder.owners.height
    assert folder.summary.mentions == folder.truth.height


def test_the_size_is_that_of_a_province_in_small(folder):
    persons = folder.truth.filter(pl.col("kind") == "person")
    assert 1.45 < folder.owners.height / folder.citizens.height < 1.65
    assert 2.5 < persons.height / persons["person"].n_unique() < 5


def test_citizens_have_the_columns_of_the_contract(folder):
    assert folder.citizens.columns == CONTRACT_CITIZENS


def test_every_line_has_truth_for_its_owner_and_only_lines_have_truth(folder):
    owners = folder.truth.filter(pl.col("role") == "owner")["owner_record_id"]
    assert owners.n_unique() == owners.len() == folder.owners.height
    assert set(owners) == set(folder.owners["owner_record_id"]) == set(folder.truth["owner_record_id"])


def test_a_role_stands_once_on_a_line(folder):
    assert not folder.truth.select("owner_record_id", "role").is_duplicated().any()


def test_true_citizens_are_in_the_register_and_belong_to_one_person(folder):
    known = folder.truth.drop_nulls("citizen_id")
    assert known["citizen_id"].is_in(folder.citizens["citizen_id"].implode()).all()
    assert known.select("person", "citizen_id").unique()["person"].is_unique().all()
    assert known.select("person", "citizen_id").unique()["citizen_id"].is_unique().all()


def test_a_second_person_is_named_in_a_column_or_in_the_owner_s_text(folder):
    read = folder.applied.filter(
        pl.col("role") == "co_owner", ~pl.col("name_unaccented"), ~pl.col("name_legacy_encoding")
    )
    second = folder.owners.join(read, on="owner_record_id", how="semi")
    in_text = second["owner_name"].str.contains(" và (vợ|chồng|ông|bà) |, (vợ|chồng): ")
    assert (second["co_owner_name"].is_not_null() | in_text).all()
    assert 0.005 < in_text.mean() < 0.2


def test_an_organisation_is_no_person(folder):
    bodies = folder.truth.filter(pl.col("kind") == "organisation")
    lines = folder.owners.filter(pl.col("owner_kind").is_in(["organisation", "community"]))
    assert bodies["citizen_id"].null_count() == bodies.height == lines.height
    assert set(bodies["owner_record_id"]) == set(lines["owner_record_id"])


def test_untouched_names_stand_as_in_the_register(folder):
    errors = [c for c in folder.applied.columns if c.startswith(("name_", "glued", "death_mark"))]
    untouched = folder.mentions.filter(
        ~pl.any_horizontal(errors), pl.col("citizen_id").is_not_null(), pl.col("role") == "owner"
    )
    same = (untouched["written_name"] == untouched["full_name"]).mean()
    assert 0.99 < same < 1, "the register's own errors are the only difference"


def _folded(text):
    first = re.split(r" và |, | - | \(", text)[0]
    bare = re.sub(r"^(hộ )?(gia đình )?(ông|bà|cụ):? ", "", first, flags=re.IGNORECASE)
    parts = unicodedata.normalize("NFD", bare.replace("đ", "d").replace("Đ", "D"))
    return " ".join("".join(c for c in parts if not unicodedata.combining(c)).lower().split())


def test_the_naive_match_rate_is_that_of_hung_yen(folder):
    """Id, folded name, and year where one is written: 52 % of mentions in the mixed profile."""
    register = folder.citizens.select(written_id_no="citizen_id", found="full_name", born="birth_date")
    mentions = folder.mentions.drop("birth_date").join(register, on="written_id_no", how="left")
    fold = {name: _folded(name) for name in {*mentions["written_name"], *mentions["found"]} if name}
    year = mentions["written_birth"].str.extract(r"((?:19[0-9]|20[0-2])\d)").replace({"1900": None})
    name = mentions["written_name"].replace(fold) == mentions["found"].replace(fold)
    agree = name.fill_null(value=False) & (year == mentions["born"].str.slice(0, 4)).fill_null(value=True)
    expected = {"mixed": (0.49, 0.55), "rural": (0.27, 0.34), "urban": (0.70, 0.78)}[folder.summary.profile]
    assert expected[0] < agree.mean() < expected[1], agree.mean()
