"""The words of an owner cell that are not names: honorifics, family words, marks, organisations.

Rules
- Phrases stand in owner_text_phrases.toml, with their marks. A text word matches when equal with marks, or when it
  has no marks at all and is equal without them ("ho ong" matches "hộ ông", "Hồ" never matches "hộ").
- What a phrase means is a `Mark`; whether it counts at its place is for `owner_text` to say.

>>> longest_phrase(PHRASES, [word_forms("Những"), word_forms("người"), word_forms("thừa"), word_forms("kế")], 0)
(Mark(kind='heirs', value=''), 4)
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from linkage.normalise.encodings_syllables import place_tone, split_tone
from linkage.normalise.names import fold, key_word


class Mark(NamedTuple):
    """What a phrase means: its kind, and a value such as the sex it tells."""

    kind: str
    value: str = ""


class WordForms(NamedTuple):
    """A word as key (lower case, canonical) and without marks; `marked` where they differ."""

    key: str
    folded: str
    marked: bool


@lru_cache(maxsize=1 << 17)
def word_forms(word: str) -> WordForms:
    """The forms by which a word is compared to a phrase."""
    key = key_word(word)
    folded = fold(key)
    return WordForms(key, folded, key != folded)


class Phrase(NamedTuple):
    """One phrase: its words with marks and without, and what it means."""

    keys: tuple[str, ...]
    folded: tuple[str, ...]
    mark: Mark


Phrases = Mapping[tuple[str, str], Sequence[Phrase]]  # by the first two folded words


def _phrases(table: Iterable[tuple[Mark, Iterable[str]]]) -> Phrases:
    """Phrases by their first two folded words (the second empty for single words), longest first."""
    found: dict[tuple[str, str], list[Phrase]] = {}
    for mark, texts in table:
        for text in texts:
            keys = tuple(key_word(w) for w in text.split())
            folded = tuple(fold(k) for k in keys)
            found.setdefault((folded[0], folded[1] if len(folded) > 1 else ""), []).append(Phrase(keys, folded, mark))
    return {first: sorted(rows, key=lambda p: -len(p.keys)) for first, rows in found.items()}


def _matches(phrase: Phrase, words: Sequence[WordForms], at: int) -> bool:
    if at + len(phrase.keys) > len(words):
        return False
    for offset, key in enumerate(phrase.keys):
        word = words[at + offset]
        if word.key != key and (word.marked or word.folded != phrase.folded[offset]):
            return False
    return True


def phrases_at(phrases: Phrases, words: Sequence[WordForms], at: int) -> list[tuple[Mark, int]]:
    """The phrases that begin at a word, longest first, each with its length in words."""
    first, second = words[at].folded, words[at + 1].folded if at + 1 < len(words) else ""
    found = [*phrases.get((first, second), ()), *(phrases.get((first, ""), ()) if second else ())]
    return [(p.mark, len(p.keys)) for p in found if _matches(p, words, at)] if found else []


def longest_phrase(phrases: Phrases, words: Sequence[WordForms], at: int) -> tuple[Mark, int] | None:
    """The longest phrase that begins at a word, and its length in words; None where there is none."""
    found = phrases_at(phrases, words, at)
    return found[0] if found else None


def _heir_phrases() -> tuple[list[str], list[str]]:
    """All ways to say "heirs", and "heirs of"."""
    heads = ["", "những ", "các ", "đại diện ", "đại diện các ", "đại diện những ", "và các ", "cùng các "]
    whos = ["người được ", "người ", "người nhận ", "người hưởng ", "đồng ", "hàng ", "người đồng ", ""]
    tails = ["", " quyền sử dụng đất", " theo pháp luật", " qsdđ"]
    plain = [f"{head}{who}thừa kế{tail}" for head in heads for who in whos for tail in tails]
    return plain, [f"{p} của" for p in plain]


_HEIRS, _HEIRS_OF = _heir_phrases()

_TABLES: Final = tomllib.loads(Path(__file__).with_name("owner_text_phrases.toml").read_text(encoding="utf-8"))


def _marked(section: str) -> list[tuple[Mark, Iterable[str]]]:
    """The phrases of one section of the table, by what they mean."""
    return [(Mark(row["kind"], row.get("value", "")), row["phrases"]) for row in _TABLES[section]]


PHRASES: Final = _phrases([*_marked("phrases"), (Mark("heirs"), _HEIRS), (Mark("heirs_of"), _HEIRS_OF)])
BODIES: Final = _phrases(_marked("bodies"))
NEED_MARKS: Final = frozenset(_TABLES["need_marks"])
JUNK: Final = frozenset(_TABLES["junk"])
SURNAMES: Final = frozenset(_TABLES["surnames"])
COMPANY_WORDS: Final = frozenset(("cty", "tnhh", "htx", "ubnd"))
MIDDLES: Final = frozenset(("van", "thi"))


def is_person_like(words: Sequence[WordForms]) -> bool:
    """True where two to seven words begin with a surname."""
    return 2 <= len(words) <= 7 and words[0].folded in SURNAMES


def _spellings(key: str) -> set[str]:
    """How a phrase word may be written: canonical, with the tone mark in the new place, without marks."""
    toneless, tone = split_tone(key)
    newer = toneless[:-1] + place_tone(toneless[-1:], tone) if toneless.endswith(("oa", "oe", "uy")) else key
    return {key, newer, fold(key)}


def phrase_pattern(phrases: Phrases, wanted: Callable[[Mark, int], bool]) -> str:
    """A pattern that finds every wanted phrase in a text of words and single blanks."""
    rows = {p.keys for found in phrases.values() for p in found if wanted(p.mark, len(p.keys))}
    return "|".join(sorted(" ".join("(?:" + "|".join(sorted(_spellings(k))) + ")" for k in keys) for keys in rows))
