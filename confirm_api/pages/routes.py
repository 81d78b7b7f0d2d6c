"""The addresses of the officers' pages.

| address | what |
|---|---|
| `/dang-nhap`, `/dang-xuat` | login by password, logout |
| `/oidc/bat-dau`, `/oidc/ket-thuc` | login through OpenID Connect |
| `/` | cases by kind, commune, age |
| `/ho-so/{no}` | a case: what the citizen said, what the register says, what may be decided |
| `/ho-so/{no}/xac-nhan`, `/ho-so/{no}/quyet-dinh`, `/ho-so/{no}/mo-lai` | confirm, decide, reopen |
| `/tra-cuu`, `/tranh-chap` | a question by its code; open a dispute on what has ended |
| `/nhat-ky` | counts, checkpoint and leaves, for auditors and officers |
| `/can-bo.css` | the one style sheet |

Rules
- A page looks and a form acts; every form carries the session's token. An action answers with a redirect, so that
  going back repeats nothing.
- Rules of who may what stand in `confirm_api.office`; a page only shows what they refuse.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from sqlalchemy import select

from confirm_api.errors import OfficeError
from confirm_api.office import casefile, cases, decisions, lookup, officers, rules, sessions
from confirm_api.office.cases import UNDECIDED, Filter
from confirm_api.office.refusals import LoginError, NoReasonError, RoleError
from confirm_api.office.rules import Actor
from confirm_api.pages import security, views
from confirm_api.pages.guarded import FormError, GuardedRoute, NoSession
from confirm_api.pages.leaves import newest_checkpoint, newest_leaves
from confirm_api.pages.office import Office
from confirm_api.pages.oidc import AWAY_SECONDS, Away
from confirm_api.service import locks
from confirm_api.store.tables import questions
from confirm_api.unit import Unit

_SEE_OTHER: Final = 303
_UNPROCESSABLE: Final = 422
_KEPT: Final = {"Cache-Control": "public, max-age=86400"}
"""Of what holds nothing of anybody; its address changes with its content."""
_STATES: Final = {"cho": UNDECIDED, "hai": ("first_vote",), "xong": ("decided",)}
"""What the list's filter by state says in its address."""


@dataclass(frozen=True)
class Seat:
    """An officer at a page."""

    office: Office
    session: sessions.Session
    token: str

    @property
    def actor(self) -> Actor:
        """Who looks or decides."""
        return self.session.actor


def router(office: Office) -> APIRouter:
    """The officers' pages; their addresses begin with `office.base`."""
    made = APIRouter(prefix=office.base, route_class=GuardedRoute.of(office), include_in_schema=False)
    made.add_api_route("/can-bo.css", style, methods=["GET"])
    made.add_api_route("/bieu-tuong.svg", icon, methods=["GET"])
    made.add_api_route("", to_list, methods=["GET"])
    made.add_api_route("/dang-nhap", login_form, methods=["GET"])
    made.add_api_route("/dang-nhap", login, methods=["POST"])
    made.add_api_route("/dang-xuat", logout, methods=["POST"])
    made.add_api_route("/oidc/bat-dau", oidc_begin, methods=["GET"])
    made.add_api_route("/oidc/ket-thuc", oidc_finish, methods=["GET"])
    made.add_api_route("/", list_page, methods=["GET"])
    made.add_api_route("/ho-so/{no}", case_page, methods=["GET"])
    made.add_api_route("/ho-so/{no}/xac-nhan", confirm, methods=["POST"])
    made.add_api_route("/ho-so/{no}/quyet-dinh", decide, methods=["POST"])
    made.add_api_route("/ho-so/{no}/mo-lai", reopen, methods=["POST"])
    made.add_api_route("/tra-cuu", lookup_page, methods=["GET"])
    made.add_api_route("/tranh-chap", dispute, methods=["POST"])
    made.add_api_route("/nhat-ky", log_page, methods=["GET"])
    return made


# ---- who is there --------------------------------------------------------------------------------------------------


def seated(request: Request) -> Seat:
    """The officer of this request's session."""
    office: Office = request.state.office
    token = security.read_cookie(request, security.SESSION, secure=office.secure_cookies)
    if not token:
        raise NoSession
    with office.units.begin() as unit:
        session = sessions.resume(unit, token, office.limits)
    if session is None:
        raise NoSession
    return Seat(office, session, token)


def posted(seat: Annotated[Seat, Depends(seated)], csrf: Annotated[str, Form()] = "") -> Seat:
    """The officer of a form that comes from their own page."""
    if not sessions.is_own(seat.session, csrf):
        raise FormError
    return seat


Seated = Annotated[Seat, Depends(seated)]
Posted = Annotated[Seat, Depends(posted)]
Text = Annotated[str, Form()]
CaseNo = Annotated[int, Path(ge=1, le=10**15)]
Told = dict[str, Any]
"""What a page shows."""


# ---- login ---------------------------------------------------------------------------------------------------------


def style() -> FileResponse:
    """The one style sheet."""
    return FileResponse(views.HERE / "static" / "can-bo.css", media_type="text/css", headers=_KEPT)


def icon() -> FileResponse:
    """The sign in the browser's tab."""
    return FileResponse(views.HERE / "static" / "bieu-tuong.svg", media_type="image/svg+xml", headers=_KEPT)


def to_list(request: Request) -> Response:
    """The address without its last stroke."""
    return RedirectResponse(f"{request.state.office.base}/", _SEE_OTHER)


def login_form(request: Request) -> HTMLResponse:
    """Name and password, or the way to the OpenID provider."""
    return _login_page(request, None)


def login(request: Request, name: Text = "", password: Text = "", guard: Text = "") -> Response:
    """A session for the right password."""
    office: Office = request.state.office
    held = security.read_cookie(request, security.LOGIN, secure=office.secure_cookies)
    if not security.guards(held, guard):
        return _login_page(request, "Trang đăng nhập đã cũ; hãy nhập lại.", status=_UNPROCESSABLE)
    try:
        actor = officers.login(office.units, name.strip(), password)
    except LoginError as refusal:
        return _login_page(request, str(refusal), status=_UNPROCESSABLE)
    return _begin(office, actor, RedirectResponse(f"{office.base}/", _SEE_OTHER))


def logout(seat: Posted) -> Response:
    """End the session."""
    with seat.office.units.begin() as unit:
        sessions.end(unit, seat.token)
    response = RedirectResponse(f"{seat.office.base}/dang-nhap", _SEE_OTHER)
    security.take_cookie(response, security.SESSION, secure=seat.office.secure_cookies)
    return response


def oidc_begin(request: Request) -> Response:
    """Send the officer to the provider."""
    office: Office = request.state.office
    if office.provider is None:
        raise NoSession
    try:
        url, away = office.provider.begin()
    except LoginError as refusal:
        return _login_page(request, str(refusal), status=_UNPROCESSABLE)
    response = RedirectResponse(url, _SEE_OTHER)
    security.give_cookie(
        response,
        security.AWAY,
        away.as_text(),
        secure=office.secure_cookies,
        seconds=AWAY_SECONDS,
        same_site="lax",
    )
    return response


def oidc_finish(request: Request, code: str = "", state: str = "", iss: str | None = None) -> Response:
    """The officer is back from the provider.

    The answer is a page that moves on by itself, not a redirect: a browser sends a SameSite=Strict cookie only where
    the navigation begins here.
    """
    office: Office = request.state.office
    held = security.read_cookie(request, security.AWAY, secure=office.secure_cookies)
    try:
        actor = _officer_of(office, held, code, state, iss)
    except LoginError as refusal:
        response: Response = _login_page(request, str(refusal), status=_UNPROCESSABLE)
    else:
        response = _begin(office, actor, views.page(request, "back.html"))
    security.take_cookie(response, security.AWAY, secure=office.secure_cookies)
    return response


def _officer_of(office: Office, held: str, code: str, state: str, issuer: str | None) -> Actor:
    if office.provider is None:
        raise LoginError
    subject = office.provider.finish(Away.of(held), code=code, state=state, issuer=issuer)
    with office.units.begin() as unit:
        actor = officers.login_by_subject(unit, subject)
    if actor is None:
        raise LoginError("Tài khoản của cơ quan chưa được khai báo ở đây; hãy báo quản trị hệ thống.")
    return actor


def _login_page(request: Request, error: str | None, *, status: int = 200) -> HTMLResponse:
    office: Office = request.state.office
    guard = security.new_guard()
    known = {"error": error, "guard": guard, "has_oidc": office.provider is not None}
    response = views.page(request, "login.html", status=status, **known)
    security.give_cookie(response, security.LOGIN, guard, secure=office.secure_cookies)
    return response


def _begin(office: Office, actor: Actor, response: Response) -> Response:
    with office.units.begin() as unit:
        token = sessions.begin(unit, actor, office.limits)
    security.give_cookie(response, security.SESSION, token, secure=office.secure_cookies)
    security.take_cookie(response, security.LOGIN, secure=office.secure_cookies)
    return response


# ---- cases ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chosen:
    """What the address of the list says."""

    loai: str = ""
    xa: str = ""
    ngay: str = ""
    tt: str = "cho"
    sau: str = ""

    def filter(self) -> Filter:
        """As cases are found; what makes no sense does not limit."""
        return Filter(
            kind=_kind(self.loai),
            commune=self.xa or None,
            states=_STATES.get(self.tt, UNDECIDED),
            older_than_days=_number(self.ngay),
            after=_number(self.sau),
        )

    def following(self, after: int | None) -> str | None:
        """The address of the next page."""
        return None if after is None else urlencode({**asdict(self), "sau": after})


def list_page(
    request: Request, seat: Seated, chosen: Annotated[Chosen, Depends()], xong: str = "", kq: str = ""
) -> HTMLResponse:
    """Cases by kind, commune and age, oldest first."""
    with seat.office.units.begin() as unit:
        found = cases.find(unit, seat.actor, chosen.filter())
        told: Told = {
            "found": found,
            "counts": cases.counts(unit, seat.actor),
            "communes": cases.communes(unit, seat.actor),
            "now": unit.now,
        }
    told |= {"chosen": chosen, "following": chosen.following(found.next), "kinds": rules.KINDS}
    return _page(request, seat, "list.html", current="list", flash=_flash(xong, kq), **told)


def case_page(request: Request, seat: Seated, no: CaseNo, loai: str = "", xong: str = "", kq: str = "") -> HTMLResponse:
    """One case."""
    return _case(request, seat, no, loai=loai, flash=_flash(xong, kq))


def confirm(
    request: Request, seat: Posted, no: CaseNo, action: Text = "", reason: Text = "", loai: Text = ""
) -> HTMLResponse:
    """Say once more what the decision does, before it is taken."""
    with seat.office.units.begin() as unit:
        case = cases.take(unit, seat.actor, no)
        two = rules.needs_two(case.kind, decisions.round_of(unit, no))
        message = None if case.question_no is None else _binding_message(unit, case.question_no)
    try:
        rules.check_decision(seat.actor, case.kind, action, reason)
    except RoleError:
        raise
    except OfficeError as refusal:
        typed = {"action": action, "reason": reason, "error": str(refusal)}
        return _case(request, seat, no, loai=loai, status=_UNPROCESSABLE, **typed)
    told: Told = {
        "case": case,
        "action": action,
        "reason": reason,
        "loai": loai,
        "two": two,
        "binding_message": message,
    }
    return _page(request, seat, "confirm.html", **told)


def decide(seat: Posted, no: CaseNo, action: Text = "", reason: Text = "", loai: Text = "") -> Response:
    """Take the decision and go on to the next case."""
    kind = _kind(loai)

    def work(unit: Unit) -> tuple[decisions.Decided, int | None]:
        done = decisions.decide(unit, seat.actor, no, action, reason)
        return done, cases.next_case(unit, seat.actor, kind=kind, after=no)

    done, following = locks.retrying(seat.office.units, work)
    where = "/" if following is None else f"/ho-so/{following}"
    query = urlencode({"xong": no, "kq": done.state, **({"loai": loai} if kind else {})})
    return RedirectResponse(f"{seat.office.base}{where}?{query}", _SEE_OTHER)


def reopen(seat: Posted, no: CaseNo, reason: Text = "") -> Response:
    """Open a decided case again."""
    locks.retrying(seat.office.units, lambda unit: decisions.reopen(unit, seat.actor, no, reason))
    return RedirectResponse(f"{seat.office.base}/ho-so/{no}?xong={no}&kq=reopened", _SEE_OTHER)


def lookup_page(request: Request, seat: Seated, ma: str = "") -> HTMLResponse:
    """A question by the code that the citizen sees too."""
    return _lookup(request, seat, ma)


def dispute(
    request: Request, seat: Posted, question: Text = "", item: Text = "", reason: Text = "", ma: Text = ""
) -> Response:
    """Dispute what has ended; the dispute's case is shown."""

    def work(unit: Unit) -> int:
        return decisions.open_dispute(unit, seat.actor, question, item, reason)

    try:
        no = locks.retrying(seat.office.units, work)
    except NoReasonError as refusal:
        return _lookup(request, seat, ma, error=str(refusal), status=_UNPROCESSABLE)
    return RedirectResponse(f"{seat.office.base}/ho-so/{no}?xong={no}&kq=disputed", _SEE_OTHER)


def _lookup(request: Request, seat: Seat, code: str, *, error: str | None = None, status: int = 200) -> HTMLResponse:
    places = []
    if code:
        with seat.office.units.begin() as unit:
            places = lookup.by_code(unit, seat.actor, code)
    told: Told = {"code": code, "places": places, "error": error}
    return _page(request, seat, "lookup.html", current="lookup", status=status, **told)


def log_page(request: Request, seat: Seated, loai: str = "") -> HTMLResponse:
    """What an auditor reads: counts, the checkpoint, the newest leaves. No personal text."""
    with seat.office.units.begin() as unit:
        unit.leaf("officer", "accepted", reason="look-log")
        told: Told = {
            "counts": cases.counts(unit, seat.actor),
            "checkpoint": newest_checkpoint(unit),
            "leaves": newest_leaves(unit, event=loai or None),
        }
    return _page(request, seat, "log.html", current="log", kinds=rules.KINDS, event=loai, **told)


def _case(  # noqa: PLR0913 - what was typed is shown again beside the refusal
    request: Request,
    seat: Seat,
    no: int,
    *,
    loai: str = "",
    flash: str | None = None,
    error: str | None = None,
    action: str = "",
    reason: str = "",
    status: int = 200,
) -> HTMLResponse:
    with seat.office.units.begin() as unit:
        file = casefile.read(unit, seat.actor, no)
        following = cases.next_case(unit, seat.actor, kind=_kind(loai), after=no)
        told: Told = {"file": file, "case": file.case, "following": following, "now": unit.now, "loai": loai}
    told |= {"flash": flash, "error": error, "action": action, "reason": reason}
    return _page(request, seat, "case.html", current="list", status=status, **told)


def _page(request: Request, seat: Seat, template: str, *, status: int = 200, **told: Any) -> HTMLResponse:
    counts = told.get("counts")
    if counts is None:
        with seat.office.units.begin() as unit:
            counts = cases.counts(unit, seat.actor)
    incidents = sum(counts["suspected_fraud"].get(state, 0) for state in UNDECIDED)
    return views.page(request, template, status=status, session=seat.session, incidents=incidents, **told)


def _binding_message(unit: Unit, question_no: int) -> str:
    return str(unit.conn.execute(select(questions.c.binding_message).where(questions.c.no == question_no)).scalar())


_FLASHES: Final = {
    "decided": "Đã ghi quyết định cho hồ sơ số {no}.",
    "first_vote": "Đã ghi ý kiến cho hồ sơ số {no}; hồ sơ chờ cán bộ thứ hai.",
    "disputed": "Đã mở tranh chấp, hồ sơ số {no}; hồ sơ cần hai cán bộ quyết định.",
    "reopened": "Đã mở lại hồ sơ số {no}; hồ sơ cần hai cán bộ quyết định.",
}


def _flash(no: str, outcome: str) -> str | None:
    """What was just done, from codes only: an address cannot make the page say anything else.

    >>> _flash("12", "decided"), _flash("<b>", "decided"), _flash("12", "other")
    ('Đã ghi quyết định cho hồ sơ số 12.', None, None)
    """
    text = _FLASHES.get(outcome)
    number = _number(no)
    return None if text is None or number is None else text.format(no=number)


def _kind(text: str) -> str | None:
    return text if text in rules.KINDS else None


def _number(text: str) -> int | None:
    """A whole number of at most 15 digits, or nothing.

    >>> _number("12"), _number("-1"), _number("x"), _number("²")
    (12, None, None, None)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None
