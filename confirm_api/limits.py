"""How many messages an address and a peer may send: token buckets in the memory of one process.

Rules
- A bucket holds `burst` tokens and gains `per_second`; a message takes one, or is told how long to wait.
- Counted by address before opening, by peer after. Refused messages have a second, much slower bucket by address: each
  of them writes a leaf, and nobody shall fill the disk at the price of sending nonsense.
- An IPv6 address stands for its /64: whoever has one has all of it.
- `X-Forwarded-For` is believed only where the connection comes from a proxy named in the settings, and only up to the
  last address that is not such a proxy: what stands before it was written by the sender.
- A process forgets the addresses it has not heard of for longest; each process counts for itself.

>>> limiter = Limiter(Rate(per_second=2, burst=2), clock=iter([0.0, 0.0, 0.0, 0.5]).__next__)
>>> [limiter.take("192.0.2.1") for _ in range(4)]
[0.0, 0.0, 0.5, 0.0]
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNKNOWN = "unknown"
"""The address of a connection that has none, as over a Unix socket."""


@dataclass(frozen=True)
class Rate:
    """Messages a second in the long run, and at once."""

    per_second: float
    burst: float


@dataclass(frozen=True)
class Rates:
    """The service's limits. One engine, one provider and one police system send far less."""

    address: Rate = Rate(per_second=500, burst=1_000)
    refused: Rate = Rate(per_second=10, burst=5_000)
    peer: Rate = Rate(per_second=200, burst=1_000)


class Limiter:
    """Token buckets by key; safe to use from several threads."""

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = time.monotonic, most: int = 10_000) -> None:
        self._rate = rate
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, key: str) -> float:
        """Take a token: 0.0, or the seconds until there is one (then nothing is taken)."""
        with self._lock:
            tokens = self._refilled(key)
            self._put(key, tokens - 1 if tokens >= 1 else tokens)
        return 0.0 if tokens >= 1 else (1 - tokens) / self._rate.per_second

    def wait(self, key: str) -> float:
        """The seconds until there is a token, without taking one."""
        with self._lock:
            tokens = self._refilled(key)
        return max(0.0, (1 - tokens) / self._rate.per_second)

    def _refilled(self, key: str) -> float:
        self._now = self._clock()
        tokens, since = self._buckets.get(key, (self._rate.burst, self._now))
        return min(self._rate.burst, tokens + (self._now - since) * self._rate.per_second)

    def _put(self, key: str, tokens: float) -> None:
        self._buckets[key] = (tokens, self._now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The trusted proxies of the settings; ValueError where one is no address or network."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def address_of(host: str | None, forwarded: str | None, trusted: Sequence[Network]) -> str:
    """Whom to count: the connection's address, or what trusted proxies say of it.

    >>> address_of("10.0.0.1", "203.0.113.9, 198.51.100.7", networks(["10.0.0.0/8"]))
    '198.51.100.7'
    >>> address_of("198.51.100.7", "203.0.113.9", networks(["10.0.0.0/8"]))
    '198.51.100.7'
    >>> address_of("2001:db8::1", None, ())
    '2001:db8::/64'
    """
    found = host or UNKNOWN
    for hop in reversed((forwarded or "").split(",")):
        if not _trusted(found, trusted) or _parsed(hop.strip()) is None:
            break
        found = hop.strip()
    return _counted(found)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _trusted(text: str, trusted: Sequence[Network]) -> bool:
    address = _parsed(text)
    return address is not None and any(address in network for network in trusted)


def _counted(text: str) -> str:
    address = _parsed(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return UNKNOWN if address is None else str(address)
