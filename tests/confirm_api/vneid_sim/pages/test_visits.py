"""Sessions, forms and headers over plain HTTP: what a browser that is not kind can try."""

from __future__ import annotations

import http.client
import re
from urllib.parse import urlencode, urlsplit

import pytest

from confirm_api.vneid_sim.pages.visits import HEADERS, safe_place
from tests.confirm_api.vneid_sim.world import CITIZEN, DAY, NEIGHBOUR, Running, ask, item, running


class Browser:
    """A browser with cookies and nothing else."""

    def __init__(self, world: Running) -> None:
        self.place = urlsplit(world.url).netloc
        self.cookies: dict[str, str] = {}

    def go(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(self.place, timeout=10)
        sent = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} | headers
        body = None if fields is None else urlencode(fields)
        if fields is not None:
            sent["content-type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if fields is None else "POST", path, body, sent)
        answer = connection.getresponse()
        for value in answer.headers.get_all("set-cookie") or []:
            name, _, rest = value.partition("=")
            self.cookies[name] = rest.partition(";")[0].strip('"')
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()

    def secret(self, path: str) -> str:
        found = re.search(r'name="secret" value="([^"]+)"', self.go(path)[2])
        assert found is not None
        return found[1]

    def sign_in(self, number: str = CITIZEN, passcode: str = "246810") -> int:
        fields = {"secret": self.secret("/app/login"), "number": number, "passcode": passcode}
        return self.go("/app/login", fields)[0]


@pytest.fixture
def browser(world):
    return Browser(world)


@pytest.mark.parametrize("path", ["/app", "/app/login", "/app/help", "/app/static/app.css", "/app/requests/x"])
def test_every_answer_has_the_headers(browser, path):
    told = browser.go(path)[1]
    assert {name: told.get(name) for name in HEADERS if name != "cache-control"} == {
        name: value for name, value in HEADERS.items() if name != "cache-control"
    }


def test_without_a_session_every_page_leads_to_the_sign_in(browser):
    for path in ("/app", "/app/past", "/app/declare", "/app/requests/x", "/app/declarations/x"):
        status, told, _ = browser.go(path)
        assert (status, told["location"]) == (303, "/app/login")


def test_a_form_without_its_secret_or_from_elsewhere_is_not_taken(world, browser):
    browser.sign_in()
    auth_req_id = world.service.id_of(ask([item()]))
    place = f"/app/requests/{auth_req_id}/decline"
    secret = browser.secret(place)
    for fields, headers in (
        ({}, {}),
        ({"secret": "x" * 43}, {}),
        ({"secret": secret}, {"origin": "https://evil.example"}),
        ({"secret": secret}, {"origin": "null"}),
    ):
        assert browser.go(place, fields, **headers)[0] == 403
    assert world.service.fetched(auth_req_id) == "authorization_pending"
    assert browser.go(place, {"secret": secret}, origin=world.url)[0] == 303
    assert world.service.fetched(auth_req_id) == "access_denied"


def test_one_citizens_secret_does_not_help_another(world):
    mine, theirs = Browser(world), Browser(world)
    mine.sign_in()
    theirs.sign_in(NEIGHBOUR)
    auth_req_id = world.service.id_of(ask([item()], NEIGHBOUR))
    place = f"/app/requests/{auth_req_id}/decline"
    assert mine.go(place, {"secret": mine.secret("/app/declare")})[0] == 409
    assert world.service.fetched(auth_req_id) == "authorization_pending"


def test_a_form_that_is_sent_twice_answers_once(world, browser):
    browser.sign_in()
    auth_req_id = world.service.id_of(ask([item()]))
    place = f"/app/requests/{auth_req_id}"
    secret = browser.secret(place)
    assert browser.go(place, {"secret": secret, "verdict-1": "unsure"})[0] == 303
    answers = [browser.go(f"{place}/confirm", {"secret": secret}) for _ in range(2)]
    assert [told["location"] for _, told, _ in answers] == [f"{place}?sent=answer"] * 2
    assert world.driver.state()["outbox"].get("ping", 0) <= 1


def test_a_form_that_is_too_large_or_no_form_is_refused(browser):
    browser.sign_in()
    secret = browser.secret("/app/declare")
    assert browser.go("/app/requests/x", {"secret": secret, "more": "x" * 1_100_000})[0] == 413
    boundary = {"content-type": "multipart/form-data; boundary=x", "content-length": "9"}
    connection = http.client.HTTPConnection(browser.place)
    connection.request(
        "POST", "/app/declare", b"--x\r\nbad\r", boundary | {"cookie": f"session={browser.cookies['session']}"}
    )
    assert connection.getresponse().status == 403


def test_five_wrong_passcodes_lock_the_account_and_tell_nothing_of_it(tmp_path):
    clock = [1_800_000_000.0]
    with running(tmp_path, clock=lambda: clock[0], accounts={"unknown": [NEIGHBOUR]}) as world:
        told = []
        for number in (CITIZEN, NEIGHBOUR):
            browser = Browser(world)
            secret = browser.secret("/app/login")
            fields = {"secret": secret, "number": number, "passcode": "000000"}
            told.append([re.sub(r'value="[^"]*"', "", browser.go("/app/login", fields)[2]) for _ in range(6)])
        assert told[0] == told[1]
        assert "15 phút" in told[0][5]
        assert Browser(world).sign_in(CITIZEN) == 422
        clock[0] += 901
        assert Browser(world).sign_in(CITIZEN) == 303
        assert Browser(world).sign_in(NEIGHBOUR) == 422


def test_a_session_ends_without_use_and_is_prolonged_by_it(tmp_path):
    clock = [1_800_000_000.0]
    with running(tmp_path, clock=lambda: clock[0]) as world:
        browser = Browser(world)
        browser.sign_in()
        for _ in range(3):
            clock[0] += 800
            assert browser.go("/app")[0] == 200
        clock[0] += 901
        assert browser.go("/app")[1]["location"] == "/app/login?ended=1"
        browser.sign_in()
        for _ in range(8 * 3_600 // 800):
            clock[0] += 800
            browser.go("/app")
        clock[0] += 800
        assert browser.go("/app")[0] == 303


def test_a_request_past_its_end_is_no_longer_listed_nor_answered(tmp_path):
    clock = [1_800_000_000.0]
    with running(tmp_path, clock=lambda: clock[0]) as world:
        auth_req_id = world.service.id_of(ask([item()], requested_expiry=600))
        world.service.id_of(ask([item()], requested_expiry=5 * DAY))
        clock[0] += 600
        browser = Browser(world)
        browser.sign_in()
        assert browser.go("/app")[2].count('class="button"') == 1
        assert "Đã hết hạn" in browser.go(f"/app/requests/{auth_req_id}")[2]


@pytest.mark.parametrize(
    "place",
    [
        "//evil.example",
        "https://evil.example/app",
        "/apple",
        "/app/\r\nset-cookie: a=b",
        "/app/\\evil",
        "javascript:1",
        "",
    ],
)
def test_a_place_of_elsewhere_is_not_returned_to(world, browser, place):
    assert safe_place(place) == "/app"
    assert browser.go(f"/app/language/en?{urlencode({'to': place})}")[1]["location"] == "/app"
