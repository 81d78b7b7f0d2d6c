"""What a value in the settings may be: paths, urls, networks, and secrets that stand elsewhere.

Rules
- A path is relative to the folder of the settings file, which comes as the validation's context.
- A secret is `{file = "…"}`, a file that its owner alone may read, or `{env = "…"}`, a variable.
- A database's url with a password is a secret as a whole.
- A url of a peer is https, or plain HTTP to loopback.

>>> Secret(env="QUYCHU_URL").read({"QUYCHU_URL": "postgresql+psycopg://db/quychu"})
'postgresql+psycopg://db/quychu'
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    model_validator,
)
from sqlalchemy import exc, make_url

from confirm_api.errors import SettingsError
from confirm_api.limits import networks
from confirm_api.store.master_keys import parse_key, read_private
from exchange.errors import ExchangeError
from exchange.transport import refuse_unsafe


def _folder(info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("folder", "."))


def _in_folder(path: Path, info: ValidationInfo) -> Path:
    return _folder(info) / path


def _be_network(text: str) -> str:
    try:
        networks([text])
    except ValueError:
        raise ValueError("expected an address or a network such as 10.0.0.0/8") from None
    return text


def _be_peer_url(url: str) -> str:
    try:
        refuse_unsafe(url)
    except ExchangeError as error:
        raise ValueError(str(error)) from None
    return url.rstrip("/")


FilePath = Annotated[Path, Field(strict=False), AfterValidator(_in_folder)]
"""A path, relative to the folder of the settings file."""
NetworkText = Annotated[str, AfterValidator(_be_network)]
PeerUrl = Annotated[str, AfterValidator(_be_peer_url)]
Iss = Annotated[str, Field(pattern=r"^\S{1,256}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")]
Seconds = Annotated[int, Field(ge=1)]


class Table(BaseModel):
    """A table of the file: its keys are known, its types strict, its values fixed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Secret(Table):
    """A secret that stands elsewhere: in a private file, or in a variable of the environment."""

    file: FilePath | None = None
    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError('expected {file = "…"} or {env = "…"}, one of the two')
        return self

    def read(self, environment: Mapping[str, str] = os.environ) -> str:
        """The secret; SettingsError where it is not there."""
        if self.file is not None:
            return read_private(self.file)
        assert self.env is not None
        if not (text := environment.get(self.env, "").strip()):
            raise SettingsError(f"the environment has no variable {self.env}; set it before the start")
        return text

    def key(self) -> bytes:
        """The secret as a key of 32 bytes."""
        return parse_key(self.read(), str(self.file or self.env))


def _be_database_url(url: str, info: ValidationInfo) -> str:
    try:
        password = make_url(url).password
    except exc.ArgumentError:
        raise ValueError("expected a url such as sqlite:///main.sqlite or postgresql+psycopg://host/name") from None
    if password is not None:
        raise ValueError('a url with a password stands in a file or the environment: url = {file = "…"}')
    if url.startswith(_SQLITE):
        return f"{_SQLITE}{_folder(info) / url.removeprefix(_SQLITE)}"
    return url


_SQLITE = "sqlite:///"
DatabaseUrl = Annotated[
    Annotated[str, AfterValidator(_be_database_url), Tag("(text)")] | Annotated[Secret, Tag("(secret)")],
    Discriminator(lambda value: "(text)" if isinstance(value, str) else "(secret)"),
]
"""A url, or where the url with its password stands."""
