"""The simulator's settings: one TOML file, checked at the start.

Rules
- An unknown key, a wrong type or a value out of range stops the start with one sentence that names the key.
- Paths are relative to the file's folder. A secret stands in a file of its own (`token_file`) or in the environment.
- Without `[driver]` there is no driver API at all. `[faults]` is for trials; without it nothing is slow or wrong.

>>> parse(
...     {"listen": "127.0.0.1:8700", "service": {"jwks": "service.jwks.json", "url": "http://127.0.0.1:8600"}}
... ).provider
ProviderSettings(interval_seconds=5, longest_request_days=30, retention_days=7, acr_level=2)
>>> parse({"listn": 1})
Traceback (most recent call last):
    ...
confirm_api.vneid_sim.errors.SettingsError: listn: unknown key; correct it, see configs/vneid_sim.example.toml.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from confirm_api.vneid_sim.errors import SettingsError

_EXAMPLE = "configs/vneid_sim.example.toml"
_TOKEN_VARIABLE = "QUYCHU_VNEID_SIM_DRIVER_TOKEN"  # noqa: S105 - a variable's name, not a token
_LEAST_TOKEN_CHARACTERS = 22

CitizenId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=3_600)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ServiceSettings(_Table):
    """The one peer: the confirmation service."""

    jwks: Path
    url: str
    iss: str = "urn:quychu:peer:service"
    suite: Literal["vn-p256", "modern-25519"] = "vn-p256"


class ProviderSettings(_Table):
    """What `/bc-authorize` and `/token` promise."""

    interval_seconds: Annotated[int, Field(ge=1, le=60)] = 5
    longest_request_days: Annotated[float, Field(gt=0, le=30)] = 30
    """A shorter one ends requests before their question does, and the service has to ask again."""
    retention_days: Annotated[float, Field(gt=0)] = 7
    """How long after its end a reply is given again; the protocol says 7."""
    acr_level: Annotated[int, Field(ge=2, le=9)] = 2


class AccountSettings(_Table):
    """Who has an account: everybody at level 2 but those listed."""

    default_level: Literal[0, 1, 2] = 2
    unknown: list[CitizenId] = []
    level_1: list[CitizenId] = []


class AppSettings(_Table):
    """The citizen's app."""

    passcode: Annotated[str, Field(pattern=r"^[0-9]{6}$")] = "246810"
    """Of every account: this is a simulator."""
    show_passcode: bool = True
    authority_vi: str = "Chi nhánh Văn phòng đăng ký đất đai"
    authority_en: str = "Branch of the Land Registration Office"
    basis_vi: str = (
        "Luật Đất đai số 31/2024/QH15; Nghị định số 101/2024/NĐ-CP về đăng ký, cấp Giấy chứng nhận và Hệ thống "
        "thông tin đất đai; Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15"
    )
    basis_en: str = (
        "Land Law No. 31/2024/QH15; Decree No. 101/2024/NĐ-CP on registration, certificates and the land information "
        "system; Personal Data Protection Law No. 91/2025/QH15"
    )
    contact_vi: str = "bộ phận một cửa của Ủy ban nhân dân xã, phường, đặc khu nơi có đất"
    contact_en: str = "the one-stop desk of the People's Committee of the commune where the land lies"
    reconfirm_seconds: Annotated[int, Field(ge=1)] = 600
    session_minutes: Annotated[int, Field(ge=1)] = 15


class DriverSettings(_Table):
    """The driver API: answers in bulk, for trials only."""

    token: str | None = None
    token_file: Path | None = None


class LimitSettings(_Table):
    """How many sealed messages are taken in a second."""

    per_address: Annotated[float, Field(gt=0)] = 2_000
    per_peer: Annotated[float, Field(gt=0)] = 2_000


class FaultSettings(_Table):
    """Fault knobs (faults.py): shares of events, chosen by a stream of random numbers of its own for each knob."""

    seed: int = 1
    slow_share: Share = 0
    slow_seconds: tuple[Seconds, Seconds] = (0.5, 2)
    error_share: Share = 0
    """A sealed request is answered 500 and has no effect."""
    lost_answer_share: Share = 0
    """It has its effect, and is answered 500 all the same."""
    wrong_signature_share: Share = 0
    lost_ping_share: Share = 0
    double_ping_share: Share = 0
    reordered_share: Share = 0
    """A ping or a message of ours is held back, so that later ones overtake it."""
    reordered_seconds: tuple[Seconds, Seconds] = (0.5, 3)
    clock_off_seconds: Annotated[int, Field(ge=-86_400, le=86_400)] = 0


class OutboxSettings(_Table):
    """When a message that did not arrive is sent again (protocol §5); the pings' are fewer and shorter."""

    retry_seconds: list[Annotated[float, Field(ge=0)]] = [0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    ping_retry_seconds: list[Annotated[float, Field(ge=0)]] = [0, 2, 10]


class Settings(_Table):
    """The whole file."""

    service: ServiceSettings
    listen: Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\s]+):[0-9]{1,5}$")] = "127.0.0.1:8700"
    iss: str = "urn:quychu:peer:vneid"
    keys: Path = Path("vneid.keys.json")
    database: Path = Path("vneid_sim.sqlite3")
    public_url: str | None = None
    """Where browsers find the app when it is behind a proxy; https makes cookies Secure."""
    provider: ProviderSettings = ProviderSettings()
    accounts: AccountSettings = AccountSettings()
    app: AppSettings = AppSettings()
    driver: DriverSettings = DriverSettings()
    limits: LimitSettings = LimitSettings()
    faults: FaultSettings = FaultSettings()
    outbox: OutboxSettings = OutboxSettings()

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on; 0 takes a free one."""
        return int(self.listen.rpartition(":")[2])


def load(path: Path) -> Settings:
    """The settings in a file, its paths made absolute."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"{path.name}: expected a TOML file in UTF-8, found none ({type(error).__name__})."
        ) from error
    return with_folder(parse(content), path.resolve().parent)


def parse(content: Mapping[str, Any]) -> Settings:
    """The settings in a table."""
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        first = min(found, key=lambda fault: fault["type"] != "extra_forbidden")
        key = ".".join(str(step) for step in first["loc"])
        rule = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise SettingsError(f"{key}: {rule}; correct it, see {_EXAMPLE}.") from None


def with_folder(settings: Settings, folder: Path) -> Settings:
    """The same with relative paths taken from `folder`."""
    token_file = settings.driver.token_file
    return settings.model_copy(
        update={
            "keys": folder / settings.keys,
            "database": folder / settings.database,
            "service": settings.service.model_copy(update={"jwks": folder / settings.service.jwks}),
            "driver": settings.driver.model_copy(update={"token_file": token_file and folder / token_file}),
        }
    )


def overridden(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """The same with what a command line gives; None gives nothing."""
    service = {name: value for name, value in given["service"].items() if value is not None}
    content = settings.model_dump() | ({"listen": given["listen"]} if given["listen"] else {})
    return parse(content | {"service": content["service"] | service})


def driver_token(settings: DriverSettings, environment: Mapping[str, str] = os.environ) -> str | None:
    """The driver's token, or None where the driver API is off."""
    token = environment.get(_TOKEN_VARIABLE) or settings.token
    if token is None and settings.token_file is not None:
        try:
            token = settings.token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"driver.token_file: {settings.token_file.name} cannot be read.") from error
    if token is not None and len(token) < _LEAST_TOKEN_CHARACTERS:
        raise SettingsError(f"driver.token: expected at least {_LEAST_TOKEN_CHARACTERS} characters; make it random.")
    return token
