"""A slip of the pen in a config is one sentence that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkage.config import _COLUMNS, _PROVINCES, load, shipped
from linkage.errors import ConfigError
from linkage.normalise.provinces import PROVINCE_SUCCESSORS
from linkage.schemas import CITIZEN_LINES, OWNER_LINES

REFUSED = {
    "a setting below the table of columns belongs above it": (
        '[sources.owners.columns]\nvintage = "from-2025-07-01"',
        "'vintage' in [sources.owners.columns] is a setting, not a column; it belongs above the table, in",
    ),
    "so does one below the constants": (
        '[sources.citizens.constants]\nformat = "csv"',
        "'format' in [sources.citizens.constants] is a setting",
    ),
    "a column misspelt is named": (
        '[sources.owners.columns]\nowner_brith = "Năm sinh"',
        "unknown key 'owner_brith' in [sources.owners.columns]; known here: owner_record_id, parcel_code,",
    ),
    "a column of the other table is unknown": (
        '[sources.citizens.columns]\nowner_birth = "Năm sinh"',
        "unknown key 'owner_birth' in [sources.citizens.columns]; known here: citizen_id,",
    ),
    "a key of ours that nobody fills is unknown": (
        '[sources.owners.columns]\nrow_number = "STT"',
        "unknown key 'row_number'",
    ),
    "an unknown setting names those known": (
        '[sources.owners]\nvintag = "from-2025-07-01"',
        "unknown key 'sources.owners.vintag'; known here: columns, constants, sex_coding, format,",
    ),
}


def told(tmp_path: Path, text: str) -> str:
    config = tmp_path / "mine.toml"
    config.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refusal:
        load(config)
    sentence = str(refusal.value)
    assert sentence.startswith("mine.toml: ")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("sentence", REFUSED)
def test_a_key_that_is_none_is_refused_by_name(sentence: str, tmp_path: Path) -> None:
    wrong, words = REFUSED[sentence]
    shipped_text = shipped("land-register.toml").read_text(encoding="utf-8")
    kept = shipped_text.replace('[sources.owners]\nformat = "auto"\nvintage = "before-2025-07-01"\n', "")
    assert words in told(tmp_path, f"{kept}\n{wrong}\n")


@pytest.mark.parametrize("code", ["45", "4", "Quảng Trị", "044"])
def test_a_home_province_is_a_code_since_the_merger(code: str, tmp_path: Path) -> None:
    text = shipped("land-register.toml").read_text(encoding="utf-8")
    changed = text.replace('home_provinces = ["44"]', f'home_provinces = ["{code}"]')
    assert f"'{code}' is no code of a province since 2025-07-01" in told(tmp_path, changed)


def test_the_codes_known_are_those_of_the_successors() -> None:
    assert set(PROVINCE_SUCCESSORS.values()) == _PROVINCES


def test_the_columns_known_are_those_of_the_contracts() -> None:
    contracts = {"owners": OWNER_LINES, "citizens": CITIZEN_LINES}
    for side, contract in contracts.items():
        assert _COLUMNS[side] == [name for name in contract.columns if name != "row_number"]
