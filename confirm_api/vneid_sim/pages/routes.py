"""The app's pages and their addresses.

    /app                           what waits for an answer
    /app/login, /app/logout        signing in and out
    /app/requests/{id}             one request: its form while it is open, afterwards what was answered
    /app/requests/{id}/confirm     the answers once more, then sent
    /app/requests/{id}/decline     declining the whole request
    /app/requests/{id}/change      another answer, with its own …/change/confirm
    /app/past                      what was answered and declared
    /app/declare, /app/declarations/{id}
    /app/help, /app/language/{language}, /app/static/{name}

Rules
- Nothing is sent by opening a page, and a form that is sent twice does what it does once.
- What is not the visitor's own looks like what never was.

Example: `Pages(settings, store, desk, outbox, now).routes()`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from confirm_api.vneid_sim import answers, citizen
from confirm_api.vneid_sim.errors import AnswerError, NotOpenError
from confirm_api.vneid_sim.outbox import Outbox
from confirm_api.vneid_sim.pages import drafts, forms, sessions, views
from confirm_api.vneid_sim.pages.drafts import Purpose
from confirm_api.vneid_sim.pages.forms import Fault
from confirm_api.vneid_sim.pages.visits import (
    LARGEST_FORM_BYTES,
    LARGEST_UPLOAD_BYTES,
    Door,
    Handler,
    Visit,
    forget_session,
    language,
    remember_session,
    static,
)
from confirm_api.vneid_sim.provider import ANSWERED, OPEN, Desk
from confirm_api.vneid_sim.settings import Settings
from confirm_api.vneid_sim.store import Store
from exchange.ids import ID_PATTERN, new_id

_NUMBER = re.compile(r"[0-9]{12}")
_PASSCODE = re.compile(r"[0-9]{6}")
_DECLARATION = re.compile(ID_PATTERN[1:-1])
_FAULTY = 422


class Pages:
    """The citizen's app."""

    def __init__(self, settings: Settings, store: Store, desk: Desk, outbox: Outbox, door: Door) -> None:
        self.settings, self.store, self.desk, self.outbox, self.door = settings, store, desk, outbox, door

    def routes(self) -> list[Route]:
        """Every page."""
        request, change = "/app/requests/{id}", "/app/requests/{id}/change"
        return [
            self._route("/app/login", get=self.login_form, post=self.login, public=True),
            self._route("/app/help", get=self.help, public=True),
            self._route("/app/language/{language}", get=language, public=True),
            self._route("/app", get=self.home),
            self._route("/app/logout", post=self.logout),
            self._route("/app/past", get=self.past),
            self._route(request, get=self.request, post=self.choose),
            self._route(f"{request}/confirm", get=self.confirm_form, post=self.confirm),
            self._route(f"{request}/decline", get=self.decline_form, post=self.decline),
            self._route(change, get=self.change, post=self.choose_change),
            self._route(f"{change}/confirm", get=self.confirm_change_form, post=self.confirm_change),
            self._route("/app/declare", get=self.declare_form, post=self.declare, largest=LARGEST_UPLOAD_BYTES),
            self._route("/app/declarations/{id}", get=self.declaration),
            Route("/app/static/{name}", static),
        ]

    def _route(
        self,
        path: str,
        *,
        get: Handler | None = None,
        post: Handler | None = None,
        public: bool = False,
        largest: int = LARGEST_FORM_BYTES,
    ) -> Route:
        handlers = {"GET": get, "HEAD": get, "POST": post}

        async def handle(visit: Visit) -> Response:
            handler = handlers[visit.request.method]
            assert handler is not None
            return await handler(visit)

        methods = [method for method in ("GET", "POST") if handlers[method]]
        return Route(path, self.door.endpoint(handle, public=public, largest=largest), methods=methods)

    # ── signing in and out ───────────────────────────────────────────────────────────────────────────────────────────

    async def login_form(self, visit: Visit) -> Response:
        """Number and passcode."""
        if visit.session is not None:
            return RedirectResponse("/app", 303)
        return self._login_page(visit, [], ended="ended" in visit.request.query_params)

    async def login(self, visit: Visit) -> Response:
        """Sign in, or say what is wrong."""
        fields, t = visit.fields, visit.words
        number, passcode = (fields.get(name, "").replace(" ", "") for name in ("number", "passcode"))
        faults = [
            *([] if _NUMBER.fullmatch(number) else [Fault("number", t("login.bad_number"))]),
            *([] if _PASSCODE.fullmatch(passcode) else [Fault("passcode", t("login.bad_passcode"))]),
        ]
        if faults:
            return self._login_page(visit, faults, number=number)
        app, level = self.settings.app, self.desk.default_level
        result = await self.store.run(lambda conn: sessions.sign_in(conn, number, passcode, app, level, visit.now))
        if isinstance(result, sessions.NotSignedIn):
            told = t(f"login.{result.code}", minutes=result.minutes) if result.minutes else t("login.wrong")
            return self._login_page(visit, [Fault("number", told)], number=number)
        return remember_session(visit, result.token)

    def _login_page(self, visit: Visit, faults: list[Fault], *, number: str = "", ended: bool = False) -> Response:
        app = self.settings.app
        shown = app.passcode if app.show_passcode else None
        status = _FAULTY if faults else 200
        return visit.page("login", status, faults=faults, number=number, ended=ended, shown=shown)

    async def logout(self, visit: Visit) -> Response:
        """Sign out."""
        session = visit.session
        assert session is not None
        await self.store.run(lambda conn: sessions.sign_out(conn, session))
        return forget_session()

    # ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def home(self, visit: Visit) -> Response:
        """What waits for an answer."""
        found = await self.store.look(lambda conn: views.open_list(conn, visit.citizen_id, visit.now))
        return visit.page("list", here="open", requests=found)

    async def past(self, visit: Visit) -> Response:
        """What was answered, and what was declared."""
        requests = await self.store.look(lambda conn: views.past_list(conn, visit.citizen_id, visit.now))
        declarations = await self.store.look(lambda conn: views.declarations_of(conn, visit.citizen_id))
        return visit.page("past", here="past", requests=requests, declarations=declarations)

    async def help(self, visit: Visit) -> Response:
        """How to know a real request, and one's rights."""
        return visit.page("help", here="help")

    # ── one request ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def request(self, visit: Visit) -> Response:
        """Its form while it is open; afterwards what was answered."""
        asked = await self._asked(visit)
        if asked is None:
            return visit.problem("not_found", 404)
        if asked.state != OPEN:
            sent = visit.request.query_params.get("sent", "")
            return visit.page("answer", here="past", asked=asked, sent=sent if sent in {"answer", "change"} else "")
        return await self._form(visit, asked, "answer")

    async def change(self, visit: Visit) -> Response:
        """The form for another answer."""
        asked = await self._asked(visit, ANSWERED)
        return visit.problem("not_found", 404) if asked is None else await self._form(visit, asked, "change")

    async def choose(self, visit: Visit) -> Response:
        """The answers were chosen: on to reading them once more."""
        return await self._choose(visit, OPEN, "answer")

    async def choose_change(self, visit: Visit) -> Response:
        """The same for a change."""
        return await self._choose(visit, ANSWERED, "change")

    async def _form(self, visit: Visit, asked: views.Request, purpose: Purpose) -> Response:
        draft = await self.store.look(lambda conn: drafts.draft_of(conn, asked.auth_req_id, purpose))
        await self.store.run(lambda conn: drafts.begin(conn, asked.auth_req_id, purpose, visit.now))
        return self._form_page(visit, asked, purpose, draft.fields if draft else {}, [])

    def _form_page(
        self, visit: Visit, asked: views.Request, purpose: Purpose, fields: Mapping[str, str], faults: Sequence[Fault]
    ) -> Response:
        here = "open" if purpose == "answer" else "past"
        values = {"asked": asked, "purpose": purpose, "fields": fields, "faults": faults, "here": here}
        corrections = answers.CORRECTION_FIELDS
        return visit.page(
            "request", _FAULTY if faults else 200, **values, verdicts=answers.VERDICTS, corrections=corrections
        )

    async def _choose(self, visit: Visit, state: str, purpose: Purpose) -> Response:
        asked = await self._open(visit, state)
        fields = forms.kept_fields(visit.fields, asked.asked)
        try:
            answers.checked(asked.asked, forms.said(fields, asked.asked), whole=purpose == "answer")
        except AnswerError as error:
            faults = forms.answer_faults(error.faults, asked.asked, visit.words)
            return self._form_page(visit, asked, purpose, fields, faults)
        await self.store.run(lambda conn: drafts.fill(conn, asked.auth_req_id, purpose, fields, visit.now))
        return RedirectResponse(_place(asked, purpose, "confirm"), 303)

    # ── the answers once more ────────────────────────────────────────────────────────────────────────────────────────

    async def confirm_form(self, visit: Visit) -> Response:
        """What will be sent."""
        return await self._confirm_form(visit, OPEN, "answer")

    async def confirm_change_form(self, visit: Visit) -> Response:
        """The same for a change."""
        return await self._confirm_form(visit, ANSWERED, "change")

    async def confirm(self, visit: Visit) -> Response:
        """Send it."""
        return await self._confirm(visit, OPEN, "answer")

    async def confirm_change(self, visit: Visit) -> Response:
        """The same for a change."""
        return await self._confirm(visit, ANSWERED, "change")

    async def _confirm_form(self, visit: Visit, state: str, purpose: Purpose, faults: Sequence[Fault] = ()) -> Response:
        asked = await self._open(visit, state)
        draft = await self.store.look(lambda conn: drafts.draft_of(conn, asked.auth_req_id, purpose))
        chosen = _chosen(asked, draft, purpose)
        if draft is None or chosen is None:
            return RedirectResponse(_place(asked, purpose), 303)
        stale = draft.is_stale(visit.now, self.settings.app.reconfirm_seconds)
        minutes = self.settings.app.reconfirm_seconds // 60
        values = {"asked": asked, "purpose": purpose, "chosen": chosen, "stale": stale, "minutes": minutes}
        here = "open" if purpose == "answer" else "past"
        written = {number for number in range(1, asked.count + 1) if draft.fields.get(f"response-{number}")}
        return visit.page("confirm", _FAULTY if faults else 200, **values, here=here, faults=faults, written=written)

    async def _confirm(self, visit: Visit, state: str, purpose: Purpose) -> Response:
        asked = await self._asked(visit)
        if asked is not None and purpose == "answer" and asked.state == ANSWERED:
            return RedirectResponse(f"{_place(asked)}?sent=answer", 303)  # the form was sent twice
        asked = await self._open(visit, state)
        draft = await self.store.look(lambda conn: drafts.draft_of(conn, asked.auth_req_id, purpose))
        chosen = _chosen(asked, draft, purpose)
        if draft is None or chosen is None:
            return RedirectResponse(_place(asked, purpose), 303)
        if draft.is_stale(visit.now, self.settings.app.reconfirm_seconds):
            if not await self._is_still_there(visit):
                fault = Fault("passcode", visit.words("confirm.wrong"))
                return await self._confirm_form(visit, state, purpose, [fault])
            await self.store.run(lambda conn: drafts.reopen(conn, asked.auth_req_id, purpose, visit.now))
        said = [one for one in chosen if one is not None]
        await self._send(visit, asked, purpose, said)
        return RedirectResponse(f"{_place(asked)}?sent={purpose}", 303)

    async def _is_still_there(self, visit: Visit) -> bool:
        """The passcode once more; a wrong one counts as at the sign-in."""
        passcode, app, level = visit.fields.get("passcode", ""), self.settings.app, self.desk.default_level
        return await self.store.run(
            lambda conn: sessions.is_still_there(conn, visit.citizen_id, passcode, app, level, visit.now)
        )

    async def _send(self, visit: Visit, asked: views.Request, purpose: Purpose, said: Sequence[Any]) -> None:
        act = citizen.answer if purpose == "answer" else citizen.revise
        answered = [dict(one) for one in said]
        await self.store.run(
            lambda conn: act(conn, asked.auth_req_id, answered, self.desk, visit.now, visit.citizen_id)
        )
        self.outbox.wake()

    # ── declining ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def decline_form(self, visit: Visit) -> Response:
        """Declining has no drawback, and this page says so."""
        return visit.page("decline", here="open", asked=await self._open(visit, OPEN))

    async def decline(self, visit: Visit) -> Response:
        """Decline the whole request."""
        asked = await self._asked(visit)
        if asked is not None and asked.state == "declined":
            return RedirectResponse(_place(asked), 303)
        asked = await self._open(visit, OPEN)
        await self.store.run(lambda conn: citizen.decline(conn, asked.auth_req_id, visit.now, visit.citizen_id))
        self.outbox.wake()
        return RedirectResponse(f"{_place(asked)}?sent=answer", 303)

    # ── declaring ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def declare_form(self, visit: Visit) -> Response:
        """An empty form, with the id that makes sending it twice harmless."""
        return self._declare_page(visit, dict.fromkeys(forms.DECLARE_FIELDS, ""), [], new_id())

    async def declare(self, visit: Visit) -> Response:
        """Declare a certificate."""
        texts = forms.declared_texts(visit.form)
        files = await forms.files_of(visit.form.getlist("files"))
        declaration_id = visit.fields.get("declaration_id", "")
        if not _DECLARATION.fullmatch(declaration_id):
            return visit.problem("form", 403)
        faults = forms.declare_faults(texts, files, visit.words, confirmed=visit.fields.get("true") == "yes")
        if faults:
            return self._declare_page(visit, texts, faults, declaration_id, again=bool(files))
        behalf = {"name": texts["behalf_name"], "reason": texts["behalf_reason"]} if texts["behalf_name"] else None
        await self.store.run(
            lambda conn: citizen.declare(
                conn,
                visit.citizen_id,
                serial=texts["serial"],
                address=texts["address"],
                behalf=behalf,
                files=files,
                desk=self.desk,
                now=visit.now,
                declaration_id=declaration_id,
            )
        )
        self.outbox.wake()
        return RedirectResponse(f"/app/declarations/{declaration_id}?sent=1", 303)

    def _declare_page(
        self,
        visit: Visit,
        texts: Mapping[str, str],
        faults: Sequence[Fault],
        declaration_id: str,
        *,
        again: bool = False,
    ) -> Response:
        values = {"texts": texts, "faults": faults, "declaration_id": declaration_id, "again": again}
        return visit.page("declare", _FAULTY if faults else 200, here="declare", **values)

    async def declaration(self, visit: Visit) -> Response:
        """One declaration and its status."""
        declaration_id = visit.request.path_params["id"]
        found = await self.store.look(lambda conn: views.declaration_of(conn, visit.citizen_id, declaration_id))
        if found is None:
            return visit.problem("not_found", 404)
        sent = "sent" in visit.request.query_params
        return visit.page("declaration", here="past", declared=found, sent=sent)

    # ── what belongs to the visitor ──────────────────────────────────────────────────────────────────────────────────

    async def _asked(self, visit: Visit, state: str | None = None) -> views.Request | None:
        auth_req_id = visit.request.path_params["id"]
        found = await self.store.look(lambda conn: views.request_of(conn, visit.citizen_id, auth_req_id, visit.now))
        return found if found is not None and state in {None, found.state} else None

    async def _open(self, visit: Visit, state: str) -> views.Request:
        found = await self._asked(visit, state)
        if found is None:
            raise NotOpenError
        return found


def _place(asked: views.Request, purpose: Purpose = "answer", step: str = "") -> str:
    parts = ["/app/requests", asked.auth_req_id, "change" if purpose == "change" else "", step]
    return "/".join(part for part in parts if part)


def _chosen(
    asked: views.Request, draft: drafts.Draft | None, purpose: Purpose
) -> list[Mapping[str, Any] | None] | None:
    """The answer to each parcel, None where it stays; None for all where the draft says nothing that can be sent."""
    if draft is None:
        return None
    try:
        said = answers.checked(asked.asked, forms.said(draft.fields, asked.asked), whole=purpose == "answer")
    except AnswerError:
        return None
    by_item = {answer["item_id"]: answer for answer in said}
    return [by_item.get(item["item_id"]) for item in asked.asked]
