"""The settings file: the example says every key with its default, and paths are those of its folder."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from confirm_api.vneid_sim.errors import SettingsError
from confirm_api.vneid_sim.settings import DriverSettings, Settings, driver_token, load, parse

EXAMPLE = Path(__file__).resolve().parents[3] / "configs" / "vneid_sim.example.toml"
PEER = {"jwks": "service.jwks.json", "url": "http://127.0.0.1:8600"}


def test_the_example_says_every_key_with_its_default():
    told = parse(tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))).model_dump()
    defaults = parse({"service": PEER}).model_dump()
    different = {name for name in told if told[name] != defaults[name]}
    assert different == {"keys", "service"}
    text = EXAMPLE.read_text(encoding="utf-8")
    tables = [defaults, *(table for table in defaults.values() if isinstance(table, dict))]
    assert {name for table in tables for name in table if f"{name} = " not in text and f"[{name}]" not in text} == {
        "token"
    }


def test_paths_are_taken_from_the_folder_of_the_file(tmp_path):
    (tmp_path / "a.toml").write_text('[service]\njwks = "s.json"\nurl = "https://s"\n[driver]\ntoken_file = "t"\n')
    settings = load(tmp_path / "a.toml")
    assert settings.database == tmp_path / "vneid_sim.sqlite3"
    assert settings.service.jwks == tmp_path / "s.json"
    assert settings.driver.token_file == tmp_path / "t"


@pytest.mark.parametrize(
    "content",
    [
        {"listen": "127.0.0.1"},
        {"provider": {"interval_seconds": 0}},
        {"provider": {"acr_level": 1}},
        {"faults": {"error_share": 2}},
        {"accounts": {"unknown": ["12345"]}},
        {"app": {"passcode": "12345"}},
        {"outbox": {"retry_second": [1]}},
    ],
    ids=str,
)
def test_a_value_out_of_range_is_refused_by_the_name_of_its_key(content):
    with pytest.raises(SettingsError) as caught:
        parse({"service": PEER} | content)
    (name, value) = next(iter(content.items()))
    assert str(caught.value).startswith(name)
    assert "12345" not in str(caught.value)
    assert not isinstance(value, dict) or next(iter(value)) in str(caught.value)


def test_an_address_is_split_at_its_last_colon():
    settings = [Settings.model_validate({"service": PEER, "listen": one}) for one in ("[::1]:80", "localhost:0")]
    assert [(one.host, one.port) for one in settings] == [("::1", 80), ("localhost", 0)]


def test_the_drivers_token_comes_from_the_environment_a_file_or_nowhere(tmp_path):
    assert driver_token(DriverSettings(), {}) is None
    (tmp_path / "t").write_text("x" * 30 + "\n")
    assert driver_token(DriverSettings(token_file=tmp_path / "t"), {}) == "x" * 30
    assert driver_token(DriverSettings(), {"QUYCHU_VNEID_SIM_DRIVER_TOKEN": "y" * 30}) == "y" * 30
    with pytest.raises(SettingsError, match="cannot be read"):
        driver_token(DriverSettings(token_file=tmp_path / "none"), {})
