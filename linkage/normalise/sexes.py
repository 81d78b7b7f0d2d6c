"""Sex as written → `M` or `F`.

Rules
- Words in Vietnamese and English, forms of address (Ông, Bà), one letter; typing slips one edit away from one sex only.
- Numbers mean nothing by themselves: only the source's own coding reads them ({"1": "M", "0": "F"}).

`sex_flag`: ok · coded · typo · unknown-code (a number without coding) · unreadable · empty.

>>> sex_columns(pl.Series(["Nư", "Nma", "1"]), {"1": "M"}).select("sex", "sex_flag").rows()
[('F', 'ok'), ('M', 'typo'), ('M', 'coded')]
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from linkage.normalise.slips import one_slip_apart
from linkage.normalise.text_expressions import distinct, folded_with_punctuation

_WORDS = {
    "M": "m nam ong anh chu male man trai chong gioi tinh nam con trai dan ong mr",
    "F": "f nu ba chi co female woman gai vo nuw nuwx dan ba mrs ms",
}
_SEX_OF = {word: sex for sex, words in _WORDS.items() for word in words.split()}
_SLIPS_FROM = {"nam": "M", "male": "M", "nu": "F", "female": "F"}
_LEGACY = {"n÷": "F", "nöõ": "F", "nỮ": "F", "n÷.": "F"}
"""`Nữ` in TCVN3 and VNI: two letters are too few for the encodings to be told apart elsewhere."""
_NOT_GIVEN = {"", "x", "k", "ko", "khong", "khong ro", "null", "none", "nan", "na", "n a", "chua ro"}


def sex_columns(values: pl.Series, coding: Mapping[str, str] | None = None) -> pl.DataFrame:
    """One row per distinct value: `raw`, `sex` (`M`, `F` or null), `sex_flag`; `coding` maps a source's own codes."""
    frame = distinct(values)
    coded = {str(code).strip().lower(): sex for code, sex in (coding or {}).items()}
    folded = folded_with_punctuation(frame["raw"])
    read = [read_sex(raw or "", text or "", coded) for raw, text in zip(frame["raw"], folded, strict=True)]
    return frame.hstack(pl.DataFrame(read, schema={"sex": pl.String, "sex_flag": pl.String}, orient="row"))


def read_sex(raw: str, folded: str, coded: Mapping[str, str]) -> tuple[str | None, str]:
    """Sex and flag of one value, given as written and folded."""
    number = re.sub(r"^(\d+)\.0+$", r"\1", raw.strip().lower())
    if number in coded:
        return coded[number], "coded"
    if raw.strip().lower() in _LEGACY:
        return _LEGACY[raw.strip().lower()], "ok"
    word = " ".join(re.findall(r"[a-z0-9]+", folded))
    if word in _NOT_GIVEN:
        return None, "empty"
    if word in _SEX_OF:
        return _SEX_OF[word], "ok"
    return _nearest(word, number)


def _nearest(word: str, number: str) -> tuple[str | None, str]:
    """The one sex whose word is one slip away, or the sex all known words of a longer text agree on."""
    if number.lstrip("-").isdigit():
        return None, "unknown-code"
    named = {_SEX_OF[part] for part in word.split() if part in ("nam", "nu", "ong", "ba", "male", "female")}
    slips = {sex for known, sex in _SLIPS_FROM.items() if len(word) > 1 and one_slip_apart(word, known)}
    for found, flag in ((named, "ok"), (slips, "typo")):
        if len(found) == 1:
            return found.pop(), flag
    return None, "unreadable"
