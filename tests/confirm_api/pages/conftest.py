"""The officers' pages over ASGI, on SQLite; the rules behind them are tested on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient

from confirm_api.office import officers
from confirm_api.pages import Office, router
from scripts.office_samples import fill

PASSWORD = "Ruộng lúa chín vàng 2026"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def quick_hashes(monkeypatch) -> PasswordHasher:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(officers, "_HASHER", quick)
    monkeypatch.setattr(officers, "_NOBODY", quick.hash("nobody"))
    return quick


@pytest.fixture
def cases(units, quick_hashes) -> dict[str, int]:
    """Officers and one case of each kind."""
    return fill(units, password_hash=quick_hashes.hash(PASSWORD))


@pytest.fixture
def client_of(units) -> Callable[..., TestClient]:
    def client(**how) -> TestClient:
        app = FastAPI()
        app.include_router(router(Office(units, **{"secure_cookies": False, **how})))
        scheme = "https" if how.get("secure_cookies") else "http"
        return TestClient(app, base_url=f"{scheme}://office.test", follow_redirects=False)

    return client


def field(html: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, f"no field {name}"
    return found.group(1)


def log_in(client: TestClient, name: str) -> TestClient:
    guard = field(client.get("/can-bo/dang-nhap").text, "guard")
    answer = client.post("/can-bo/dang-nhap", data={"name": name, "password": PASSWORD, "guard": guard})
    assert (answer.status_code, answer.headers["location"]) == (303, "/can-bo/")
    return client


@pytest.fixture
def desk(client_of, cases) -> Callable[[str], TestClient]:
    """An officer who is logged in."""
    return lambda name: log_in(client_of(), name)
