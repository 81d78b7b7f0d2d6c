"""Who the engine is, and which service it talks to: one TOML file.

Rules
- An unknown key is refused by name. Paths are relative to the file.
- The service's public keys are pinned here; they are never fetched.

Example (configs/circle.example.toml):

    iss = "urn:quychu:peer:engine"
    keys = "keys/engine.json"

    [service]
    url = "http://127.0.0.1:8080"
    jwks = "keys/service.jwks.json"

>>> settings_of({"keys": "k.json", "service": {"url": "http://127.0.0.1:1", "jwks": "s.json"}}, Path("/x")).keys
PosixPath('/x/k.json')
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from exchange.errors import ExchangeError
from exchange.sealed.keys import JwkSet, KeySet, Own, Peer
from quychu.errors import CircleSettingsError

_STRICT = ConfigDict(extra="forbid", frozen=True)


class Service(BaseModel):
    """The service as the engine knows it."""

    model_config = _STRICT
    url: str = Field(pattern=r"^https?://\S+$")
    jwks: Path
    iss: str = "urn:quychu:peer:service"
    suite: Literal["vn-p256", "modern-25519"] = "vn-p256"


class Settings(BaseModel):
    """The engine's own name and keys, and the service."""

    model_config = _STRICT
    keys: Path
    service: Service
    iss: str = "urn:quychu:peer:engine"
    patience_seconds: int = Field(default=600, ge=1)
    """How long one message is tried while the service does not answer."""

    def own(self) -> Own:
        """The engine's name with its private keys."""
        return Own(self.iss, _loaded(KeySet.load, self.keys))

    def peer(self) -> Peer:
        """The service with its pinned keys."""
        told = self.service
        keys = _loaded(JwkSet.load, told.jwks)
        return Peer("service", "service", told.iss, keys, told.suite, told.url.rstrip("/"))


def _loaded(load: Any, path: Path) -> Any:
    try:
        return load(path)
    except ExchangeError as error:
        raise CircleSettingsError(str(error)) from error


def settings_of(told: dict[str, Any], folder: Path) -> Settings:
    """Settings from what a file says; paths are relative to `folder`."""
    made = Settings.model_validate(told)
    service = made.service.model_copy(update={"jwks": folder / made.service.jwks})
    return made.model_copy(update={"keys": folder / made.keys, "service": service})


def load(path: Path) -> Settings:
    """The settings in a file; `CircleSettingsError` in one sentence where they cannot be used."""
    try:
        return settings_of(tomllib.loads(path.read_text(encoding="utf-8")), path.parent)
    except FileNotFoundError:
        raise CircleSettingsError(
            f"{path.name}: expected a settings file, found none there; copy configs/circle.example.toml."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise CircleSettingsError(f"{path.name}: expected TOML in UTF-8, found other text; mend it.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise CircleSettingsError(f"{path.name}: key '{key}': {first['msg']}; mend it or leave it out.") from None
