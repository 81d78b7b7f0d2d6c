"""What guards every page: headers, cookies, the token in each form.

Rules
- No script at all, nothing from elsewhere, no frame: the policy says so to the browser.
- Nothing is kept in a cache; no address is told to anybody.
- Cookies: HttpOnly, Secure (`__Host-`, but for loopback without TLS), SameSite=Strict. The one exception is the cookie
  that lives while an officer is away at the OpenID provider: coming back is a navigation from another site.
- Before a session exists, the login form is guarded by the same random value in cookie and form.

>>> cookie_name("phien", secure=True), cookie_name("phien", secure=False)
('__Host-quychu-phien', 'quychu-phien')
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final, Literal

from fastapi import Request, Response

SESSION: Final = "phien"
LOGIN: Final = "dang-nhap"
AWAY: Final = "oidc"

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def cookie_name(what: str, *, secure: bool) -> str:
    """The name of a cookie; `__Host-` makes the browser refuse it from another host or without TLS."""
    return f"{'__Host-' if secure else ''}quychu-{what}"


def read_cookie(request: Request, what: str, *, secure: bool) -> str:
    """The cookie's value, or nothing."""
    return request.cookies.get(cookie_name(what, secure=secure), "")


def give_cookie(
    response: Response,
    what: str,
    value: str,
    *,
    secure: bool,
    seconds: int | None = None,
    same_site: Literal["strict", "lax"] = "strict",
) -> None:
    """Set a cookie; without `seconds` it ends with the browser."""
    response.set_cookie(
        cookie_name(what, secure=secure),
        value,
        max_age=seconds,
        path="/",
        secure=secure,
        httponly=True,
        samesite=same_site,
    )


def take_cookie(response: Response, what: str, *, secure: bool) -> None:
    """Remove a cookie."""
    response.delete_cookie(cookie_name(what, secure=secure), path="/", secure=secure, httponly=True, samesite="strict")


def new_guard() -> str:
    """A random value for the login form and its cookie."""
    return secrets.token_urlsafe(32)


def guards(cookie: str, form: str) -> bool:
    """Do cookie and form hold the same value, and one at all?

    >>> guards("a", "a"), guards("", ""), guards("a", "b")
    (True, False, False)
    """
    return bool(cookie) and hmac.compare_digest(cookie.encode(), form.encode())
