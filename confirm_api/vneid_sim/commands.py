"""The command `quychu vneid-sim`; `quychu/cli.py` mounts it.

Rules
- Exit 1 with one sentence where a setting or key is bad, 2 on wrong usage, 130 on Ctrl-C.
- `--ready-file` is written, whole, once the server listens: JSON with `url`, `app`, `pid` and, where the driver API is
  on, `driver_token`; mode 0600. A test that starts us waits for it.
- `--dev DIR` needs no settings file: keys, database and a random driver token are made in DIR and stay there, the port
  is a free one, the ready file is `DIR/ready.json`. It prints where the app is.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from confirm_api.vneid_sim.errors import SimulatorError

_EXAMPLE = "quychu vneid-sim --config configs/vneid_sim.example.toml"
_RESTORED_SECONDS = 70
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("vneid-sim", epilog=f"\b\nExample:\n  {_EXAMPLE}")
@click.option("--config", type=_FILE, help="The settings (configs/vneid_sim.example.toml).")
@click.option("--dev", type=click.Path(path_type=Path, file_okay=False), help="A folder to keep everything in instead.")
@click.option("--service-jwks", type=_FILE, help="Instead of the settings': the service's public keys.")
@click.option("--service-url", help="Instead of the settings': where the service listens.")
@click.option("--listen", help="Instead of the settings': HOST:PORT; port 0 takes a free one.")
@click.option("--restored", is_flag=True, help="The database comes from a backup: take no messages for 70 seconds.")
@click.option("--ready-file", type=_FILE, help="Written once the server listens.")
def vneid_sim(**options: Any) -> None:
    """Run the simulated identity provider and its citizen's app."""
    try:
        serve(**options)
    except SimulatorError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def serve(
    *,
    config: Path | None,
    dev: Path | None,
    service_jwks: Path | None,
    service_url: str | None,
    listen: str | None,
    restored: bool,
    ready_file: Path | None,
) -> None:
    """Run until told to end."""
    from confirm_api.vneid_sim.app import create_app  # noqa: PLC0415 - so that `--help` is quick
    from confirm_api.vneid_sim.settings import driver_token  # noqa: PLC0415

    if (config is None) == (dev is None):
        raise click.UsageError("expected either --config FILE or --dev DIR.")
    overriding = {"listen": listen, "service": {"jwks": service_jwks, "url": service_url}}
    settings = _from_file(config, overriding) if config else _for_trial(Path(str(dev)), overriding)
    ready_file = ready_file or (dev / "ready.json" if dev else None)
    listening = _listening(settings.host, settings.port)
    port = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    ready = {"url": f"http://{host}:{port}", "app": f"http://{host}:{port}/app", "pid": os.getpid()}
    token = driver_token(settings.driver)
    told = {**ready, "driver_token": token} if token else ready
    app = create_app(settings)
    if restored:
        app.state.simulator.reception.opens_at = time.time() + _RESTORED_SECONDS
    _run(app, listening, lambda: _ready(ready_file, told))


def _from_file(config: Path, overriding: dict[str, Any]) -> Any:
    from confirm_api.vneid_sim import settings  # noqa: PLC0415

    return settings.overridden(settings.load(config), overriding)


def _for_trial(folder: Path, overriding: dict[str, Any]) -> Any:
    """Settings that need nothing but a folder."""
    from confirm_api.vneid_sim import settings  # noqa: PLC0415
    from exchange.sealed.keys import KeySet  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    keys, token_file, jwks = folder / "vneid.keys.json", folder / "driver.token", folder / "vneid.jwks.json"
    if not keys.exists():
        KeySet.generate().save(keys)
    jwks.write_bytes(KeySet.load(keys).public().to_json())
    if not token_file.exists():
        _write_private(token_file, secrets.token_urlsafe(32))
    content = {
        "listen": "127.0.0.1:0",
        "service": {"jwks": folder / "service.jwks.json", "url": "http://127.0.0.1:8600"},
        "driver": {"token_file": "driver.token"},
    }
    return settings.overridden(settings.with_folder(settings.parse(content), folder.resolve()), overriding)


def _listening(host: str, port: int) -> socket.socket:
    from confirm_api.vneid_sim.errors import SettingsError  # noqa: PLC0415

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        found = socket.socket(family)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError as error:
        raise SettingsError(f"listen: cannot listen on {host}:{port} ({error.strerror}); take another port.") from error
    return found


def _run(app: Any, listening: socket.socket, ready: Callable[[], None]) -> None:
    import uvicorn  # noqa: PLC0415

    class _Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                await asyncio.to_thread(ready)

    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, lifespan="on", timeout_keep_alive=30
    )
    with suppress(KeyboardInterrupt):
        _Server(config).run(sockets=[listening])


def _ready(ready_file: Path | None, told: dict[str, Any]) -> None:
    click.echo(f"The simulated identity provider listens on {told['url']}; the citizen's app is {told['app']}")
    if ready_file is not None:
        _write_private(ready_file, json.dumps(told))


def _write_private(path: Path, text: str) -> None:
    """The file is there in full or not at all, and is its owner's."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)
