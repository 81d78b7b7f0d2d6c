"""The service's settings: one TOML file, checked whole before anything starts.

Rules
- Every key is known: an unknown one is refused by name together with those known there. Types are strict: `"8080"` is
  no port.
- A refusal is one sentence: file, key, what is expected, what was found. What was found is told by its kind; only
  numbers and words from a short list are repeated, so that no secret can get into a log.
- Secrets stand in files that their owner alone may read, or in the environment: `{file = "…"}` or `{env = "…"}`.
  Paths are relative to the settings file.
- Keys of the service, of the peers and of the log are read at the start too, and tried against each other.
- Plain HTTP is for loopback, or behind a proxy that ends TLS and is said to be there.

Example: `settings = load(Path("confirm_api.toml")); engine = open_engine(settings.database.location())`.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, ValidationError, model_validator

from confirm_api.audit.checkpoint import LogKey, read_log_key
from confirm_api.errors import ServiceError, SettingsError
from confirm_api.limits import Network, Rate, Rates, networks
from confirm_api.settings_errors import sentence
from confirm_api.settings_values import DatabaseUrl, FilePath, Iss, Name, NetworkText, PeerUrl, Seconds, Secret, Table
from confirm_api.store.master_keys import MasterKeys
from exchange.errors import ExchangeError
from exchange.kinds import ENGINE, VNEID
from exchange.sealed.keys import Directory, JwkSet, KeySet, Own, Peer
from exchange.sealed.suites import DEFAULT_SUITE

T = TypeVar("T")
_EXAMPLE = "configs/confirm_api.example.toml"


# ---- tables --------------------------------------------------------------------------------------------------------


class DatabaseSettings(Table):
    """Where a database is."""

    url: DatabaseUrl

    def location(self) -> str:
        """The url for `open_engine`."""
        return self.url if isinstance(self.url, str) else self.url.read()


class TlsSettings(Table):
    """Certificate and key of the server, in PEM."""

    certificate: FilePath
    key: FilePath


class ServiceSettings(Table):
    """Who the service is, and where it listens."""

    iss: Iss = "urn:quychu:peer:service"
    keys: FilePath
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8600
    tls: TlsSettings | None = None
    behind_tls_proxy: bool = False
    trusted_proxies: Annotated[tuple[NetworkText, ...], Field(strict=False)] = ()
    public_url: PeerUrl | None = None
    """What peers and officers call it, where a proxy changes that."""
    pause_seconds: Annotated[int, Field(ge=0)] = 0
    """How long no message is taken after the start; 70 after a restore from backup (protocol §5)."""

    @model_validator(mode="after")
    def _protects_what_is_not_sealed(self) -> Self:
        if self.tls is None and not self.behind_tls_proxy and not _is_loopback(self.host):
            raise ValueError(
                "plain HTTP is for loopback only: give 'service.tls', or behind_tls_proxy = true where a proxy ends TLS"
            )
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class KeyStoreSettings(DatabaseSettings):
    """The key store, its master key and the key of its index."""

    master: Secret
    index: Secret


class AuditSettings(Table):
    """The audit log."""

    origin: str = "quychu.local/log"
    key: FilePath


class PeerSettings(Table):
    """One party that may send us messages, or is sent ours."""

    name: Name
    role: Literal["engine", "vneid", "police"]
    iss: Iss
    jwks: FilePath
    suite: Literal["vn-p256", "modern-25519"] = DEFAULT_SUITE  # type: ignore[assignment]
    url: PeerUrl | None = None

    @model_validator(mode="after")
    def _has_a_url_where_it_is_asked(self) -> Self:
        if (self.url is not None) != (self.role == VNEID):
            raise ValueError("a peer of role 'vneid' has a url, because we send to it; the others have none")
        return self


class RateSettings(Table):
    """Messages a second in the long run, and at once."""

    per_second: Annotated[float, Field(gt=0)]
    burst: Annotated[float, Field(ge=1)]

    def rate(self) -> Rate:
        """As `confirm_api.limits` takes it."""
        return Rate(self.per_second, self.burst)


class LimitSettings(Table):
    """How much is taken at once; what a message may be is said by the protocol."""

    address: RateSettings = RateSettings(per_second=500, burst=1_000)
    refused: RateSettings = RateSettings(per_second=10, burst=5_000)
    peer: RateSettings = RateSettings(per_second=200, burst=1_000)
    threads: Annotated[int, Field(ge=1, le=256)] = 8
    most_waiting: Annotated[int, Field(ge=0)] = 64


class WorkerSettings(Table):
    """Delivery and polling; several processes may work on one PostgreSQL."""

    count: Annotated[int, Field(ge=0, le=64)] = 16
    """Threads that send and fetch; 0 leaves that to another process. Most of their time they wait for the provider, and
    twice as many messages share a transaction: with two a question costs half as much processor time again."""
    claim_seconds: Annotated[int, Field(ge=40)] = 120
    """A killed worker's delivery is taken by another after so long; longer than any exchange with a peer takes."""
    idle_seconds: Annotated[float, Field(gt=0, le=60)] = 0.5
    """How long a worker that found nothing waits."""


class LogSettings(Table):
    """The service's own log lines."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    sampling: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The share of the access lines of successful requests that is written; of all others every one is."""


class OidcSettings(Table):
    """Login of officers at the agency's OpenID provider."""

    issuer: PeerUrl
    client_id: str
    client_secret: Secret | None = None
    redirect_uri: PeerUrl


class OfficeSettings(Table):
    """The officers' pages."""

    session_seconds: Seconds = 9 * 3_600
    idle_seconds: Seconds = 15 * 60
    cookie_secure: bool = True
    """False only where a browser reaches the service over plain HTTP on loopback."""
    oidc: OidcSettings | None = None


class ResidenceSettings(Table):
    """Residence proofs."""

    land_use_codes: Annotated[tuple[str, ...], Field(strict=False)] = ("ONT", "ODT")
    """Residential land: đất ở tại nông thôn, đất ở tại đô thị."""


class Settings(Table):
    """The whole file."""

    service: ServiceSettings
    database: DatabaseSettings
    key_store: KeyStoreSettings
    audit: AuditSettings
    peers: list[PeerSettings]
    limits: LimitSettings = LimitSettings()
    worker: WorkerSettings = WorkerSettings()
    logs: LogSettings = LogSettings()
    office: OfficeSettings = OfficeSettings()
    residence: ResidenceSettings = ResidenceSettings()

    @model_validator(mode="after")
    def _knows_its_peers(self) -> Self:
        roles: list[str] = [peer.role for peer in self.peers]
        if roles.count(VNEID) != 1 or ENGINE not in roles:
            raise ValueError("peers: expected exactly one of role 'vneid' and at least one of role 'engine'")
        _be_distinct("iss", [self.service.iss, *(peer.iss for peer in self.peers)])
        _be_distinct("name", [peer.name for peer in self.peers])
        return self

    def own(self) -> Own:
        """The service's name with its private keys."""
        return Own(self.service.iss, KeySet.load(self.service.keys))

    def directory(self) -> Directory:
        """The peers with their pinned keys."""
        return Directory(
            Peer(peer.name, peer.role, peer.iss, JwkSet.load(peer.jwks), peer.suite, peer.url) for peer in self.peers
        )

    def master_keys(self) -> MasterKeys:
        """The two keys above the key store."""
        return MasterKeys(self.key_store.master.key(), self.key_store.index.key())

    def log_key(self) -> LogKey:
        """The key that signs the log's checkpoints."""
        return read_log_key(self.audit.key, self.audit.origin)

    def rates(self) -> Rates:
        """The limits by address, by refused messages of an address, and by peer."""
        return Rates(self.limits.address.rate(), self.limits.refused.rate(), self.limits.peer.rate())

    def proxies(self) -> tuple[Network, ...]:
        """Whose `X-Forwarded-For` is believed."""
        return networks(self.service.trusted_proxies)


def _be_distinct(key: str, values: list[str]) -> None:
    if twice := next((value for value in values if values.count(value) > 1), None):
        raise ValueError(f"peers: expected each {key} once, the service's own included; found '{twice}' twice")


# ---- loading -------------------------------------------------------------------------------------------------------


def load(path: Path) -> Settings:
    """The settings in a file, with every key file tried; SettingsError in one sentence where something is wrong."""
    settings = read(path)
    _try_keys(settings, path.name)
    return settings


def read(path: Path) -> Settings:
    """The settings in a file, without a look at the files they name."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path.name}: expected a settings file, found none there; copy {_EXAMPLE}") from None
    except OSError as error:
        raise SettingsError(f"{path.name}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path.name}: expected TOML in UTF-8, found something else{_place(error)}") from None
    try:
        return Settings.model_validate(content, context={"folder": path.resolve().parent})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise SettingsError(f"{path.name}: {sentence(Settings, first)}; see {_EXAMPLE}") from None


def _place(error: Exception) -> str:
    """Where, without the line's text: it may hold a secret."""
    _, at, place = str(error).partition(" (at ")
    return f" at {place.rstrip(')')}" if at else ""


def _try_keys(settings: Settings, file: str) -> None:
    """Read whatever the settings name but do not hold."""
    _try_peers(settings, file)
    _tried(file, "audit.key", settings.log_key)
    places = [_tried(file, "database.url", settings.database.location)]
    places += [_tried(file, "key_store.url", settings.key_store.location)]
    if places[0] == places[1]:
        raise SettingsError(f"{file}: key 'key_store.url': expected another database than database.url, found the same")
    _tried(file, "key_store.master", settings.key_store.master.key)
    _tried(file, "key_store.index", settings.key_store.index.key)
    _tried(file, "key_store", settings.master_keys)
    if settings.office.oidc and settings.office.oidc.client_secret:
        _tried(file, "office.oidc.client_secret", settings.office.oidc.client_secret.read)
    if settings.service.tls:
        _tried(file, "service.tls.certificate", settings.service.tls.certificate.read_bytes)
        _tried(file, "service.tls.key", settings.service.tls.key.read_bytes)


def _try_peers(settings: Settings, file: str) -> None:
    own = _tried(file, "service.keys", settings.own).keys
    for index, peer in enumerate(settings.peers):
        keys = _tried(file, f"peers[{index}].jwks", partial(JwkSet.load, peer.jwks))
        if {key.kid for key in keys.keys} & {key.kid for key in own.keys}:
            raise SettingsError(f"{file}: key 'peers[{index}].jwks': expected a peer's own keys, found one of ours")
        _be_of_suite(file, f"peers[{index}].suite", peer.suite, {"service.keys": own, f"'{peer.name}'": keys})
    _tried(file, "peers", settings.directory)


def _tried(file: str, key: str, use: Callable[[], T]) -> T:
    """Use a setting; name file and key where that fails."""
    try:
        return use()
    except (ServiceError, ExchangeError) as error:
        raise SettingsError(f"{file}: key '{key}': {str(error).rstrip('.')}") from None
    except OSError as error:
        raise SettingsError(f"{file}: key '{key}': {error.filename} cannot be read ({error.strerror})") from None


def _be_of_suite(file: str, key: str, suite: str, sets: Mapping[str, KeySet | JwkSet]) -> None:
    for whose, keys in sets.items():
        if suite not in keys.suites:
            raise SettingsError(
                f"{file}: key '{key}': expected a suite that both sides have keys of, found '{suite}', of which "
                f"{whose} has none; it has {', '.join(keys.suites)}"
            )
