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
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal

import polars as pl

from linkage.normalise.encodings import PLAIN_CLASS, Encoding, repair
from linkage.normalise.names import display_name, name_columns, odd_words, regroup
from linkage.normalise.owner_text_reader import Draft, Reader
from linkage.normalise.owner_text_tokens import LONGEST_NAME, Tokens
from linkage.normalise.owner_text_words import (
    BODIES,
    JUNK,
    MIDDLES,
    NEED_MARKS,
    PHRASES,
    Mark,
    WordForms,
    is_person_like,
    longest_phrase,
    phrase_pattern,
)

Kind = Literal["person", "organisation", "community", "religious", "unknown"]
Form = Literal["individual", "couple", "household", "co_ownership", "heirs", "representative"]

LONGEST_CELL: Final = 4000  # characters; a longer cell is cut, with a flag


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


# --- From drafts to an owner ------------------------------------------------------------------------------------------

_BY_SIGN: Final = frozenset((",", ".", "/", "-", ";", "(", ")", "\n", ":", "+", "|", "_", "=", "[", "]", ""))


def _is_person(draft: Draft, *, first: bool) -> bool:
    """True where a draft names somebody."""
    if not draft.words or len(draft.words) > LONGEST_NAME or " ".join(w.folded for w in draft.forms) in JUNK:
        return False
    body = longest_phrase(BODIES, draft.forms, 0) if not first else None
    if body and body[1] > 1:
        return False
    told = draft.sex or draft.relation in ("wife", "husband", "representative") or draft.sex_unclear or draft.head
    return bool(first or told or draft.before not in _BY_SIGN or is_person_like(draft.forms))


def _persons_of(reader: Reader) -> list[Draft]:
    """The drafts that are persons; the words of the others are left over."""
    kept: list[Draft] = []
    for draft in reader.drafts:
        if _is_person(draft, first=not kept):
            kept.append(draft)
        else:
            reader.leftover.extend(draft.words)
            reader.leftover.extend(filter(None, (draft.birth, draft.id_no)))
    return kept


def _guessed_sex(draft: Draft) -> str | None:
    """The sex told, else the one văn or thị suggests."""
    second = draft.forms[1].folded if len(draft.forms) > 2 else ""
    return draft.sex or {"thi": "F", "van": "M"}.get(second)


def _is_pair(reader: Reader, drafts: list[Draft]) -> bool:
    """True where two persons are husband and wife: by a spouse word, or by opposite sexes side by side."""
    if len(drafts) < 2 or reader.heirs:
        return False
    if any(d.relation in ("wife", "husband") for d in drafts):
        return True
    first, second = drafts[:2]
    if len(drafts) > 2 or reader.together or first.relation or second.relation:
        return reader.couple
    return reader.couple or {_guessed_sex(first), _guessed_sex(second)} == {"M", "F"}


def _relate(reader: Reader, drafts: list[Draft]) -> bool:
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


def _form(reader: Reader, drafts: list[Draft], *, pair: bool) -> Form:
    """The form of ownership."""
    if reader.heirs:
        return "heirs"
    if reader.household:
        return "household"
    if drafts and all(d.relation == "representative" for d in drafts):
        return "representative"
    if pair and len(drafts) <= 2:
        return "couple"
    if len([d for d in drafts if d.relation != "representative"]) > 1:
        return "co_ownership"
    return "couple" if reader.couple else "individual"


_YEAR: Final = re.compile(r"(?<!\d)\d{4}(?!\d)")


def _birth_year(text: str | None) -> int | None:
    """The four-digit year of a birth as written."""
    found = _YEAR.search(text) if text else None
    return int(found[0]) if found and found[0].isascii() else None


def _person(draft: Draft) -> ParsedPerson:
    name = display_name(draft.words)
    return ParsedPerson(name, draft.sex, draft.relation or "owner", _birth_year(draft.birth), draft.birth, draft.id_no,
                        draft.deceased, draft.head)  # fmt: skip


def _flags(reader: Reader, extra: list[str]) -> tuple[str, ...]:
    """Flags of a text: what the reader noted, and what was left over."""
    rest = " ".join(reader.leftover)
    return (*extra, *reader.flags, *([f"leftover: {rest}"] if rest else []))


def _read_persons(tokens: Tokens, encoding: Encoding, extra: list[str]) -> ParsedOwner:
    """A cell that names persons."""
    reader = Reader(tokens)
    reader.run(0)
    drafts = _persons_of(reader)
    pair = _relate(reader, drafts)
    form = _form(reader, drafts, pair=pair)
    if form == "household" and drafts and not any(d.head for d in drafts):
        drafts[0].head = True
    kind: Kind = "person" if drafts else "unknown"
    return ParsedOwner(kind, form, encoding, tuple(_person(d) for d in drafts), None, _flags(reader, extra))


# --- Organisations ----------------------------------------------------------------------------------------------------

_COMPANY_WORDS: Final = frozenset(("cty", "tnhh", "htx", "ubnd"))
_COMPANY_PAIRS: Final = frozenset((("công", "ty"), ("cong", "ty"), ("hợp", "tác"), ("hop", "tac")))


def _names_company(forms: list[WordForms]) -> bool:
    """True where a word such as "công ty" stands anywhere."""
    keys = [f.key for f in forms]
    return not _COMPANY_WORDS.isdisjoint(keys) or not _COMPANY_PAIRS.isdisjoint(pairwise(keys))


def _body(tokens: Tokens) -> tuple[Kind, int] | None:
    """The kind of body a text opens with and its first word, or None for persons."""
    first = next((i for i, kind in enumerate(tokens.kinds) if kind == "w"), None)
    if first is None:
        return None
    hit = longest_phrase(BODIES, tokens.forms, first)
    if hit and _is_body(tokens, first, hit[1]):
        return _KINDS[hit[0].kind], first
    opening = longest_phrase(PHRASES, tokens.forms, first)
    if _names_company(tokens.forms) and not (
        opening and opening[0].kind in ("honorific", "household", "head", "heirs_of")
    ):
        return ("organisation", first) if not is_person_like(tokens.words_from(first)[:4]) else None
    return None


_KINDS: Final[dict[str, Kind]] = {"organisation": "organisation", "community": "community", "religious": "religious"}


def _is_body(tokens: Tokens, at: int, size: int) -> bool:
    """A single word that is also a name word counts only with its mark, and never before văn or thị."""
    word, after = tokens.form(at), tokens.form(at + 1)
    if size > 1:
        return True
    if after.folded in MIDDLES and len(tokens.words_from(at)) < 5:
        return False
    return word.marked or word.folded not in NEED_MARKS


def _rest_of_body(tokens: Tokens, first: int) -> int:
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


def _ends_body(tokens: Tokens, mark: Mark, at: int, size: int) -> bool:
    """True where a phrase opens what follows the name of a body."""
    following = tokens.words_from(at + size)
    if mark.kind == "representative":
        return tokens.form(at).folded != "do" or any(w.folded == "dien" for w in tokens.forms[at + 1 : at + 16])
    if mark.kind == "honorific":
        return tokens.form(at).folded in ("ong", "ba", "cu") and is_person_like(following)
    if mark.kind in ("tax", "id"):
        return any(kind == "n" for kind in tokens.kinds[at + size : at + size + 3]) and (
            size > 1 or tokens.form(at).folded != "so"
        )
    return False


def _read_body(tokens: Tokens, kind: Kind, first: int, encoding: Encoding, extra: list[str]) -> ParsedOwner:
    """A cell that names an organisation, a community or a religious body, perhaps with its representative."""
    end = _rest_of_body(tokens, first)
    stop = tokens.starts[end] if end < tokens.size else len(tokens.text)
    name = " ".join(tokens.text[:stop].split()).strip(" ,;:-–(/.")
    reader = Reader(tokens)
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
    tokens = Tokens(repaired.text)
    folded = " ".join(f.folded for f in tokens.forms if f.folded)
    if not folded or folded in JUNK or repaired.text.lstrip().startswith("#"):
        rest = " ".join(repaired.text.split())
        return ParsedOwner(
            "unknown",
            "individual",
            repaired.encoding,
            (),
            None,
            (*extra, "no name", *([f"leftover: {rest}"] if rest else [])),
        )
    body = _body(tokens)
    if body:
        return _read_body(tokens, *body, repaired.encoding, extra)
    return _read_persons(tokens, repaired.encoding, extra)


# --- Columns ----------------------------------------------------------------------------------------------------------

PERSON_FIELDS: Final[dict[str, type[pl.DataType]]] = {
    "name": pl.String,
    "name_key": pl.String,
    "name_folded": pl.String,
    "name_sound": pl.String,
    "surname": pl.String,
    "middle": pl.String,
    "given": pl.String,
    "accented": pl.Boolean,
    "sex": pl.String,
    "relation": pl.String,
    "birth_year": pl.Int16,
    "birth_text": pl.String,
    "id_no": pl.String,
    "deceased": pl.Boolean,
    "household_head": pl.Boolean,
}

OWNER_COLUMNS: Final[dict[str, Any]] = {
    "raw": pl.String,
    "kind": pl.String,
    "form": pl.String,
    "encoding": pl.String,
    "persons": pl.List(pl.Struct(PERSON_FIELDS)),
    "organisation": pl.String,
    "flags": pl.List(pl.String),
}

_TOLD_FIELDS: Final = ("name", "sex", "relation", "birth_year", "birth_text", "id_no", "deceased", "household_head")
_NAME_FIELDS: Final = ("name_key", "name_folded", "name_sound", "surname", "middle", "given", "accented")
_BATCH: Final = 100_000  # cells parsed before they are packed into columns

_PLAIN_NAME: Final = f"^[{PLAIN_CLASS}]+(?: [{PLAIN_CLASS}]+){{1,5}}$"
_NEED_SIGNS: Final = frozenset(("birth", "tax"))  # phrases that count only before a number
_SINGLE_NEEDS_SIGNS: Final = frozenset(("death", "aside", "member", "id"))  # the same for their single words
_OPEN_ONLY: Final = frozenset(("household", "label"))  # phrases that count only at the start of a name
_FIRST_WORDS: Final = "anh|chị|chi|ô"  # honorifics that count only there


def _may_count(mark: Mark, size: int) -> bool:
    """True where a phrase can count in the middle of a cell without signs and numbers."""
    single_needs = size == 1 and mark.kind in _SINGLE_NEEDS_SIGNS
    weak_honorific = mark.kind == "honorific" and size == 1
    return (
        mark.kind not in _NEED_SIGNS | _OPEN_ONLY and not single_needs and not weak_honorific and mark.kind != "heirs"
    )


def _suspect_pattern() -> str:
    """A pattern for texts that may be more than one name: they are read word by word."""
    anywhere = phrase_pattern(PHRASES, _may_count)
    opening = phrase_pattern(PHRASES, lambda mark, _: mark.kind in _OPEN_ONLY)
    bodies = phrase_pattern(BODIES, lambda *_: True)
    junk = "|".join(sorted({j.split()[0] for j in JUNK}))
    single = "ông|ong|bà|ba|cụ|cu|kế|ke|cty|tnhh|htx|ubnd|rõ|chưa|không|tổng|cộng|xác"
    inside = f"{single}|công ty|cong ty|hợp tác|hop tac|{anywhere}"
    return f"(?i)(?:^| )(?:{inside})(?: |$)|^(?:{opening}|{bodies}|{_FIRST_WORDS}|{junk}) "


_SUSPECT: Final = _suspect_pattern()


def _is_plain_name(values: pl.Series) -> pl.Series:
    """True for texts that are one name and nothing else, whose words are all Vietnamese."""
    plain = values.str.contains(_PLAIN_NAME) & ~values.str.contains(_SUSPECT)
    rows = plain.arg_true()
    return plain.scatter(rows.filter(odd_words(values.gather(rows))), values=False)


def _plain_owners(raw: pl.Series) -> pl.DataFrame:
    """The owners of cells that are one name each."""
    told = {
        "sex": None, "relation": "owner", "birth_year": None, "birth_text": None, "id_no": None,
        "deceased": False, "household_head": False,
    }  # fmt: skip
    person = [pl.lit(told[f], dtype=t).alias(f) if f in told else pl.col(f) for f, t in PERSON_FIELDS.items()]
    return name_columns(raw).select(
        "raw",
        kind=pl.lit("person"),
        form=pl.lit("individual"),
        encoding=pl.lit("unicode"),
        persons=pl.concat_list(pl.struct(person)),
        organisation=pl.lit(None, pl.String),
        flags=pl.lit([], pl.List(pl.String)),
    )


def _person_lists(owners: list[ParsedOwner]) -> pl.Series:
    """The persons of each owner as a list of structs."""
    persons = [p for owner in owners for p in owner.persons]
    told = pl.DataFrame(
        {name: [getattr(p, name) for p in persons] for name in _TOLD_FIELDS},
        schema={name: PERSON_FIELDS[name] for name in _TOLD_FIELDS},
    )
    names = name_columns(told["name"]).select(pl.col("raw"), *_NAME_FIELDS)
    rows = told.join(names, left_on="name", right_on="raw", how="left", maintain_order="left").select(*PERSON_FIELDS)
    return regroup(rows.to_struct(), pl.Series([len(owner.persons) for owner in owners], dtype=pl.Int64))


def _parsed_owners(raw: pl.Series) -> pl.DataFrame:
    """The owners of cells that say more than a name."""
    owners = [parse_owner_text(text) for text in raw.to_list()]
    return pl.DataFrame(
        {
            "raw": raw,
            "kind": [o.kind for o in owners],
            "form": [o.form for o in owners],
            "encoding": [o.encoding for o in owners],
            "persons": _person_lists(owners),
            "organisation": [o.organisation for o in owners],
            "flags": [list(o.flags) for o in owners],
        },
        schema=OWNER_COLUMNS,
    )


def parse_owner_column(values: pl.Series) -> pl.DataFrame:
    """One row per distinct non-null value, with `OWNER_COLUMNS`; the same as `parse_owner_text` value by value."""
    raw = values.cast(pl.String).drop_nulls().unique(maintain_order=True).alias("raw")
    plain = _is_plain_name(raw)
    hard = raw.filter(~plain)
    parts = [_parsed_owners(hard.slice(at, _BATCH)) for at in range(0, len(hard), _BATCH)]
    found = pl.concat(
        [pl.DataFrame(schema=OWNER_COLUMNS), _plain_owners(raw.filter(plain)).cast(pl.Schema(OWNER_COLUMNS)), *parts]
    )
    return raw.to_frame().join(found, on="raw", how="left", maintain_order="left")
