"""Every sentence is there in both languages, with the same values, and is used."""

from __future__ import annotations

import re
from pathlib import Path

from confirm_api.vneid_sim import pages
from confirm_api.vneid_sim.answers import CORRECTION_FIELDS, VERDICTS
from confirm_api.vneid_sim.pages.texts import LANGUAGES, sentences

HERE = Path(pages.__file__).parent
SOURCES = "".join(path.read_text(encoding="utf-8") for path in [*HERE.glob("*.py"), *HERE.glob("templates/*")])

GROUPS = {key.partition(".")[0] for key in sentences()}


def test_every_sentence_is_in_both_languages_with_the_same_values():
    for key, told in sentences().items():
        assert tuple(told) == LANGUAGES, key
        values = [sorted(set(re.findall(r"\{(\w+)\}", told[language]))) for language in LANGUAGES]
        assert values[0] == values[1], key


def test_every_sentence_is_used_and_every_used_one_is_there():
    keys = set(sentences())
    called = {name for name in re.findall(r'"([a-z_]+\.[a-z_0-9]*)"', SOURCES) if name.partition(".")[0] in GROUPS}
    begun = {name for name in called if name.endswith(("_", "."))} | {"fault.", "login.", "problem."}
    assert called - begun - keys == {"app.css"}
    assert {key for key in keys - called if not key.startswith(tuple(begun))} == set()


def test_what_the_protocol_names_has_its_words():
    keys = set(sentences())
    assert {f"verdict.{name}" for name in VERDICTS} <= keys
    assert {f"correction.{name}" for name in CORRECTION_FIELDS} <= keys
    assert {f"fact.{name}" for name in ("commune", "hamlet", "land_use", "area", "certificate", "co_owner")} <= keys
    assert {f"reason.{name}" for name in ("withdrawn", "frozen", "expired")} <= keys
    assert {f"declared.{name}" for name in ("queued", "matched", "queued_for_review", "settled", "refused")} <= keys


def test_no_sentence_promises_or_presses():
    """Fraudsters press; the app may not sound like them."""
    pressing = re.compile(r"ngay lập tức|khẩn|bắt buộc phải|nhấn vào đây|click|urgent|immediately", re.IGNORECASE)
    assert [key for key, told in sentences().items() if pressing.search(" ".join(told.values()))] == []


def test_the_templates_have_no_script_no_style_and_no_address_of_elsewhere():
    templates = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("templates/*"))
    assert not re.search(r"<script|<style|style=|javascript:|\bon[a-z]+=\"|https?://|\|safe", templates)
