"""Reads the tokens of an owner cell into drafts of persons: one method per kind of phrase.

Rules
- The reader goes through the tokens once, left to right; each method says how many tokens it used, 0 where its
  phrase does not count at this place.
- A word belongs to the last draft while that is open; signs, "và", spouse words and honorifics close it.
- Whatever is neither name, phrase nor number of a person goes to `leftover`.

>>> reader = Reader(Tokens("Nguyễn Văn A và vợ Trần Thị B"))
>>> reader.run(0)
>>> [(draft.words, draft.relation) for draft in reader.drafts]
[(['Nguyễn', 'Văn', 'A'], None), (['Trần', 'Thị', 'B'], 'wife')]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from linkage.normalise.owner_text_tokens import Tokens
from linkage.normalise.owner_text_words import (
    MIDDLES,
    PHRASES,
    SURNAMES,
    Mark,
    WordForms,
    is_person_like,
    longest_phrase,
    phrases_at,
)

_ID_DIGITS: Final = range(8, 13)  # 8 and 11: a lost leading zero
_YEARS: Final = range(1850, 2100)


@dataclass(slots=True)
class Draft:
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


class Reader:
    """Reads tokens into drafts; one method per kind of phrase, each gives the tokens it used (0: no phrase here)."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.drafts: list[Draft] = [Draft()]
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
    def last(self) -> Draft:
        """The draft read last."""
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

    def begin(self) -> Draft:
        """The draft for what follows: a new one unless the last is still without words."""
        if self.last.words and not self.open:
            self.drafts.append(Draft(before=self.before, relation=self.default_relation))
        self.open = True
        return self.last

    def fresh(self, before: str) -> Draft:
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
        elif len(digits) == 4 and int(digits) in _YEARS and not self.aside and self.named():
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
            elif len(digits) == 4 and int(digits) in _YEARS and not self.last.birth and not self.aside and " " in text:
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
        if self.open and self.last.words and len(self.last.words[-1]) > 2:
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
            return sign in (".", ":") or (
                word.folded == "o" and bool(following) and following[0].folded in SURNAMES and word.marked
            )
        if size > 1 or (sign and sign in ":/()-"):
            return True
        if not following:
            return bool(sign == ".")
        if following[0].folded in MIDDLES and len(following) < 4:
            return False
        if word.marked or (word.folded == "ong"):
            return True
        return is_person_like(following) or (
            longest_phrase(PHRASES, self.tokens.forms, at + 1) is not None and len(following) > 2
        )

    def breaks_in(self, at: int) -> bool:
        """True where "ông" or "bà" stands in the middle and a full name follows: a sign is missing."""
        word, following = self.tokens.form(at), self.tokens.words_from(at + 1)
        if word.folded not in ("ong", "ba", "cu") or not is_person_like(following):
            return False
        if not (self.aside or len(self.last.words) > 1):
            return False
        return word.marked or following[1].folded in MIDDLES

    def turn_spouses(self, draft: Draft, sex: str) -> None:
        """Turn round "bà B vợ ông A": the first is the wife, the second her husband."""
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
        """True for "HO ONG …" without marks: only before an honorific that is one."""
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
        return (
            self.named() and after.folded in SURNAMES and after.folded not in MIDDLES and (size > 1 or self.at_start())
        )

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
        if self.aside and not (
            following and (is_person_like(following) or following[0].folded in ("ong", "ba", "vo", "chong"))
        ):
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
        opens = self.tokens.sign(at + 1) == ":" or (
            bool(following) and (is_person_like(following) or following[0].folded in ("ong", "ba"))
        )
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
                if kind == "d" or len(parts[-1]) >= 4:
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
        if not self.named() or (
            size == 1 and not (self.tokens.sign(at - 1) or self.tokens.kind(at - 1) in ("n", "d") or self.aside)
        ):
            return 0
        self.leftover.extend(self.tokens.texts[at : at + size])
        self.aside = True
        return size

    def label(self, _: Mark, at: int, size: int) -> int:
        """Chủ sử dụng đất: …: says nothing of its own."""
        if not self.at_start():
            return 0
        return size + (self.tokens.sign(at + size) == ":")


_Handler = Callable[[Reader, Mark, int, int], int]
_HANDLERS: Final[dict[str, _Handler]] = {
    "honorific": Reader.honorific,
    "household": Reader.household_word,
    "head": Reader.head_word,
    "spouse": Reader.spouse,
    "couple": Reader.couple_word,
    "and": Reader.and_word,
    "co_owner": Reader.co_owner,
    "member": Reader.member,
    "heirs": Reader.heirs_word,
    "heirs_of": Reader.heirs_word,
    "death": Reader.death,
    "birth": Reader.birth,
    "id": Reader.id_number,
    "tax": Reader.tax,
    "representative": Reader.representative,
    "aside": Reader.remark,
    "label": Reader.label,
}
