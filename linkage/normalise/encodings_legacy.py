"""Letters as older systems wrote them: TCVN3, VNI-Windows, UTF-8 read as CP1252, Telex and VNI typing.

Rules
- Each decoder takes one word or text and gives its reading, or None where the word cannot be of that encoding.
- Decoders judge nothing: `encodings` scores the readings.
- TCVN3 writes ư as 0xAD, a soft hyphen that cleaners drop: `fill_lost_u_horn` puts it back where that gives a syllable.

>>> decode_tcvn3("NguyÔn"), decode_vni("Nguyeãn"), decode_mojibake("Nguyá»…n")
('Nguyễn', 'Nguyễn', 'Nguyễn')
>>> decode_telex("nguyeenx"), decode_vni_typing("nguye64n"), fill_lost_u_horn("phớc")
(('nguyễn', 2), ('nguyễn', 2), 'phước')
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from linkage.normalise.encodings_syllables import (
    HOI,
    HUYEN,
    NANG,
    NGA,
    NO_TONE,
    SAC,
    VIETNAMESE_LETTERS,
    VOWELS,
    is_common,
    is_settled,
    is_syllable,
    place_tone,
    split_tone,
)

SOFT_HYPHEN: Final = "\xad"
_LONGEST_TYPED: Final = 12  # letters of a syllable with all its marks typed

# --- TCVN3 (ABC, .VnTime): one byte a letter, seen through CP1252 -----------------------------------------------------

_TCVN3_LETTERS: Final = (
    "A1ĂA2ÂA3ÊA4ÔA5ƠA6ƯA7ĐA8ăA9âAAêABôACơADưAEđB5àB6ảB7ãB8áB9ạBBằBCẳBDẵBEắC6ặC7ầC8ẩC9ẫCAấCBậCCèCEẻCFẽD0éD1ẹ"
    "D2ềD3ểD4ễD5ếD6ệD7ìD8ỉDCĩDDíDEịDFòE1ỏE2õE3óE4ọE5ồE6ổE7ỗE8ốE9ộEAờEBởECỡEDớEEợEFùF1ủF2ũF3úF4ụF5ừF6ửF7ữF8ứF9ựFAỳ"
    "FBỷFCỹFDýFEỵ"
)
TCVN3: Final = {
    chr(int(_TCVN3_LETTERS[at : at + 2], 16)): _TCVN3_LETTERS[at + 2] for at in range(0, len(_TCVN3_LETTERS), 3)
}
_TCVN3_TABLE: Final = str.maketrans(TCVN3)


def decode_tcvn3(word: str) -> str | None:
    """The word read as TCVN3; None where a character has no place in that encoding."""
    if any(c > "\x7f" and c not in TCVN3 for c in word):
        return None
    return word.translate(_TCVN3_TABLE)


def fill_lost_u_horn(word: str) -> str:
    """The lower-case word with the ư a cleaner dropped, where only that makes it a syllable ("phớc" → "phước")."""
    if is_common(word) or len(word) > _LONGEST_TYPED or (len(word) == 1 and word.isascii()):
        return word
    filled = [w for at in range(len(word) + 1) if is_syllable(w := word[:at] + "ư" + word[at:])]
    usual = [w for w in filled if is_common(w)]
    if is_settled(word):
        return usual[0] if usual else word
    return (usual or filled or [word])[0]


# --- VNI-Windows: a base letter and a mark character -----------------------------------------------------------------

_TONE_KEYS: Final = (("ù", SAC), ("ø", HUYEN), ("û", HOI), ("õ", NGA), ("ï", NANG))
_CIRCUMFLEX_KEYS: Final = (("â", NO_TONE), ("á", SAC), ("à", HUYEN), ("å", HOI), ("ã", NGA), ("ä", NANG))
_BREVE_KEYS: Final = (("ê", NO_TONE), ("é", SAC), ("è", HUYEN), ("ú", HOI), ("ü", NGA), ("ë", NANG))
_SINGLE_KEYS: Final = {"ô": "ơ", "ö": "ư", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ", "ñ": "đ"}


def _vni_table() -> dict[str, str]:
    """Lower-case VNI sequence → letter."""
    table = dict(_SINGLE_KEYS)
    for base, shaped in (("a", "a"), ("e", "e"), ("o", "o"), ("u", "u"), ("y", "y"), ("ô", "ơ"), ("ö", "ư")):
        table |= {base + key: place_tone(shaped, tone) for key, tone in _TONE_KEYS}
    for base, shaped in (("a", "â"), ("e", "ê"), ("o", "ô")):
        table |= {base + key: place_tone(shaped, tone) for key, tone in _CIRCUMFLEX_KEYS}
    return table | {"a" + key: place_tone("ă", tone) for key, tone in _BREVE_KEYS}


VNI: Final = _vni_table()
_VNI_SEQUENCE: Final = re.compile("|".join(sorted(VNI, key=len, reverse=True)), re.IGNORECASE)


def _vni_letter(match: re.Match[str]) -> str:
    letter = VNI[match[0].lower()]
    return letter.upper() if match[0][0].isupper() else letter


def decode_vni(word: str) -> str | None:
    """The word read as VNI-Windows, longest match first; None where a character is left over."""
    rest = _VNI_SEQUENCE.sub("", word)
    return _VNI_SEQUENCE.sub(_vni_letter, word) if rest.isascii() else None


# --- UTF-8 read as CP1252 ---------------------------------------------------------------------------------------------

_MARKS: Final = "\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323"
_SIGNS: Final = "–—‘’“”…\xa0ÐÀÁÂ"


def _as_cp1252(data: bytes) -> str:
    """Bytes as Windows shows them; the five undefined ones stay control characters."""
    return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in data)


def _mojibake_table() -> dict[str, str]:
    """Mojibake sequence → character, for both CP1252 and Latin-1."""
    letters = [*VIETNAMESE_LETTERS, *_MARKS, *_SIGNS]
    table = {c.encode().decode("latin-1"): c for c in letters}
    return table | {_as_cp1252(c.encode()): c for c in letters}


_MOJIBAKE: Final = _mojibake_table()
_MOJIBAKE_SEQUENCE: Final = re.compile("|".join(re.escape(s) for s in sorted(_MOJIBAKE, key=len, reverse=True)))

_STUBS: Final = {"á»": "ọềốờỏỐỎỌỜễ", "áº": "ậẠ", "Ä": "Đăđ", "Ã": "àíÁÍÝ", "Æ": "ơư"}  # third byte lost on the way
_STUB: Final = re.compile("(á»|áº|Ä|Ã|Æ)([?\ufffd\x81\x8d\x8f\x90\x9d]?)")
_STUB_WORD: Final = re.compile("[\\w»?\ufffd\x81\x8d\x8f\x90\x9d]{1,24}")
_SPLIT_BY_BLANK: Final = re.compile(r"(\w{0,6})(Ã|áº) (?=(\w{1,7}))")
MOJIBAKE_SIGN: Final = re.compile("á»|áº|Ä[\x80-\x9f‘\u0192\u201a\u2018?\ufffd]|^Ä|\\WÄ|[ÃÆÌ][^A-Za-z]|Ã$|â€|Â\xa0")


def _rejoin(match: re.Match[str]) -> str:
    """Letter for a stub whose NBSP became a blank inside a word: the blank goes where that makes a syllable."""
    before, stub, after = match[1], match[2], match[3]
    for letter in ("à", "À") if stub == "Ã" else ("Ạ",):
        if is_syllable((before + letter + after).lower()) and not is_settled(after.lower()):
            return before + letter
    return match[0]


def _fill_stubs(word: str) -> str:
    """The word with each lost byte guessed so that a syllable comes out, a common one first."""
    stub = _STUB.search(word)
    if not stub:
        return word
    filled = [_fill_stubs(word[: stub.start()] + c + word[stub.end() :]) for c in _STUBS[stub[1]]]
    valid = [w for w in filled if is_syllable(w.lower())]
    usual = [w for w in valid if is_common(w.lower())]
    return (usual or valid or [word])[0]


def decode_mojibake(text: str) -> str:
    """The text with every UTF-8 sequence seen through CP1252 put right, lossy ones by guessing a syllable."""
    text = _MOJIBAKE_SEQUENCE.sub(lambda m: _MOJIBAKE[m[0]], text)
    text = unicodedata.normalize("NFC", text)
    if not _STUB.search(text):
        return text
    text = _SPLIT_BY_BLANK.sub(_rejoin, text)
    return _STUB_WORD.sub(lambda m: _fill_stubs(m[0]), text)


# --- Telex and VNI typing left as typed -------------------------------------------------------------------------------

_TELEX_TONES: Final = {"s": SAC, "f": HUYEN, "r": HOI, "x": NGA, "j": NANG}
_TELEX_SHAPES: Final = (("dd", "đ"), ("aa", "â"), ("ee", "ê"), ("oo", "ô"), ("uow", "ươ"), ("uwow", "ươ"),
                        ("aw", "ă"), ("ow", "ơ"), ("uw", "ư"))  # fmt: skip
_LATE_SHAPE: Final = re.compile(r"^(\w*?)(uo|[aou])(ng|nh|ch|[cmnpti]|)w$")


def _typed(shapeless: str, tone: int, marks: int) -> tuple[str, int] | None:
    """A typed word with its tone, where it is a syllable."""
    word = place_tone(shapeless, tone)
    return (word, marks) if marks and is_syllable(word) else None


def decode_telex(word: str) -> tuple[str, int] | None:
    """The lower-case ASCII word read as Telex typing, and how many marks it holds; None where it is none."""
    if len(word) > _LONGEST_TYPED or not word.isalpha():
        return None
    tone, marks = NO_TONE, 0
    for at in range(len(word) - 1, 0, -1):
        if word[at] in _TELEX_TONES and word[at - 1] not in "dt" and any(c in VOWELS for c in word[:at]):
            tone, marks, word = _TELEX_TONES[word[at]], 1, word[:at] + word[at + 1 :]
            break
    if late := _LATE_SHAPE.match(word):
        word = late[1] + late[2] + "w" + late[3]
    for keys, letter in _TELEX_SHAPES:
        if keys in word:
            word, marks = word.replace(keys, letter, 1), marks + 1
    return _typed(word, tone, marks)


_VNI_TONES: Final = {"1": SAC, "2": HUYEN, "3": HOI, "4": NGA, "5": NANG}
_VNI_SHAPES: Final = {"6": ("aeo", "âêô"), "7": ("uo", "ươ"), "8": ("a", "ă"), "9": ("d", "đ")}


def _shape_last(letters: str, digit: str) -> str | None:
    """`letters` with the shape of `digit` put on the last letter that takes it."""
    plain, shaped = _VNI_SHAPES[digit]
    if digit == "7" and "uo" in letters:
        return letters.replace("uo", "ươ", 1)
    at = max(letters.rfind(c) for c in plain)
    return None if at < 0 else letters[:at] + shaped[plain.index(letters[at])] + letters[at + 1 :]


def decode_vni_typing(word: str) -> tuple[str, int] | None:
    """The lower-case word read as VNI typing (digits for marks), and how many marks; None where it is none."""
    letters, tone, marks = "", NO_TONE, 0
    if len(word) > _LONGEST_TYPED or word[:1].isdigit():
        return None
    for c in word:
        if c in _VNI_TONES and tone == NO_TONE:
            tone, marks = _VNI_TONES[c], marks + 1
        elif c in _VNI_SHAPES:
            shaped = _shape_last(letters, c)
            if shaped is None:
                return None
            letters, marks = shaped, marks + 1
        else:
            letters += c
    if letters.startswith("ươ") or "ưo" in letters:
        letters = letters.replace("ưo", "ươ", 1)
    return _typed(letters, tone, marks) if split_tone(letters)[1] == NO_TONE else None
