"""What citizens do in the app, in a real browser of a telephone's size, mostly without JavaScript."""

from __future__ import annotations

import hashlib
import re
import urllib.request

import pytest
from playwright.sync_api import expect

from confirm_api.vneid_sim.pages.visits import HEADERS
from tests.browser.accessible import faults_of
from tests.browser.conftest import sign_in
from tests.confirm_api.vneid_sim.world import NEIGHBOUR, ask, item, wait_for

pytestmark = pytest.mark.needs("chromium")


def asked(world, citizen_id, *items, **changes):
    message = ask(list(items) or [item()], citizen_id, **changes)
    return message, world.service.id_of(message)


def test_a_citizen_answers_with_the_number_and_the_reply_is_fetched(world, open_app, citizen_id):
    message, auth_req_id = asked(world, citizen_id)
    page = open_app(citizen_id)
    page.get_by_role("link", name="Xem và trả lời").click()
    expect(page.get_by_text(message["binding_message"])).to_be_visible()
    for told in ("Ai hỏi", "Vì sao hỏi", "Hạn trả lời", "Câu trả lời dùng làm gì", "không bị thiệt gì"):
        expect(page.get_by_text(told).first).to_be_visible()
    expect(page.locator("input[type=radio]:checked")).to_have_count(0)
    page.get_by_role("radio", name=re.compile("^Của tôi")).check()
    page.get_by_label("4 ký tự cuối").fill("40 83")
    page.get_by_text("Thông tin cần sửa").click()
    page.get_by_label("Địa chỉ đúng").fill("Thôn Tiên Mỹ")
    page.get_by_role("button", name="Xem lại trước khi gửi").click()
    assert world.service.fetched(auth_req_id) == "authorization_pending"
    page.get_by_role("button", name="Gửi câu trả lời").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Đã ghi nhận câu trả lời")
    assert world.service.fetched(auth_req_id)["answers"] == [
        {
            "item_id": message["ask"]["items"][0]["item_id"],
            "verdict": "mine",
            "challenge_response": "4083",
            "corrections": [{"field": "address", "value": "Thôn Tiên Mỹ"}],
        }
    ]
    page.reload()
    expect(page.get_by_text("Cơ quan đã nhận câu trả lời")).to_be_visible()


def test_a_wrong_number_is_asked_again_in_a_new_request_that_says_so(world, open_app, citizen_id):
    message, auth_req_id = asked(world, citizen_id)
    item_id = message["ask"]["items"][0]["item_id"]
    answer = {"item_id": item_id, "verdict": "mine", "challenge_response": "0000"}
    assert world.driver.answer([{"auth_req_id": auth_req_id, "answers": [answer]}]) == ["ok"]
    again = message | {"ask": message["ask"] | {"attempt": 2}}
    world.service.id_of(again)
    page = open_app(citizen_id)
    page.get_by_role("link", name="Xem và trả lời").click()
    expect(page.get_by_text("Lần trước, số đã nhập chưa khớp")).to_be_visible()
    expect(page.get_by_label("4 ký tự cuối")).to_have_value("")


def test_faults_are_told_at_the_top_with_links_and_what_was_written_stays(world, open_app, citizen_id):
    asked(world, citizen_id, item(), item(serial_known=False))
    page = open_app(citizen_id)
    page.get_by_role("link", name="Xem và trả lời").click()
    page.locator("#verdict-1-mine").check()
    page.locator("#response-1").fill("408")
    page.get_by_role("button", name="Xem lại trước khi gửi").click()
    expect(page).to_have_title(re.compile("^Lỗi: "))
    told = page.get_by_role("alert").get_by_role("link")
    assert [told.nth(at).get_attribute("href") for at in range(told.count())] == ["#response-1", "#verdict-2-mine"]
    expect(page.locator("#response-1")).to_have_value("408")
    expect(page.locator("#response-1")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#verdict-1-mine")).to_be_checked()


def test_a_number_is_not_sent_with_another_answer_than_mine(world, open_app, citizen_id):
    _, auth_req_id = asked(world, citizen_id)
    page = open_app(citizen_id)
    page.get_by_role("link", name="Xem và trả lời").click()
    page.locator("#verdict-1-unsure").check()
    page.locator("#response-1").fill("4083")
    page.get_by_role("button", name="Xem lại trước khi gửi").click()
    expect(page.get_by_text("chỉ được gửi khi trả lời “Của tôi”")).to_be_visible()
    page.get_by_role("button", name="Gửi câu trả lời").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Đã ghi nhận câu trả lời")
    assert world.service.fetched(auth_req_id)["answers"][0]["challenge_response"] is None


def test_a_citizen_declines_the_whole_request(world, open_app, citizen_id):
    _, auth_req_id = asked(world, citizen_id)
    page = open_app(citizen_id)
    page.get_by_role("link", name="Xem và trả lời").click()
    page.get_by_role("link", name="Từ chối trả lời").click()
    expect(page.get_by_text("không bị thiệt gì")).to_be_visible()
    assert world.service.fetched(auth_req_id) == "authorization_pending"
    page.get_by_role("button", name="Từ chối trả lời").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Đã ghi nhận việc từ chối")
    assert world.service.fetched(auth_req_id) == "access_denied"


def test_an_answer_is_changed_and_the_change_arrives(world, open_app, citizen_id):
    message, auth_req_id = asked(world, citizen_id, item(), item())
    ids = [one["item_id"] for one in message["ask"]["items"]]
    said = [{"item_id": item_id, "verdict": "mine"} for item_id in ids]
    world.driver.answer([{"auth_req_id": auth_req_id, "answers": said}])
    world.service.fetched(auth_req_id)
    page = open_app(citizen_id)
    page.get_by_role("link", name="Đã trả lời").click()
    page.get_by_role("link", name="Xem chi tiết").click()
    page.get_by_role("link", name="Đổi câu trả lời").click()
    expect(page.locator("#verdict-1-keep")).to_be_visible()
    expect(page.locator("input[type=radio]:checked")).to_have_count(0)
    page.get_by_role("button", name="Xem lại trước khi gửi").click()
    expect(page.get_by_role("alert").get_by_text("ít nhất một thửa đất")).to_be_visible()
    page.locator("#verdict-1-keep").check()
    page.locator("#verdict-2-not_mine").check()
    page.get_by_role("button", name="Xem lại trước khi gửi").click()
    page.get_by_role("button", name="Gửi câu trả lời").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Đã ghi nhận câu trả lời mới")
    told = wait_for(lambda: [one.payload for one in world.service.heard if one.payload.get("revises") == auth_req_id])[
        0
    ]
    assert [(one["item_id"], one["verdict"]) for one in told["answers"]] == [(ids[1], "not_mine")]
    wait_for(lambda: page.reload() and page.get_by_text("cơ quan đã nhận và giao cán bộ xem xét").count())


def test_a_certificate_is_declared_with_a_file_that_the_officer_can_open(world, open_app, citizen_id, pdf):
    page = open_app(citizen_id)
    page.get_by_role("link", name="Kê khai").click()
    page.get_by_role("button", name="Gửi kê khai").click()
    expect(page.get_by_role("alert").get_by_role("link")).to_have_count(2)
    page.get_by_label("Số phát hành (số seri)").fill("ad 654083")
    page.get_by_label("Họ và tên người đứng tên").fill("Trần Thị Hoa")
    page.get_by_label("Vì sao ông/bà kê khai giúp").fill("mẹ tôi đã cao tuổi")
    page.get_by_label("Ảnh hoặc bản quét").set_input_files(pdf)
    page.get_by_label("Tôi đã xem lại").check()
    page.get_by_role("button", name="Gửi kê khai").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Đã ghi nhận kê khai")
    told = wait_for(lambda: [one.payload for one in world.service.heard if one.payload.get("sub") == citizen_id])[0]
    assert told["certificate_serial"] == "AD 654083"
    assert told["on_behalf_of"] == {"name": "Trần Thị Hoa", "reason": "mẹ tôi đã cao tuổi"}
    (file,) = told["attachments"]
    assert (file["name"], file["media_type"], file["size"]) == (pdf.name, "application/pdf", pdf.stat().st_size)
    address = f"{world.url}/attachments/{told['declaration_id']}/{file['sha256']}"
    with urllib.request.urlopen(address) as answer:
        assert hashlib.sha256(answer.read()).hexdigest() == file["sha256"]
        assert answer.headers["content-disposition"] == "attachment"
    wait_for(lambda: page.reload() and page.get_by_text("cán bộ sẽ xem xét").count())


def test_a_file_that_is_no_picture_and_one_too_large_are_refused(world, open_app, citizen_id, tmp_path):
    wrong, large = tmp_path / "chương trình.pdf", tmp_path / "ảnh.png"
    wrong.write_bytes(b"MZ" + b"x" * 100)
    large.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 3_500_000)
    page = open_app(citizen_id)
    page.goto(f"{world.url}/app/declare")
    page.get_by_label("Số phát hành (số seri)").fill("AD 1")
    page.get_by_label("Ảnh hoặc bản quét").set_input_files([wrong, large])
    page.get_by_label("Tôi đã xem lại").check()
    page.get_by_role("button", name="Gửi kê khai").click()
    alert = page.get_by_role("alert")
    expect(alert.get_by_text("không phải PDF, PNG hoặc JPEG")).to_be_visible()
    expect(alert.get_by_text("lớn hơn 3,5 MB")).to_be_visible()


def test_the_app_speaks_english_and_stays_where_it_was(world, open_app, citizen_id):
    _, auth_req_id = asked(world, citizen_id)
    page = open_app(citizen_id)
    page.get_by_role("link", name="Xem và trả lời").click()
    page.get_by_role("link", name="English").click()
    expect(page).to_have_url(re.compile(f"/app/requests/{auth_req_id}$"))
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Is this parcel of land yours?")
    expect(page.locator("dl.facts dd").first).to_have_attribute("lang", "vi")
    page.get_by_role("link", name="Tiếng Việt").click()
    expect(page.locator("html")).to_have_attribute("lang", "vi")


def test_everything_is_reached_and_sent_by_keyboard_alone(world, open_app, citizen_id):
    _, auth_req_id = asked(world, citizen_id)
    page = open_app(citizen_id, java_script_enabled=True)
    page.goto(f"{world.url}/app/requests/{auth_req_id}")

    def tab_to(selector: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                outlined = "() => getComputedStyle(document.activeElement.matches('.choice input') ? "
                outlined += "document.activeElement.nextElementSibling : document.activeElement).outlineStyle"
                assert page.evaluate(outlined) == "solid", f"{selector}: the focus cannot be seen"
                return
        raise AssertionError(f"never came to {selector}")

    tab_to("a.skip")
    tab_to("input[name=verdict-1]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#verdict-1-not_mine")).to_be_checked()
    tab_to("button:not(.plain)")
    page.keyboard.press("Enter")
    page.wait_for_url("**/confirm")
    tab_to("button:not(.plain)")
    page.keyboard.press("Enter")
    page.wait_for_url("**sent=answer")
    assert world.service.fetched(auth_req_id)["answers"][0]["verdict"] == "not_mine"


def test_another_citizens_request_looks_like_one_that_never_was(world, open_app, citizen_id):
    _, auth_req_id = asked(world, NEIGHBOUR)
    page = open_app(citizen_id)
    texts = []
    for place in (auth_req_id, "A" * 22):
        for step in ("", "/confirm", "/decline", "/change", "/change/confirm"):
            page.goto(f"{world.url}/app/requests/{place}{step}")
            texts.append((step, page.locator("main").inner_text()))
    assert texts[:5] == texts[5:]
    page.goto(f"{world.url}/app")
    expect(page.get_by_role("link", name="Xem và trả lời")).to_have_count(0)


def test_an_answer_after_ten_minutes_wants_the_passcode_again(world, open_app, citizen_id, monkeypatch):
    _, auth_req_id = asked(world, citizen_id)
    page = open_app(citizen_id)
    page.goto(f"{world.url}/app/requests/{auth_req_id}")
    page.locator("#verdict-1-unsure").check()
    page.get_by_role("button", name="Xem lại trước khi gửi").click()
    clock = world.simulator.reception.clock
    monkeypatch.setattr(world.simulator.reception, "clock", lambda: clock() + 601)
    page.get_by_role("button", name="Gửi câu trả lời").click()
    page.get_by_label("Mã truy cập").fill("111111")
    page.get_by_role("button", name="Gửi câu trả lời").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Mã truy cập").fill("246810")
    page.get_by_role("button", name="Gửi câu trả lời").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Đã ghi nhận câu trả lời")


def test_a_request_that_was_taken_away_meanwhile_says_so_and_sends_nothing(world, open_app, citizen_id):
    message, auth_req_id = asked(world, citizen_id)
    page = open_app(citizen_id)
    page.goto(f"{world.url}/app/requests/{auth_req_id}")
    page.locator("#verdict-1-unsure").check()
    cancel = {"auth_req_id": auth_req_id, "question_id": message["ask"]["question_id"], "reason": "withdrawn"}
    assert world.service.send("landcancel+jwt", cancel)[0].status == 200
    page.get_by_role("button", name="Xem lại trước khi gửi").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Câu hỏi đã đóng")
    page.goto(f"{world.url}/app/requests/{auth_req_id}")
    expect(page.get_by_text("Cơ quan đã rút câu hỏi")).to_be_visible()


def pages_of(world, citizen_id) -> list[str]:
    """Every page, the forms with their faults among them."""
    _, open_id = asked(world, citizen_id, item(co_owner="Tr. T. H."), item(serial_known=False), attempt=2)
    message, past_id = asked(world, citizen_id)
    said = [{"item_id": message["ask"]["items"][0]["item_id"], "verdict": "mine"}]
    world.driver.answer([{"auth_req_id": past_id, "answers": said}])
    declared = {"citizen_id": citizen_id, "certificate_serial": "AD " + "654083" * 30, "parcel_address": "x" * 200}
    (declaration,) = world.driver.call("declare", [declared])["results"]
    return [
        *("/app", "/app/past", "/app/declare", "/app/help"),
        *(f"/app/requests/{open_id}", f"/app/requests/{open_id}/decline"),
        *(f"/app/requests/{past_id}?sent=answer", f"/app/requests/{past_id}/change"),
        *(f"/app/declarations/{declaration}?sent=1", "/app/requests/nothing"),
    ]


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("width", [320, 640])
def test_every_page_is_accessible_and_no_wider_than_the_telephone(world, open_app, citizen_id, language, width):
    page = open_app(citizen_id, java_script_enabled=True, viewport={"width": width, "height": 740})
    found = {}
    for place in pages_of(world, citizen_id):
        page.goto(f"{world.url}/app/language/{language}?to={place}")
        if page.locator("details").count():
            page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")
        found[place] = faults_of(page)
        if page.locator("main form button").count() and "decline" not in place:
            page.locator("main form button").last.click()
            page.wait_for_load_state()
            found[f"{place} sent empty"] = faults_of(page)
    page.goto(f"{world.url}/app/login")
    found["/app/login"] = faults_of(page)
    assert [f"{place}: {fault}" for place, faults in found.items() for fault in faults] == []


def test_the_sign_in_page_and_its_faults_are_accessible(world, chromium):
    page = chromium.new_page(viewport={"width": 320, "height": 740})
    page.goto(f"{world.url}/app/login")
    assert faults_of(page) == []
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("alert").get_by_role("link")).to_have_count(2)
    assert faults_of(page) == []
    page.close()


def test_at_200_percent_zoom_nothing_is_cut_off(world, open_app, citizen_id):
    _, auth_req_id = asked(world, citizen_id)
    page = open_app(citizen_id, java_script_enabled=True, viewport={"width": 640, "height": 740})
    page.goto(f"{world.url}/app/requests/{auth_req_id}")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_without_any_style_the_page_reads_in_order(world, open_app, citizen_id):
    _, auth_req_id = asked(world, citizen_id)
    page = open_app(citizen_id)
    page.route("**/app.css*", lambda route: route.fulfill(body="", content_type="text/css"))
    page.goto(f"{world.url}/app/requests/{auth_req_id}")
    text = page.locator("body").inner_text()
    order = [
        "Mã đối chiếu",
        "Ai hỏi",
        "Để không bị lừa",
        "Thôn Tiên Mỹ",
        "Của tôi",
        "4 ký tự cuối",
        "Xem lại trước khi gửi",
    ]
    places = [text.index(told) for told in order]
    assert places == sorted(places)


def test_an_injected_script_or_style_is_not_run(world, open_app, citizen_id):
    evil = "<script>document.title='evil'</script><style>*{display:none}</style>"
    _, auth_req_id = asked(world, citizen_id, item(hamlet=evil))
    page = open_app(citizen_id, java_script_enabled=True)
    page.goto(f"{world.url}/app/requests/{auth_req_id}")
    expect(page.get_by_text(evil)).to_be_visible()
    assert "evil" not in page.title()
    assert "script-src" not in HEADERS["content-security-policy"]
    assert "default-src 'none'" in HEADERS["content-security-policy"]


def test_signing_out_ends_the_session_for_good(world, open_app, citizen_id):
    page = open_app(citizen_id)
    cookie = next(one for one in page.context.cookies() if one["name"] == "session")
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/app")
    page.get_by_role("button", name="Đăng xuất").click()
    expect(page).to_have_url(re.compile("/app/login"))
    page.context.add_cookies([cookie])
    page.goto(f"{world.url}/app")
    expect(page).to_have_url(re.compile(r"/app/login\?ended=1$"))
    sign_in(page, world, citizen_id)
    expect(page).to_have_url(re.compile("/app$"))
