"""Every refusal of the exchange, without the value of a personal field.

Rules
- `code` is stable: programs may test for it.
- The peer never learns why its message was refused; `Refused` is for the log.
- `InvalidPayload.detail` is public: it names a field's path and the rule it broke, never the value found.

The tree
    ExchangeError
    ├── Refused               checks (1) to (14) of the protocol: the peer gets one and the same 400
    ├── InvalidPayload        check (15): the peer gets 422 with `detail`
    ├── MessageTooLargeError  what we were to send would be refused by its receiver: split it
    ├── KeyFileError          a file of keys is not what it should be
    ├── UnsafeUrlError        neither https nor loopback
    └── NoAnswer              the network gave no answer: try again later

>>> str(Refused(8, "signature"))
'the sealed message was refused at check 8 (signature)'
"""

from __future__ import annotations


class ExchangeError(Exception):
    """Root of all refusals of the exchange."""

    code = "exchange"


class Refused(ExchangeError):  # noqa: N818 - the word the protocol uses; callers read `except Refused`
    """A sealed message that fails one of the checks (1) to (14); the number 0 stands for the HTTP headers."""

    code = "unacceptable-message"

    def __init__(self, check: int, reason: str, *, from_kid: str | None = None, to_kid: str | None = None) -> None:
        super().__init__(f"the sealed message was refused at check {check} ({reason})")
        self.check = check
        self.reason = reason
        self.from_kid = from_kid
        self.to_kid = to_kid


class InvalidPayload(ExchangeError):  # noqa: N818 - the protocol's word: urn:quychu:problem:invalid-payload
    """A payload that does not fit its schema."""

    code = "invalid-payload"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class MessageTooLargeError(ExchangeError):
    """A message that its receiver would refuse for its size."""

    code = "message-too-large"


class KeyFileError(ExchangeError):
    """A file of keys that cannot be used: what was expected, what was found, what to do."""

    code = "key-file"


class UnsafeUrlError(ExchangeError):
    """A peer's address that is neither https nor plain HTTP on loopback."""

    code = "unsafe-url"


class NoAnswer(ExchangeError):  # noqa: N818 - not a fault of ours: the peer may have taken the message
    """No complete answer came: the connection failed, ran out of time, or the answer was too long."""

    code = "no-answer"
