"""Keeps docs/images/office-*.png: the officers' pages with sample cases, in a real Chromium.

needs: chromium (Debian: apt-get install chromium) on the PATH, and playwright

Example: `python scripts/screenshot_office.py` writes into docs/images.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from scripts.system_tools import TOOLS
from tests.browser.office_server import PASSWORD, office_server

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
NOW = 1_764_000_000
"""The pages' clock stands, so that the same code gives the same images."""


def log_in(page: Page, url: str, name: str) -> None:
    """Open the list as this officer."""
    page.goto(f"{url}/dang-nhap")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()


def shoot(page: Page, out: Path, name: str) -> None:
    """Keep the whole page."""
    page.screenshot(path=out / f"office-{name}.png", full_page=True)


def tour(page: Page, url: str, cases: dict[str, int], out: Path) -> None:
    """Look at every page once."""
    page.goto(f"{url}/dang-nhap")
    shoot(page, out, "login")
    log_in(page, url, "lan")
    shoot(page, out, "list")
    for name in ("dispute", "failed_challenge", "declaration"):
        page.goto(f"{url}/ho-so/{cases[name]}")
        shoot(page, out, f"case-{name.replace('_', '-')}")
    page.goto(f"{url}/ho-so/{cases['dispute']}")
    page.get_by_label("Xác nhận của công dân này").check()
    page.fill("#reason", "Bản gốc giấy chứng nhận và hợp đồng chuyển nhượng năm 2004 đứng tên công dân này.")
    page.get_by_role("button", name="Tiếp tục").click()
    shoot(page, out, "confirm")
    page.get_by_role("button", name="Ghi quyết định").click()
    shoot(page, out, "next")
    page.goto(f"{url}/tra-cuu?ma=MEND-QRST")
    page.locator("summary").click()
    shoot(page, out, "lookup")
    log_in(page, url, "tra")
    page.goto(f"{url}/nhat-ky")
    shoot(page, out, "log")


def main(out: Path = IMAGES) -> int:
    """Write all images."""
    browser = TOOLS["chromium"].path()
    if browser is None:
        sys.stderr.write("expected chromium on the PATH; install it.\n")
        return 1
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        office_server(Path(folder), clock=lambda: NOW) as site,
        sync_playwright() as play,
    ):
        chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        tour(chromium.new_page(viewport={"width": 1200, "height": 800}), site.url, site.cases, out)
        phone = chromium.new_page(viewport={"width": 390, "height": 844})
        log_in(phone, site.url, "lan")
        phone.goto(f"{site.url}/ho-so/{site.cases['unproven']}")
        shoot(phone, out, "phone")
        chromium.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:2])))
