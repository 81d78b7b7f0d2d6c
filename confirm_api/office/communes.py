"""When two spellings name the same commune.

Rules
- Compared are kind (xã, phường, thị trấn, đặc khu) and name. A missing kind agrees with every kind, because registers
  often leave it out; two kinds that differ are two communes: a province may have a xã and a phường of one name.
- Letters count with all their marks: `Tân Lập` is not `Tân Lạp`. Only the ways of writing the same letter are equal:
  precomposed or combining, `Hoà` or `Hòa`, capitals, blanks, points.
- A limit of access errs on the side of refusal: what is not clearly the same is another commune.

>>> same_commune("Phường Hoà Bình", "P. Hòa  Bình"), same_commune("Xã Hòa Bình", "Phường Hòa Bình")
(True, False)
>>> same_commune("hòa bình", "Phường Hòa Bình"), same_commune("Tân Lập", "Tân Lạp")
(True, False)
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_TONES: Final = "\u0300\u0301\u0303\u0309\u0323"
_KINDS: Final = {
    "xã": "xã",
    "x": "xã",
    "phường": "phường",
    "p": "phường",
    "thị trấn": "thị trấn",
    "tt": "thị trấn",
    "đặc khu": "đặc khu",
    "đk": "đặc khu",
}


def _tone_last(word: str) -> str:
    """The word with its tone mark at the end: where it stands is a matter of style (`hoà`, `hòa`)."""
    marks = "".join(letter for letter in word if letter in _TONES)
    return "".join(letter for letter in word if letter not in _TONES) + marks


def _plain(text: str) -> str:
    words = re.sub(r"[.\s]+", " ", unicodedata.normalize("NFD", text).casefold()).split()
    return " ".join(_tone_last(word) for word in words)


_PREFIXES: Final = sorted(((_plain(written), kind) for written, kind in _KINDS.items()), key=lambda pair: -len(pair[0]))


def normal_form(commune: str) -> tuple[str, str]:
    """Kind (empty where not written) and name, in one spelling.

    >>> normal_form("TT. Vạn Hà")[0]
    'thị trấn'
    """
    text = _plain(commune)
    for written, kind in _PREFIXES:
        if text.startswith(written + " "):
            return kind, text[len(written) + 1 :]
    return "", text


def same_commune(one: str, other: str) -> bool:
    """Do both name the same commune? An empty name is no commune and equals nothing."""
    (kind, name), (other_kind, other_name) = normal_form(one), normal_form(other)
    return name == other_name != "" and (kind == other_kind or not (kind and other_kind))
