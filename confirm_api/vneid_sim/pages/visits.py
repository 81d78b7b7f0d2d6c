"""What every page shares: the visitor, the language, the form's secret, the headers, the template.

Rules
- No JavaScript, no style or picture from elsewhere, no frame, no cache: the Content-Security-Policy tells the browser.
- A page of a signed-in citizen is shown only with a session; a form is taken only with the session's secret and,
  where the browser tells it, from our own origin.
- Whatever goes wrong is a page in the citizen's language that says whether anything was sent.

>>> safe_place("/app/past"), safe_place("//elsewhere"), safe_place("https://elsewhere")
('/app/past', '/app', '/app')
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from confirm_api.vneid_sim.errors import BusyError, NotOpenError
from confirm_api.vneid_sim.pages import sessions
from confirm_api.vneid_sim.pages.sessions import Session
from confirm_api.vneid_sim.pages.texts import LANGUAGES, Words
from confirm_api.vneid_sim.settings import Settings
from confirm_api.vneid_sim.store import Store

HERE = Path(__file__).parent
STATIC: dict[str, tuple[str, bytes]] = {
    name: (kind, (HERE / "static" / name).read_bytes())
    for name, kind in (("app.css", "text/css"), ("certificate.svg", "image/svg+xml"), ("icon.svg", "image/svg+xml"))
}
VERSION = hashlib.sha256(b"".join(content for _, content in STATIC.values())).hexdigest()[:12]

LARGEST_FORM_BYTES = 1_000_000
LARGEST_UPLOAD_BYTES = 37_000_000
"""Ten attachments and their form."""
_SESSION, _FORM, _LANGUAGE = "session", "form", "language"
_YEAR = 31_536_000

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}

_PAGES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass
class Visit:
    """One request of one browser."""

    request: Request
    words: Words
    now: int
    settings: Settings
    session: Session | None
    secret: str
    form: FormData = field(default_factory=FormData)

    @property
    def citizen_id(self) -> str:
        """Who is signed in; only where the page is not public."""
        assert self.session is not None
        return self.session.citizen_id

    @property
    def fields(self) -> dict[str, str]:
        """The written fields of the form; of one that stands twice the last."""
        return {name: value for name, value in self.form.multi_items() if isinstance(value, str)}

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page in the citizen's language."""
        app, language = self.settings.app, self.words.language
        content = _PAGES.get_template(f"{template}.html.j2").render(
            t=self.words,
            path=self.request.url.path,
            session=self.session,
            secret=self.secret,
            version=VERSION,
            authority=app.authority_vi if language == "vi" else app.authority_en,
            basis=app.basis_vi if language == "vi" else app.basis_en,
            contact=app.contact_vi if language == "vi" else app.contact_en,
            now=self.now,
            **({"faults": [], "here": ""} | values),
        )
        return HTMLResponse(content, status)

    def problem(self, name: str, status: int) -> HTMLResponse:
        """A page that says what did not happen."""
        return self.page("problem", status, name=name)

    def set_cookie(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        """A cookie that no script reads and no other site sends."""
        secure = (self.settings.public_url or "").startswith("https:")
        response.set_cookie(name, value, seconds, path="/app", httponly=True, samesite="strict", secure=secure)


Handler = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Door:
    """Lets visitors in."""

    settings: Settings
    store: Store
    now: Callable[[], int]

    def endpoint(self, handler: Handler, *, public: bool = False, largest: int = LARGEST_FORM_BYTES) -> Endpoint:
        """The handler with everything that every page does around it."""

        async def guarded(request: Request) -> Response:
            visit = await self._visit(request)
            response = await self._answer(visit, handler, public=public, largest=largest)
            response.headers.update(HEADERS)
            if visit.session is None and request.cookies.get(_FORM) != visit.secret:
                visit.set_cookie(response, _FORM, visit.secret)
            return response

        return guarded

    async def _visit(self, request: Request) -> Visit:
        now, token = self.now(), request.cookies.get(_SESSION, "")
        session = await self.store.look(lambda conn: sessions.session_of(conn, token, now)) if token else None
        secret = session.csrf if session else request.cookies.get(_FORM) or secrets.token_urlsafe(32)
        return Visit(request, Words(request.cookies.get(_LANGUAGE, "")), now, self.settings, session, secret)

    async def _answer(self, visit: Visit, handler: Handler, *, public: bool, largest: int) -> Response:
        if visit.session is None and not public:
            ended = "?ended=1" if _SESSION in visit.request.cookies else ""
            return RedirectResponse(f"/app/login{ended}", 303)
        try:
            await self._touch(visit)
            if visit.request.method == "POST" and (problem := await self._form_problem(visit, largest)):
                return problem
            return await handler(visit)
        except NotOpenError:
            return visit.problem("ended", 409)
        except BusyError:
            return visit.problem("busy", 503)

    async def _touch(self, visit: Visit) -> None:
        session, app, now = visit.session, self.settings.app, visit.now
        if session is not None and sessions.needs_touch(session, app, now):
            await self.store.run(lambda conn: sessions.touch(conn, session, app, now))

    async def _form_problem(self, visit: Visit, largest: int) -> Response | None:
        """Read the form; a page where it is not ours, too large or no form at all."""
        size = visit.request.headers.get("content-length", "")
        if not (size.isascii() and size.isdigit()) or not _is_ours(visit.request, visit.settings):
            return visit.problem("form", 403)
        if int(size) > largest:
            return visit.problem("large", 413)
        try:
            visit.form = await visit.request.form(max_files=20, max_fields=2_000)
        except (ClientDisconnect, HTTPException, ValueError):
            return visit.problem("form", 403)
        return None if sessions.is_genuine(visit.secret, visit.form.get("secret")) else visit.problem("form", 403)


def _is_ours(request: Request, settings: Settings) -> bool:
    """Whether the form comes from our own pages, as far as the browser tells."""
    origin = request.headers.get("origin")
    ours = {request.headers.get("host"), urlsplit(settings.public_url or "").netloc or None} - {None}
    return origin is None or urlsplit(origin).netloc in ours


def safe_place(place: str) -> str:
    """A place of the app to return to, or its beginning."""
    parts = urlsplit(place)
    ours = not parts.scheme and not parts.netloc and (place == "/app" or place.startswith("/app/"))
    return place if ours and place.isprintable() and "\\" not in place else "/app"


def remember_session(visit: Visit, token: str) -> Response:
    """Signed in: on to the list."""
    response = RedirectResponse("/app", 303)
    visit.set_cookie(response, _SESSION, token)
    response.delete_cookie(_FORM, path="/app")
    return response


def forget_session() -> Response:
    """Signed out."""
    response = RedirectResponse("/app/login", 303)
    response.delete_cookie(_SESSION, path="/app")
    return response


async def language(visit: Visit) -> Response:
    """Another language, and back to where one was."""
    chosen = visit.request.path_params["language"]
    response = RedirectResponse(safe_place(visit.request.query_params.get("to", "/app")), 303)
    if chosen in LANGUAGES:
        visit.set_cookie(response, _LANGUAGE, chosen, _YEAR)
    return response


async def static(request: Request) -> Response:
    """The style and the pictures."""
    found = STATIC.get(request.path_params["name"])
    if found is None:
        return Response(status_code=404)
    headers = {**HEADERS, "cache-control": "public, max-age=86400"}
    return Response(found[1], headers=headers, media_type=found[0])
