from __future__ import annotations

import pytest

from linkage.errors import ConfigError, UnreadableFileError
from linkage.synth.catalogue import PROFILES, Catalogue

IDS = (
    "id_correct", "id_former", "id_missing", "id_zero_lost", "id_digit_wrong", "id_of_another", "id_other_paper",
)  # fmt: skip
KINDS = ("kind_individual", "kind_couple", "kind_household", "kind_co_ownership")
BODIES = ("organisation", "community", "religious_body")


@pytest.mark.parametrize("profile", PROFILES)
def test_the_forms_of_an_id_share_out_all_mentions(profile):
    assert sum(Catalogue.load(profile).rates(*IDS)) == pytest.approx(1)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_kinds_of_owners_share_out_all_certificates(profile):
    assert sum(Catalogue.load(profile).rates(*KINDS, *BODIES)) == pytest.approx(1)


def test_every_error_says_what_and_why():
    assert all(entry.what and entry.why and entry.unit for entry in Catalogue.load().entries.values())


def test_the_countryside_has_fewer_numbers_than_towns():
    rural, mixed, urban = (Catalogue.load(profile).rate("id_correct") for profile in ("rural", "mixed", "urban"))
    assert rural < mixed < urban


def test_a_file_changes_only_the_errors_it_holds(tmp_path):
    path = tmp_path / "clean.toml"
    path.write_text('[[error]]\nid = "name_unaccented"\nrate = 0.5\n', encoding="utf-8")
    changed, shipped = Catalogue.load(path), Catalogue.load("mixed")
    assert changed.rate("name_unaccented") == 0.5
    assert changed.rate("name_other") == shipped.rate("name_other")


@pytest.mark.parametrize(
    "text",
    [
        '[[error]]\nid = "no_such_error"\nrate = 0.1\n',
        '[[error]]\nid = "name_other"\nrate = 1.5\n',
        '[[error]]\nid = "name_other"\nrate = "often"\n',
        "[[error]]\nrate = 0.1\n",
        "this is = not [toml",
        "[something]\nelse = 1\n",
        "error = 3\n",
        "error = [1, 2]\n",
    ],
)
def test_a_profile_that_cannot_be_meant_is_refused_in_one_sentence(tmp_path, text):
    path = tmp_path / "odd.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"odd\.toml: expected"):
        Catalogue.load(path)


def test_a_profile_that_is_not_there_is_bad_input():
    with pytest.raises(UnreadableFileError, match="no such profile"):
        Catalogue.load("suburban")
