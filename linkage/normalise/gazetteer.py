"""Names of communes, districts and provinces, old and new, as an address may spell them.

Rules
- A name is looked up by its *key*: folded, without blanks, hyphens and apostrophes, so `Đa Krông`, `Đakrông` and
  `ĐAKRÔNG` are one. Variants of spelling (`Mỹ`/`Mĩ`, `Đắk`/`Đắc`) are further keys where no other name has them.
- A province name means the new province that holds it. Old names that no longer exist (Bình Trị Thiên, Hà Tây) mean
  all new provinces that took a part.
- Kinds are short tokens: xa, phuong, tt (thị trấn), dk (đặc khu); huyen, quan, tx, tp; tinh, tp.

>>> [place.code for place in communes_in_district("464", "vinhthuy")]
['19402', '19405']
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from linkage.normalise.communes import new_communes, old_communes
from linkage.normalise.provinces import OLD_PROVINCE_NAMES, PROVINCE_SUCCESSORS
from linkage.normalise.slips import one_slip_apart

KINDS = {"Xã": "xa", "Phường": "phuong", "Thị trấn": "tt", "Đặc khu": "dk"}
DISTRICT_KINDS = {"Huyện": "huyen", "Quận": "quan", "Thị xã": "tx", "Thành phố": "tp"}

_FORMER_PROVINCES = {
    "Bình Trị Thiên": "44 46",
    "Hà Tây": "01",
    "Hà Sơn Bình": "01 25",
    "Hà Bắc": "24",
    "Hải Hưng": "31 33",
    "Nam Hà": "37",
    "Hà Nam Ninh": "37",
    "Vĩnh Phú": "25",
    "Bắc Thái": "19",
    "Cao Lạng": "04 20",
    "Hà Tuyên": "08",
    "Hoàng Liên Sơn": "15",
    "Nghệ Tĩnh": "40 42",
    "Quảng Nam Đà Nẵng": "48",
    "Nghĩa Bình": "51 52",
    "Phú Khánh": "56 66",
    "Gia Lai Kon Tum": "51 52",
    "Thuận Hải": "56 68",
    "Sông Bé": "75 79",
    "Cửu Long": "86",
    "Minh Hải": "96",
    "Huế": "46",
    "TT Huế": "46",
    "Sài Gòn": "79",
    "HCM": "79",
    "TPHCM": "79",
    "TP HCM": "79",
    "BRVT": "79",
}
"""Provinces before the present ones and short forms → new codes that took a part (common knowledge, not sourced)."""

_ISLAND_DISTRICTS = {
    "Bạch Long Vĩ": ("318", "31", "11948"),
    "Cồn Cỏ": ("471", "45", "19742"),
    "Hoàng Sa": ("498", "48", "20333"),
    "Lý Sơn": ("536", "51", "21548"),
    "Côn Đảo": ("755", "77", "26732"),
}
"""Districts that had no communes: code, old province, new commune (General Statistics Office)."""

_FORMER_DISTRICTS = {
    "Huế": ("46", "Thuận Hóa", "Phú Xuân"),
    "Bến Hải": ("45", "Vĩnh Linh", "Gio Linh", "Cam Lộ"),
    "Triệu Hải": ("45", "Triệu Phong", "Hải Lăng", "Quảng Trị"),
    "Lệ Ninh": ("44", "Lệ Thủy", "Quảng Ninh"),
    "Từ Liêm": ("01", "Bắc Từ Liêm", "Nam Từ Liêm"),
    "2": ("79", "Thủ Đức"),
    "9": ("79", "Thủ Đức"),
}
"""Districts before the present ones: old province and the districts that took a part (not sourced)."""

_SPELLED = [(r"(?<=[mlkhtsv])y\b", "i"), (r"\b([mlkhtsv])i\b", r"\1y"), (r"\bquy\b", "qui"), (r"\bqui\b", "quy")]
_SPELLED += [(r"k\b", "c"), (r"^nong truong ", ""), (r"^nong truong ", "nt "), (r"^thi tran ", ""), (r"\bdak", "dac")]
_SPELLINGS = [(re.compile(pattern), by) for pattern, by in _SPELLED]


@dataclass(frozen=True, slots=True)
class Place:
    """A commune as an address may name it: `name` in lower case, `code` old or new, `successors` new codes."""

    code: str
    key: str
    name: str
    kind: str
    is_new: bool
    old_province: str | None
    province: str
    successors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class District:
    """An old district; `province` is the new one, `old_province` the one before."""

    code: str
    key: str
    kind: str
    old_province: str
    province: str


@dataclass(frozen=True, slots=True)
class Province:
    """A reading of a province's name: the new code, and the old code where the name is one of the 63."""

    code: str
    old: str | None


def folded(text: str) -> str:
    """Lower-case ASCII, hyphens as blanks, no apostrophes."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("đ", "d"))
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r" +", " ", re.sub(r"[^a-z0-9]", " ", re.sub(r"['’]", "", bare))).strip()


@lru_cache(maxsize=1 << 14)
def keys_of(name: str) -> tuple[str, ...]:
    """The key of a name, then those of its other spellings."""
    words = folded(name)
    variants = [pattern.sub(by, words) for pattern, by in _SPELLINGS]
    return tuple(dict.fromkeys(variant.replace(" ", "") for variant in [words, *variants]))


def communes_in_district(district: str, key: str) -> tuple[Place, ...]:
    """Old communes of a district, then new ones that took a part of it."""
    return _index().in_district.get((district, key), ())


def communes_in_province(province: str, key: str) -> tuple[Place, ...]:
    """Communes of a new province, old and new."""
    return _index().in_province.get((province, key), ())


def communes_named(key: str) -> tuple[Place, ...]:
    """Communes of that name in the whole country, old and new."""
    return _index().anywhere.get(key, ())


def communes_of_district(district: str) -> tuple[str, ...]:
    """The new code of a district that became one commune as a whole, else nothing."""
    return _index().whole_districts.get(district, ())


def districts_named(key: str) -> tuple[District, ...]:
    """Old districts of that name."""
    return _index().districts.get(key, ())


def provinces_named(key: str) -> tuple[Province, ...]:
    """New provinces a name may mean."""
    return _index().provinces.get(key, ())


def provinces_by_initials(initials: str) -> tuple[Province, ...]:
    """New provinces whose old name has these initials (QT, QB); several may share them."""
    return _index().initials.get(initials, ())


@lru_cache(maxsize=1 << 14)
def districts_one_slip_from(key: str, provinces: frozenset[str]) -> tuple[District, ...]:
    """Districts one typing slip away, in the given new provinces (in all where none is given)."""
    all_districts = {place.code: place for places in _index().districts.values() for place in places}.values()
    near = (place for place in all_districts if not provinces or place.province in provinces)
    return tuple(place for place in near if len(key) > 4 and one_slip_apart(key, place.key))


@lru_cache(maxsize=1 << 14)
def communes_one_slip_from(key: str, district: str | None, province: str | None) -> tuple[Place, ...]:
    """Communes of a district, else of a new province, one typing slip away."""
    near = _index().by_scope.get(district or province or "", ())
    return tuple(place for place in near if len(key) > 4 and one_slip_apart(key, place.key))


@dataclass(frozen=True, slots=True)
class _Index:
    in_district: dict[tuple[str, str], tuple[Place, ...]]
    in_province: dict[tuple[str, str], tuple[Place, ...]]
    anywhere: dict[str, tuple[Place, ...]]
    districts: dict[str, tuple[District, ...]]
    provinces: dict[str, tuple[Province, ...]]
    initials: dict[str, tuple[Province, ...]]
    whole_districts: dict[str, tuple[str, ...]]
    by_scope: dict[str, tuple[Place, ...]]


@lru_cache(maxsize=1)
def _index() -> _Index:
    communes = _places()
    return _Index(
        in_district=_by_key(((where, names, place) for place, where, names in communes if where), scoped=True),
        in_province=_by_key(((place.province, names, place) for place, _, names in communes), scoped=True),
        anywhere=_by_key((("", names, place) for place, _, names in communes), scoped=False),
        districts=_by_key((("", names, place) for place, names in _districts()), scoped=False),
        provinces=_province_names(),
        initials=_province_initials(),
        whole_districts=_whole_districts(),
        by_scope=_by_scope(communes),
    )


def _by_key(entries: Iterable[tuple[str, tuple[str, ...], object]], *, scoped: bool) -> dict:  # type: ignore[type-arg]
    """Key → places. A further spelling counts only where no place of that scope has it as its own name."""
    own: dict[object, dict[object, None]] = defaultdict(dict)
    spelled: dict[object, dict[object, None]] = defaultdict(dict)
    for scope, names, place in entries:
        for number, name in enumerate(names):
            (spelled if number else own)[(scope, name) if scoped else name][place] = None
    return {key: tuple(places) for key, places in (spelled | own).items()}


def _places() -> list[tuple[Place, str | None, tuple[str, ...]]]:
    """Each commune with a district it lies in (new ones: each district they took a part of) and its keys."""
    new = {code: _new_place(code) for code in new_communes()}
    found: list[tuple[Place, str | None, tuple[str, ...]]] = []
    parts: dict[tuple[str, str], None] = {}
    for old in old_communes().values():
        names = keys_of(old.name)
        province = PROVINCE_SUCCESSORS[old.province_code]
        place = Place(
            old.code, names[0], old.name.lower(), KINDS[old.kind], False, old.province_code, province, old.successors
        )
        found.append((place, old.district_code, names))
        parts |= dict.fromkeys((code, old.district_code) for code in old.successors)
    parts |= dict.fromkeys((code, district) for district, _, code in _ISLAND_DISTRICTS.values())
    return found + [(new[code], district, keys_of(new_communes()[code].name)) for code, district in parts]


def _by_scope(communes: Iterable[tuple[Place, str | None, tuple[str, ...]]]) -> dict[str, tuple[Place, ...]]:
    """All communes of a district (3 digits) and of a new province (2 digits)."""
    found: dict[str, dict[Place, None]] = defaultdict(dict)
    for place, district, _ in communes:
        found[place.province][place] = None
        found[district or ""][place] = None
    return {scope: tuple(places) for scope, places in found.items()}


def _new_place(code: str) -> Place:
    new = new_communes()[code]
    return Place(code, keys_of(new.name)[0], new.name.lower(), KINDS[new.kind], True, None, new.province_code, (code,))


def _districts() -> list[tuple[District, tuple[str, ...]]]:
    found: dict[str, tuple[District, tuple[str, ...]]] = {}
    for old in old_communes().values():
        if old.district_code not in found:
            names, kind = keys_of(old.district), DISTRICT_KINDS[old.district_kind]
            province = PROVINCE_SUCCESSORS[old.province_code]
            found[old.district_code] = District(old.district_code, names[0], kind, old.province_code, province), names
    for name, (code, old_province, _) in _ISLAND_DISTRICTS.items():
        names = keys_of(name)
        found[code] = District(code, names[0], "huyen", old_province, PROVINCE_SUCCESSORS[old_province]), names
    return [*found.values(), *_former_districts([district for district, _ in found.values()])]


def _former_districts(districts: list[District]) -> list[tuple[District, tuple[str, ...]]]:
    named = {(place.old_province, place.key): place for place in districts}
    return [
        (named[province, keys_of(name)[0]], keys_of(former))
        for former, (province, *names) in _FORMER_DISTRICTS.items()
        for name in names
    ]


def _whole_districts() -> dict[str, tuple[str, ...]]:
    """District → its one new commune, where no other came out of it."""
    found: dict[str, set[str]] = defaultdict(set)
    for old in old_communes().values():
        found[old.district_code] |= set(old.successors)
    found |= {district: {code} for district, _, code in _ISLAND_DISTRICTS.values()}
    return {district: tuple(codes) for district, codes in found.items() if len(codes) == 1}


def _province_names() -> dict[str, tuple[Province, ...]]:
    found: dict[str, tuple[Province, ...]] = {}
    for name, codes in _FORMER_PROVINCES.items():
        found |= dict.fromkeys(keys_of(name), tuple(Province(code, None) for code in codes.split()))
    for old, name in OLD_PROVINCE_NAMES.items():
        found |= dict.fromkeys(keys_of(name), (Province(PROVINCE_SUCCESSORS[old], old),))
    return found


def _province_initials() -> dict[str, tuple[Province, ...]]:
    found: dict[str, tuple[Province, ...]] = defaultdict(tuple)
    for old, name in OLD_PROVINCE_NAMES.items():
        initials = "".join(word[0] for word in folded(name).split())
        found[initials] += (Province(PROVINCE_SUCCESSORS[old], old),)
    return dict(found)
