"""Owners that are no persons: companies, offices, schools, cooperatives, communities, religious bodies.

Rules
- One body owns several parcels; its name has the commune or hamlet it belongs to.
- Companies and cooperatives have a tax code of ten digits, some of three more; others have none.

>>> _TEMPLATES[0].format(name="Gio Linh")
'UBND xã Gio Linh'
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from linkage.synth.draw import Ints, Rng
from linkage.synth.holdings import COMMUNITY, ORGANISATION, RELIGIOUS, Certificates
from linkage.synth.places import Places

_TEMPLATES = (
    "UBND xã {name}", "Ủy ban nhân dân xã {name}", "Trường Tiểu học {name}", "Trường THCS {name}",
    "Trường Mầm non {name}",
    "Trạm Y tế xã {name}", "HTX SXKD DV Nông nghiệp {name}", "Hợp tác xã {name}", "Công ty TNHH MTV {name}",
    "Công ty TNHH Xây dựng {name}", "Công ty Cổ phần Lâm nghiệp {name}", "Doanh nghiệp tư nhân {name}",
    "Ngân hàng Nông nghiệp và PTNT - Chi nhánh {name}", "Ban quản lý rừng phòng hộ {name}", "Công an xã {name}",
)  # fmt: skip
_COMMUNITIES = ("Cộng đồng dân cư {name}", "Cộng đồng dân cư {name}", "Nhà thờ họ {surname} {name}", "Đình làng {name}")
_RELIGIOUS = ("Chùa {name}", "Giáo xứ {name}", "Giáo họ {name}", "Nhà thờ Giáo xứ {name}", "Miếu {name}")
_SURNAMES = ("Nguyễn", "Lê", "Trần", "Hoàng", "Phan", "Võ", "Trương", "Đoàn")
_TAXED_FROM, _TAXED_TO = 6, 12
_CERTIFICATES_A_BODY = 4


@dataclass(frozen=True)
class Bodies:
    """Names and tax codes of bodies, and the body of each certificate (0 where it belongs to persons)."""

    names: pl.Series
    tax_codes: pl.Series
    of: Ints


def named(rng: Rng, places: Places, certificates: Certificates) -> Bodies:
    """The bodies that hold the certificates of organisations, communities and religion."""
    of = np.zeros(len(certificates), dtype=np.int64)
    names: list[str] = []
    codes: list[str | None] = []
    for kind in (ORGANISATION, COMMUNITY, RELIGIOUS):
        rows = np.flatnonzero(certificates.kind == kind)
        count = max(1, len(rows) // _CERTIFICATES_A_BODY)
        of[rows] = len(names) + rng.integers(0, count, len(rows))
        for hamlet in places.draw_hamlets(rng, count).tolist():
            name, taxed = _name(rng, places, hamlet, kind)
            names.append(name)
            codes.append(_tax_code(rng) if taxed else None)
    return Bodies(pl.Series(names, dtype=pl.String), pl.Series(codes, dtype=pl.String), of)


def _name(rng: Rng, places: Places, hamlet: int, kind: int) -> tuple[str, bool]:
    label = places.hamlet_names[hamlet]
    short = label.removeprefix("Thôn ")
    commune = places.new_names[places.hamlet_commune[hamlet]].split(" ", 1)[1]
    if kind == ORGANISATION:
        which = int(rng.integers(0, len(_TEMPLATES)))
        number = f" số {rng.integers(1, 4)}" if 2 <= which <= 4 else ""
        name = short if _TAXED_FROM <= which < _TAXED_TO and not short.isdigit() else commune
        return _TEMPLATES[which].format(name=name) + number, _TAXED_FROM <= which < _TAXED_TO
    forms = _COMMUNITIES if kind == COMMUNITY else _RELIGIOUS
    text = forms[int(rng.integers(0, len(forms)))]
    return text.format(name=label if kind == COMMUNITY else short, surname=_SURNAMES[int(rng.integers(0, 8))]), False


def _tax_code(rng: Rng) -> str:
    branch = f"-{rng.integers(1, 20):03d}" if rng.random() < 0.15 else ""
    return f"3{rng.integers(1_000_000, 2_999_999_999) % 1_000_000_000:09d}{branch}"
