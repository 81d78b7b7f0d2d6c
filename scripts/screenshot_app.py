"""Make `docs/images/app-*.png`: the citizen's app on a telephone, from a simulator that runs for this purpose.

usage: python -m scripts.screenshot_app [OUT_DIR] [--width 360]
needs: chromium (Debian: apt-get install chromium) on the PATH, and playwright

Rules
- Citizens, parcels and numbers are invented; the service that asks is that of the tests (tests/confirm_api/vneid_sim).
- The clock and the matching code are fixed, so that a picture changes only when the app does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from scripts.system_tools import TOOLS
from tests.confirm_api.vneid_sim.world import CITIZEN, DAY, Running, ask, fetch, item, running

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
MORNING = 1_795_311_000.0  # 22 November 2026, 8:30 in Vietnam


def main() -> int:
    """Take the pictures; 1 where there is no browser."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="?", default=IMAGES)
    parser.add_argument("--width", type=int, default=360)
    options = parser.parse_args()
    browser = TOOLS["chromium"].path()
    if browser is None:
        sys.stderr.write("expected chromium on the PATH; install it.\n")
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), clock=lambda: MORNING) as world,
        sync_playwright() as play,
    ):
        chromium = play.chromium.launch(executable_path=browser, args=FLAGS)
        page = chromium.new_page(
            viewport={"width": options.width, "height": 740}, java_script_enabled=False, device_scale_factor=1
        )
        shoot(world, page, options.out)
        chromium.close()
    return 0


def shoot(world: Running, page: Page, out: Path) -> None:
    """One citizen's way through the app."""

    def take(name: str) -> None:
        page.screenshot(path=out / f"app-{name}.png", full_page=True)
        sys.stdout.write(f"{out / f'app-{name}.png'}\n")

    house = item(co_owner="Tr. T. H.")
    garden = item(
        serial_known=False, hamlet="Thôn Hiền Lương", land_use="Đất trồng cây lâu năm", area="khoảng 1.240 m²",
        certificate="cấp năm 1998",
    )  # fmt: skip
    auth_req_id = world.service.id_of(ask([house, garden], binding_message="K7MF-2QXR", requested_expiry=12 * DAY))
    world.service.id_of(ask([item(commune="Phường Đông Hà")], binding_message="T4WN-9HLE"))

    page.goto(f"{world.url}/app")
    take("login")
    page.get_by_label("Số định danh cá nhân").fill(CITIZEN)
    page.get_by_label("Mã truy cập").fill("246810")
    page.get_by_role("button", name="Đăng nhập").click()
    take("list")
    page.goto(f"{world.url}/app/requests/{auth_req_id}")
    page.locator("summary", has_text="Số này nằm ở đâu?").first.click()
    take("request")
    page.goto(f"{world.url}/app/language/en?to=/app/requests/{auth_req_id}")
    take("request-english")
    page.goto(f"{world.url}/app/language/vi?to=/app/requests/{auth_req_id}")
    page.locator("#verdict-1-mine").check()
    page.locator("#response-1").fill("40 8")
    page.get_by_role("button", name="Xem lại trước khi gửi").click()
    take("faults")
    page.locator("#response-1").fill("40 83")
    page.locator("#verdict-2-not_mine").check()
    page.get_by_role("button", name="Xem lại trước khi gửi").click()
    take("confirm")
    page.get_by_role("button", name="Gửi câu trả lời").click()
    world.service.send("landfetch+jwt", fetch(auth_req_id))
    page.reload()
    take("answer")
    page.get_by_role("link", name="Đổi câu trả lời").click()
    take("change")
    page.goto(f"{world.url}/app/past")
    take("past")
    page.goto(f"{world.url}/app")
    page.get_by_role("link", name="Xem và trả lời").click()
    page.get_by_role("link", name="Từ chối trả lời").click()
    take("decline")
    page.goto(f"{world.url}/app/declare")
    take("declare")
    page.goto(f"{world.url}/app/help")
    take("help")


if __name__ == "__main__":
    sys.exit(main())
