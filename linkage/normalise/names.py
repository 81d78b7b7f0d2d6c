"""One name, many spellings: display form, comparison keys and parts.

Rules
- Every form starts from repaired text (see `encodings`): Unicode forms, legacy encodings, typing leftovers.
- *Display*: title case, tone mark in the old place (Hòa, Thúy, Quý), one rule for y and i.
- y and i are one letter after a single initial (lý/lí, sỹ/sĩ, quý/quí), written y after h k l m s t v qu, else i;
  they differ within a rhyme (thúy/thúi, tay/tai).
- *Key*: the display form in lower case. *Folded*: the key without marks. *Sound*: folded words made coarse for
  dialect and hearing (Huỳnh/Hoàng, Vũ/Võ, n/ng, t/c, s/x, d/gi/v/r, tr/ch, l/n).
- Work is done once per distinct word, not per name.

>>> canonical_name("NGUYỄN THỊ THUÝ"), name_key("Lí Văn Qúy"), fold("Đỗ  Thị H'Hen")
('Nguyễn Thị Thúy', 'lý văn quý', 'do thi hhen')
>>> name_sound("huynh van phuoc") == name_sound("hoang van phuc"), split_name("ton nu thi hoa")
(True, ('ton nu', 'thi', 'hoa'))
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

import polars as pl
import pyarrow as pa

from linkage.normalise.encodings import repair
from linkage.normalise.encodings_columns import repair_columns
from linkage.normalise.encodings_syllables import canonical_syllable, is_settled, place_tone, split_tone, strip_marks

_CACHED_WORDS: Final = 1 << 18
_LONGEST_WORD: Final = 40  # longer ones bypass the caches
_APOSTROPHES: Final = re.compile("['’‘ʼ`´]")
_WORDS: Final = re.compile(r"[^\W_]+(?:['’ʼ-][^\W_]+)*", re.UNICODE)
_WORDS_IN_POLARS: Final = r"[\p{L}\p{N}]+(?:['’ʼ-][\p{L}\p{N}]+)*"  # the same for Rust's regex
_NOT_FOLDED: Final = re.compile("[^a-z0-9]+")
_ODD_LETTERS: Final = str.maketrans({"ø": "o", "ł": "l", "ß": "ss", "æ": "ae", "œ": "oe", "ð": "d", "ƀ": "b", "ı": "i"})

_Y_AFTER: Final = frozenset(("", "h", "k", "l", "m", "s", "t", "v", "qu"))
_I_AFTER: Final = frozenset(("b", "ch", "d", "đ", "kh", "n", "nh", "ph", "r", "th", "tr", "x"))
_TWO_WORD_SURNAMES: Final = frozenset((("ton", "nu"), ("ton", "that")))


# --- One word ---------------------------------------------------------------------------------------------------------


def _fold_word(word: str) -> str:
    """A lower-case word as ASCII letters and digits, apostrophes out."""
    plain = strip_marks(_APOSTROPHES.sub("", word))
    if not plain.isascii():
        plain = unicodedata.normalize("NFD", plain.translate(_ODD_LETTERS)).encode("ascii", "ignore").decode()
    return _NOT_FOLDED.sub(" ", plain).strip()


def _one_y(toneless: str) -> str:
    """The toneless syllable with y and i by one rule."""
    head, last = toneless[:-1], toneless[-1:]
    if last in ("i", "y") and head in _Y_AFTER:
        return head + "y"
    if last == "y" and head in _I_AFTER:
        return head + "i"
    if toneless.startswith("qui"):
        return "quy" + toneless[3:]
    return "y" + toneless[1:] if toneless.startswith("iê") else toneless


@lru_cache(maxsize=_CACHED_WORDS)
def key_word(word: str) -> str:
    """A word in lower case, its tone mark in the old place, y and i by one rule."""
    lower = canonical_syllable(word.lower())
    if not is_settled(lower):
        return lower
    toneless, tone = split_tone(lower)
    unified = _one_y(toneless)
    return lower if unified == toneless else place_tone(unified, tone)


@lru_cache(maxsize=_CACHED_WORDS)
def _title_word(word: str) -> str:
    """A lower-case word with a capital, also after an apostrophe or a hyphen (H'Hen)."""
    return re.sub(r"(?:^|(?<=['’ʼ-]))\w", lambda m: m[0].upper(), word)


# --- Sound ------------------------------------------------------------------------------------------------------------

#: Words that are one name in two regions or after a taboo.
_SAME_NAME: Final = {
    "huynh": "hoang",
    "vu": "vo",
    "nhon": "nhan",
    "phuoc": "phuc",
    "phuot": "phuc",
    "chanh": "chinh",
    "kieng": "canh",
    "san": "son",
    "ngai": "nghia",
    "tong": "tung",
    "chau": "chu",
    "tanh": "tinh",
    "sanh": "sinh",
    "cang": "cuong",
    "quoi": "quy",
    "thoi": "thi",
    "nhiem": "nham",
    "buu": "bao",
}
_INITIALS: Final = (
    ("ngh", "ng"),
    ("gh", "g"),
    ("gi", "d"),
    ("tr", "ch"),
    ("d", "d"),
    ("v", "d"),
    ("r", "d"),
    ("s", "x"),
    ("l", "n"),
    ("k", "c"),
)
_FINALS: Final = (("ng", "n"), ("c", "t"))


@lru_cache(maxsize=_CACHED_WORDS)
def _sound_word(word: str) -> str:
    """A coarse key for one folded word."""
    word = _SAME_NAME.get(word, word)
    for written, heard in _INITIALS:
        if word.startswith(written) and len(word) > len(written) and not word.startswith("kh"):
            rest = word[len(written) :]
            word = heard + ("i" + rest if written == "gi" and rest[0] not in "aeiouy" else rest)
            break
    for written, heard in _FINALS:
        if len(word) > len(written) + 1 and word.endswith(written):
            word = word[: -len(written)] + heard
    return word.replace("y", "i")


# --- Whole names ------------------------------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    """The words of the repaired text."""
    return _WORDS.findall(repair(text).text)


def fold(text: str) -> str:
    """Lower-case ASCII words with one blank between them; punctuation out, đ as d. Nothing is repaired or unified."""
    text = unicodedata.normalize("NFC", text).replace("Ð", "đ").lower()
    return " ".join(" ".join(_fold_word(w) for w in _WORDS.findall(text)).split())


def has_accents(text: str) -> bool:
    """True where the text holds a Vietnamese mark or đ."""
    return strip_marks(unicodedata.normalize("NFC", text)) != unicodedata.normalize("NFC", text)


def display_name(words: Iterable[str]) -> str:
    """Words of repaired text as they should be shown."""
    return " ".join(_title_word(key_word(w)) for w in words)


def canonical_name(text: str) -> str:
    """The name as it should be shown."""
    return display_name(_words(text))


def name_key(text: str) -> str:
    """The name for exact comparison with accents."""
    return " ".join(key_word(w) for w in _words(text))


def name_sound(folded: str) -> str:
    """A coarse key of a folded name: equal where dialect or hearing may have turned one into the other."""
    return " ".join(_sound_word(w) for w in folded.split())


def split_name(folded: str) -> tuple[str, str, str]:
    """Surname, middle and given name; a single word is a given name, missing parts are empty."""
    words = folded.split()
    if len(words) < 2:
        return "", "", " ".join(words)
    size = 2 if len(words) > 2 and tuple(words[:2]) in _TWO_WORD_SURNAMES else 1
    return " ".join(words[:size]), " ".join(words[size:-1]), words[-1]


# --- Columns ----------------------------------------------------------------------------------------------------------

NAME_COLUMNS: Final[dict[str, type[pl.DataType]]] = {
    "raw": pl.String,
    "name": pl.String,
    "name_key": pl.String,
    "name_folded": pl.String,
    "name_sound": pl.String,
    "surname": pl.String,
    "middle": pl.String,
    "given": pl.String,
    "accented": pl.Boolean,
    "words": pl.Int32,
}


class _WordForms(NamedTuple):
    """What every distinct word is turned into."""

    word: list[str]
    display: list[str]
    key: list[str]
    folded: list[str]
    sound: list[str]


def _word_table(words: pl.Series) -> pl.DataFrame:
    """One row per distinct word, with its forms."""
    found = words.unique().to_list()
    keys = [key_word(w) if len(w) <= _LONGEST_WORD else w.lower() for w in found]
    folded = [_fold_word(k) for k in keys]
    forms = _WordForms(found, [_title_word(k) for k in keys], keys, folded, [name_sound(f) for f in folded])
    return pl.DataFrame(forms._asdict(), schema=dict.fromkeys(_WordForms._fields, pl.String))


def repair_column(values: pl.Series) -> pl.Series:
    """`repair(value).text` for every value; only odd values are looked at one by one."""
    return repair_columns(values)["text"]


def _joined_words(texts: pl.Series) -> pl.DataFrame:
    """Row by row: display, key, folded and sound of a text, and the number of its words."""
    words = texts.str.extract_all(_WORDS_IN_POLARS)
    sizes = words.list.len()
    flat = words.filter(sizes > 0).explode().alias("word").to_frame()
    forms = flat.join(_word_table(flat["word"]), on="word", how="left", maintain_order="left")
    joined = {form: regroup(forms[form], sizes).list.join(" ") for form in ("display", "key", "folded", "sound")}
    return pl.DataFrame({**joined, "words": sizes.cast(pl.Int32)})


def regroup(flat: pl.Series, sizes: pl.Series) -> pl.Series:
    """Values in a row → lists of the given sizes."""
    ends = sizes.cast(pl.Int64).cum_sum()
    offsets = pl.concat([pl.Series([0], dtype=pl.Int64), ends.rename("")])
    grouped = pl.from_arrow(pa.LargeListArray.from_arrays(offsets.to_arrow(), flat.to_arrow()))
    return grouped if isinstance(grouped, pl.Series) else grouped.to_series()


def _parts(folded: str) -> list[pl.Expr]:
    """Surname, middle and given name of a folded column; the same as `split_name`."""
    words = pl.col(folded).str.split(" ")
    two = pl.col(folded).str.contains(r"^ton (?:nu|that) \S") & (words.list.len() > 2)
    size = pl.when(two).then(2).otherwise(1)
    several = words.list.len() > 1
    middle = words.list.slice(size, (words.list.len().cast(pl.Int64) - size - 1).clip(0)).list.join(" ")
    return [
        pl.when(several).then(words.list.head(size).list.join(" ")).alias("surname"),
        pl.when(several & (middle != "")).then(middle).alias("middle"),
        words.list.last().alias("given"),
    ]


def name_columns(values: pl.Series, *, repaired: bool = False) -> pl.DataFrame:
    """One row per distinct non-null value, with `NAME_COLUMNS`; names without a word have nulls."""
    raw = values.cast(pl.String).drop_nulls().unique(maintain_order=True).alias("raw")
    frame = pl.concat([raw.to_frame(), _joined_words(raw if repaired else repair_column(raw))], how="horizontal")
    frame = frame.rename({"display": "name", "key": "name_key", "folded": "name_folded", "sound": "name_sound"})
    frame = frame.with_columns(pl.col("name_folded", "name_sound").str.replace_all(" +", " ").str.strip_chars())
    frame = frame.with_columns(pl.col(pl.String).exclude("raw").replace("", None), pl.col("words").fill_null(0))
    frame = frame.with_columns(*_parts("name_folded"), accented=_accented(frame["name_key"]))
    return frame.select(pl.col(name).cast(dtype) for name, dtype in NAME_COLUMNS.items())


def _accented(keys: pl.Series) -> pl.Series:
    """True where a key holds a Vietnamese mark; null keys stay null."""
    return keys.str.contains("[^\\x00-\\x7F]")
