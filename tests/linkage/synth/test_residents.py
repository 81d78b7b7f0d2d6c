from __future__ import annotations

import polars as pl

AT_HOME = 0.10


def near(measured, rate, slack=AT_HOME):
    return abs(measured - rate) <= slack * rate


def test_ids_are_twelve_digits_and_unique(folder):
    ids = folder.citizens["citizen_id"]
    assert ids.str.contains(r"^0\d{11}$").all()
    assert ids.is_unique().all()


def test_ids_agree_with_sex_and_with_all_but_a_few_years(folder):
    ids = folder.citizens["citizen_id"]
    century_sex = ids.str.slice(3, 1).cast(pl.Int64)
    year = 1900 + 100 * (century_sex // 2) + ids.str.slice(4, 2).cast(pl.Int64)
    assert (century_sex % 2 == (folder.citizens["sex"] == "F").cast(pl.Int64)).all()
    assert 0.995 < (year == folder.citizens["birth_date"].str.slice(0, 4).cast(pl.Int64)).mean() < 1


def test_the_cmnd_is_filled_as_often_as_declared(folder):
    born = folder.citizens.filter(pl.col("birth_date").str.slice(0, 4).cast(pl.Int64) < 2000)
    assert near(born["former_id_no"].is_not_null().mean(), folder.rate("register_former_id_filled"))
    assert born["former_id_no"].drop_nulls().str.contains(r"^\d{9}$").all()


def test_spouses_in_the_register_name_each_other(folder):
    pairs = folder.citizens.drop_nulls("spouse_citizen_id").join(
        folder.citizens, left_on="spouse_citizen_id", right_on="citizen_id", suffix="_of_spouse"
    )
    mutual = pairs.drop_nulls("spouse_citizen_id_of_spouse")
    assert pairs.height > 4_000
    assert (mutual["spouse_citizen_id_of_spouse"] == mutual["citizen_id"]).all()
    assert (pairs["sex"] != pairs["sex_of_spouse"]).all()
    assert (pairs["spouse_name"] == pairs["full_name_of_spouse"]).mean() > 0.99


def test_most_people_live_where_the_communes_are(folder):
    home = folder.citizens["address"].str.contains("Quảng (Trị|Bình)")
    assert near(1 - home.mean(), folder.rate("owner_moved_out"), 0.15)


def test_a_household_is_small(folder):
    size = folder.citizens["household_id"].value_counts()["count"]
    assert 2 < size.mean() < 4.5


def test_deaths_are_marked_late_at_times(folder):
    gone = folder.mentions.filter(pl.col("owner_deceased") & pl.col("citizen_id").is_not_null()).unique("citizen_id")
    assert near((gone["status"] != "deceased").mean(), folder.rate("register_death_late"), 0.6)
    alive = folder.mentions.filter(~pl.col("owner_deceased") & pl.col("citizen_id").is_not_null())
    assert (alive["status"] != "deceased").all()


def test_names_are_shared_as_in_the_published_samples(folder):
    born = folder.citizens["birth_date"].str.slice(0, 4).cast(pl.Int64)
    young = folder.citizens.filter(born.is_between(1990, 2005), ~pl.col("full_name").str.starts_with("Hồ "))
    count = young["full_name"].value_counts()["count"].cast(pl.Int64)
    coincidence = (count * (count - 1)).sum() / (young.height * (young.height - 1))
    assert 4e-5 < coincidence < 1.2e-4
