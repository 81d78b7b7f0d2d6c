"""A memory of bounded size and bounded age, safe between threads.

Rules
- An entry's age counts from when it was put, not from its last use: nothing outlives `seconds`.
- Where it is full, the entry used longest ago goes first.

>>> memory = Recent[str, int](size=2, seconds=60, clock=lambda: 0.0)
>>> for name in ("a", "b"):
...     memory.put(name, ord(name))
>>> memory.get("a"), memory.put("c", 99), memory.get("b")
(97, None, None)
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Remembers at most `size` values, each at most `seconds` by a monotonic clock."""

    def __init__(self, *, size: int, seconds: float, clock: Callable[[], float]) -> None:
        self._size, self._seconds, self._clock = size, seconds, clock
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The value, or None where it is unknown or too old."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if self._clock() - entry[0] >= self._seconds:
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
            return entry[1]

    def put(self, key: K, value: V) -> None:
        """Remember a value from now on."""
        with self._lock:
            self._entries[key] = (self._clock(), value)
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def forget(self, key: K) -> None:
        """Forget one key."""
        with self._lock:
            self._entries.pop(key, None)

    def forget_value(self, value: V) -> None:
        """Forget whatever leads to a value; walks all entries, for rare use."""
        with self._lock:
            for key in [key for key, entry in self._entries.items() if entry[1] == value]:
                del self._entries[key]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)
