"""Login through OpenID Connect: authorization code with PKCE, against one configured issuer.

Rules
- Only the configured issuer is asked for its metadata, and these must name it; its addresses are https (or loopback).
- `state`, `nonce` and the PKCE verifier are new for each login and lie in a cookie that lives ten minutes.
- The id token counts only with a signature of the issuer's published keys, made by an algorithm with a public key, for
  our client, with our nonce, within its time. Whoever it names must be an account that an administrator made.
- Whatever is wrong, the officer reads one sentence and the log one code.

Example: `url, away = provider.begin()`; after the officer is back, `provider.finish(away, code=…, state=…)` is the
subject.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx
from authlib.common.urls import add_params_to_uri  # type: ignore[import-untyped]
from authlib.integrations.base_client.sync_openid import OpenIDMixin  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

from confirm_api.office.refusals import LoginError

AWAY_SECONDS: Final = 600
_TIMEOUT_SECONDS: Final = 10
_LEEWAY_SECONDS: Final = 30
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Away:
    """What is remembered of a login while the officer is at the provider."""

    state: str
    nonce: str
    verifier: str

    def as_text(self) -> str:
        """For the cookie."""
        return f"{self.state}.{self.nonce}.{self.verifier}"

    @classmethod
    def of(cls, text: str) -> Away:
        """From the cookie; LoginError where it is not one of ours."""
        parts = text.split(".")
        if len(parts) != 3 or not all(parts):
            raise LoginError
        return cls(*parts)


@dataclass
class Provider:
    """One OpenID provider, as the settings name it."""

    issuer: str
    client_id: str
    client_secret: str | None
    redirect_uri: str
    _known: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def begin(self) -> tuple[str, Away]:
        """Where to send the officer, and what to remember meanwhile."""
        away = Away(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid",
            "state": away.state,
            "nonce": away.nonce,
            "code_challenge": create_s256_code_challenge(away.verifier),
            "code_challenge_method": "S256",
        }
        return str(add_params_to_uri(self.metadata()["authorization_endpoint"], asked.items())), away

    def finish(self, away: Away, *, code: str, state: str, issuer: str | None = None) -> str:
        """The subject of the officer who came back with `code`; LoginError in every other case."""
        if not hmac.compare_digest(away.state.encode(), state.encode()) or (
            issuer is not None and issuer != self.metadata()["issuer"]
        ):
            raise LoginError
        try:
            token = self._token(code, away.verifier)
            return self._subject(token, away.nonce)
        except Exception as error:  # whatever is wrong with what the provider sent, the officer is not let in
            raise LoginError("Đăng nhập qua hệ thống của cơ quan không thành công; hãy thử lại.") from error

    def metadata(self) -> Mapping[str, Any]:
        """The issuer's metadata, read once; LoginError where they cannot be had or name another issuer."""
        with self._lock:
            if not self._known:
                self._known.update(_discover(self.issuer))
            return self._known

    def _token(self, code: str, verifier: str) -> Any:
        """Exchange the code for the id token."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": self.client_id,
            "code_verifier": verifier,
        }
        auth = None if self.client_secret is None else httpx.BasicAuth(quote(self.client_id), quote(self.client_secret))
        answer = httpx.post(
            self.metadata()["token_endpoint"], data=form, auth=auth, timeout=_TIMEOUT_SECONDS, follow_redirects=False
        )
        answer.raise_for_status()
        return json.loads(answer.content)

    def _subject(self, token: Mapping[str, Any], nonce: str) -> str:
        if "id_token" not in token:
            raise LoginError
        wanted = {
            "iss": {"essential": True, "value": self.metadata()["issuer"]},
            "aud": {"essential": True, "value": self.client_id},
        }
        reader = _IdTokens(self.client_id, dict(self.metadata()))
        claims = reader.parse_id_token(token, nonce, claims_options=wanted, leeway=_LEEWAY_SECONDS)
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise LoginError
        return subject


class _IdTokens(OpenIDMixin):  # type: ignore[misc]  # authlib ships no types
    """Authlib's check of an id token, with our metadata and our client. Keys are read anew for each login."""

    def __init__(self, client_id: str, metadata: dict[str, Any]) -> None:
        self.client_id = client_id
        self.server_metadata = metadata

    def load_server_metadata(self) -> dict[str, Any]:
        """What `_discover` found."""
        return self.server_metadata

    def fetch_jwk_set(self, force: bool = False) -> Any:  # noqa: FBT001, FBT002 - authlib's signature
        """The issuer's keys, from the address in its metadata."""
        del force
        return _read_json(self.server_metadata["jwks_uri"])


def _discover(issuer: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = _read_json(issuer.rstrip("/") + "/.well-known/openid-configuration")
        good = found["issuer"].rstrip("/") == issuer.rstrip("/") and all(_is_safe(found[name]) for name in _ENDPOINTS)
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LoginError("Hệ thống đăng nhập của cơ quan không trả lời; hãy thử lại sau ít phút.") from error
    if not good:
        raise LoginError("Hệ thống đăng nhập của cơ quan không đúng như khai báo; hãy báo quản trị hệ thống.")
    offered = found.get("id_token_signing_alg_values_supported", ["RS256"])
    found["id_token_signing_alg_values_supported"] = [name for name in offered if name in _ALGORITHMS]
    found.pop("jwks", None)
    return found


def _read_json(url: str) -> Any:
    answer = httpx.get(url, timeout=_TIMEOUT_SECONDS, follow_redirects=False)
    answer.raise_for_status()
    return json.loads(answer.content)


def _is_safe(url: str) -> bool:
    """Is it https, or loopback?

    >>> (
    ...     _is_safe("https://sso.example.vn/token"),
    ...     _is_safe("http://sso.example.vn/token"),
    ...     _is_safe("http://127.0.0.1:9/t"),
    ... )
    (True, False, True)
    """
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
