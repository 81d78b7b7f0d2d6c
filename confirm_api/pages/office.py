"""What the pages are given: transactions, how cookies and sessions behave, and the OpenID provider where there is one.

>>> Office.__dataclass_fields__["base"].default
'/can-bo'
"""

from __future__ import annotations

from dataclasses import dataclass, field

from confirm_api.office.sessions import Limits
from confirm_api.pages.oidc import Provider
from confirm_api.settings import OfficeSettings
from confirm_api.unit import Units


@dataclass(frozen=True)
class Office:
    """The pages' surroundings."""

    units: Units
    secure_cookies: bool = True
    """False only on loopback without TLS."""
    limits: Limits = field(default_factory=Limits)
    provider: Provider | None = None
    base: str = "/can-bo"
    """Where the pages stand."""

    @classmethod
    def of(cls, units: Units, settings: OfficeSettings) -> Office:
        """As the settings say."""
        limits = Limits(settings.idle_seconds, settings.session_seconds)
        told = settings.oidc
        secret = None if told is None or told.client_secret is None else told.client_secret.read()
        provider = None if told is None else Provider(told.issuer, told.client_id, secret, told.redirect_uri)
        return cls(units, settings.cookie_secure, limits, provider)
