"""A register and a hand-written roll of the same people, with slips, for runs of two small tables."""

from __future__ import annotations

import numpy as np
import polars as pl

_SURNAMES = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi"]
_MIDDLES = ["Văn", "Thị", "Đức", "Minh", "Xuân", "Thanh"]
_GIVEN = [
    "An",
    "Bình",
    "Cường",
    "Dũng",
    "Giang",
    "Hà",
    "Hùng",
    "Lan",
    "Mai",
    "Nam",
    "Oanh",
    "Phúc",
    "Quý",
    "Sơn",
    "Tâm",
    "Yến",
]
_HAMLETS = ["Vĩnh Thuỷ", "Đông Hồ", "Mỹ Sơn", "Tân Lập", "Phú Cường", "Hoà Bình", "An Khê", "Cẩm Lệ"]


def register(size: int, seed: int = 5) -> pl.DataFrame:
    """`id, full_name, birth_date, address, phone`."""
    rng = np.random.default_rng(seed)
    pick = lambda words: rng.choice(words, size)  # noqa: E731 - four uses below
    names = [" ".join(parts) for parts in zip(pick(_SURNAMES), pick(_MIDDLES), pick(_GIVEN), strict=True)]
    born = np.datetime64("1940-01-01") + rng.integers(0, 22_000, size)
    return pl.DataFrame(
        {
            "id": [f"R{n}" for n in range(size)],
            "full_name": names,
            "birth_date": [str(day) for day in born],
            "address": [
                f"{house} {hamlet}" for house, hamlet in zip(rng.integers(1, 40, size), pick(_HAMLETS), strict=True)
            ],
            "phone": [f"09{number:08d}" for number in rng.integers(0, 10**8, size)],
        }
    )


def roll(citizens: pl.DataFrame, seed: int = 6) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines for a third of the register, some twice, some of strangers; and the true pairs."""
    rng = np.random.default_rng(seed)
    strangers = register(citizens.height // 20, seed=99)
    known = citizens[rng.choice(citizens.height, citizens.height // 3, replace=True).tolist()]
    lines = pl.concat([known, strangers.with_columns(id=pl.lit(None, pl.String))])
    year, month, day = (lines["birth_date"].str.split("-").list.get(part) for part in range(3))
    typed = pl.DataFrame(
        {
            "Mã số": [f"T{n}" for n in range(lines.height)],
            "Họ và tên": [_slip(name, rng) for name in lines["full_name"]],
            "Ngày sinh": day + "/" + month + "/" + year,
            "Địa chỉ": lines["address"].str.to_uppercase(),
            "Điện thoại": [None if rng.random() < 0.3 else _slip(phone, rng) for phone in lines["phone"]],
        }
    )
    truth = pl.DataFrame({"unique_id_l": typed["Mã số"], "unique_id_r": lines["id"]}).drop_nulls()
    return typed, truth


def _slip(text: str, rng: np.random.Generator) -> str:
    if rng.random() > 0.1:
        return text
    place = int(rng.integers(1, len(text) - 1))
    return text[:place] + text[place + 1 :]
