"""A repaired owner cell cut into dates, numbers, words, signs and line ends.

>>> Tokens("Ô. A (1960)").texts
['Ô', '.', 'A', '(', '1960', ')']
"""

from __future__ import annotations

import re
from typing import Final

from linkage.normalise.owner_text_words import WordForms, word_forms

LONGEST_NAME: Final = 12  # words; more are no name

TOKEN: Final = re.compile(
    r"(?P<d>\d{1,2}[/.\-]\d{1,2}[/.\-]\d{4}(?!\d))"
    r"|(?P<n>\d+(?:[ .]\d+)*)"
    r"|(?P<w>[đĐdD]/[cC](?![^\W\d_])|[^\W\d_](?:\.[^\W\d_])+(?![^\W\d_])|[^\W\d_](?:[^\W\d_]|['’ʼ](?=[^\W\d_])|[\u0300-\u036f])*)"
    r"|(?P<s>\S)"
    r"|(?P<l>\n)"
)
_NO_WORD: Final = WordForms("", "", marked=False)
_IN_ABBREVIATION: Final = re.compile(r"[./]")


class Tokens:
    """The tokens of a text: kind (d date, n number, w word, s sign, l line end), text, forms and place."""

    __slots__ = ("forms", "kinds", "size", "starts", "text", "texts")

    def __init__(self, text: str) -> None:
        self.text = text
        matches = list(TOKEN.finditer(text))
        self.kinds = [match.lastgroup or "s" for match in matches]
        self.texts = [match[0] for match in matches]
        self.starts = [match.start() for match in matches]
        self.forms = [forms_of(t) if k == "w" else _NO_WORD for k, t in zip(self.kinds, self.texts, strict=True)]
        self.size = len(self.kinds)

    def kind(self, at: int) -> str:
        """The kind of the token at a place; empty outside the text."""
        return self.kinds[at] if 0 <= at < self.size else ""

    def sign(self, at: int) -> str:
        """The sign at a place; empty for anything else."""
        return self.texts[at] if 0 <= at < self.size and self.kinds[at] in "sl" else ""

    def form(self, at: int) -> WordForms:
        """The forms of the word at a place; empty forms for anything else."""
        return self.forms[at] if 0 <= at < self.size else _NO_WORD

    def glued(self, at: int) -> bool:
        """True where no blank stands around the sign at `at`."""
        start = self.starts[at]
        return 0 < start < len(self.text) - 1 and not (self.text[start - 1].isspace() or self.text[start + 1].isspace())

    def words_from(self, at: int) -> list[WordForms]:
        """The unbroken run of words that begins at `at`."""
        end = at
        while end < self.size and self.kinds[end] == "w" and end - at <= LONGEST_NAME:
            end += 1
        return self.forms[at:end]


def forms_of(word: str) -> WordForms:
    """The forms of a word; abbreviations such as S.N and đ/c without their signs."""
    if len(word) > 1 and word[1] in "./":
        word = _IN_ABBREVIATION.sub("", word)
    return word_forms(word) if len(word) <= 40 else WordForms(word, word, marked=True)
