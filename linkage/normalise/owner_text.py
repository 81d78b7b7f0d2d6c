"""One free-text owner cell → the persons, the organisation and the form of ownership it names.

Rules
- Text is repaired first, then cut into words, numbers and signs; phrases of `owner_text_words` tell what they mean.
- A phrase counts only where it can: "Ông" opens a person but is a surname before văn and thị; "Chết" is a name
  unless it stands in brackets; without marks "VO" and "HO" stay surnames unless the words around say otherwise.
- A new person begins at a spouse word, "và", a sign or an honorific; after a comma only if it looks like a name.
- Whoever "heirs of" points at is the dead owner. A representative of an organisation is a person of its own.
- Nothing is lost: text that is no name, mark or number stands in `flags` as "leftover: …".
- Never an exception; cells longer than `LONGEST_CELL` are cut with a flag. Time is linear in the text.

>>> owner = parse_owner_text("Hộ ông Nguyễn Văn A (đã chết) và vợ là bà Trần Thị B, sinh năm 1960")
>>> owner.form, [(p.name, p.relation, p.deceased, p.birth_year) for p in owner.persons]
('household', [('Nguyễn Văn A', 'owner', True, None), ('Trần Thị B', 'wife', False, 1960)])
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import polars as pl

from linkage.normalise.encodings import PLAIN_CLASS, Encoding, repair
from linkage.normalise.encodings_syllables import is_settled
from linkage.normalise.names import canonical_name, fold, name_columns
from linkage.normalise.owner_text_words import (
    BODIES,
    JUNK,
    MIDDLES,
    NEED_MARKS,
    PHRASES,
    SURNAMES,
    Mark,
    WordForms,
    is_person_like,
    longest_phrase,
    phrases_at,
    word_forms,
)

Kind = Literal["person", "organisation", "community", "religious", "unknown"]
Form = Literal["individual", "couple", "household", "co_ownership", "heirs", "representative"]

LONGEST_CELL: Final = 4000  # characters; a longer cell is cut, with a flag
_LONGEST_NAME: Final = 12  # words; more are no name
_ID_DIGITS: Final = range(8, 13)  # 8 and 11: a lost leading zero
_YEARS: Final = range(1850, 2100)


@dataclass(frozen=True, slots=True)
class ParsedPerson:
    """One person named in a cell; `sex` only where an honorific or a spouse word tells it."""

    name: str
    sex: str | None
    relation: str
    birth_year: int | None
    birth_text: str | None
    id_no: str | None
    deceased: bool
    household_head: bool


@dataclass(frozen=True, slots=True)
class ParsedOwner:
    """What one cell says; `flags` hold what was set aside and why."""

    kind: Kind
    form: Form
    encoding: Encoding
    persons: tuple[ParsedPerson, ...]
    organisation: str | None
    flags: tuple[str, ...]


# --- Words, numbers and signs -----------------------------------------------------------------------------------------

_TOKEN: Final = re.compile(
    r"(?P<d>\d{1,2}[/.\-]\d{1,2}[/.\-]\d{4}(?!\d))"
    r"|(?P<n>\d+(?:[ .]\d+)*)"
    r"|(?P<w>[đĐdD]/[cC](?![^\W\d_])|[^\W\d_](?:\.[^\W\d_])+(?![^\W\d_])|[^\W\d_](?:[^\W\d_]|['’ʼ](?=[^\W\d_])|[\u0300-\u036f])*)"
    r"|(?P<s>\S)"
    r"|(?P<l>\n)"
)
_NO_WORD: Final = WordForms("", "", marked=False)
_IN_ABBREVIATION: Final = re.compile(r"[./]")


class _Tokens:
    """The tokens of a text: kind (d date, n number, w word, s sign, l line end), text, forms and place."""

    __slots__ = ("forms", "kinds", "size", "starts", "text", "texts")

    def __init__(self, text: str) -> None:
        self.text = text
        self.kinds: list[str] = []
        self.texts: list[str] = []
        self.forms: list[WordForms] = []
        self.starts: list[int] = []
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup or "s"
            found = match[0]
            self.kinds.append(kind)
            self.texts.append(found)
            self.starts.append(match.start())
            self.forms.append(_forms(found) if kind == "w" else _NO_WORD)
        self.size = len(self.kinds)

    def kind(self, at: int) -> str:
        return self.kinds[at] if 0 <= at < self.size else ""

    def sign(self, at: int) -> str:
        """The sign at a place; empty for anything else."""
        return self.texts[at] if 0 <= at < self.size and self.kinds[at] in "sl" else ""

    def form(self, at: int) -> WordForms:
        return self.forms[at] if 0 <= at < self.size else _NO_WORD

    def glued(self, at: int) -> bool:
        """True where no blank stands around the sign at `at`."""
        start = self.starts[at]
        return 0 < start < len(self.text) - 1 and not (self.text[start - 1].isspace() or self.text[start + 1].isspace())

    def words_from(self, at: int) -> list[WordForms]:
        """The unbroken run of words that begins at `at`."""
        end = at
        while end < self.size and self.kinds[end] == "w" and end - at <= _LONGEST_NAME:
            end += 1
        return self.forms[at:end]


def _forms(word: str) -> WordForms:
    if len(word) > 1 and (word[1] in "./"):
        word = _IN_ABBREVIATION.sub("", word)
    return word_forms(word) if len(word) <= 40 else WordForms(word, word, marked=True)  # noqa: PLR2004


# --- Reading ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Draft:
    """A person while its words are read; `before` is the sign or word that opened it."""

    before: str = ""
    words: list[str] = field(default_factory=list)
    forms: list[WordForms] = field(default_factory=list)
    sex: str | None = None
    sex_unclear: bool = False
    relation: str | None = None
    birth: str | None = None
    id_no: str | None = None
    deceased: bool = False
    head: bool = False

    def tell_sex(self, sex: str) -> None:
        """Note the sex; two that differ ("Ông/Bà") tell nothing."""
        self.sex_unclear = self.sex_unclear or bool(sex and self.sex and sex != self.sex)
        self.sex = None if self.sex_unclear else sex or self.sex


class _Reader:
    """Reads tokens into drafts; one method per kind of phrase, each gives the tokens it used (0: no phrase here)."""

    def __init__(self, tokens: _Tokens) -> None:
        self.tokens = tokens
        self.drafts: list[_Draft] = [_Draft()]
        self.open = True  # words go to the last draft; else they open a new one
        self.before = ""
        self.aside = False  # inside an address, an issue date or another remark
        self.leftover: list[str] = []
        self.flags: list[str] = []
        self.household = self.couple = self.heirs = self.heirs_of = self.represented = self.together = False
        self.default_relation: str | None = None
        self.by = False  # after "do", before "đại diện"
        self.hyphen = False

    # -- drafts

    @property
    def last(self) -> _Draft:
        return self.drafts[-1]

    def named(self) -> bool:
        """True where a person has been read already."""
        return bool(self.last.words) or len(self.drafts) > 1

    def at_start(self) -> bool:
        """True where the next word would be the first of a person."""
        return not self.open or not self.last.words

    def close(self, before: str) -> None:
        """End the person being read."""
        self.open = not self.last.words
        self.before = before

    def begin(self) -> _Draft:
        """The draft for what follows: a new one unless the last is still without words."""
        if self.last.words and not self.open:
            self.drafts.append(_Draft(before=self.before, relation=self.default_relation))
        self.open = True
        return self.last

    def fresh(self, before: str) -> _Draft:
        """Close what is open and begin anew."""
        self.aside = False
        self.close(before)
        return self.begin()

    # -- tokens

    def run(self, at: int) -> None:
        """Read everything from a token on."""
        tokens = self.tokens
        while at < tokens.size:
            kind = tokens.kinds[at]
            if kind == "w":
                at += self.phrase(at) or self.word(at)
            elif kind in "nd":
                at += self.number(at)
            else:
                at += self.sign(at)

    def phrase(self, at: int) -> int:
        """Tokens used by a phrase at this word, 0 where there is none that counts."""
        for mark, size in phrases_at(PHRASES, self.tokens.forms, at):
            if used := _HANDLERS[mark.kind](self, mark, at, size):
                return used
        return 0

    def word(self, at: int) -> int:
        """A word of a name, or of a remark."""
        text = self.tokens.texts[at]
        if self.aside:
            self.leftover.append(text)
            return 1
        draft = self.begin()
        if self.hyphen and draft.words:
            draft.words[-1] += "-" + text
        else:
            draft.words.append(text)
            draft.forms.append(self.tokens.forms[at])
        self.hyphen = False
        return 1

    def number(self, at: int) -> int:
        """A bare number: an id by its length, a year of birth by its value, else left over."""
        text = self.tokens.texts[at]
        digits = "".join(c for c in text if c.isdigit())
        if self.tokens.kinds[at] == "d" and not self.aside and self.named():
            self.last.birth = self.last.birth or text
        elif len(digits) in (9, 12) and self.named() and self.last.id_no is None:
            self.last.id_no = digits
        elif len(digits) == 4 and int(digits) in _YEARS and not self.aside and self.named():  # noqa: PLR2004
            self.last.birth = self.last.birth or digits
        else:
            self.leftover.extend(self.number_parts(text))
        self.close(self.before)
        return 1

    def number_parts(self, text: str) -> Iterable[str]:
        """A run such as "1960 190123456" taken apart: what is no year and no id comes back."""
        for part in text.split():
            digits = part.replace(".", "")
            if len(digits) in (9, 12) and self.named() and self.last.id_no is None:
                self.last.id_no = digits
            elif len(digits) == 4 and int(digits) in _YEARS and not self.last.birth and not self.aside and " " in text:  # noqa: PLR2004
                self.last.birth = digits
            else:
                yield part

    def sign(self, at: int) -> int:
        """A sign: most end the person being read."""
        text = self.tokens.texts[at]
        if text == "(" and self.tokens.sign(at + 1) in ("+", "†") and self.tokens.sign(at + 2) == ")":
            self.last.deceased = self.last.deceased or bool(self.last.words)
            self.close(")")
            return 3
        if text in "-–—":
            self.dash(at)
        elif text == ".":
            self.stop()
        elif text == ":":
            self.colon()
        elif text in ",;/\n&()+|_=[]":
            self.end_aside(text, at)
            self.close("and" if text == "&" else text)
        return 1

    def end_aside(self, text: str, at: int) -> None:
        """A remark ends at a strong sign, at a comma only before a full name."""
        following = self.tokens.words_from(at + 1)
        name = is_person_like(following) and following[1].folded in MIDDLES
        if text in ";\n()" or (text == "," and name):
            self.aside = False

    def dash(self, at: int) -> None:
        """A dash between names ends one; a hyphen within a word holds it together."""
        following = self.tokens.words_from(at + 1)
        if self.tokens.glued(at) and following and not (is_person_like(following) and len(self.last.words) > 1):
            self.hyphen = self.open and not self.aside and bool(self.last.words)
            return
        self.end_aside(",", at)
        self.close("-")

    def stop(self) -> None:
        """A full stop ends a name, but not after an abbreviation."""
        if self.open and self.last.words and len(self.last.words[-1]) > 2:  # noqa: PLR2004
            self.close(".")

    def colon(self) -> None:
        """Words before a colon that are no name are a label."""
        draft = self.last
        if self.open and draft.words and not is_person_like(draft.forms) and draft.relation is None:
            self.leftover.extend(draft.words)
            draft.words, draft.forms = [], []
        elif draft.words:
            self.close(":")
        self.default_relation = self.default_relation or ("heir" if self.heirs_of and draft.words else None)

    # -- phrases

    def honorific(self, mark: Mark, at: int, size: int) -> int:
        """Ông, Bà, Cụ, Anh, Chị …: opens a person."""
        after = at + size
        if self.at_start() and not self.aside:
            if not self.opens(at, size):
                return 0
            draft = self.begin()
        elif size == 1 and self.breaks_in(at):
            draft = self.fresh("and")
        else:
            return 0
        if draft.relation in ("wife", "husband") and mark.value and draft.sex not in (None, mark.value):
            self.turn_spouses(draft, mark.value)
        draft.tell_sex(mark.value)
        return size + (self.tokens.sign(after) in (".", ":"))

    def opens(self, at: int, size: int) -> bool:
        """True where an honorific at the start of a person is one, and no surname."""
        word, following, sign = self.tokens.form(at), self.tokens.words_from(at + size), self.tokens.sign(at + size)
        if word.folded in ("o", "b"):
            return sign in (".", ":") or (word.folded == "o" and bool(following) and following[0].folded in SURNAMES and word.marked)
        if size > 1 or (sign and sign in ":/()-"):
            return True
        if not following:
            return bool(sign == ".")
        if following[0].folded in MIDDLES and len(following) < 4:  # noqa: PLR2004
            return False
        if word.marked or (word.folded == "ong"):
            return True
        return is_person_like(following) or longest_phrase(PHRASES, self.tokens.forms, at + 1) is not None and len(following) > 2  # noqa: PLR2004

    def breaks_in(self, at: int) -> bool:
        """True where "ông" or "bà" stands in the middle and a full name follows: a sign is missing."""
        word, following = self.tokens.form(at), self.tokens.words_from(at + 1)
        if word.folded not in ("ong", "ba", "cu") or not is_person_like(following):
            return False
        if not (self.aside or len(self.last.words) > 1):
            return False
        return word.marked or following[1].folded in MIDDLES

    def turn_spouses(self, draft: _Draft, sex: str) -> None:
        """ "bà B vợ ông A": the first is the wife, the second her husband."""
        draft.sex = None
        if len(self.drafts) > 1:
            self.drafts[-2].sex = "F" if sex == "M" else "M"
        draft.relation = "husband" if sex == "M" else "wife"

    def household_word(self, _: Mark, at: int, size: int) -> int:
        """Hộ, Hộ gia đình, HGĐ …: the first person is the head."""
        word = self.tokens.form(at)
        if self.aside or not self.at_start() or not (self.tokens.kind(at + size) == "w" or self.tokens.sign(at + size)):
            return 0
        if size == 1 and word.folded == "ho" and not word.marked and not self.plain_household(at):
            return 0
        self.household = True
        self.begin()
        return size

    def plain_household(self, at: int) -> bool:
        """ "HO ONG …" without marks: only before an honorific that is one."""
        following = self.tokens.form(at + 1).folded
        return following in ("ong", "ba", "cu", "anh", "chi") and self.opens(at + 1, 1)

    def head_word(self, _: Mark, at: int, size: int) -> int:
        """Chủ hộ: before or after the name."""
        self.household = True
        draft = self.last if self.closes(at + size) and self.last.words else self.fresh(":")
        draft.head = True
        self.close(":")
        return size

    def closes(self, at: int) -> bool:
        """True where no name can follow: the end, or a closing sign."""
        return at >= self.tokens.size or self.tokens.sign(at) in (")", ",", ";", "\n", "]")

    def spouse(self, mark: Mark, at: int, size: int) -> int:
        """Vợ, chồng, và vợ là …: labels the person before a closing bracket, else the next."""
        if not self.is_spouse_word(at, size):
            return 0
        relation = "wife" if mark.value == "F" else "husband"
        self.couple = True
        if self.closes(at + size) and self.last.words:
            self.last.relation, self.last.sex = relation, mark.value
            self.close(")")
            return size
        previous = self.last if self.last.words else None
        draft = self.fresh("spouse")
        draft.relation, draft.sex = relation, mark.value
        if previous and previous.relation in (None, "husband", "wife"):
            previous.sex = previous.sex or ("M" if mark.value == "F" else "F")
        return size

    def is_spouse_word(self, at: int, size: int) -> bool:
        """Without marks "VO" is also the surname Võ: words around it decide."""
        words = self.tokens.forms[at : at + size]
        if any(w.marked for w in words) or words[-1].folded != "vo":
            return True
        after, sign = self.tokens.form(at + size), self.tokens.sign(at + size)
        if after.folded in ("la", "ba") or sign == ":":
            return self.named() or sign == ":"
        return self.named() and after.folded in SURNAMES and after.folded not in MIDDLES and (size > 1 or self.at_start())

    def couple_word(self, _: Mark, __: int, size: int) -> int:
        """Vợ chồng: both follow."""
        self.couple = True
        self.fresh("and")
        return size

    def and_word(self, _: Mark, at: int, size: int) -> int:
        """Và, cùng, với: another person follows."""
        word = self.tokens.form(at)
        if not self.named() or (not word.marked and word.folded != "va"):
            return 0
        following = self.tokens.words_from(at + size)
        if self.aside and not (following and (is_person_like(following) or following[0].folded in ("ong", "ba", "vo", "chong"))):
            return 0
        if not word.marked and not (len(self.last.words) > 1 and len(following) > 1):
            return 0
        self.aside = False
        self.close("and")
        return size

    def co_owner(self, _: Mark, at: int, size: int) -> int:
        """Đồng sử dụng …: those named share the right."""
        self.together = True
        self.default_relation = "co_owner"
        if not self.closes(at + size):
            self.fresh("and")
            self.last.relation = "co_owner" if len(self.drafts) > 1 else None
        return size

    def member(self, _: Mark, at: int, size: int) -> int:
        """Con, các con, em, mẹ …: further persons of the family."""
        after = at + size
        if not self.named() or (size == 1 and not self.is_family_word(at)):
            return 0
        if size > 1 and not (self.at_start() or len(self.last.words) > 1):
            return 0
        self.together = True
        self.default_relation = "member" if self.household else "co_owner"
        if self.closes(after):
            return size
        self.fresh("and").relation = self.default_relation
        return size

    def is_family_word(self, at: int) -> bool:
        """True where a single family word opens a person and is no part of a name."""
        following = self.tokens.words_from(at + 1)
        opens = self.tokens.sign(at + 1) == ":" or (bool(following) and (is_person_like(following) or following[0].folded in ("ong", "ba")))
        return opens and not self.open

    def heirs_word(self, mark: Mark, at: int, size: int) -> int:
        """Những người thừa kế (của) …: heirs, or the dead owner they follow."""
        self.heirs = True
        if mark.kind == "heirs_of":
            for draft in self.drafts:
                draft.relation = "representative" if draft.words else draft.relation
            draft = self.fresh("and")
            draft.deceased, draft.relation, self.heirs_of = True, "owner", True
            self.default_relation = "heir"
        elif self.closes(at + size) and self.last.words:
            self.last.relation = "representative"
        else:
            self.default_relation = "heir"
            self.fresh("and").relation = "heir"
        return size

    def death(self, _: Mark, at: int, size: int) -> int:
        """Đã chết, (mất), mất năm 2001 …: marks the person before."""
        alone = size == 1
        dated = self.tokens.kind(at + size) in ("n", "d")
        bracketed = self.tokens.sign(at - 1) in ("(", ",", "-", "[") and (self.closes(at + size) or dated)
        if not self.last.words or (alone and not dated and not bracketed):
            return 0
        self.last.deceased = True
        self.close(")")
        return size + dated

    def birth(self, _: Mark, at: int, size: int) -> int:
        """Sinh năm 1960, SN: 1960, sinh ngày 01 tháng 02 năm 1960."""
        start = at + size
        parts: list[str] = []
        end = start
        while end < min(start + 8, self.tokens.size):
            kind, form = self.tokens.kinds[end], self.tokens.forms[end]
            if kind in "nd":
                parts.append(self.tokens.texts[end])
                if kind == "d" or len(parts[-1]) >= 4:  # noqa: PLR2004
                    return self.note_birth(parts, end + 1 - at)
            elif form.folded not in ("ngay", "thang", "nam") and self.tokens.texts[end] not in ":./-=":
                break
            end += 1
        return 0

    def note_birth(self, parts: list[str], used: int) -> int:
        """Give the last person its birth; an id that ran into the year is taken too."""
        first, _, rest = parts[-1].partition(" ")
        draft = self.last
        draft.birth = draft.birth or "/".join([*parts[:-1], first])
        self.leftover.extend(self.number_parts(rest))
        self.close(self.before or ",")
        return used

    def id_number(self, _: Mark, at: int, size: int) -> int:
        """CMND số 190 123 456, CCCD: …"""
        end = self.skip_to_number(at + size)
        digits = "".join(c for c in self.tokens.texts[end] if c.isdigit()) if end else ""
        if len(digits) not in _ID_DIGITS:
            return self.id_unread(at, size, end)
        self.aside = False
        if self.last.id_no is None:
            self.last.id_no = digits
        else:
            self.leftover.append(digits)
        self.close(self.before or ",")
        return end + 1 - at

    def id_unread(self, at: int, size: int, end: int) -> int:
        """An id word without a proper number: left over, unless it is an ordinary word."""
        if size == 1 and self.tokens.form(at).folded in ("so", "cc", "cm", "id"):
            return 0
        stop = end + 1 if end else at + size
        self.leftover.extend(self.tokens.texts[at:stop])
        self.close(self.before or ",")
        return stop - at

    def skip_to_number(self, at: int) -> int:
        """Index of the number that follows at once (signs and "số" between), or 0."""
        for index in range(at, min(at + 4, self.tokens.size)):
            if self.tokens.kinds[index] in "nd":
                return index
            if self.tokens.texts[index] not in ":.-()" and self.tokens.forms[index].folded not in ("so", "la"):
                return 0
        return 0

    def tax(self, _: Mark, at: int, size: int) -> int:
        """MST …: kept as a flag."""
        end = self.skip_to_number(at + size)
        if not end:
            return 0
        self.flags.append(f"tax code: {self.tokens.texts[end]}")
        return end + 1 - at

    def representative(self, _: Mark, at: int, size: int) -> int:
        """Người đại diện: …, do ông X đại diện."""
        if size == 1 and self.tokens.form(at).folded == "do":
            later = self.tokens.forms[at + 1 : at + 16]
            if self.aside or not any(w.folded == "dien" for w in later) or not (self.named() or self.represented):
                return 0
            self.by = True
        elif self.by or (self.closes(at + size) and self.last.words):
            self.last.relation = "representative"
            self.by = False
            self.close(",")
            return size
        self.represented = True
        self.fresh(":").relation = "representative"
        return size

    def remark(self, _: Mark, at: int, size: int) -> int:
        """Địa chỉ, cấp ngày, tức …: a remark to its end."""
        if not self.named() or (size == 1 and not (self.tokens.sign(at - 1) or self.tokens.kind(at - 1) in ("n", "d") or self.aside)):
            return 0
        self.leftover.extend(self.tokens.texts[at : at + size])
        self.aside = True
        return size

    def label(self, _: Mark, at: int, size: int) -> int:
        """Chủ sử dụng đất: …: says nothing of its own."""
        if not self.at_start():
            return 0
        return size + (self.tokens.sign(at + size) == ":")


_Handler = Callable[[_Reader, Mark, int, int], int]
_HANDLERS: Final[dict[str, _Handler]] = {
    "honorific": _Reader.honorific,
    "household": _Reader.household_word,
    "head": _Reader.head_word,
    "spouse": _Reader.spouse,
    "couple": _Reader.couple_word,
    "and": _Reader.and_word,
    "co_owner": _Reader.co_owner,
    "member": _Reader.member,
    "heirs": _Reader.heirs_word,
    "heirs_of": _Reader.heirs_word,
    "death": _Reader.death,
    "birth": _Reader.birth,
    "id": _Reader.id_number,
    "tax": _Reader.tax,
    "representative": _Reader.representative,
    "aside": _Reader.remark,
    "label": _Reader.label,
}


# --- From drafts to an owner ------------------------------------------------------------------------------------------

_BY_SIGN: Final = frozenset((",", ".", "/", "-", ";", "(", ")", "\n", ":", "+", "|", "_", "=", "[", "]", ""))


def _is_person(draft: _Draft, first: bool) -> bool:
    """True where a draft names somebody."""
    if not draft.words or len(draft.words) > _LONGEST_NAME or " ".join(w.folded for w in draft.forms) in JUNK:
        return False
    body = longest_phrase(BODIES, draft.forms, 0) if not first else None
    if body and body[1] > 1:
        return False
    told = draft.sex or draft.relation in ("wife", "husband", "representative") or draft.sex_unclear or draft.head
    return bool(first or told or draft.before not in _BY_SIGN or is_person_like(draft.forms))


def _persons_of(reader: _Reader) -> list[_Draft]:
    """The drafts that are persons; the words of the others are left over."""
    kept: list[_Draft] = []
    for draft in reader.drafts:
        if _is_person(draft, first=not kept):
            kept.append(draft)
        else:
            reader.leftover.extend(draft.words)
            reader.leftover.extend(filter(None, (draft.birth, draft.id_no)))
    return kept


def _guessed_sex(draft: _Draft) -> str | None:
    """The sex told, else the one văn or thị suggests."""
    second = draft.forms[1].folded if len(draft.forms) > 2 else ""  # noqa: PLR2004
    return draft.sex or {"thi": "F", "van": "M"}.get(second)


def _is_pair(reader: _Reader, drafts: list[_Draft]) -> bool:
    """True where two persons are husband and wife: by a spouse word, or by opposite sexes side by side."""
    if len(drafts) < 2 or reader.heirs:  # noqa: PLR2004
        return False
    if any(d.relation in ("wife", "husband") for d in drafts):
        return True
    first, second = drafts[:2]
    if len(drafts) > 2 or reader.together or first.relation or second.relation:  # noqa: PLR2004
        return reader.couple
    return reader.couple or {_guessed_sex(first), _guessed_sex(second)} == {"M", "F"}


def _relate(reader: _Reader, drafts: list[_Draft]) -> bool:
    """Fill in the relations left open; True where the first two are a couple."""
    pair = _is_pair(reader, drafts)
    for index, draft in enumerate(drafts):
        if draft.relation is not None:
            continue
        if index == 0:
            draft.relation = "owner"
        elif pair and index == 1:
            draft.relation = {"F": "wife", "M": "husband"}.get(draft.sex or "", "spouse")
        else:
            draft.relation = "member" if reader.household and reader.default_relation == "member" else "co_owner"
    return pair


def _form(reader: _Reader, drafts: list[_Draft], pair: bool) -> Form:
    """The form of ownership."""
    if reader.heirs:
        return "heirs"
    if reader.household:
        return "household"
    if drafts and all(d.relation == "representative" for d in drafts):
        return "representative"
    if pair and len(drafts) <= 2:  # noqa: PLR2004
        return "couple"
    if len([d for d in drafts if d.relation != "representative"]) > 1:
        return "co_ownership"
    return "couple" if reader.couple else "individual"


_YEAR: Final = re.compile(r"(?<!\d)\d{4}(?!\d)")


def _birth_year(text: str | None) -> int | None:
    """The four-digit year of a birth as written."""
    found = _YEAR.search(text) if text else None
    return int(found[0]) if found and found[0].isascii() else None


def _person(draft: _Draft) -> ParsedPerson:
    name = canonical_name(" ".join(draft.words)) or " ".join(draft.words)
    return ParsedPerson(name, draft.sex, draft.relation or "owner", _birth_year(draft.birth), draft.birth, draft.id_no,
                        draft.deceased, draft.head)  # fmt: skip


def _flags(reader: _Reader, extra: list[str]) -> tuple[str, ...]:
    """Flags of a text: what the reader noted, and what was left over."""
    rest = " ".join(reader.leftover)
    return (*extra, *reader.flags, *([f"leftover: {rest}"] if rest else []))


def _read_persons(tokens: _Tokens, encoding: Encoding, extra: list[str]) -> ParsedOwner:
    """A cell that names persons."""
    reader = _Reader(tokens)
    reader.run(0)
    drafts = _persons_of(reader)
    pair = _relate(reader, drafts)
    form = _form(reader, drafts, pair)
    if form == "household" and drafts and not any(d.head for d in drafts):
        drafts[0].head = True
    kind: Kind = "person" if drafts else "unknown"
    return ParsedOwner(kind, form, encoding, tuple(_person(d) for d in drafts), None, _flags(reader, extra))


# --- Organisations ----------------------------------------------------------------------------------------------------

_ANYWHERE: Final = re.compile(r"\b(?:công ty|cty|tnhh|hợp tác xã|htx|ubnd|cong ty|hop tac xa)\b", re.IGNORECASE)


def _body(tokens: _Tokens) -> tuple[Kind, int] | None:
    """The kind of body a text opens with and its first word, or None for persons."""
    first = next((i for i, kind in enumerate(tokens.kinds) if kind == "w"), None)
    if first is None:
        return None
    hit = longest_phrase(BODIES, tokens.forms, first)
    if hit and _is_body(tokens, first, hit[1]):
        return _KINDS[hit[0].kind], first
    opening = longest_phrase(PHRASES, tokens.forms, first)
    if _ANYWHERE.search(tokens.text) and not (opening and opening[0].kind in ("honorific", "household", "head", "heirs_of")):
        return ("organisation", first) if not is_person_like(tokens.words_from(first)[:4]) else None
    return None


_KINDS: Final[dict[str, Kind]] = {"organisation": "organisation", "community": "community", "religious": "religious"}


def _is_body(tokens: _Tokens, at: int, size: int) -> bool:
    """A single word that is also a name word counts only with its mark, and never before văn or thị."""
    word, after = tokens.form(at), tokens.form(at + 1)
    if size > 1:
        return True
    if after.folded in MIDDLES and len(tokens.words_from(at)) < 5:  # noqa: PLR2004
        return False
    return word.marked or word.folded not in NEED_MARKS


def _rest_of_body(tokens: _Tokens, first: int) -> int:
    """Index of the token where the name of a body ends: a representative, a person, a number of its own."""
    for at in range(first + 1, tokens.size):
        if tokens.kinds[at] != "w":
            if tokens.kinds[at] == "l":
                return at
            continue
        hit = longest_phrase(PHRASES, tokens.forms, at)
        if hit and _ends_body(tokens, hit[0], at, hit[1]):
            return at
    return tokens.size


def _ends_body(tokens: _Tokens, mark: Mark, at: int, size: int) -> bool:
    """True where a phrase opens what follows the name of a body."""
    following = tokens.words_from(at + size)
    if mark.kind == "representative":
        return tokens.form(at).folded != "do" or any(w.folded == "dien" for w in tokens.forms[at + 1 : at + 16])
    if mark.kind == "honorific":
        return tokens.form(at).folded in ("ong", "ba", "cu") and is_person_like(following)
    if mark.kind in ("tax", "id"):
        return any(kind == "n" for kind in tokens.kinds[at + size : at + size + 3]) and (size > 1 or tokens.form(at).folded != "so")
    return False


def _read_body(tokens: _Tokens, kind: Kind, first: int, encoding: Encoding, extra: list[str]) -> ParsedOwner:
    """A cell that names an organisation, a community or a religious body, perhaps with its representative."""
    end = _rest_of_body(tokens, first)
    stop = tokens.starts[end] if end < tokens.size else len(tokens.text)
    name = " ".join(tokens.text[:stop].split()).strip(" ,;:-–(/.")
    reader = _Reader(tokens)
    reader.represented, reader.default_relation = True, "representative"
    reader.last.before = ":"
    reader.run(end)
    drafts = [d for d in _persons_of(reader) if d.relation == "representative" or is_person_like(d.forms)]
    dropped = [w for d in reader.drafts if d.words and d not in drafts for w in d.words if w not in reader.leftover]
    reader.leftover.extend(dropped)
    if not drafts and reader.last.id_no:
        reader.flags.append(f"number: {reader.last.id_no}")
    for draft in drafts:
        draft.relation = "representative"
    form: Form = "representative" if drafts else "individual"
    return ParsedOwner(kind, form, encoding, tuple(_person(d) for d in drafts), name or None, _flags(reader, extra))


# --- The cell ---------------------------------------------------------------------------------------------------------


def parse_owner_text(text: str) -> ParsedOwner:
    """What one owner cell says."""
    extra = [f"cut at {LONGEST_CELL} characters"] if len(text) > LONGEST_CELL else []
    repaired = repair(text[:LONGEST_CELL])
    tokens = _Tokens(repaired.text)
    folded = " ".join(f.folded for f in tokens.forms if f.folded)
    if not folded or folded in JUNK or repaired.text.lstrip().startswith("#"):
        rest = " ".join(repaired.text.split())
        return ParsedOwner("unknown", "individual", repaired.encoding, (), None, (*extra, "no name", *([f"leftover: {rest}"] if rest else [])))
    body = _body(tokens)
    if body:
        return _read_body(tokens, *body, repaired.encoding, extra)
    return _read_persons(tokens, repaired.encoding, extra)
