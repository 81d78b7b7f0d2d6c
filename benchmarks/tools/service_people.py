"""Invented citizens of the service's benchmark: what is asked of each, and what each answers.

Rules
- All of it follows from a number, so that the engine's process and the citizens' know the same without a word between.
- One question a citizen; every second one has two items. Each item has a legible certificate, so each has a challenge.
- Everybody holds the paper and answers "mine" with its last digits; whoever is not in the crowd stays silent.

>>> question(7)["citizen_id"], len(question(7)["parcels"])
('001080000007', 2)
>>> request = {"items": [{"item_id": parcel["item_id"]} for parcel in question(7)["parcels"]]}
>>> [said["challenge_response"] for said in Crowd(range(5, 9)).decide(request)]
['0007', '1007']
>>> Crowd(range(2)).decide(request) is None
True
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

EXPIRES_IN = 86_400
SUFFIX = 4


def question(number: int) -> dict[str, Any]:
    """The question to citizen `number`, as `landquestions` carries it."""
    parcels = [_parcel(number, place) for place in range(1 + number % 2)]
    return {
        "question_id": named("question", number),
        "citizen_id": citizen_id(number),
        "parcels": parcels,
        "priority": 0.5,
        "expires_in": EXPIRES_IN,
    }


def named(*parts: object) -> str:
    """An id in the protocol's form."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return urlsafe_b64encode(digest)[:22].decode()


def citizen_id(number: int) -> str:
    """A grown-up's number."""
    return f"001080{number:06}"


def _parcel(number: int, place: int) -> dict[str, Any]:
    return {
        "item_id": named("item", number, place),
        "rank": 1,
        "parcel_code": f"27-{number % 400}-{place}",
        "commune_name": "xã Thạch Bình",
        "hamlet": f"thôn {number % 12 + 1}",
        "land_use_code": "ONT",
        "area_m2": 120 + number % 900,
        "certificate_serial": _serial(number, place),
        "certificate_year": 2015,
        "co_owner_name": None,
        "role": "owner",
    }


def _serial(number: int, place: int) -> str:
    return f"BM {number:04}{place}{number % 1000:03}"


@dataclass
class Crowd:
    """The citizens of these numbers, with their papers in their hands."""

    numbers: Iterable[int]
    _suffixes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Learn what each one's paper says."""
        for number in self.numbers:
            for place in range(1 + number % 2):
                self._suffixes[named("item", number, place)] = _serial(number, place)[-SUFFIX:]

    def decide(self, request: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """What the citizen of a request says, as the driver takes it."""
        items = [item["item_id"] for item in request["items"]]
        if any(item not in self._suffixes for item in items):
            return None
        return [
            {"item_id": item, "verdict": "mine", "challenge_response": self._suffixes[item], "corrections": []}
            for item in items
        ]
