"""What a citizen is shown of a parcel, and the challenge: pure.

Rules (protocol §3, landask)
- Masked: commune and hamlet, land use in words, area rounded to 10 m², year and first two characters of the
  certificate, initials of the co-owner's given name. Never a full serial, an id number, a house number or another
  person's name: runs of four or more digits and what reads as a house number are taken out of commune and hamlet.
- The first two characters of a serial are shown only where they are not part of the challenge's answer.
- A fact that is not known is left out; a value has at most 120 characters.
- A challenge is set where the serial, reduced to letters and digits, has at least four of them.
- A response is compared without blanks, in capitals, O as 0 and I as 1. Null is no response, not a wrong one.
- The same parcel gives the same facts for ever: a repeated ask must be the same ask.

>>> parcel = {"commune_name": "Xã Cam Lộ", "hamlet": "Thôn 3", "land_use_code": "ONT", "area_m2": 247.5}
>>> parcel |= {"certificate_serial": "AD 266864", "certificate_year": 2009, "co_owner_name": "Bà Trần Thị Hoa"}
>>> for fact in facts(parcel):
...     print(fact["label"], "=", fact["value"])
commune = Xã Cam Lộ
hamlet = Thôn 3
land_use = Đất ở tại nông thôn
area = Khoảng 250 m²
certificate = Cấp năm 2009, số phát hành bắt đầu bằng AD
co_owner = Tên viết tắt: H.
>>> challenge(parcel["certificate_serial"]), proof_of("AD 266864", "6864"), proof_of("AD 266864", None)
({'kind': 'certificate_suffix', 'length': 4}, 'met', 'none')
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from confirm_api.question import MET, NO_PROOF, WRONG, Proof

MAX_LETTERS: Final = 120
SUFFIX_LENGTH: Final = 4
PREFIX_LENGTH: Final = 2
_LOOK_ALIKES = str.maketrans("OI", "01")
_LONG_NUMBER = re.compile(r"\d[\d .\-]{2,}\d")
_HOUSE = re.compile(
    r"\b(?:số\s+nhà|nhà\s+số|số|sn)\s*:?\s*\d+\w*(?:\s*[/\-]\s*\d+\w*)*\s*,?\s*"
    r"|\b(?:ngõ|ngách|hẻm|kiệt)\s+\d+\w*(?:\s*[/\-]\s*\d+\w*)*\s*,?\s*"
    r"|\b\d+\w?(?:\s*/\s*\d+\w?)+\s*,?\s*"
    r"|^\s*\d+\w?\s*,?\s+(?=\w)",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\([^)]*\)|[,;/].*$")

LAND_USES: Final = {
    "ONT": "Đất ở tại nông thôn",
    "ODT": "Đất ở tại đô thị",
    "LUC": "Đất chuyên trồng lúa",
    "LUK": "Đất trồng lúa còn lại",
    "LUN": "Đất trồng lúa nương",
    "BHK": "Đất trồng cây hằng năm khác",
    "NHK": "Đất nương rẫy trồng cây hằng năm khác",
    "HNK": "Đất trồng cây hằng năm khác",
    "CLN": "Đất trồng cây lâu năm",
    "RSX": "Đất rừng sản xuất",
    "RPH": "Đất rừng phòng hộ",
    "RDD": "Đất rừng đặc dụng",
    "NTS": "Đất nuôi trồng thủy sản",
    "LMU": "Đất làm muối",
    "NKH": "Đất nông nghiệp khác",
    "TMD": "Đất thương mại, dịch vụ",
    "SKC": "Đất cơ sở sản xuất phi nông nghiệp",
    "TSC": "Đất xây dựng trụ sở cơ quan",
    "TON": "Đất cơ sở tôn giáo",
    "TIN": "Đất cơ sở tín ngưỡng",
    "NTD": "Đất nghĩa trang, nghĩa địa",
    "SON": "Đất có sông, ngòi, kênh, rạch, suối",
    "MNC": "Đất có mặt nước chuyên dùng",
    "PNK": "Đất phi nông nghiệp khác",
    "BCS": "Đất bằng chưa sử dụng",
    "DCS": "Đất đồi núi chưa sử dụng",
    "NCS": "Núi đá không có rừng cây",
    "T": "Đất thổ cư",
}
"""Codes of the land register and their official words (Circular 75/2015, 2014 list; `T` of older books)."""


def facts(parcel: Mapping[str, Any]) -> list[dict[str, str]]:
    """The masked facts of a parcel as posted, in the order in which they are read."""
    found = (
        ("commune", _place(parcel.get("commune_name"))),
        ("hamlet", _place(parcel.get("hamlet"))),
        ("land_use", LAND_USES.get((parcel.get("land_use_code") or "").strip().upper())),
        ("area", _area(parcel.get("area_m2"))),
        ("certificate", _certificate(parcel.get("certificate_serial"), parcel.get("certificate_year"))),
        ("co_owner", _initials(parcel.get("co_owner_name"))),
    )
    return [{"label": label, "value": value[:MAX_LETTERS]} for label, value in found if value]


def _place(name: str | None) -> str | None:
    """A commune or hamlet without house numbers and long numbers.

    >>> _place("Số nhà 12A, ngõ 5/3, thôn Đông"), _place("Tổ 12"), _place("079085001234"), _place("12 Lê Lợi")
    ('thôn Đông', 'Tổ 12', None, 'Lê Lợi')
    """
    text = " ".join(unicodedata.normalize("NFC", name or "").split())
    bare = _LONG_NUMBER.sub("", _HOUSE.sub("", text)).strip(" ,;:-/.")
    return bare or None


def _area(area_m2: float | None) -> str | None:
    """Rounded to 10 m², so that it names no single parcel.

    >>> _area(1_234.0), _area(3.2), _area(None), _area(5)
    ('Khoảng 1.230 m²', 'Dưới 10 m²', None, 'Khoảng 10 m²')
    """
    if area_m2 is None:
        return None
    tens = int((area_m2 + 5) // 10) * 10
    return f"Khoảng {tens:,} m²".replace(",", ".") if tens else "Dưới 10 m²"


def _certificate(serial: str | None, year: int | None) -> str | None:
    """Year and first two characters.

    >>> _certificate("ab 123456", None), _certificate("AB123", 2004), _certificate(None, None)
    ('Số phát hành bắt đầu bằng AB', 'Cấp năm 2004', None)
    """
    signs = _signs(serial)
    parts = [f"cấp năm {year}"] if year is not None and 1900 <= year <= 2200 else []
    if len(signs) >= SUFFIX_LENGTH + PREFIX_LENGTH:
        parts.append(f"số phát hành bắt đầu bằng {signs[:PREFIX_LENGTH]}")
    text = ", ".join(parts)
    return text[:1].upper() + text[1:] if text else None


def _initials(name: str | None) -> str | None:
    """The initial of the given name, which stands last.

    >>> _initials("Nguyễn Văn Đức (đã chết)"), _initials("  "), _initials("LÊ THỊ ÁNH")
    ('Tên viết tắt: Đ.', None, 'Tên viết tắt: Á.')
    """
    words = [word for word in _ASIDE.sub("", unicodedata.normalize("NFC", name or "")).split() if word[0].isalpha()]
    return f"Tên viết tắt: {words[-1][0].upper()}." if words else None


# ---- the challenge -------------------------------------------------------------------------------------------------


def challenge(serial: str | None) -> dict[str, Any]:
    """What the citizen is asked for as proof."""
    if len(_signs(serial)) >= SUFFIX_LENGTH:
        return {"kind": "certificate_suffix", "length": SUFFIX_LENGTH}
    return {"kind": "none", "length": 0}


def is_set(serial: str | None) -> bool:
    """Whether a challenge is set."""
    return len(_signs(serial)) >= SUFFIX_LENGTH


def proof_of(serial: str | None, response: str | None) -> Proof:
    """Whether a response meets the challenge.

    >>> proof_of("AO 0I23", " o 1 2 3 "), proof_of("AO 0123", "0124"), proof_of("A12", "A12")
    ('met', 'wrong', 'none')
    """
    if response is None or not is_set(serial):
        return NO_PROOF
    said = "".join(unicodedata.normalize("NFC", response).split())
    return MET if _comparable(said) == _comparable(_signs(serial)[-SUFFIX_LENGTH:]) else WRONG


def _signs(serial: str | None) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFC", serial or "").upper() if sign.isalnum())


def same_serial(one: str | None, other: str | None) -> bool:
    """Whether two serials are the same, however they are written; an unknown one is like none."""
    return bool(_signs(one)) and _comparable(_signs(one)) == _comparable(_signs(other))


def _comparable(text: str) -> str:
    return text.upper().translate(_LOOK_ALIKES)
