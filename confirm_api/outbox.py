"""What to send when: back-off, polling and what an answer's status means. Pure; chance comes in as a number.

Rules (protocol §5)
- Delivery is at least once: ten tries with full jitter, then dead letter. The delay before each try is drawn evenly
  from 0 to its place in `SCHEDULE_SECONDS`; `Retry-After` wins.
- No answer, 429, 5xx and an answer that fails a check of the envelope are tried again; the errors that the protocol
  names act as it says; anything else is a dead letter at once.
- Polling is never a dead letter and never faster than `interval`. It becomes slower with the age of the request, up to
  five minutes, since pings carry the news and a lost one may cost a tenth of the time that passed anyway; it meets the
  end of the request.

>>> next_try(now=100, tries=1, jitter=0.5, retry_after=None), next_try(now=100, tries=2, jitter=1.0, retry_after=7)
(102, 107)
>>> is_dead(9, final=False), is_dead(10, final=False), is_dead(1, final=True)
(False, True, True)
>>> [next_poll(now=age, interval=2, begun_at=0, idp_expires_at=86_400) for age in (1, 60, 86_399)]
[4, 66, 86402]
"""

from __future__ import annotations

from typing import Final, Literal

MINUTE, HOUR = 60, 3_600
SCHEDULE_SECONDS: Final = (
    0,
    5,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)
"""The longest delay before each try."""

SLOW_DOWN_SECONDS: Final = 5
"""What `slow_down` adds to the interval."""
SHARE_OF_AGE: Final = 10
LONGEST_POLL_SECONDS: Final = 5 * MINUTE
LEAST_AFTER_FAILURE_SECONDS: Final = 2
"""A provider that does not answer is not asked faster than this."""
DRAIN_SECONDS: Final = 10 * MINUTE
"""So long after its end a request that was taken back is still fetched from a provider that does not answer."""
GRACE_SECONDS: Final = MINUTE
"""So long after its time a question waits for the last fetch from a provider that does not answer."""

ASK_ERRORS: Final = frozenset({"unknown_user_id", "access_denied", "invalid_request"})
TOKEN_ERRORS: Final = frozenset(
    {"authorization_pending", "slow_down", "expired_token", "access_denied", "invalid_grant"}
)

Status = Literal["answer", "error", "retry", "final"]


def meaning(status: int) -> Status:
    """What an HTTP status says of a delivery.

    >>> [meaning(status) for status in (200, 400, 429, 503, 404, 302, 204)]
    ['answer', 'error', 'retry', 'retry', 'final', 'final', 'final']
    """
    if status == 200:
        return "answer"
    if status == 400:
        return "error"
    return "retry" if status == 429 or 500 <= status <= 599 else "final"


def next_try(now: int, tries: int, jitter: float, retry_after: int | None) -> int:
    """When a message is sent again after so many tries; `jitter` is even between 0 and 1."""
    if retry_after is not None:
        return now + retry_after
    return now + int(SCHEDULE_SECONDS[min(tries, len(SCHEDULE_SECONDS) - 1)] * jitter)


def is_dead(tries: int, *, final: bool) -> bool:
    """Whether a message that failed becomes a dead letter."""
    return final or tries >= len(SCHEDULE_SECONDS)


def next_poll(now: int, interval: int, begun_at: int, idp_expires_at: int | None, least: int = 0) -> int:
    """When a request is fetched next, unless a ping comes first.

    `now` is a second that may be over almost, so the interval holds only with one more.
    """
    shortest = max(interval + 1, least)
    at = now + max(shortest, min((now - begun_at) // SHARE_OF_AGE, LONGEST_POLL_SECONDS))
    if idp_expires_at is not None and at > idp_expires_at:
        return max(now + shortest, idp_expires_at)
    return at
