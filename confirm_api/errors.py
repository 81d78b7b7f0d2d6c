"""Refusals of the service: each one clear sentence (expected, found, what to do), without a personal value.

    ServiceError            root; `code` is stable
    ├── SettingsError       a bad setting or key: the start stops with this sentence
    ├── StoreError          the database or the key store cannot be used
    ├── ContentError        422: the payload fits its schema but contradicts what is known; `detail` is public
    ├── BusyError           429 or 503: try later, `retry_after_seconds`
    └── OfficeError         an officer's request that cannot be done; shown to the officer

>>> ContentError("questions: known id, other content").code
'invalid-payload'
"""

from __future__ import annotations


class ServiceError(Exception):
    """Root of the service's refusals."""

    code = "service"


class SettingsError(ServiceError):
    """A setting or key that stops the start."""

    code = "settings"


class StoreError(ServiceError):
    """A database or key store that cannot be used."""

    code = "store"


class ContentError(ServiceError):
    """A payload that fits its schema but contradicts what is known; its text is sent to the peer as `detail`."""

    code = "invalid-payload"


class BusyError(ServiceError):
    """Too many (429) or not now (503); the peer tries again after `retry_after_seconds`."""

    code = "try-later"

    def __init__(self, message: str, *, status: int, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class OfficeError(ServiceError):
    """What an officer asked for and cannot have; the sentence is shown in Vietnamese."""

    code = "office"
