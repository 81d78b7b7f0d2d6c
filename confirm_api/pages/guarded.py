"""What stands around every page: the office it belongs to, the headers, and what a refusal looks like.

Rules
- Without a session a page leads to the login; a form of somebody else's page does nothing.
- A refusal is one sentence on a page and a leaf `officer` `refused` with its code, in a transaction of its own: the
  page's own was rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Final

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from confirm_api.errors import OfficeError
from confirm_api.office.cases import note_refusal
from confirm_api.pages import security, views
from confirm_api.pages.office import Office

_STATUS: Final = {
    "outside-commune": 403,
    "wrong-role": 403,
    "foreign-form": 403,
    "unknown-case": 404,
    "unknown-item": 404,
}
_CONFLICT: Final = 409
LONGEST_FORM_BYTES: Final = 16_384


class NoSession(Exception):  # noqa: N818 - no error: the officer has to log in
    """Nobody is logged in, or no longer."""


class FormError(OfficeError):
    """A form that does not come from the officer's own page."""

    code = "foreign-form"

    def __init__(self) -> None:
        super().__init__("Biểu mẫu không còn hiệu lực; hãy tải lại trang rồi làm lại.")


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route of the officers' pages."""

    office: ClassVar[Office]

    @classmethod
    def of(cls, office: Office) -> type[GuardedRoute]:
        """The routes of one office."""
        return type("OfficeRoute", (cls,), {"office": office})

    def get_route_handler(self) -> Handler:
        """The handler, guarded."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            request.state.office = self.office
            try:
                _check_length(request)
                response = await inner(request)
            except NoSession:
                response = RedirectResponse(f"{self.office.base}/dang-nhap", 303)
            except (OfficeError, RequestValidationError) as refusal:
                response = await run_in_threadpool(_refused, request, refusal)
            for name, value in security.HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return handle


def _check_length(request: Request) -> None:
    """A form says how long it is, and is short."""
    told = request.headers.get("content-length", "")
    if request.method == "POST" and not (told.isascii() and told.isdigit() and int(told) <= LONGEST_FORM_BYTES):
        raise FormError


def _refused(request: Request, refusal: Exception) -> Response:
    office: Office = request.state.office
    no = request.path_params.get("no", "")
    if not isinstance(refusal, OfficeError):  # an address such as /ho-so/abc
        return views.page(request, "refused.html", status=404, sentence="Không có trang này; hãy về danh sách hồ sơ.")
    with office.units.begin() as unit:
        note_refusal(unit, refusal, int(no) if no.isdigit() and len(no) <= 15 else None)
    status = _STATUS.get(refusal.code, _CONFLICT)
    return views.page(request, "refused.html", status=status, sentence=str(refusal))
