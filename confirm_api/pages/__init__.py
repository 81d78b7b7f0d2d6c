"""The officers' pages: rendered on the server, no JavaScript, Vietnamese.

`router(Office.of(units, settings.office))` serves `/can-bo`; `security` holds headers, cookies and the guard of each
form, `oidc` the login through OpenID Connect, `templates/` what an officer sees.
"""

from confirm_api.pages.office import Office
from confirm_api.pages.routes import router

__all__ = ["Office", "router"]
