from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Pages:
    settings: Any
    store: Any
    desk: Any
    outbox: Any
    now: Any

    def routes(self):
        return []
