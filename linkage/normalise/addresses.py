"""Addresses as written → hamlet, house, commune (old and new) and province.

Rules
- The text is read from its end: province, then district, then commune; whatever stands before is hamlet and house.
  Each level may be missing, abbreviated (TT, P., X., H., QT), without accents, without commas or without its kind.
- One name may stand for several levels (xã, huyện and tỉnh Quảng Ninh). All readings are scored: a level counts more
  with the right kind before it, and each level must lie within the one above. The best readings together give
  `commune_candidates`; only where they agree is there a `commune_code`.
- With commune and province and no district the address is of the form since July 2025, so a new commune of that name
  and kind goes before an old one; both stay candidates.
- `home_provinces` (new codes) settle what is still open. A name alone, without kind and without anything above it, is
  a commune only there.
- Nothing is guessed across the country: a typing slip is looked for only within the district or province named.

`address_flag`: ok · two-tier (form since July 2025) · typo (a slip was put right) · split (an old commune with several
successors) · ambiguous · district-only · province-only · no-place · empty.

>>> row = address_columns(pl.Series(["Thôn 03, xã Vĩnh Thuỷ, H. Vĩnh Linh, QT"])).row(0, named=True)
>>> row["hamlet"], row["commune_old"], row["commune_code"], row["province_code"], row["address_flag"]
('thon 3', '19402', '19405', '44', 'ok')
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from linkage.normalise import gazetteer
from linkage.normalise.gazetteer import District, Place, Province
from linkage.normalise.text_expressions import distinct, fold_expression, plain

SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "hamlet": pl.String,
    "hamlet_name": pl.String,
    "house": pl.String,
    "commune_old": pl.String,
    "commune_candidates": pl.List(pl.String),
    "commune_code": pl.String,
    "province_code": pl.String,
    "address_flag": pl.String,
}

_REWRITES = (
    (r"['`’]", ""),
    (r"\( ?(?:nay|truoc|cu|moi)\b[^)]*\)?", ","),
    (r"^(.{8,}?),? ?\bnay (?:la|thuoc|doi)\b.*$", "$1"),
    (r"[()\[\];:|\n_\"]", ","),
    (r"\bt ?\. ?([txp])\b", "t${1} "),
    (r"\.", " "),
    (r"\bt(?:hi|) ?tran\b", "tt"),
    (r"\bt(?:hanh|) ?pho\b", "tp"),
    (r"\bthi ?xa\b", "tx"),
    (r"\b(tt|tp|tx)([a-z]{2,})\b", "$1 $2"),
    (r"\b(?:thua dat|thua|to ban do)(?: so)? ?[0-9]+\b(?: tai\b)?|\bthua dat(?: tai)?\b", ","),
    (r"\bdac khu\b", "dk"),
    (r"\b(?:to dan pho|to dp|tdp|t d p)\b", "tdp "),
    (r"\bkhu pho\b", "kp"),
    (r"\bkhoi pho\b", "khoi"),
    (r"\bkhu vuc\b", "kv"),
    (r"\btieu khu\b", "tieukhu"),
    (r"\bkhu dan cu\b", "kdc"),
    (r"\b(?:so nha|nha so)\b", "sonha"),
    (
        r"\b(phan rang|thua thien|ba ria|van mieu|chan may|lam vien|xuan huong|cam ly|xuan truong|lang biang) ?- ?",
        "$1 ",
    ),
    (r"([0-9]) ?- ?([0-9])", "${1}/${2}"),
    (r"-", ","),
    (r"\b(p|f|q|k|kp|kv|tdp|thon|xom|to|doi|ap|khu|ban|khom|phuong|quan)([0-9]+)\b", "$1 $2"),
    (r"[^a-z0-9,/]", " "),
    (r"\b0+([0-9])", "$1"),
    (r"[, ]*\b(?:viet nam|vietnam|vn)[ ,]*$", ""),
    (r" +", " "),
    (r"(?: ?, ?)+", ","),
)

_PROVINCE_KINDS = {"tinh": "tinh", "t": "tinh", "tp": "tp"}
_DISTRICT_KINDS = {"huyen": "huyen", "h": "huyen", "quan": "quan", "q": "quan", "tx": "tx", "tp": "tp"}
_COMMUNE_KINDS = {"xa": "xa", "x": "xa", "phuong": "phuong", "p": "phuong", "f": "phuong", "tt": "tt", "dk": "dk"}
_ANY_KIND = {*_PROVINCE_KINDS, *_DISTRICT_KINDS, *_COMMUNE_KINDS}
_LONGEST_NAME = 5

_WITH_KIND, _OTHER_KIND, _ALONE, _INSIDE = 4.0, 2.0, 2.5, 2.0
_INITIALS, _SLIP, _SKIPPED = 1.5, 1.5, -0.5
_SAME_OLD_PROVINCE = 0.25


class Address(NamedTuple):
    """What one address says; fields as in `SCHEMA`."""

    hamlet: str | None = None
    hamlet_name: str | None = None
    house: str | None = None
    commune_old: str | None = None
    commune_candidates: list[str] | None = None
    commune_code: str | None = None
    province_code: str | None = None
    address_flag: str = "empty"


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the end of an address; `start` is the first token it covers."""

    score: float
    start: int
    province: Province | None
    district: District | None
    commune: Place | None
    kind_agrees: bool = False
    slip: bool = False


class Located(NamedTuple):
    """The places an address names, and what stands before them; `sure` where a commune has its kind before it."""

    before: str
    commune_old: str | None
    candidates: tuple[str, ...]
    commune_code: str | None
    province_code: str | None
    flag: str
    communes: tuple[Place, ...]
    sure: bool


def address_columns(values: pl.Series, *, home_provinces: Sequence[str] | None = None) -> pl.DataFrame:
    """One row per distinct value: `raw` and the columns of `SCHEMA`; `home_provinces` are new 2-digit codes."""
    frame = distinct(values)
    texts: Iterable[str] = frame.select(prepared(pl.col("raw"))).to_series().fill_null("")
    home = frozenset(home_provinces or ())
    read = [read_address(text, home, raw or "") for text, raw in zip(texts, frame["raw"], strict=True)]
    return frame.hstack(pl.DataFrame(read, schema=SCHEMA, orient="row"))


def prepared(text: pl.Expr) -> pl.Expr:
    """Folded text with short tokens for kinds, commas between parts and no other punctuation."""
    bare = fold_expression(plain(text))
    for pattern, by in _REWRITES:
        bare = bare.str.replace_all(pattern, by)
    return bare.str.strip_chars(" ,")


def read_address(text: str, home: frozenset[str], raw: str = "") -> Address:
    """An address from its prepared text; `raw` is needed only where accents must decide."""
    if not text:
        return Address()
    head, found = _from_the_end(text.split(","), home)
    hamlet, name, house = _hamlet_and_house([*head, *found.before.split(",")])
    if len(found.communes) > 1:
        found = _settled_by_accents(found, raw)
    candidates = list(found.candidates) or None
    return Address(
        hamlet, name, house, found.commune_old, candidates, found.commune_code, found.province_code, found.flag
    )


def _from_the_end(parts: list[str], home: frozenset[str]) -> tuple[list[str], Located]:
    """The places in the last parts, which repeat and so are remembered, and the parts before them."""
    for count in (2, 3):
        if count < len(parts):
            found = _located(",".join(parts[-count:]), home)
            if found.sure:
                return parts[:-count], found
    return [], _located(",".join(parts), home)


def _settled_by_accents(found: Located, raw: str) -> Located:
    """Where folded names cannot tell communes apart, the one whose name stands in the text with its accents."""
    names = {place.name for place in found.communes}
    if len(names) < 2 or raw.isascii() or len({place.key for place in found.communes}) != 1:
        return found
    written = unicodedata.normalize("NFC", raw).lower()
    named = [name for name in names if re.search(rf"{re.escape(name)}(?!\w)", written)]
    if len(named) != 1:
        return found
    kept = [place for place in found.communes if place.name == named[0]]
    new = {place.code for place in kept if place.is_new and found.flag == "two-tier"}
    codes, olds = _ordered(kept, new), {place.code for place in kept if not place.is_new}
    code = codes[0] if len(new) == 1 or len(codes) == 1 else None
    flag = found.flag if new else "ok" if code else "split"
    old = olds.pop() if len(olds) == 1 and not new else None
    return found._replace(commune_old=old, candidates=codes, commune_code=code, flag=flag)


def _tokens(text: str) -> list[str]:
    return text.replace(",", " , ").split()


@lru_cache(maxsize=1 << 17)
def _located(text: str, home: frozenset[str]) -> Located:
    """The best readings of the text, those that end before an unknown last part included."""
    tokens = _tokens(text)
    end = len(tokens)
    for _ in range(3):
        readings = _exact_readings(tokens, end, home)
        if not any(reading.commune for reading in readings):
            readings += _slipped_readings(tokens, end, home)
        if readings:
            return _judged(_best(readings, home), tokens)
        end = next((at for at in range(end - 1, 0, -1) if tokens[at] == ","), 0)
    return Located(text, None, (), None, None, "no-place", (), sure=False)


def _exact_readings(tokens: list[str], end: int, home: frozenset[str]) -> list[Reading]:
    """All readings of known names with at least one place."""
    provinces = list(_provinces(tokens, end))
    readings = provinces.copy()
    for province in [None, *provinces]:
        above = _before(tokens, province.start) if province else end
        districts = list(_districts(tokens, above, province))
        readings += districts
        for district in [province, *districts]:
            readings += _communes(tokens, _before(tokens, district.start) if district else end, district, home)
    return readings


def _slipped_readings(tokens: list[str], end: int, home: frozenset[str]) -> list[Reading]:
    """Readings with one typing slip in the commune or in the district, or with an unknown part in its place."""
    readings: list[Reading] = []
    for province in [None, *_provinces(tokens, end)]:
        above = _before(tokens, province.start) if province else end
        districts = list(_districts(tokens, above, province))
        for district in [*([province] if province else []), *districts]:
            readings += _slipped_communes(tokens, _before(tokens, district.start), district)
        for district in [] if districts else _past_a_slip(tokens, above, province):
            readings += [
                *([district] if district.district else []),
                *_communes(tokens, _before(tokens, district.start), district, home),
            ]
    return readings


def _before(tokens: list[str], start: int) -> int:
    """The end of the part before `start`, its comma left out."""
    while start > 0 and tokens[start - 1] == ",":
        start -= 1
    return start


def _names(tokens: list[str], end: int) -> Iterator[tuple[int, str]]:
    """Start and key of each name that may end here, longest first."""
    for start in range(max(0, end - _LONGEST_NAME), end):
        words = tokens[start:end]
        if "," not in words:
            yield start, "".join(words)


def _kind_before(tokens: list[str], start: int) -> str | None:
    """The kind word before a name, None where something else or nothing stands there."""
    return tokens[start - 1] if start and tokens[start - 1] in _ANY_KIND else None


def _is_boundary(tokens: list[str], start: int) -> bool:
    return start == 0 or tokens[start - 1] == ","


def _provinces(tokens: list[str], end: int) -> Iterator[Reading]:
    for start, key in _names(tokens, end):
        kind, found = _kind_before(tokens, start), gazetteer.provinces_named(key)
        if kind is not None and kind not in _PROVINCE_KINDS:
            continue
        score = _WITH_KIND if kind else _ALONE if _is_boundary(tokens, start) else _INSIDE
        if not found and start == end - 1 and 1 < len(key) < 6 and (kind or _is_boundary(tokens, start)):
            found, score = gazetteer.provinces_by_initials(key), _INITIALS
        for province in found:
            yield Reading(score, start - bool(kind), province, None, None)


def _districts(tokens: list[str], end: int, above: Reading | None) -> Iterator[Reading]:
    for start, key in _names(tokens, end):
        kind = _kind_before(tokens, start)
        if (kind is not None and kind not in _DISTRICT_KINDS) or (kind is None and key.isdigit()):
            continue
        for district in gazetteer.districts_named(key):
            reading = _with_district(tokens, start, kind, district, above)
            if reading:
                yield reading


def _with_district(
    tokens: list[str], start: int, kind: str | None, district: District, above: Reading | None
) -> Reading | None:
    province = above.province if above else None
    if province and province.code != district.province:
        return None
    score = above.score if above else 0.0
    score += _SAME_OLD_PROVINCE if province and province.old == district.old_province else 0.0
    if kind:
        score += _WITH_KIND if _DISTRICT_KINDS[kind] == district.kind else _OTHER_KIND
    else:
        score += _ALONE if _is_boundary(tokens, start) else _INSIDE
    return Reading(score, start - bool(kind), province, district, None)


def _past_a_slip(tokens: list[str], end: int, province: Reading | None) -> Iterator[Reading]:
    """A part where a district is expected but none has its name: one slip away, or passed over."""
    kinds = [at for at in range(max(0, end - _LONGEST_NAME - 1), end) if tokens[at] in _DISTRICT_KINDS]
    start = kinds[-1] if kinds else next((at + 1 for at in range(end - 1, -1, -1) if tokens[at] == ","), end)
    if start >= end:
        return
    words = tokens[start + bool(kinds) : end]
    score = province.score if province else 0.0
    code = province.province.code if province and province.province else None
    near = gazetteer.districts_one_slip_from("".join(words), frozenset([code] if code else ())) if kinds or code else ()
    for district in near:
        yield Reading(score + _SLIP, start, province.province if province else None, district, None, slip=True)
    if not near and (kinds or province):
        yield Reading(score + _SKIPPED, start, province.province if province else None, None, None, slip=True)


def _communes(tokens: list[str], end: int, above: Reading | None, home: frozenset[str]) -> Iterator[Reading]:
    for start, key in _names(tokens, end):
        kind = _kind_before(tokens, start)
        alone = kind is None
        if (not alone and kind not in _COMMUNE_KINDS) or (alone and not _may_stand_alone(tokens, start, end, above)):
            continue
        for place in _candidates(key, above):
            if alone and above is None and place.province not in home:
                continue
            yield _with_commune(tokens, start, kind, place, above)


def _may_stand_alone(tokens: list[str], start: int, end: int, above: Reading | None) -> bool:
    """A name without its kind: not a number, and where it could be part of another name, set apart by a comma."""
    if tokens[start].isdigit():
        return False
    return _is_boundary(tokens, start) or (above is not None and above.district is not None and end - start > 1)


def _candidates(key: str, above: Reading | None) -> tuple[Place, ...]:
    if above and above.district:
        return gazetteer.communes_in_district(above.district.code, key)
    if above and above.province:
        return gazetteer.communes_in_province(above.province.code, key)
    return gazetteer.communes_named(key)


def _with_commune(tokens: list[str], start: int, kind: str | None, place: Place, above: Reading | None) -> Reading:
    agrees = kind is not None and _COMMUNE_KINDS[kind] == place.kind
    score = _WITH_KIND if agrees else _OTHER_KIND if kind else _ALONE if _is_boundary(tokens, start) else _INSIDE
    score += above.score if above else 0.0
    if above and above.district and place.is_new:
        score -= _SAME_OLD_PROVINCE  # beside a district the old commune of that name is meant
    if above and above.province and not above.district and place.old_province not in (None, above.province.old):
        score -= _SAME_OLD_PROVINCE
    return Reading(
        score,
        start - bool(kind),
        above.province if above else None,
        above.district if above else None,
        place,
        agrees,
        slip=bool(above and above.slip),
    )


def _slipped_communes(tokens: list[str], end: int, above: Reading) -> Iterator[Reading]:
    """Communes one slip away, where a kind or a comma shows that a commune is meant."""
    for start, key in _names(tokens, end):
        kind = _kind_before(tokens, start)
        if kind in _COMMUNE_KINDS or (kind is None and above.district and _is_boundary(tokens, start)):
            district = above.district.code if above.district else None
            province = above.province.code if above.province else None
            for place in gazetteer.communes_one_slip_from(key, district, province):
                shown = Reading(
                    above.score + _SLIP, start - bool(kind), above.province, above.district, place, slip=True
                )
                yield shown


def _best(readings: list[Reading], home: frozenset[str]) -> list[Reading]:
    """The readings with the highest score; among them those at home, if any."""
    top = max(reading.score for reading in readings)
    best = [reading for reading in readings if reading.score == top]
    at_home = [reading for reading in best if _province_of(reading) in home]
    return at_home or best


def _province_of(reading: Reading) -> str | None:
    if reading.commune:
        return reading.commune.province
    if reading.district:
        return reading.district.province
    return reading.province.code if reading.province else None


def _judged(best: list[Reading], tokens: list[str]) -> Located:
    """What the best readings agree on."""
    communes = list(dict.fromkeys(reading.commune for reading in best if reading.commune))
    new = {place.code for place in _new_form(best)}
    codes = _ordered(communes, new) or _whole_district(best)
    olds = {place.code for place in communes if not place.is_new}
    provinces = {_province_of(reading) for reading in best}
    complete = not communes or all(reading.commune for reading in best)
    code = next(iter(new)) if len(new) == 1 else codes[0] if len(codes) == 1 and complete else None
    return Located(
        before=" ".join(tokens[: min(reading.start for reading in best)]).replace(" , ", ",").strip(" ,"),
        commune_old=olds.pop() if len(olds) == 1 and complete and not new else None,
        candidates=codes,
        commune_code=code,
        province_code=provinces.pop() if len(provinces) == 1 else None,
        flag=_flag(best, codes, two_tier=bool(new)),
        communes=tuple(communes) if complete else (),
        sure=all(reading.kind_agrees and not reading.slip for reading in best),
    )


def _new_form(best: list[Reading]) -> list[Place]:
    """New communes named with their own kind and a province but no district."""
    two_tier = (r for r in best if r.kind_agrees and r.province and not r.district and not r.slip)
    return [reading.commune for reading in two_tier if reading.commune and reading.commune.is_new]


def _ordered(communes: list[Place], first: set[str]) -> tuple[str, ...]:
    codes = dict.fromkeys(code for place in communes for code in place.successors)
    return tuple(sorted(codes, key=lambda code: code not in first))


def _whole_district(best: list[Reading]) -> tuple[str, ...]:
    """The commune of a district that became one commune as a whole."""
    districts = {reading.district for reading in best}
    district = districts.pop() if len(districts) == 1 else None
    return gazetteer.communes_of_district(district.code) if district else ()


def _flag(best: list[Reading], codes: tuple[str, ...], *, two_tier: bool) -> str:
    if not codes:
        return "district-only" if any(reading.district for reading in best) else "province-only"
    if two_tier:
        return "two-tier"
    communes = {reading.commune for reading in best}
    if communes == {None}:
        return "district-only"
    if len(codes) > 1 or None in communes:
        return "split" if len(communes) == 1 else "ambiguous"
    return "typo" if any(reading.slip for reading in best) else "ok"


_HAMLET_TYPES = {
    **dict.fromkeys(("thon", "ban", "ap", "lang", "buon", "bon", "plei", "play", "phum", "soc", "khom", "khoi"), 1),
    **dict.fromkeys(("tdp", "kp", "kv", "tieukhu", "tk", "khu", "kdc", "k"), 1),
    **dict.fromkeys(("xom", "cum"), 2),
    **dict.fromkeys(("doi", "to"), 3),
}
"""Word of a settlement → rank; where several are written the lowest rank names the hamlet."""
_HAMLET_NAMES = {"tdp": "to dan pho", "kp": "khu pho", "k": "khu pho", "kv": "khu vuc", "tk": "tieu khu"}
_HAMLET_NAMES |= {"tieukhu": "tieu khu", "kdc": "khu dan cu", "play": "plei"}
_STRONG_TYPES = ("thon", "xom", "tdp", "kp", "tieukhu", "kdc", "khom", "kv")
"""These start a hamlet even inside a part; the others only at its beginning."""
_STREET_WORDS = {"sonha", "so", "sn", "duong", "ngo", "ngach", "hem", "kiet", "pho", "nha", "lo", "can", "d"}
_ROMAN = {
    "i": "1",
    "ii": "2",
    "iii": "3",
    "iv": "4",
    "v": "5",
    "vi": "6",
    "vii": "7",
    "viii": "8",
    "ix": "9",
    "x": "10",
}
_IN_HAMLET = re.compile(rf"(?<=[a-z0-9]) (?=(?:{'|'.join(_STRONG_TYPES)}) )")


@lru_cache(maxsize=1 << 17)
def _hamlet_part(part: str) -> tuple[int, str, str] | None:
    """Rank, hamlet and its name, where a part begins with a settlement's word."""
    word, _, name = part.partition(" ")
    if word not in _HAMLET_TYPES:
        return None
    words = name.removeprefix("so ").split()
    if not words:
        return None
    if len(words) == 1:
        words = [_ROMAN.get(words[0], words[0])]
    name = " ".join(words)
    return _HAMLET_TYPES[word], f"{_HAMLET_NAMES.get(word, word)} {name}", name


def _hamlet_and_house(parts: list[str]) -> tuple[str | None, str | None, str | None]:
    """Hamlet, its name and what else stands before the commune."""
    pieces = [piece for part in parts for piece in _IN_HAMLET.split(part) if piece]
    found = [(part, piece) for piece in pieces if (part := _hamlet_part(piece))]
    rest = [piece for piece in pieces if not _hamlet_part(piece) and piece.split(" ", 1)[0] not in _ANY_KIND]
    if found:
        _, hamlet, name = min((part for part, _ in reversed(found)), key=lambda part: part[0])
        return hamlet, name, _house(rest)
    if rest and _is_bare_name(rest[-1]):
        return rest[-1], rest[-1], _house(rest[:-1])
    return None, None, _house(rest)


def _is_bare_name(piece: str) -> bool:
    """A part that is neither a street nor a number: a hamlet without its word."""
    first = piece.split(" ", 1)[0]
    known = first in _STREET_WORDS or first in _ANY_KIND
    return not known and not any(sign.isdigit() for sign in first) and len(piece) > 1


def _house(pieces: list[str]) -> str | None:
    words = " ".join(pieces).split()
    while words and words[0] in ("sonha", "so", "sn", "nha"):
        words = words[1:]
    return " ".join("so nha" if word == "sonha" else word for word in words) or None
