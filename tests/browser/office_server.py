"""The officers' pages on a real server on loopback, with sample cases and a clock that moves."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI

from confirm_api.pages import Office, router
from confirm_api.pages.oidc import Provider
from confirm_api.store.engine import open_engine, upgrade
from confirm_api.store.vault import MasterKeys, open_vault
from confirm_api.unit import Units
from scripts.office_samples import fill

PASSWORD = "Ruộng lúa chín vàng 2026"


@dataclass
class Site:
    """A running server."""

    url: str
    units: Units
    cases: dict[str, int]


@contextmanager
def office_server(
    folder: Path,
    clock: Callable[[], int] = lambda: int(time.time()),
    provider: Callable[[str], Provider] | None = None,
) -> Iterator[Site]:
    """Serve the pages from `folder`; `provider` is made with the address to come back to."""
    units = Units(_database(folder, "main"), _vault(folder), clock)
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    cases = fill(units, password_hash=quick.hash(PASSWORD))
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/can-bo"
    known = None if provider is None else provider(f"{url}/oidc/ket-thuc")
    app = FastAPI()
    app.include_router(router(Office(units, secure_cookies=False, provider=known)))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield Site(url, units, cases)
    finally:
        server.should_exit = True
        thread.join(10)
        units.vault.close()
        units.engine.dispose()


def _database(folder: Path, schema: str):
    engine = open_engine(f"sqlite:///{folder}/{schema}.sqlite")
    upgrade(engine, schema)
    return engine


def _vault(folder: Path):
    _database(folder, "keys").dispose()
    return open_vault(
        f"sqlite:///{folder}/keys.sqlite", MasterKeys(bytes(range(32)), bytes(range(32, 64))), clock=time.time
    )
