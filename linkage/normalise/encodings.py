"""Text in the letters its writer meant: Unicode forms, legacy encodings and typing leftovers put right.

Rules
- Unicode: NFC with shape before tone mark, Đ for Ð, blanks for NBSP, no zero-width characters, ASCII for fullwidth.
- Both readings are scored by the share of words that are Vietnamese syllables; the legacy one must win clearly.
- A word that is a syllable as it stands is never evidence for another encoding; it changes only with its whole text.
- One odd word changes alone only into a common syllable, so foreign and minority names stay as they are.
- `repair(repair(x).text) == repair(x)` but for the encoding found, which is then "unicode".

>>> repair("NguyÔn V¨n Hïng").text, repair("Nguyeãn Vaên Huøng").text, repair("Nguyá»…n VÄƒn HÃ¹ng").text
('Nguyễn Văn Hùng', 'Nguyễn Văn Hùng', 'Nguyễn Văn Hùng')
>>> repair("Nguyeenx Vawn Hungf"), repair("Y Blô Niê").text
(Repaired(text='Nguyễn Văn Hùng', encoding='telex'), 'Y Blô Niê')
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from linkage.normalise import encodings_legacy as legacy
from linkage.normalise.encodings_syllables import (
    VIETNAMESE_LETTERS,
    is_common,
    is_plain_syllable,
    is_settled,
    is_syllable,
)

Encoding = Literal["unicode", "tcvn3", "vni", "utf8-as-cp1252", "telex", "vni-typing"]


_Charset = tuple[Encoding, Callable[[str], str | None]]


class Repaired(NamedTuple):
    """A text as meant, and the encoding it was found in."""

    text: str
    encoding: Encoding


class _Reading(NamedTuple):
    """One way to read a text: the share of changed words that are syllables, and how much speaks for it."""

    text: str
    encoding: Encoding
    share: float
    evidence: int


_SETTLED_AFTER: Final = 6  # rounds; real text settles after one or two
_LONGEST_WORD: Final = 24  # longer "words" are no names: they are not decoded
_GOOD_SHARE: Final = 0.75  # of the words a reading changes must be syllables
_ENOUGH: Final = 2  # points of evidence

PLAIN_CLASS: Final = f"A-Za-z{VIETNAMESE_LETTERS}"
_PLAIN: Final = re.compile(f"[ -~\n{VIETNAMESE_LETTERS}]*")
_WORD: Final = re.compile(r"[^\s!-/:-@\[-`{-~]+")
_ALIEN: Final = re.compile(f"[^ -~{VIETNAMESE_LETTERS}]")
_SYMBOL: Final = re.compile("[¡-©«-´¶-¹»-¿×÷]")
_VOWEL: Final = re.compile("[aeiouyAEIOUY]")
_VOWEL_OR_MARK: Final = re.compile("[aeiouyAEIOUY\x80-\U0010ffff]")
_TONE_KEY: Final = re.compile("[wsfrxj1-9]", re.IGNORECASE)
_UNCAPITALISED: Final = re.compile(r"(?<!\w)[^\W\d_A-Za-z](?=\w*)")


# --- Unicode forms ----------------------------------------------------------------------------------------------------

BLANKS: Final = (
    "\t\x0b\x0c\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
INVISIBLE: Final = "\u2060\ufeff\u180e\u034f" + "".join(
    map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2061, 0x206A)))
)
_TIDY: Final = str.maketrans(
    dict.fromkeys(BLANKS, " ")
    | dict.fromkeys(INVISIBLE)
    | {"\r": "\n", "\u2028": "\n", "\u2029": "\n"}
    | {"Ɖ": "Đ", "ɖ": "đ", "\u0340": "\u0300", "\u0341": "\u0301", "\u2010": "-", "\u2011": "-"}
    | {chr(full): chr(full - 0xFEE0) for full in range(0xFF01, 0xFF5F)}
)
_CONTROLS: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad]")
_COMBINING: Final = re.compile("[\u0300-\u036f]")
_MARKED: Final = re.compile("([A-Za-z])([\u0300-\u036f]+)")
_SHAPE_ORDER: Final = {"\u0302": 0, "\u0306": 0, "\u031b": 0}


def _in_order(match: re.Match[str]) -> str:
    """A letter with its marks: shape first, each mark once."""
    return match[1] + "".join(sorted(dict.fromkeys(match[2]), key=lambda mark: _SHAPE_ORDER.get(mark, 1)))


def _tidy(text: str) -> str:
    """Unicode forms only; soft hyphens and Ð stay, as they may be letters of TCVN3."""
    text = text.replace("\r\n", "\n").translate(_TIDY)
    if not _COMBINING.search(text):
        return unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", _MARKED.sub(_in_order, unicodedata.normalize("NFD", text)))


def _real_d(match: re.Match[str]) -> str:
    """Ð at the start of a word is the Vietnamese letter, ð only where a syllable comes out."""
    word = match[0]
    meant = word.replace("Ð", "Đ").replace("ð", "đ")
    return meant if is_syllable(meant.lower()) or word.startswith("Ð") else word


def _finish(text: str) -> str:
    """What can only be done when no legacy encoding is left."""
    if "Ð" in text or "ð" in text:
        text = _WORD.sub(_real_d, text)
    return _tidy(_CONTROLS.sub("", text))


# --- Scoring ----------------------------------------------------------------------------------------------------------


def _like(model: str, word: str) -> str:
    """`word` in the case of `model`."""
    if model.isupper() and len(model) > 1:
        return word.upper()
    return word.capitalize() if model[:1].isupper() else word


@lru_cache(maxsize=1 << 16)
def _tcvn3_word(word: str) -> str | None:
    """A word read as TCVN3; other letter cases are tried where it is no syllable as it stands."""
    for form in dict.fromkeys((word, word.lower(), word.upper())):
        read = legacy.decode_tcvn3(form)
        if read is not None and is_syllable(read.lower()):
            return read if form == word else _like(word, read.lower())
    return legacy.decode_tcvn3(word)


@lru_cache(maxsize=1 << 16)
def _tcvn3_word_without_u_horn(word: str) -> str | None:
    """A word read as TCVN3 whose ư was dropped by a cleaner; filled in where a syllable asks for it."""
    read = legacy.decode_tcvn3(word)
    if read is None:
        return None
    filled = legacy.fill_lost_u_horn(read.lower())
    return _like(read, filled) if filled != read.lower() else _tcvn3_word(word)


_vni_word: Final = lru_cache(maxsize=1 << 16)(legacy.decode_vni)


def _charsets(text: str) -> tuple[_Charset, ...]:
    """The decoders to try; where the text still holds soft hyphens no cleaner dropped them."""
    tcvn3 = _tcvn3_word if legacy.SOFT_HYPHEN in text else _tcvn3_word_without_u_horn
    return (("tcvn3", tcvn3), ("vni", _vni_word))


@lru_cache(maxsize=1 << 16)
def _is_right(word: str) -> bool:
    """True where the word is a Vietnamese syllable as it stands."""
    return is_syllable(word.replace(legacy.SOFT_HYPHEN, "").replace("Ð", "Đ").lower())


@lru_cache(maxsize=1 << 16)
def _points(raw: str, read: str) -> int:
    """How much one changed word speaks for a reading: +1 newly a syllable, +1 common, +1 for a sign no name holds."""
    if _is_right(raw) or not is_syllable(read.lower()):
        return 0
    return 1 + is_common(read.lower()) + bool(_SYMBOL.search(raw))


def _neighbours_fit(words: list[str]) -> bool:
    """True where at least half of the unaccented words could be Vietnamese: a foreign text is left alone."""
    plain = [w for w in words if w.isascii() and w.isalpha() and _VOWEL.search(w)]
    return 2 * sum(is_plain_syllable(w.lower()) for w in plain) >= len(plain)


def _whole_reading(
    text: str, words: list[str], encoding: Encoding, read: Callable[[str], str | None]
) -> _Reading | None:
    """The whole text in one legacy encoding, or None where that cannot be."""
    readings = {w: read(w) for w in dict.fromkeys(words)}
    changed = [(w, r) for w, r in readings.items() if r != w]
    if any(r is None for _, r in changed):
        return None
    pairs = [(w, r) for w, r in changed if r is not None and not w.isascii()]
    good = sum(is_syllable(r.lower()) for _, r in pairs)
    if not pairs or good <= sum(_is_right(w) for w, _ in pairs) or good < _GOOD_SHARE * len(pairs):
        return None
    evidence = sum(_points(w, r) for w, r in pairs)
    return _Reading(_WORD.sub(lambda m: readings[m[0]] or m[0], text), encoding, good / len(pairs), evidence)


def _all_capitals(text: str) -> bool:
    """True where the ASCII letters are capitals: the .VnTimeH font drew the accented ones as capitals too."""
    letters = [c for c in text if c.isascii() and c.isalpha()]
    return len(letters) > 1 and sum(c.isupper() for c in letters) >= 0.8 * len(letters)


def _recased(text: str) -> str:
    """TCVN3 has no accented capitals: the other letters say where the writer meant one."""
    if _all_capitals(text):
        return text.upper()
    plain = [w for w in _WORD.findall(text) if w[0].isascii() and w[0].isalpha()]
    if plain and all(w[0].isupper() for w in plain):
        return _UNCAPITALISED.sub(lambda m: m[0].upper(), text)
    return text


def _read_charset(text: str, words: list[str]) -> _Reading | None:
    """The better of the whole text as TCVN3 and as VNI, where one is clearly better than Unicode."""
    readings = [r for name, decode in _charsets(text) if (r := _whole_reading(text, words, name, decode))]
    best = max(readings, key=lambda r: (r.share, r.evidence), default=None)
    if best is None or best.evidence < _ENOUGH or not _neighbours_fit(words):
        return None
    return best._replace(text=_recased(best.text)) if best.encoding == "tcvn3" else best


_ODD_WORD_CHARSETS: Final[tuple[_Charset, ...]] = (("vni", _vni_word), ("tcvn3", _tcvn3_word))


def _odd_word(word: str) -> _Reading | None:
    """One legacy word within proper text ("Ñoã", "nghóa"), where it is surely one."""
    if _is_right(word) or word.isascii() or len(word) > _LONGEST_WORD:
        return None
    for name, decode in _ODD_WORD_CHARSETS:
        read = decode(word)
        sure = name == "vni" or _ALIEN.search(word)
        if read is not None and sure and _points(word, read) >= _ENOUGH:
            return _Reading(read, name, 1.0, _ENOUGH)
    return None


def _read_odd_words(text: str, words: list[str]) -> _Reading | None:
    """Proper text in which single words are legacy."""
    found = {w: r for w in dict.fromkeys(words) if (r := _odd_word(w))}
    if not found or not _neighbours_fit(words):
        return None
    fixed = _WORD.sub(lambda m: _like_raw(m[0], found[m[0]].text) if m[0] in found else m[0], text)
    return _Reading(fixed, next(iter(found.values())).encoding, 1.0, len(found))


def _like_raw(raw: str, read: str) -> str:
    """`read`, wholly in capitals where the raw word's plain letters are."""
    return read.upper() if _all_capitals(raw) else read


def _read_mojibake(text: str) -> _Reading | None:
    """UTF-8 seen through CP1252 put right, where that leaves fewer words that are no syllables."""
    if not legacy.MOJIBAKE_SIGN.search(text):
        return None
    read = legacy.decode_mojibake(text)
    before, after = _wrong(text), _wrong(read)
    if read == text or after >= before:
        return None
    return _Reading(read, "utf8-as-cp1252", 1.0, before - after)


def _wrong(text: str) -> int:
    """Words with a non-ASCII letter that are no syllables."""
    return sum(not w.isascii() and not is_syllable(w.lower()) for w in _WORD.findall(text))


_TYPINGS: Final[tuple[tuple[Encoding, Callable[[str], tuple[str, int] | None]], ...]] = (
    ("telex", lru_cache(maxsize=1 << 16)(legacy.decode_telex)),
    ("vni-typing", lru_cache(maxsize=1 << 16)(legacy.decode_vni_typing)),
)


def _surely_typed(read: Mapping[str, tuple[str, int]], *, accented: bool) -> bool:
    """True where a common syllable was typed with two marks, beside another typed word, or with a final j (nặng)."""
    common = {w: marks for w, (word, marks) in read.items() if is_common(word)}
    if accented or any(marks > 1 or w[-1] in "jJ" for w, marks in common.items()):
        return bool(common)
    return len(read) > 1 and any(_TONE_KEY.search(w, 1) for w in common)


def _read_typing(text: str, words: list[str]) -> _Reading | None:
    """Telex or VNI typing: every odd word must become a syllable, one of them common and with two marks.

    Beside an accented Vietnamese word one mark is enough ("Nguyễn Văn Hungf").
    """
    odd = [
        w
        for w in dict.fromkeys(words)
        if w.isascii() and len(w) > 1 and not is_plain_syllable(w.lower()) and not w.isdigit()
    ]
    if not odd or not _neighbours_fit([w for w in words if w not in odd]):
        return None
    accented = any(not w.isascii() and is_syllable(w.lower()) for w in words)
    for name, decode in _TYPINGS:
        read = {w: r for w in odd if len(w) <= _LONGEST_WORD and (r := decode(w.lower()))}
        if len(read) >= _GOOD_SHARE * len(odd) and _surely_typed(read, accented=accented):
            fixed = _WORD.sub(lambda m, read=read: _like(m[0], read[m[0]][0]) if m[0] in read else m[0], text)  # type: ignore[misc]
            return _Reading(fixed, name, 1.0, len(read))
    return None


@lru_cache(maxsize=1 << 17)
def is_odd_word(word: str) -> bool:
    """True for a word with a vowel or a mark that is no Vietnamese syllable: it may be in another encoding."""
    return not is_settled(word.lower()) and _VOWEL_OR_MARK.search(word) is not None


def _read(text: str) -> _Reading | None:
    """The best legacy reading of a tidy text, or None where it is proper as it stands."""
    words = _WORD.findall(text)
    odd = [w for w in words if is_odd_word(w)]
    if not odd:
        return None
    short = [w for w in words if len(w) <= _LONGEST_WORD]
    legacy_sign = any(not w.isascii() for w in odd)
    found = (_read_charset(text, short) or _read_odd_words(text, short)) if legacy_sign else None
    return found or _read_typing(text, short)


def repair(text: str) -> Repaired:
    """`text` as its writer meant it, and the encoding it was found in; proper text comes back unchanged."""
    encoding: Encoding = "unicode"
    for _ in range(_SETTLED_AFTER):
        before = text
        plain = bool(_PLAIN.fullmatch(text))
        found = None if plain else _read_mojibake(text)  # before blanks and controls go: they may be bytes of letters
        text = found.text if found else text if plain else _tidy(text)
        if found := found or _read(text):
            text, encoding = found.text, found.encoding if encoding == "unicode" else encoding
        elif not plain:
            text = _finish(text)
        if text == before:
            break
    return Repaired(text, encoding)
