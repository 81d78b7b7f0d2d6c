import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import ECKey

from confirm_api.office import officers
from confirm_api.office.refusals import LoginError
from confirm_api.pages.oidc import Away, Provider
from scripts.office_samples import STAFF
from tests.confirm_api.pages.oidc_provider import CLIENT, SECRET, openid_provider

BACK = "http://office.test/can-bo/oidc/ket-thuc"


@pytest.fixture
def idp():
    with openid_provider() as provider:
        yield provider


@pytest.fixture
def ours(idp) -> Provider:
    return Provider(idp.issuer, CLIENT, SECRET, BACK)


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def agree(url: str) -> dict[str, str]:
    """What the browser brings back from the provider."""
    return query(httpx.get(url, follow_redirects=False).headers["location"])


def come_back(ours: Provider, **instead) -> str:
    url, away = ours.begin()
    brought = {**agree(url), **instead}
    return ours.finish(away, code=brought["code"], state=brought["state"], issuer=brought.get("iss"))


def test_an_officer_who_agrees_is_known_by_their_subject(ours):
    assert come_back(ours) == "oidc-lan"


def test_the_request_asks_for_a_code_with_pkce_and_names_no_secret(ours):
    url, away = ours.begin()
    asked = query(url)
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == ("code", "openid", "S256")
    assert away.verifier not in url
    assert SECRET not in url


def test_each_login_has_its_own_state_nonce_and_verifier(ours):
    one, other = ours.begin()[1], ours.begin()[1]
    assert not {one.state, one.nonce, one.verifier} & {other.state, other.nonce, other.verifier}


def test_another_state_is_refused_before_the_provider_is_asked(ours, idp):
    with pytest.raises(LoginError):
        come_back(ours, state="other")
    assert len(idp.codes) == 1


def test_another_issuer_in_the_answer_is_refused(ours):
    with pytest.raises(LoginError):
        come_back(ours, iss="http://127.0.0.1:1")


def test_a_code_works_once(ours):
    url, away = ours.begin()
    brought = agree(url)
    ours.finish(away, code=brought["code"], state=brought["state"])
    with pytest.raises(LoginError):
        ours.finish(away, code=brought["code"], state=brought["state"])


def test_a_code_that_was_stolen_is_of_no_use_without_the_verifier(ours):
    url, away = ours.begin()
    brought = agree(url)
    other = Away(away.state, away.nonce, "x" * 64)
    with pytest.raises(LoginError):
        ours.finish(other, code=brought["code"], state=brought["state"])


_NOW = int(time.time())
_FAULTS = {
    "another audience": {"aud": "somebody-else"},
    "several audiences without an authorised party": {"aud": [CLIENT, "somebody-else"]},
    "another authorised party": {"aud": [CLIENT, "somebody-else"], "azp": "somebody-else"},
    "another issuer": {"iss": "http://127.0.0.1:1"},
    "another nonce": {"nonce": "other"},
    "no nonce": {"nonce": None},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "no end": {"exp": None},
    "over": {"iat": _NOW - 900, "exp": _NOW - 600},
    "not yet": {"nbf": _NOW + 86_400},  # whatever the time since the tests were gathered
}


@pytest.mark.parametrize("claims", _FAULTS.values(), ids=_FAULTS.keys())
def test_an_id_token_with_a_wrong_claim_is_refused(ours, idp, claims):
    idp.claims = claims
    with pytest.raises(LoginError):
        come_back(ours)


def test_an_id_token_of_another_key_is_refused(ours, idp):
    idp.signing_key = ECKey.generate_key("P-256")
    with pytest.raises(LoginError):
        come_back(ours)


def test_an_id_token_signed_with_the_public_key_as_a_secret_is_refused(ours, idp):
    idp.secret = idp.key.as_pem(private=False)
    with pytest.raises(LoginError):
        come_back(ours)


def test_an_unsigned_id_token_is_refused(ours, idp, monkeypatch):
    signed = idp.id_token
    monkeypatch.setattr(idp, "id_token", lambda nonce: "eyJhbGciOiJub25lIn0." + signed(nonce).split(".")[1] + ".")
    with pytest.raises(LoginError):
        come_back(ours)


def test_an_answer_without_an_id_token_is_refused(ours, idp):
    idp.without_id_token = True
    with pytest.raises(LoginError):
        come_back(ours)


def test_after_a_change_of_keys_the_next_login_works(ours, idp):
    come_back(ours)
    idp.key = ECKey.generate_key("P-256", {"kid": "two", "use": "sig", "alg": "ES256"})
    idp.header = {"kid": "two"}
    assert come_back(ours) == "oidc-lan"


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "http://127.0.0.1:1"},
        {"token_endpoint": "http://sso.example.vn/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
    ],
)
def test_metadata_that_name_another_issuer_or_an_open_channel_are_refused(ours, idp, metadata):
    idp.metadata = metadata
    with pytest.raises(LoginError):
        ours.begin()


def test_a_provider_that_does_not_answer_is_one_sentence_and_tried_again_next_time(ours, idp):
    ours.issuer = "http://127.0.0.1:1"
    with pytest.raises(LoginError):
        ours.begin()
    ours.issuer = idp.issuer
    assert come_back(ours) == "oidc-lan"


# ---- in the pages --------------------------------------------------------------------------------------------------


@pytest.fixture
def browser(units, client_of, ours):
    with units.begin() as unit:
        for name, role, commune in STAFF:
            officers.add(unit, name, role, commune=commune, oidc_subject=f"oidc-{name}")
    return client_of(provider=ours)


def test_the_pages_let_in_who_has_an_account(browser):
    assert "Đăng nhập bằng tài khoản của cơ quan" in browser.get("/can-bo/dang-nhap").text
    brought = agree(browser.get("/can-bo/oidc/bat-dau").headers["location"])
    back = browser.get("/can-bo/oidc/ket-thuc", params=brought)
    assert (back.status_code, 'content="0; url=/can-bo/"' in back.text) == (200, True)
    assert "lan" in browser.get("/can-bo/").text


def test_the_pages_let_in_nobody_without_an_account(browser, idp):
    idp.subject = "oidc-stranger"
    brought = agree(browser.get("/can-bo/oidc/bat-dau").headers["location"])
    back = browser.get("/can-bo/oidc/ket-thuc", params=brought)
    assert (back.status_code, "chưa được khai báo" in back.text) == (422, True)
    assert browser.get("/can-bo/").status_code == 303


@pytest.mark.parametrize("brought", [{}, {"code": "x", "state": "y"}, {"error": "access_denied"}])
def test_coming_back_from_nowhere_opens_nothing(browser, brought):
    assert browser.get("/can-bo/oidc/ket-thuc", params=brought).status_code == 422
    assert browser.get("/can-bo/").status_code == 303


def test_without_a_provider_there_is_no_way_to_one(client_of):
    assert client_of().get("/can-bo/oidc/bat-dau").headers["location"] == "/can-bo/dang-nhap"
