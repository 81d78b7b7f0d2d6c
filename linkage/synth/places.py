"""Communes of Quảng Trị, their old parts, hamlets, and how addresses are written.

Rules
- Communes come from the shipped tables of `linkage.normalise`; few citizens live in few communes, so that a commune
  keeps a realistic size. A profile tilts the choice to wards (urban) or rural communes.
- A hamlet lies in one old commune, an old commune in one new commune. Hamlet names repeat from commune to commune.
- Addresses on papers have the old three tiers, in several habits of writing; the register mostly has the new two.

>>> places = make_places(stream(1, "example"), citizens=20_000, tilt="mixed")
>>> len(places.new_codes)
2
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from linkage.synth.draw import Floats, Ints, Rng, stream

__all__ = ["Places", "elsewhere", "make_places", "stream"]

_DATA = Path(__file__).parent.parent / "normalise" / "data"
_PROVINCE, _CITIZENS_A_COMMUNE, _ISLAND = "44", 9_000, "19742"
_MINORITY_COMMUNES = {
    "18904": 0.6, "19147": 0.7, "19204": 0.45, "19318": 0.3, "19432": 0.35, "19429": 0.3, "19435": 0.85, "19441": 0.6,
    "19462": 0.5, "19483": 0.85, "19489": 0.85, "19555": 0.6, "19564": 0.8, "19567": 0.2, "19588": 0.8, "19594": 0.9,
    "18901": 0.1, "18922": 0.2, "19366": 0.1,
}  # fmt: skip
_OTHER_MINORITY = 0.005
_HAMLETS = """An Định|Phú Lộc|Đại Hào|Trung Yên|An Mỹ|Xuân Thành|Tân Hòa|Vĩnh Phước|Phú Long|Mỹ Chánh|Hà Lộc|
Lam Thủy|Thượng Xá|Đông Hòa|Trà Trì|Câu Nhi|Hưng Nhơn|Phú Kinh|An Thơ|Văn Quỹ|Diên Khánh|Kim Long|
Trung Đơn|Long Hưng|Mai Đàn|Như Lệ|Tích Tường|Đại Nại|Trâm Lý|Xuân Lâm|An Tiêm|Bích La|Nại Cửu|
Trung Kiên|Đạo Đầu|Phương Ngạn|Lâm Xuân|Nhĩ Hạ|Hà Thanh|Gia Môn|Lạc Tân|Xuân Long|Hảo Sơn|An Nha|
Kinh Môn|Tân Trại|Thủy Ba|Huỳnh Công|Tứ Chính|Mỹ Hội|Hiền Lương|Cổ Trai|Liêm Công|Thử Luật|
Hòa Ninh|Lũ Phong|Thọ Linh|Minh Lệ|Phan Long|Cảnh Dương|La Hà|Thuận Bài|Đơn Sa|Nhân Thọ|Tiên Lệ|
Pháp Kệ|Tô Xá|Thanh Khê|Lý Nhân|Phúc Lộc|Đại Phong|Tuy Lộc|Thượng Phong|Quy Hậu|Uẩn Áo|Mỹ Đức|
Xuân Bồ|Lộc An|Phú Bình|Tân Lập|Xuân Lai|Hoành Vinh|Trúc Ly|Võ Xá|Hữu Tân|Lệ Kỳ|Trần Xá|Đức Thủy|
Thế Lộc|Phú Cát|Trung Quán|Hiển Vinh|Dinh Mười|Tây Trạch|Bồng Lai|Khe Gát|Hà Môn|Xuân Sơn|Trằm Mé|
Phong Nha|Ka Rôn|A Rồng|Pa Hy|Tà Rùng|Cheng|Xa Rô|Làng Cát|Ta Đỏ|Húc Ván|Cu Dong|Ruộng|Bắc|Nam|
Đông|Tây|Thượng|Trung|Hạ|1|2|3|4|5|6|7|8""".replace("\n", "").split("|")
_STREETS = """Trần Hưng Đạo|Lê Lợi|Hùng Vương|Nguyễn Huệ|Quang Trung|Lý Thường Kiệt|Lê Duẩn|Trần Phú|Nguyễn Trãi|
Phan Bội Châu|Hai Bà Trưng|Ngô Quyền|Bà Triệu|Tôn Thất Thuyết|Hàm Nghi|Đoàn Khuê""".replace("\n", "").split("|")
_ELSEWHERE = {"79": 0.38, "48": 0.2, "46": 0.12, "75": 0.1, "01": 0.08, "66": 0.06, "68": 0.06}
ADDRESS_HABITS = np.array([0.36, 0.24, 0.10, 0.13, 0.09, 0.05, 0.03])
"""Shares of the old three-tier habits of writing, in the order of `_old_forms`."""
NEW_FORM = len(ADDRESS_HABITS)


@dataclass(frozen=True)
class Places:
    """Hamlets in order; `hamlet_*` arrays are by hamlet, `new_*` by commune."""

    new_codes: list[str]
    new_weights: Floats
    new_latitude: Floats
    new_longitude: Floats
    minority_share: Floats
    hamlet_commune: Ints
    hamlet_old: Ints
    hamlet_weight: Floats
    hamlet_born_044: np.ndarray
    hamlet_urban: np.ndarray
    old_codes: list[str]
    new_names: list[str]
    hamlet_names: list[str]
    addresses: pl.Series
    forms: int

    def address(self, hamlets: Ints, form: Ints) -> pl.Series:
        """The address of each hamlet in the habit asked for."""
        return self.addresses.gather(hamlets * self.forms + form)

    def draw_hamlets(self, rng: Rng, size: int) -> Ints:
        """Hamlets drawn by their number of people."""
        return rng.choice(len(self.hamlet_weight), size=size, p=self.hamlet_weight)


@cache
def _tables() -> tuple[pl.DataFrame, pl.DataFrame]:
    read: list[pl.DataFrame] = [
        pl.read_csv(_DATA / f"communes_{which}_2025_07_01.csv", infer_schema=False) for which in ("from", "before")
    ]
    return read[0], read[1]


def _chosen(rng: Rng, citizens: int, tilt: str) -> pl.DataFrame:
    new = _tables()[0].filter((pl.col("province_code") == _PROVINCE) & (pl.col("code") != _ISLAND))
    ward = (new["kind"] == "Phường").to_numpy()
    minority = np.array([_MINORITY_COMMUNES.get(code, 0.0) for code in new["code"]])
    weights = np.where(ward, {"urban": 60.0, "rural": 0.2}.get(tilt, 1.5), 1 - 0.85 * minority)
    count = int(np.clip(round(citizens / _CITIZENS_A_COMMUNE), 1, new.height))
    rows = rng.choice(new.height, size=count, replace=False, p=weights / weights.sum())
    chosen: pl.DataFrame = new[np.sort(rows).tolist()]
    return chosen


def _old_parts(new: pl.DataFrame) -> pl.DataFrame:
    order = new.select(pl.col("code").alias("successors")).with_row_index("new")
    return _tables()[1].join(order, on="successors", how="inner", maintain_order="left_right")


def _hamlet_label(kind: str, name: str, number: int) -> str:
    if kind == "Phường":
        return f"Tổ dân phố {number}" if number % 3 else f"Khu phố {number}"
    return f"{'Khu phố' if kind == 'Thị trấn' else 'Thôn'} {name}"


def _hamlets(rng: Rng, old: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for new, parts in old.group_by("new", maintain_order=True):
        names = iter(rng.permutation(_HAMLETS).tolist() * 3)
        each = max(2, round(rng.integers(8, 16) / parts.height))
        for part in parts.with_row_index("part").iter_rows(named=True):
            number = int(rng.integers(each, each + 2))
            rows += [(new[0], part["code"], _hamlet_label(part["kind"], next(names), k + 1)) for k in range(number)]
    return pl.DataFrame(rows, schema=["new", "code", "label"], orient="row")


def _short(kind: str) -> str:
    return {"Xã": "X.", "Phường": "P.", "Thị trấn": "TT.", "Huyện": "H.", "Thị xã": "TX.", "Thành phố": "TP."}[kind]


def _old_forms(label: str, part: dict[str, str]) -> list[str]:
    commune, district = f"{part['kind'].lower()} {part['name']}", f"{part['district_kind'].lower()} {part['district']}"
    province = part["province"].removeprefix("Tỉnh ")
    initials = "".join(word[0] for word in province.split())
    brief_label = label.replace("Thôn ", "T. ").replace("Tổ dân phố ", "TDP ").replace("Khu phố ", "KP ")
    brief_commune = f"{_short(part['kind'])} {part['name']}"
    return [
        f"{label}, {commune}, {district}, tỉnh {province}",
        f"{label}, {part['name']}, {part['district']}, {province}",
        f"{label} - {commune} - {district} - {province}",
        f"{brief_label}, {brief_commune}, {_short(part['district_kind'])} {part['district']}, T. {province}",
        f"{part['kind']} {part['name']}, {district}, tỉnh {province}",
        f"{label}, {commune}",
        f"{brief_label}, {part['name']}, {part['district']}, {initials}",
    ]


def make_places(rng: Rng, citizens: int, tilt: str) -> Places:
    """As many communes as the citizens need, with their old parts and hamlets."""
    new = _chosen(rng, citizens, tilt)
    old = _old_parts(new)
    hamlets = _hamlets(rng, old)
    parts = {row["code"]: row for row in old.iter_rows(named=True)}
    place_of = {code: k for k, code in enumerate(parts)}
    written = []
    for row in hamlets.iter_rows(named=True):
        commune = new.row(row["new"], named=True)
        written += _old_forms(row["label"], parts[row["code"]])
        written.append(f"{row['label']}, {commune['kind'].lower()} {commune['name']}, tỉnh Quảng Trị")
    minority = np.array([_MINORITY_COMMUNES.get(code, _OTHER_MINORITY) for code in new["code"]])
    weights = rng.lognormal(0, 0.35, new.height) * (1 - 0.5 * minority)
    weights /= weights.sum()
    within = rng.lognormal(0, 0.4, hamlets.height)
    commune_of = hamlets["new"].to_numpy().astype(np.int64)
    within *= (weights / np.bincount(commune_of, within, minlength=new.height))[commune_of]
    return Places(
        new_codes=new["code"].to_list(),
        new_weights=weights,
        new_latitude=new["latitude"].cast(pl.Float64).to_numpy(),
        new_longitude=new["longitude"].cast(pl.Float64).to_numpy(),
        minority_share=minority,
        hamlet_commune=commune_of,
        hamlet_old=np.array([place_of[code] for code in hamlets["code"]], dtype=np.int64),
        hamlet_weight=within,
        hamlet_born_044=np.array([parts[code]["province_code"] == "44" for code in hamlets["code"]]),
        hamlet_urban=np.array([parts[code]["kind"] == "Phường" for code in hamlets["code"]]),
        old_codes=list(parts),
        new_names=[f"{kind.lower()} {name}" for kind, name in zip(new["kind"], new["name"], strict=True)],
        hamlet_names=hamlets["label"].to_list(),
        addresses=pl.Series("address", written),
        forms=NEW_FORM + 1,
    )


def house_numbers(rng: Rng, urban: np.ndarray, share: float = 0.4) -> pl.Series:
    """A house number and street before some addresses of wards, else an empty text."""
    table = pl.Series(["", *(f"{n} {street}, " for street in _STREETS for n in range(3, 240, 6))])
    rows = np.where(urban & (rng.random(len(urban)) < share), rng.integers(1, len(table), len(urban)), 0)
    return table.gather(rows)


def elsewhere(rng: Rng, size: int) -> tuple[pl.Series, pl.Series]:
    """Codes and addresses of communes in other provinces, where people of Quảng Trị go."""
    table = _tables()[0].filter(pl.col("province_code").is_in(list(_ELSEWHERE)))
    share = (
        table["province_code"].replace_strict(_ELSEWHERE, return_dtype=pl.Float64)
        / table.group_by("province_code")
        .len()
        .join(table.select("province_code"), on="province_code", how="right", maintain_order="right")["len"]
    )
    weights = share.to_numpy()
    rows = rng.choice(table.height, size=size, p=weights / weights.sum())
    province = pl.col("province").str.replace("Thành phố", "thành phố").str.replace("Tỉnh", "tỉnh")
    text = table.select(pl.format("{} {}, {}", pl.col("kind").str.to_lowercase(), pl.col("name"), province).alias("a"))
    return table["code"].gather(rows), text["a"].gather(rows)
