"""The shape of an owner cell: what decides how it is read, without the names and numbers that do not.

Rules
- A word that can be in no phrase counts only where a name may begin, by being a surname or not; all other words and
  all signs count as they are. A year is a year, a longer number counts by its length.
- Cells of one shape are read alike, so each shape is read once, with stand-ins for its names and numbers; a cell is
  then read by putting its own names and numbers in their places.
- Dates, numbers in parts and very long cells have no shape (None): they are read by themselves.

>>> outline("Ông Nguyễn Văn Hùng, sinh năm 1960").shape == outline("Ông Trần Văn Tuấn, sinh năm 1971").shape
True
>>> outline("Ông Nguyễn Văn Hùng").shape == outline("Bà Nguyễn Văn Hùng").shape
False
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from linkage.normalise.owner_text_tokens import TOKEN, Tokens, forms_of
from linkage.normalise.owner_text_words import BODIES, COMPANY_WORDS, JUNK, MIDDLES, PHRASES, SURNAMES

_MOST_TOKENS: Final = 60
_YEARS: Final = range(1850, 2100)
_LATEST_YEAR: Final = 2099  # stand-ins for years count down from here
_LONG_NUMBER: Final = 5  # digits; shorter numbers count as they are
_FIRST_STAND_IN: Final = 0xE000  # private characters stand in for words
_NO_SHAPE: Final = "~"
_MARKS: Final = frozenset("?~")  # signs that mean something in a shape
_NAME_WORD: Final = "w"
_SURNAME: Final = "wn"
_SHORT: Final = 2  # letters; a full stop after so short a word may stand for an abbreviation
_SIGNS: Final = re.compile("[-–—.]")
_TOKEN_TEXT: Final = re.compile(re.sub(r"\(\?P<\w>", "(?:", TOKEN.pattern))
_STAND_IN: Final = re.compile("([\ue000-\uf8ff])\\1*|[0-9]+")
_ASKED_FOR: Final = MIDDLES | frozenset(
    ["ong", "ba", "cu", "anh", "chi", "vo", "chong", "la", "so", "ngay", "thang", "nam", "dien"]
)
"""Folded words the reader asks for by name, outside the phrases."""


class Outline(NamedTuple):
    """The tokens of a cell and its shape."""

    texts: list[str]
    shape: str | None


_PHRASES: Final = [phrase for table in (PHRASES, BODIES) for found in table.values() for phrase in found]
_SINGLES: Final = frozenset(form for p in _PHRASES if len(p.keys) == 1 for form in (*p.keys, *p.folded))
_IN_PHRASES: Final = frozenset(form for p in _PHRASES for form in (*p.keys, *p.folded)) | COMPANY_WORDS
_PAIRS: Final = frozenset(pair for p in _PHRASES for pair in pairwise(p.folded)) | {("cong", "ty"), ("hop", "tac")}
_JUNK_WORDS: Final = frozenset(word for junk in JUNK for word in junk.split())


@lru_cache(maxsize=1 << 17)
def _is_surname(word: str) -> bool:
    return forms_of(word).folded in SURNAMES


def _class_of_word(word: str) -> str:
    """A word as it is where it may be part of a phrase; after "?" where it is one only beside another word."""
    forms = forms_of(word)
    matching = {forms.key} if forms.marked else {forms.key, forms.folded}
    if matching & _SINGLES or forms.folded in _ASKED_FOR or not forms.folded or matching & COMPANY_WORDS:
        return "=" + forms.key
    if matching & _IN_PHRASES or forms.folded in ("cong", "ty", "hop", "tac"):
        return "?=" + forms.key
    return _NAME_WORD


@lru_cache(maxsize=1 << 17)
def _class_of(token: str) -> str:
    """What counts of one token."""
    if token[0].isalpha():
        return _class_of_word(token)
    if not token[0].isdigit():
        return _NO_SHAPE if token[0].isalnum() or token in _MARKS or _STAND_IN.match(token) else token
    if not (token.isascii() and token.isdigit()):
        return _NO_SHAPE
    if len(token) >= _LONG_NUMBER:
        return f"#{len(token)}"
    return "#year" if len(token) == len("1960") and int(token) in _YEARS else token


def _beside_another(texts: list[str]) -> set[int]:
    """The places of words that stand beside another one as they do in a phrase; signs between do not part them."""
    words = [(at, forms_of(text).folded) for at, text in enumerate(texts) if text[0].isalpha()]
    pairs = [(a, b) for (a, left), (b, right) in pairwise(words) if (left, right) in _PAIRS]
    return {at for pair in pairs for at in pair}


def _in_context(texts: list[str], classes: list[str]) -> list[str]:
    """Classes by what stands around: lone words of phrases are name words; a surname counts where a name may begin."""
    beside = _beside_another(texts) if any(c[0] == "?" for c in classes) else ()
    out: list[str] = []
    before = ""
    for at, own in enumerate(classes):
        if own[0] == "?":
            own = own[1:] if at in beside else _NAME_WORD  # noqa: PLW2901
        if own == _NAME_WORD and before != _NAME_WORD and _is_surname(texts[at]):
            out.append(_SURNAME)
        else:
            out.append(own)
        before = own
    return out


def _around_signs(text: str, texts: list[str]) -> str:
    """What counts of full stops (after a short word or not) and dashes (within a word or not)."""
    tokens = Tokens(text)
    return "".join(
        "-" if tokens.glued(at) else "." if at and len(texts[at - 1]) <= _SHORT else " "
        for at, token in enumerate(texts)
        if token in ".-–—"  # noqa: S105 - a sign, no password
    )


def outline(text: str) -> Outline:
    """The tokens and the shape of a repaired cell."""
    texts = _TOKEN_TEXT.findall(text)
    classes = [_class_of(token) for token in texts]
    if _NO_SHAPE in classes or len(texts) > _MOST_TOKENS:
        return Outline(texts, None)
    shape = " ".join(_in_context(texts, classes))
    return Outline(texts, f"{shape}\0{_around_signs(text, texts)}" if _SIGNS.search(text) else shape)


@lru_cache(maxsize=1 << 17)
def is_junk_word(word: str) -> bool:
    """True for a word of a remark that nobody is known: such a remark must be read as it is."""
    return forms_of(word).folded in _JUNK_WORDS


def _stand_in(at: int, token: str) -> str:
    """What stands for a word, a year or a long number; other tokens stand for themselves."""
    if token[0].isalpha():
        return chr(_FIRST_STAND_IN + at) * (1 if len(token) <= _SHORT else _SHORT + 1)
    if _class_of(token)[0] != "#" or not token[0].isdigit():
        return token
    return str(_LATEST_YEAR - at) if len(token) < _LONG_NUMBER else str(at + 1).zfill(len(token))


def with_stand_ins(text: str) -> Tokens:
    """The tokens of a cell with stand-ins for names and numbers, told apart by their place."""
    tokens = Tokens(text)
    tokens.texts = [_stand_in(at, token) for at, token in enumerate(tokens.texts)]
    return tokens


def place_of(word: str) -> int:
    """The place of the token a stand-in for a word stands for."""
    return ord(word[0]) - _FIRST_STAND_IN


def filled(template: str | None, numbers: dict[str, int], texts: list[str]) -> str | None:
    """A text with the tokens of a cell for its stand-ins."""

    def token(match: re.Match[str]) -> str:
        found = match[0]
        if match[1]:
            return texts[place_of(found)]
        return texts[numbers[found]] if found in numbers else found

    return _STAND_IN.sub(token, template) if template else template


def number_places(tokens: Tokens, texts: list[str]) -> dict[str, int]:
    """Stand-in of a number → its place."""
    pairs = enumerate(zip(tokens.texts, texts, strict=True))
    return {stand_in: at for at, (stand_in, text) in pairs if stand_in != text or text[0].isdigit()}
