"""The officers' pages in a real Chromium, without JavaScript, and by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from confirm_api.pages.oidc import Provider
from tests.browser.office_server import PASSWORD, office_server
from tests.confirm_api.pages.oidc_provider import CLIENT, SECRET, openid_provider

pytestmark = pytest.mark.needs("chromium")
REASON = "Đã đối chiếu bản gốc giấy chứng nhận."


@pytest.fixture
def site(tmp_path):
    with office_server(tmp_path) as running:
        yield running


@pytest.fixture
def page(chromium):
    """A browser without JavaScript that remembers what it complained about."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    yield page
    context.close()


def log_in(page: Page, url: str, name: str) -> None:
    page.goto(f"{url}/")
    page.get_by_label("Tên đăng nhập").fill(name)
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hồ sơ chờ cán bộ")


def decide(page: Page, label: str) -> None:
    page.get_by_label(label).check()
    page.get_by_label("Lý do, căn cứ").fill(REASON)
    page.get_by_role("button", name="Tiếp tục").click()
    page.get_by_role("button", name="Ghi quyết định").click()
    expect(page.get_by_role("status")).to_be_visible()


def test_two_officers_end_a_dispute(site, page):
    log_in(page, site.url, "lan")
    page.get_by_role("link", name="Tranh chấp").click()
    page.get_by_role("link", name=f"Số {site.cases['dispute']}", exact=True).click()
    expect(page.locator(".two")).to_contain_text("hai cán bộ khác nhau")
    decide(page, "Xác nhận của công dân này")
    expect(page.get_by_role("status")).to_contain_text("chờ cán bộ thứ hai")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Hồ sơ số {site.cases['dispute_two']}")
    page.get_by_role("button", name="Đăng xuất").click()
    expect(page.get_by_label("Tên đăng nhập")).to_be_visible()
    log_in(page, site.url, "minh")
    page.goto(f"{site.url}/ho-so/{site.cases['dispute']}")
    expect(page.locator(".history").last).to_contain_text(REASON)
    decide(page, "Xác nhận của công dân này")
    expect(page.get_by_role("status")).to_contain_text("Đã ghi quyết định")
    assert page.complaints == []


def test_a_case_is_decided_by_keyboard_alone(site, page):
    log_in(page, site.url, "lan")
    page.goto(f"{site.url}/ho-so/{site.cases['correction']}")
    _tab_to(page, "input[type=radio]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type(REASON)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Ghi quyết định")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text(f"Đã ghi quyết định cho hồ sơ số {site.cases['correction']}")


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            return
    pytest.fail(f"{selector} cannot be reached by the keyboard")


def test_the_browser_asks_for_what_is_missing_and_the_server_for_the_rest(site, page):
    log_in(page, site.url, "lan")
    page.goto(f"{site.url}/ho-so/{site.cases['unsure']}")
    page.get_by_role("button", name="Tiếp tục").click()
    assert page.url.endswith(f"/ho-so/{site.cases['unsure']}")
    page.get_by_label("Không phải của công dân này").check()
    page.get_by_label("Lý do, căn cứ").fill("          ok          ")
    page.get_by_role("button", name="Tiếp tục").click()
    expect(page.get_by_role("alert").last).to_contain_text("từ 10 đến 500 ký tự")
    expect(page.get_by_label("Không phải của công dân này")).to_be_checked()


def test_a_decided_case_can_be_reopened(site, page):
    log_in(page, site.url, "lan")
    page.goto(f"{site.url}/ho-so/{site.cases['unproven']}")
    decide(page, "Không phải của công dân này")
    page.goto(f"{site.url}/ho-so/{site.cases['unproven']}")
    page.get_by_label("Lý do").fill("Công dân đã nộp bản gốc.")
    page.get_by_role("button", name="Mở lại").click()
    expect(page.get_by_role("status")).to_contain_text("cần hai cán bộ")
    expect(page.locator(".history").last).to_contain_text("Mở lại hồ sơ")


def test_an_officer_of_a_commune_finds_no_other(site, page):
    log_in(page, site.url, "hoa")
    assert "Phường Hoà Khê" not in page.content()
    page.goto(f"{site.url}/ho-so/{site.cases['unsure']}")
    expect(page.get_by_role("alert")).to_contain_text("không thuộc địa bàn")


def test_the_login_through_the_agencys_provider(tmp_path, page):
    with openid_provider() as idp:
        idp.subject = "oidc-lan"
        with office_server(tmp_path, provider=lambda back: Provider(idp.issuer, CLIENT, SECRET, back)) as site:
            _only_openid(site)
            page.goto(f"{site.url}/dang-nhap")
            page.get_by_role("link", name="Đăng nhập bằng tài khoản của cơ quan").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Hồ sơ chờ cán bộ")
            cookie = next(one for one in page.context.cookies() if "phien" in one["name"])
            assert (cookie["sameSite"], cookie["httpOnly"]) == ("Strict", True)


def _only_openid(site) -> None:
    from sqlalchemy import update

    from confirm_api.store.tables import officers

    with site.units.begin() as unit:
        unit.conn.execute(update(officers).where(officers.c.name == "lan").values(oidc_subject="oidc-lan"))


@pytest.mark.parametrize("width", [320, 1200])
def test_no_page_is_wider_than_the_window(site, chromium, width):
    page = chromium.new_page(viewport={"width": width, "height": 800})
    log_in(page, site.url, "lan")
    for address in ("/", *(f"/ho-so/{no}" for no in site.cases.values()), "/nhat-ky"):
        page.goto(site.url + address)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
    page.close()


def test_every_field_has_a_label_and_every_page_one_heading(site, chromium):
    page = chromium.new_page()
    log_in(page, site.url, "lan")
    for address in ("/", f"/ho-so/{site.cases['dispute']}", "/tra-cuu?ma=MEND-QRST", "/nhat-ky"):
        page.goto(site.url + address)
        unnamed = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]),select,textarea')]"
            ".filter(field => !field.labels.length).length"
        )
        assert (unnamed, page.locator("h1").count()) == (0, 1)
        assert re.search(r'<html lang="vi">', page.content())
    page.close()
