"""Each error's rate, measured from the output, is that of the catalogue to within a tenth."""

from __future__ import annotations

import math

import polars as pl
import pytest

from linkage.synth.register import COLUMNS

CLEAN_SERIAL = r"^([A-Z]{1,2} \d{6}|AA \d{8})$"
BEFORE = "before-2025-07-01"


def near(measured: float, rate: float, units: float) -> bool:
    """Within a tenth of the rate, or within chance where the units are few."""
    chance = 3 * math.sqrt(rate * (1 - rate) / units)
    return abs(measured - rate) <= max(0.1 * rate, min(chance, 0.25 * rate))


def test_the_columns_are_those_of_the_contract(folder):
    assert tuple(folder.owners.columns) == COLUMNS
    assert folder.owners["owner_record_id"].is_unique().all()


def share(condition: pl.Expr) -> pl.Expr:
    return condition.fill_null(value=False).mean()


def text_rates(folder):
    """Shares that show in the text alone."""
    ids, birth, sex = (pl.col(f"written_{field}") for field in ("id_no", "birth", "sex"))
    year, born = birth.str.extract(r"(\d{4})"), pl.col("birth_date").str.slice(0, 4)
    known = pl.col("citizen_id").is_not_null()
    twelve = ids.str.contains(r"^0\d{11}$")
    right = pl.when(known).then(ids == pl.col("citizen_id")).otherwise(pl.col("id_correct"))
    return folder.mentions.select(
        id_correct=share(twelve & right),
        id_missing=share(ids.is_null() & ~pl.col("glued_id_only")),
        id_other_paper=share(ids.str.contains("^(B|C|SQ|GKS|Sổ)")),
        id_zero_lost=share(ids.str.contains(r"^[1-9]\d{9,10}$|\.0$|E\+")),
        birth_year_only=share(birth.str.contains(r"^\d{4}$") & (birth != "1900")),
        birth_placeholder=share(birth.is_null() | (year == "1900") | birth.str.starts_with("01/01/")),
        birth_year_wrong=share(((year != born) & (year != "1900")).filter(known)),
        sex_missing=share(sex.is_null()),
        sex_misspelt=share(~sex.is_in(["M", "F"])),
        sex_wrong=share(((sex != pl.col("sex")) & sex.is_in(["M", "F"])).filter(known)),
    ).row(0, named=True)


def test_errors_that_show_in_the_text_have_the_declared_rates(folder):
    off = {
        error: (round(measured, 4), folder.rate(error))
        for error, measured in text_rates(folder).items()
        if not near(measured, folder.rate(error), folder.mentions.height / 3)
    }
    assert not off


MENTION_ERRORS = (
    "id_correct", "id_former", "id_missing", "id_zero_lost", "id_digit_wrong", "id_of_another", "id_other_paper",
    "name_spelling_style", "name_accent_wrong", "name_unaccented", "name_legacy_encoding", "name_form_glued",
    "name_word_lost_or_added", "name_other", "birth_year_only", "birth_placeholder", "birth_year_wrong", "sex_wrong",
    "sex_missing", "sex_misspelt", "owner_deceased", "owner_changed", "parcel_away", "commune_vintage_wrong",
    "address_old",
)  # fmt: skip


@pytest.mark.parametrize("error", MENTION_ERRORS)
def test_each_error_is_written_as_often_as_declared(folder, error):
    assert near(folder.applied[error].mean(), folder.rate(error), folder.applied.height / 3)


SHARES_OF_A_PART = {
    "deceased_absent": pl.col("owner_deceased"),
    "owner_not_in_register": ~pl.col("owner_deceased"),
    "glued_birth_year": pl.col("name_form_glued"),
    "death_mark": pl.col("name_form_glued") & pl.col("owner_deceased"),
    "id_former_replaced": pl.col("id_former"),
}


@pytest.mark.parametrize(("error", "part"), SHARES_OF_A_PART.items(), ids=SHARES_OF_A_PART.keys())
def test_an_error_of_a_part_has_its_share_of_that_part(folder, error, part):
    among = folder.applied.filter(part)
    assert near(among[error].mean(), folder.rate(error), among.height / 3)


def test_what_is_said_of_numbers_is_what_is_written(folder):
    known = folder.mentions.filter(pl.col("citizen_id").is_not_null() & pl.col("written_id_no").is_not_null())
    right = known.filter("id_correct")
    assert (right["written_id_no"] == right["citizen_id"]).all()
    wrong = known.filter(pl.col("id_digit_wrong") & (pl.col("written_id_no").str.len_chars() == 12))
    pairs = zip(wrong["written_id_no"], wrong["citizen_id"], strict=True)
    assert {sum(a != b for a, b in zip(x, y, strict=True)) for x, y in pairs} <= {1, 2}
    lent = known.filter("id_of_another")
    assert (lent["written_id_no"] != lent["citizen_id"]).mean() > 0.97
    former = known.filter("id_former").drop_nulls("former_id_no")
    assert 0.9 < (former["written_id_no"] == former["former_id_no"]).mean() < 0.97


def test_organisations_hold_their_share_of_parcels(folder):
    parcels = folder.owners.unique("parcel_code")
    kinds = parcels.group_by("owner_kind").len().with_columns(pl.col("len") / parcels.height)
    share = dict(kinds.rows())
    assert near(share["organisation"], folder.rate("organisation"), parcels.height / 3)
    assert near(share["community"], folder.rate("community") + folder.rate("religious_body"), parcels.height / 3)


@pytest.mark.parametrize("kind", ["individual", "couple", "household"])
def test_kinds_of_owners_have_their_share_of_parcels(folder, kind):
    parcels = folder.owners.unique("parcel_code")
    assert near((parcels["owner_kind"] == kind).mean(), folder.rate(f"kind_{kind}"), parcels.height / 3)


def test_serials_are_missing_or_dirty_as_often_as_declared(folder):
    serial = folder.owners["certificate_serial"]
    assert near(serial.is_null().mean(), folder.rate("serial_missing"), serial.len() / 3)
    dirty = (~serial.drop_nulls().str.contains(CLEAN_SERIAL)).mean()
    assert near(dirty, folder.rate("serial_dirty"), serial.len() / 3)


def test_an_error_belongs_to_the_certificate_not_to_the_line(folder):
    papers = folder.owners.drop_nulls("certificate_serial").group_by("certificate_serial", "owner_role")
    names = papers.agg(pl.len(), pl.col("owner_name").n_unique().alias("names"), pl.col("owner_kind").first())
    copied = names.filter((pl.col("len") > 1) & (pl.col("owner_kind") != "co_ownership"))
    assert copied.height > 1000
    assert (copied["names"] == 1).mean() > 0.99


def test_a_couple_in_two_lines_has_a_husband_and_a_wife_on_one_parcel(folder):
    couples = folder.owners.filter(pl.col("owner_kind") == "couple")
    two = couples.group_by("parcel_code").agg(pl.col("owner_role").sort(), pl.len()).filter(pl.col("len") > 1)
    assert two.height > 100
    assert (two["owner_role"].list.join("+") == "husband+wife").mean() > 0.999


def test_a_free_text_holds_both_spouses(folder):
    text = folder.mentions.filter(pl.col("written_name").str.contains(" và (vợ|chồng)")).filter(
        pl.col("role") == "owner"
    )
    roles = (
        folder.truth.join(text.select("owner_record_id"), on="owner_record_id", how="semi")
        .group_by("owner_record_id")
        .len()
    )
    assert text.height > 100
    assert roles["len"].min() == 2


def test_the_named_person_was_grown_up_and_living_when_the_certificate_was_issued(folder):
    issued = folder.owners.select("owner_record_id", year=pl.col("certificate_date").str.slice(6, 4).cast(pl.Int64))
    heirs_of = pl.col("written_name").str.to_lowercase().str.contains("thừa kế|thua ke")
    named = folder.mentions.filter(~heirs_of.fill_null(value=False) & ~pl.col("name_legacy_encoding"))
    known = named.join(issued, on="owner_record_id").drop_nulls(["citizen_id", "year"])
    age = known["year"] - known["birth_date"].str.slice(0, 4).cast(pl.Int64)
    assert age.min() >= 14
    assert age.quantile(0.9999) <= 95


def test_codes_of_the_old_list_fill_the_register(folder):
    assert (folder.owners["commune_code_vintage"] == BEFORE).mean() > 0.9
    assert folder.owners["commune_code"].str.contains(r"^\d{5}$").all()


def test_parcels_have_codes_of_their_own(folder):
    place = ["commune_code", "map_sheet_no", "parcel_no", "parcel_code"]
    parcels = folder.owners.filter(pl.col("commune_code_vintage") == BEFORE).select(place).unique()
    assert parcels["parcel_code"].is_unique().all()
    assert parcels["parcel_code"].str.contains("^[0-9b-hjkmnp-z]{12}$").all()
