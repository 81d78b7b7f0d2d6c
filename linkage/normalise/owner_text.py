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
from collections.abc import Iterable
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple

import polars as pl

from linkage.normalise.encodings import PLAIN_CLASS, Encoding, repair
from linkage.normalise.encodings_columns import has_odd_word, repair_columns
from linkage.normalise.names import display_name, name_columns, regroup
from linkage.normalise.owner_text_reader import Draft, Reader
from linkage.normalise.owner_text_shapes import filled, is_junk_word, number_places, outline, place_of, with_stand_ins
from linkage.normalise.owner_text_tokens import LONGEST_NAME, Tokens
from linkage.normalise.owner_text_words import (
    BODIES,
    COMPANY_WORDS,
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
_CUT: Final = f"cut at {LONGEST_CELL} characters"


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


def _understood(tokens: Tokens) -> tuple[Reader, list[Draft], Form]:
    """The persons of a cell that names no body, with their relations, and the form of ownership."""
    reader = Reader(tokens)
    reader.run(0)
    drafts = _persons_of(reader)
    pair = _relate(reader, drafts)
    form = _form(reader, drafts, pair=pair)
    if form == "household" and drafts and not any(d.head for d in drafts):
        drafts[0].head = True
    return reader, drafts, form


def _read_persons(tokens: Tokens, encoding: Encoding, extra: list[str]) -> ParsedOwner:
    """A cell that names persons."""
    reader, drafts, form = _understood(tokens)
    kind: Kind = "person" if drafts else "unknown"
    return ParsedOwner(kind, form, encoding, tuple(_person(d) for d in drafts), None, _flags(reader, extra))


# --- Organisations ----------------------------------------------------------------------------------------------------

_COMPANY_PAIRS: Final = frozenset((("công", "ty"), ("cong", "ty"), ("hợp", "tác"), ("hop", "tac")))


def _names_company(forms: list[WordForms]) -> bool:
    """True where a word such as "công ty" stands anywhere."""
    keys = [f.key for f in forms]
    return not COMPANY_WORDS.isdisjoint(keys) or not _COMPANY_PAIRS.isdisjoint(pairwise(keys))


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


def _says_nothing(tokens: Tokens) -> bool:
    """True for a cell without words, with words that say nobody is known, or with a spreadsheet's error."""
    folded = " ".join(f.folded for f in tokens.forms if f.folded)
    return not folded or folded in JUNK or tokens.texts[0] == "#"


def _nobody(text: str, encoding: Encoding, extra: list[str]) -> ParsedOwner:
    rest = " ".join(text.split())
    flags = (*extra, "no name", *([f"leftover: {rest}"] if rest else []))
    return ParsedOwner("unknown", "individual", encoding, (), None, flags)


def read_cell(text: str, encoding: Encoding, extra: list[str]) -> ParsedOwner:
    """What a repaired cell says."""
    tokens = Tokens(text)
    if _says_nothing(tokens):
        return _nobody(text, encoding, extra)
    body = _body(tokens)
    return _read_body(tokens, *body, encoding, extra) if body else _read_persons(tokens, encoding, extra)


def parse_owner_text(text: str) -> ParsedOwner:
    """What one owner cell says."""
    extra = [_CUT] if len(text) > LONGEST_CELL else []
    repaired = repair(text[:LONGEST_CELL])
    return read_cell(repaired.text, repaired.encoding, extra)


# --- Cells of one shape -----------------------------------------------------------------------------------------------


class _Slot(NamedTuple):
    """One person of a shape: the places of the words of its name, and stand-ins for its birth and number."""

    words: tuple[tuple[int, ...], ...]
    sex: str | None
    relation: str
    birth: str | None
    id_no: str | None
    deceased: bool
    head: bool


class _Shape(NamedTuple):
    """What all cells of one shape say."""

    form: Form
    persons: tuple[_Slot, ...]
    flags: tuple[str, ...]
    numbers: dict[str, int]


def _slot(draft: Draft) -> _Slot:
    words = tuple(tuple(map(place_of, word.split("-"))) for word in draft.words)
    return _Slot(words, draft.sex, draft.relation or "owner", draft.birth, draft.id_no, draft.deceased, draft.head)


def _read_shape(text: str, texts: list[str]) -> _Shape | None:
    """What cells shaped like this one say; None where they name nobody or a body, whose whole text counts."""
    tokens = with_stand_ins(text)
    if _says_nothing(tokens) or _body(tokens):
        return None
    reader, drafts, form = _understood(tokens)
    if not drafts or any(" ".join(w.folded for w in d.forms) in JUNK for d in reader.drafts):
        return None
    return _Shape(form, tuple(map(_slot, drafts)), _flags(reader, []), number_places(tokens, texts))


def _may_be_junk(slot: _Slot, texts: list[str]) -> bool:
    return all(is_junk_word(texts[at]) for word in slot.words for at in word)


def _as_shaped(shape: _Shape, texts: list[str]) -> ParsedOwner:
    """A cell by its shape, with its own names and numbers."""
    persons = []
    for slot in shape.persons:
        name = display_name("-".join([texts[at] for at in word]) for word in slot.words)
        birth, id_no = (filled(t, shape.numbers, texts) if t else None for t in (slot.birth, slot.id_no))
        persons.append(
            ParsedPerson(name, slot.sex, slot.relation, _birth_year(birth), birth, id_no, slot.deceased, slot.head)
        )
    flags = tuple(filled(flag, shape.numbers, texts) or "" for flag in shape.flags)
    return ParsedOwner("person", shape.form, "unicode", tuple(persons), None, flags)


def read_cells(texts: Iterable[str]) -> list[ParsedOwner]:
    """What repaired cells say, each shape read once; all encodings are given as "unicode"."""
    shapes: dict[str, _Shape | None] = {}
    owners = []
    for text in texts:
        tokens, shape = outline(text)
        if shape is not None and shape not in shapes:
            shapes[shape] = _read_shape(text, tokens)
        known = shapes[shape] if shape is not None else None
        alike = known is not None and not any(_may_be_junk(slot, tokens) for slot in known.persons)
        owners.append(_as_shaped(known, tokens) if known and alike else read_cell(text, "unicode", []))
    return owners


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

_CELL_FIELDS: Final[dict[str, Any]] = {
    "kind": pl.String,
    "form": pl.String,
    "organisation": pl.String,
    "flags": pl.List(pl.String),
    "size": pl.UInt32,
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


class OwnerTables(NamedTuple):
    """What many cells say.

    `raw`: each distinct value, its `encoding` and the row of its `cell`. `cells`: one row per distinct text with its
    `kind`, `form`, `organisation`, `flags`, and its persons as `first` row and `size`. `persons`: `PERSON_FIELDS`.
    """

    raw: pl.DataFrame
    cells: pl.DataFrame
    persons: pl.DataFrame

    def without_remarks(self) -> OwnerTables:
        """The same without what only a reviewer asks for."""
        return OwnerTables(
            self.raw.drop("encoding"), self.cells.drop("organisation", "flags"), self.persons.drop("middle")
        )


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
    """True for texts that are one name and nothing else."""
    return values.str.contains(_PLAIN_NAME) & ~values.str.contains(_SUSPECT)


def _plain_owners(texts: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cells and persons of texts that are one name each."""
    told = {
        "sex": None, "relation": "owner", "birth_year": None, "birth_text": None, "id_no": None,
        "deceased": False, "household_head": False,
    }  # fmt: skip
    person = [pl.lit(told[f], dtype=t).alias(f) if f in told else pl.col(f) for f, t in PERSON_FIELDS.items()]
    cell: dict[str, object] = {"kind": "person", "form": "individual", "organisation": None, "flags": [], "size": 1}
    fields = [pl.lit(cell[f], dtype=t).alias(f) for f, t in _CELL_FIELDS.items()]
    return texts.to_frame("raw").select(pl.col("raw"), *fields).drop("raw"), name_columns(texts, repaired=True).select(
        person
    )


def _person_rows(owners: list[ParsedOwner]) -> pl.DataFrame:
    """The persons of all owners, one after the other."""
    persons = [p for owner in owners for p in owner.persons]
    told = pl.DataFrame(
        {name: [getattr(p, name) for p in persons] for name in _TOLD_FIELDS},
        schema={name: PERSON_FIELDS[name] for name in _TOLD_FIELDS},
    )
    names = name_columns(told["name"]).select(pl.col("raw"), *_NAME_FIELDS)
    return told.join(names, left_on="name", right_on="raw", how="left", maintain_order="left").select(*PERSON_FIELDS)


def _other_owners(texts: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cells and persons of texts that say more than a name."""
    owners = read_cells(texts.to_list())
    cells = pl.DataFrame(
        {
            "kind": [o.kind for o in owners],
            "form": [o.form for o in owners],
            "organisation": [o.organisation for o in owners],
            "flags": [list(o.flags) for o in owners],
            "size": [len(o.persons) for o in owners],
        },
        schema=_CELL_FIELDS,
    )
    return cells, _person_rows(owners)


def _readable(raw: pl.Series) -> pl.DataFrame:
    """Each value with its repaired `text`, whether that is a `plain` name, and its `encoding`."""
    repaired = repair_columns(raw.str.slice(0, LONGEST_CELL))
    tidy = repaired["text"].str.replace_all(" +", " ").str.strip_chars(" ")
    looked_at = repaired["odd"].arg_true()
    still_odd = looked_at.filter(has_odd_word(tidy.gather(looked_at)))
    plain = _is_plain_name(tidy).scatter(still_odd, values=False)
    text = tidy.zip_with(plain, repaired["text"])
    return pl.DataFrame({"raw": raw, "text": text, "plain": plain, "encoding": repaired["encoding"]})


_HELPED_FROM: Final = 40_000  # cells; below this a second process costs more than it saves
_HELPED_SHARE: Final = 0.4  # of the cells; the helper has other work first


def _read_others(texts: pl.Series, helper: Executor | None) -> list[tuple[pl.DataFrame, pl.DataFrame]]:
    """Cells that are more than a name, in batches; the last ones by `helper`, if there are many."""
    mine = len(texts) if helper is None or len(texts) < _HELPED_FROM else int(len(texts) * (1 - _HELPED_SHARE))
    theirs = None if helper is None or mine == len(texts) else helper.submit(_other_owners, texts.slice(mine))
    read = [_other_owners(texts.slice(at, min(_BATCH, mine - at))) for at in range(0, mine, _BATCH)]
    if theirs is None:
        return read
    try:
        return [*read, theirs.result()]
    except BrokenExecutor:  # the helper was killed: its share is read here
        return [*read, _other_owners(texts.slice(mine))]


def owner_tables(values: pl.Series, helper: Executor | None = None) -> OwnerTables:
    """What the distinct non-null values say; names by `names`, all else as `parse_owner_text`."""
    readable = _readable(values.cast(pl.String).drop_nulls().unique(maintain_order=True).alias("raw"))
    texts = readable.select("text", "plain").unique("text", maintain_order=True)
    plain, other = (texts.filter(pl.col("plain") == said)["text"] for said in (True, False))
    parts = [_plain_owners(plain), *_read_others(other, helper)]
    cells = pl.concat([part[0] for part in parts])
    places = pl.concat([plain, other]).to_frame("text").with_row_index("cell")
    raw = readable.select("raw", "text", "encoding").join(places, on="text", how="left", maintain_order="left")
    cells = cells.with_columns(first=pl.col("size").cum_sum() - pl.col("size"))
    return OwnerTables(raw.drop("text"), cells, pl.concat([part[1] for part in parts]))


def parse_owner_column(values: pl.Series) -> pl.DataFrame:
    """One row per distinct non-null value, with `OWNER_COLUMNS`; the same as `parse_owner_text` value by value."""
    raw, cells, persons = owner_tables(values)
    lists = regroup(persons.to_struct(), cells["size"])
    found = raw.hstack(cells.with_columns(persons=lists)[raw["cell"]])
    cut = (
        pl.when(pl.col("raw").str.len_chars() > LONGEST_CELL)
        .then(pl.lit([_CUT]))
        .otherwise(pl.lit([], pl.List(pl.String)))
    )
    return found.with_columns(flags=cut.list.concat("flags")).select(
        pl.col(n).cast(t) for n, t in OWNER_COLUMNS.items()
    )
