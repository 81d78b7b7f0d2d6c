"""A real Chromium at the size of a telephone, and a citizen who signs in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.system_tools import TOOLS
from tests.confirm_api.vneid_sim.world import CITIZEN, Running, running

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
TELEPHONE = {"width": 360, "height": 740}
PATIENCE_MILLISECONDS = 30_000
"""What a page must show is waited for: on a busy machine an answer may take long."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The system's Chromium; ended with the module, since there may be one Playwright at a time."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=TOOLS["chromium"].path(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One simulator for all pages; each test has its own citizen."""
    with running(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def open_app(chromium: Any, world: Running) -> Iterator[Callable[..., Any]]:
    """A page on the app, signed in; whatever the browser complains of fails the test."""
    contexts, complaints = [], []

    def open_it(citizen_id: str = CITIZEN, **options: Any) -> Any:
        context = chromium.new_context(**({"viewport": TELEPHONE, "java_script_enabled": False} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda told: complaints.append(told.text) if told.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.extend(_failed(request)))
        page.on("request", lambda request: complaints.extend(_elsewhere(request.url, world.url)))
        sign_in(page, world, citizen_id)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert [told for told in complaints if "status of 4" not in told] == []


def _failed(request: Any) -> list[str]:
    """A picture that is not waited for, because the test goes on, is no failure."""
    return [] if "ERR_ABORTED" in str(request.failure) else [f"failed: {request.url} {request.failure}"]


def _elsewhere(url: str, ours: str) -> list[str]:
    return [] if url.startswith(ours) else [f"elsewhere: {url}"]


def sign_in(page: Any, world: Running, citizen_id: str) -> None:
    """As a citizen does it."""
    page.goto(f"{world.url}/app/login")
    page.get_by_label("Số định danh cá nhân").fill(citizen_id)
    page.get_by_label("Mã truy cập").fill("246810")
    page.get_by_role("button", name="Đăng nhập").click()
    page.wait_for_url(lambda address: "/app/login" not in address)


@pytest.fixture
def citizen_id(request: pytest.FixtureRequest) -> str:
    """A citizen for this test alone."""
    return f"045{sum(map(ord, request.node.nodeid)) * 7_919 % 10**9:09d}"


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    """A small file that begins as a PDF does."""
    path = tmp_path / "giấy chứng nhận.pdf"
    path.write_bytes(b"%PDF-1.7\n" + b"x" * 2_000)
    return path
