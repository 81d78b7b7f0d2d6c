import json
import re

import pytest
from sqlalchemy import select

from confirm_api.pages.guarded import LONGEST_FORM_BYTES
from confirm_api.pages.security import HEADERS
from confirm_api.store.tables import cases as table
from confirm_api.store.tables import leaves
from tests.confirm_api.pages.conftest import PASSWORD, field, log_in

REASON = "Đã đối chiếu bản gốc giấy chứng nhận tại kho."


def state_of(units, no: int) -> tuple[str, str | None]:
    with units.begin() as unit:
        return tuple(unit.conn.execute(select(table.c.state, table.c.outcome).where(table.c.no == no)).one())


def reasons(units, outcome: str = "accepted") -> list[str]:
    with units.begin() as unit:
        told = [json.loads(text) for text in unit.conn.execute(select(leaves.c.leaf).order_by(leaves.c.no)).scalars()]
    return [leaf["reason"] for leaf in told if leaf["event"] == "officer" and leaf["outcome"] == outcome]


def decide(desk, no: int, action: str, reason: str = REASON):
    csrf = field(desk.get(f"/can-bo/ho-so/{no}").text, "csrf")
    shown = desk.post(f"/can-bo/ho-so/{no}/xac-nhan", data={"csrf": csrf, "action": action, "reason": reason})
    assert shown.status_code == 200, shown.text
    told = {name: field(shown.text, name) for name in ("csrf", "action", "reason")}
    return desk.post(f"/can-bo/ho-so/{no}/quyet-dinh", data=told)


# ---- who is let in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["/can-bo/", "/can-bo/ho-so/1", "/can-bo/nhat-ky"])
def test_without_a_session_a_page_leads_to_the_login(client_of, page):
    answer = client_of().get(page)
    assert (answer.status_code, answer.headers["location"]) == (303, "/can-bo/dang-nhap")


@pytest.mark.parametrize("page", ["/can-bo/ho-so/1/quyet-dinh", "/can-bo/ho-so/1/mo-lai", "/can-bo/dang-xuat"])
def test_without_a_session_a_form_does_nothing(client_of, page):
    assert client_of().post(page, data={"csrf": "x"}).headers["location"] == "/can-bo/dang-nhap"


@pytest.mark.parametrize(("name", "password"), [("lan", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_login_says_the_same_sentence_whatever_was_wrong(client_of, cases, name, password):
    client = client_of()
    guard = field(client.get("/can-bo/dang-nhap").text, "guard")
    answer = client.post("/can-bo/dang-nhap", data={"name": name, "password": password, "guard": guard})
    assert answer.status_code == 422
    assert "không đúng, hoặc tài khoản đang tạm khoá" in answer.text
    assert PASSWORD not in answer.text


def test_a_login_form_of_another_site_is_not_taken(client_of, cases):
    answer = client_of().post("/can-bo/dang-nhap", data={"name": "lan", "password": PASSWORD, "guard": "x"})
    assert answer.status_code == 422
    assert "quychu-phien" not in answer.headers.get("set-cookie", "")


def test_logout_ends_the_session(desk):
    lan = desk("lan")
    csrf = field(lan.get("/can-bo/").text, "csrf")
    cookie = dict(lan.cookies)
    lan.post("/can-bo/dang-xuat", data={"csrf": csrf})
    lan.cookies.update(cookie)
    assert lan.get("/can-bo/").status_code == 303


def test_a_session_ends_when_it_is_not_used(desk, clock):
    lan = desk("lan")
    clock.move(15 * 60 + 1)
    assert lan.get("/can-bo/").status_code == 303


def test_the_cookie_is_out_of_reach(client_of, cases):
    client = client_of(secure_cookies=True)
    guard = field(client.get("/can-bo/dang-nhap").text, "guard")
    answer = client.post("/can-bo/dang-nhap", data={"name": "lan", "password": PASSWORD, "guard": guard})
    cookie = next(one for one in answer.headers.get_list("set-cookie") if "phien" in one).lower()
    assert cookie.startswith("__host-quychu-phien=")
    for part in ("httponly", "secure", "samesite=strict", "path=/"):
        assert part in cookie
    assert "max-age" not in cookie


def test_every_page_is_guarded_by_headers(desk):
    lan = desk("lan")
    for page in ("/can-bo/", "/can-bo/ho-so/1", "/can-bo/dang-nhap", "/can-bo/nhat-ky", "/can-bo/ho-so/999"):
        headers = lan.get(page).headers
        assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "script" not in HEADERS["Content-Security-Policy"]


def test_no_page_holds_a_script_or_a_style_of_its_own(desk, cases):
    lan = desk("lan")
    for page in ("/can-bo/", *(f"/can-bo/ho-so/{no}" for no in cases.values()), "/can-bo/nhat-ky"):
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", lan.get(page).text)


def test_only_the_style_sheet_is_kept_by_the_browser_and_its_address_tells_its_version(client_of):
    client = client_of()
    sheet = re.search(r'href="([^"]+css\?v=\w+)"', client.get("/can-bo/dang-nhap").text).group(1)
    assert client.get(sheet).headers["cache-control"] == "public, max-age=86400"
    assert client.get("/can-bo/bieu-tuong.svg").headers["content-type"] == "image/svg+xml"


# ---- looking -------------------------------------------------------------------------------------------------------


def test_the_list_names_kinds_communes_and_ages_and_nobody(desk):
    html = desk("lan").get("/can-bo/").text
    for word in ("Tranh chấp", "Tự khai giấy chứng nhận", "Phường Hoà Khê", "7 ngày"):
        assert word in html
    assert not re.search(r"\b\d{12}\b", html)


def test_the_list_can_be_filtered(desk):
    html = desk("lan").get("/can-bo/?loai=unsure&xa=Phường+Hoà+Khê&ngay=1").text
    assert html.count("<tr>") == 2
    assert desk("lan").get("/can-bo/?loai=nonsense&ngay=-1&tt=x&sau=²").status_code == 200


def test_long_lists_have_pages(desk, monkeypatch):
    from confirm_api.office.cases import Filter

    monkeypatch.setattr(Filter.__init__, "__defaults__", (*Filter.__init__.__defaults__[:-1], 4))
    lan, seen, page = desk("lan"), [], "/can-bo/"
    while page:
        html = lan.get(page).text
        seen += re.findall(r">Số (\d+)</a>", html)
        following = re.search(r'rel="next" accesskey="s" href="([^"]+)"', html)
        page = following.group(1).replace("&amp;", "&") if following else ""
    assert seen == [str(no) for no in range(1, 11)]


def test_a_case_shows_what_the_citizen_said_and_what_the_register_says(desk, cases):
    html = desk("lan").get(f"/can-bo/ho-so/{cases['failed_challenge']}").text
    for word in ("001066000014", "Phường Hoà Khê", "CD 550918", "9871", "3 lần nhập sai", "WRXNGQRS"[:4]):
        assert word in html


def test_a_dispute_shows_both_people(desk, cases):
    html = desk("lan").get(f"/can-bo/ho-so/{cases['dispute']}").text
    assert "001079000012" in html
    assert "001182000013" in html


def test_a_declaration_shows_its_attachments_but_not_their_bytes(desk, cases):
    html = desk("lan").get(f"/can-bo/ho-so/{cases['declaration']}").text
    for word in ("gcn-mat-truoc.jpg", "image/jpeg", "1,8 MB", "4b" * 32, "Nguyễn Văn Tân"):
        assert word in html


def test_a_correction_is_shown_as_a_proposal(desk, cases):
    html = desk("lan").get(f"/can-bo/ho-so/{cases['correction']}").text
    assert "Trần Thị Bích Hạnh" in html
    assert "phần mềm không tự sửa" in html


def test_a_review_link_shows_the_register_and_the_reason(desk, cases):
    html = desk("lan").get(f"/can-bo/ho-so/{cases['review']}").text
    for word in ("Hộ ông Phạm Văn Sửu", "Công dân đã chết theo CSDL dân cư", "0,93"):
        assert word in html


def test_what_citizens_write_stays_text(units, desk, cases):
    from confirm_api.office.cases import open_case

    handle = units.vault.handle_of("001072000018", create=False)
    with units.begin() as unit:
        told = {"corrections": [{"field": "full_name", "value": "<script>alert(1)</script>"}]}
        no = open_case(unit, "correction", handle=handle, content=told)
    html = desk("lan").get(f"/can-bo/ho-so/{no}").text
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_every_look_is_a_leaf(units, desk, cases):
    lan = desk("lan")
    lan.get("/can-bo/")
    lan.get(f"/can-bo/ho-so/{cases['unsure']}")
    lan.get("/can-bo/nhat-ky")
    assert reasons(units)[-4:] == ["login", "look-list", "look-case", "look-log"]


def test_an_officer_of_a_commune_sees_no_other(units, desk, cases):
    hoa = desk("hoa")
    assert "Phường Hoà Khê" not in hoa.get("/can-bo/").text
    refused = hoa.get(f"/can-bo/ho-so/{cases['unsure']}")
    assert (refused.status_code, "001175000016" in refused.text) == (403, False)
    assert reasons(units, "refused") == ["outside-commune"]


@pytest.mark.parametrize("no", ["999", "0", "x", "9" * 40])
def test_a_case_that_is_not_there_is_not_found(desk, no):
    assert desk("lan").get(f"/can-bo/ho-so/{no}").status_code == 404


def test_an_auditor_reads_counts_and_leaves_and_no_case(units, desk, cases):
    tra = desk("tra")
    html = tra.get("/can-bo/nhat-ky").text
    assert "case-dispute" in html
    assert not re.search(r"\b\d{12}\b", html + tra.get("/can-bo/").text)
    assert tra.get(f"/can-bo/ho-so/{cases['unsure']}").status_code == 403


def test_an_incident_stands_above_every_page(desk):
    lan = desk("lan")
    for page in ("/can-bo/", "/can-bo/ho-so/3", "/can-bo/nhat-ky"):
        assert "1 hồ sơ công dân báo nghi ngờ lừa đảo" in lan.get(page).text


# ---- deciding ------------------------------------------------------------------------------------------------------


def test_a_decision_is_shown_again_before_it_is_taken_and_leads_to_the_next_case(units, desk, cases):
    answer = decide(desk("lan"), cases["declaration"], "accept")
    assert answer.headers["location"] == f"/can-bo/ho-so/{cases['review']}?xong={cases['declaration']}&kq=decided"
    assert state_of(units, cases["declaration"]) == ("decided", "accept")


def test_after_the_last_case_of_a_kind_the_list_is_shown(desk, cases):
    lan, no = desk("lan"), cases["declaration"]
    csrf = field(lan.get(f"/can-bo/ho-so/{no}").text, "csrf")
    told = {"csrf": csrf, "action": "accept", "reason": REASON, "loai": "declaration"}
    assert lan.post(f"/can-bo/ho-so/{no}/quyet-dinh", data=told).headers["location"].startswith("/can-bo/?xong=")


def test_a_decision_without_a_reason_shows_what_was_typed_again(desk, cases):
    lan, no = desk("lan"), cases["correction"]
    csrf = field(lan.get(f"/can-bo/ho-so/{no}").text, "csrf")
    answer = lan.post(f"/can-bo/ho-so/{no}/xac-nhan", data={"csrf": csrf, "action": "accept", "reason": "vâng <b>"})
    assert answer.status_code == 422
    assert "vâng &lt;b&gt;" in answer.text
    assert re.search(r'value="accept" required checked', answer.text)


@pytest.mark.parametrize("csrf", ["", "x" * 43])
@pytest.mark.parametrize("what", ["xac-nhan", "quyet-dinh", "mo-lai"])
def test_a_form_of_another_page_does_nothing(units, desk, cases, csrf, what):
    lan, no = desk("lan"), cases["correction"]
    answer = lan.post(f"/can-bo/ho-so/{no}/{what}", data={"csrf": csrf, "action": "accept", "reason": REASON})
    assert answer.status_code == 403
    assert state_of(units, no) == ("open", None)


def test_a_form_of_another_officers_session_does_nothing(units, client_of, cases):
    lan, minh = log_in(client_of(), "lan"), log_in(client_of(), "minh")
    csrf = field(minh.get("/can-bo/").text, "csrf")
    told = {"csrf": csrf, "action": "accept", "reason": REASON}
    assert lan.post(f"/can-bo/ho-so/{cases['correction']}/quyet-dinh", data=told).status_code == 403


def test_an_endless_form_is_not_read(desk, cases):
    lan = desk("lan")
    told = {"csrf": "x", "reason": "x" * LONGEST_FORM_BYTES}
    assert lan.post(f"/can-bo/ho-so/{cases['correction']}/quyet-dinh", data=told).status_code == 403


def test_a_decided_case_is_not_decided_again_but_reopened(units, desk, cases):
    lan, no = desk("lan"), cases["correction"]
    decide(lan, no, "decline")
    html = lan.get(f"/can-bo/ho-so/{no}").text
    assert REASON in html
    csrf = field(html, "csrf")
    again = lan.post(f"/can-bo/ho-so/{no}/quyet-dinh", data={"csrf": csrf, "action": "accept", "reason": REASON})
    assert again.status_code == 409
    lan.post(f"/can-bo/ho-so/{no}/mo-lai", data={"csrf": csrf, "reason": REASON})
    assert state_of(units, no) == ("open", None)
    assert "cần hai cán bộ" in lan.get(f"/can-bo/ho-so/{no}").text


def test_an_address_cannot_make_the_page_say_anything(desk):
    html = desk("lan").get("/can-bo/?xong=<b>hi</b>&kq=decided").text
    assert "<b>hi" not in html
    assert "Đã ghi" not in html


# ---- looking up ----------------------------------------------------------------------------------------------------


def test_a_settled_parcel_is_found_by_its_code_and_disputed(units, desk, cases):
    lan = desk("lan")
    html = lan.get("/can-bo/tra-cuu?ma=mend+qrst").text
    assert "nhập đúng ký tự cuối" in html
    told = {name: field(html, name) for name in ("csrf", "question", "item", "ma")}
    assert lan.post("/can-bo/tranh-chap", data={**told, "reason": "ok"}).status_code == 422
    answer = lan.post("/can-bo/tranh-chap", data={**told, "reason": REASON})
    assert answer.headers["location"] == "/can-bo/ho-so/11?xong=11&kq=disputed"
    assert "Mở tranh chấp" not in lan.get("/can-bo/tra-cuu?ma=MEND-QRST").text
    assert reasons(units)[-2:] == ["dispute-opened", "look-question"]


@pytest.mark.parametrize("code", ["MEND-QRST", "XXXX-XXXX", "nonsense", "'; --"])
def test_what_is_out_of_reach_looks_like_what_is_not_there(units, desk, cases, code):
    assert "Không có câu hỏi nào" in desk("hoa").get("/can-bo/tra-cuu", params={"ma": code}).text
    assert reasons(units)[-1] == "look-nothing"


def test_an_auditor_looks_nothing_up(desk):
    assert desk("tra").get("/can-bo/tra-cuu?ma=MEND-QRST").status_code == 403


def test_a_dispute_of_another_page_is_not_taken(units, desk, cases):
    told = {"csrf": "x", "question": "question-mend" + "-" * 9, "item": "item-mend" + "-" * 13, "reason": REASON}
    assert desk("lan").post("/can-bo/tranh-chap", data=told).status_code == 403
