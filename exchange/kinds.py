"""The kinds of messages: who sends which to whom, to which endpoint, and what answers it.

Rules
- `typ` is compared byte for byte.
- An `answer` of None is plain JSON or nothing: `/bc-authorize` answers JSON, the ping is JSON answered by `204`.
- A path under `{idp}` is below the address of the identity provider (settings of the peer).

>>> KINDS["landask+jwt"].path, KINDS["landfetch+jwt"].answer
('/bc-authorize', 'landreply+jwt')
>>> kind_at("/v1/questions").typ
'landquestions+jwt'
"""

from __future__ import annotations

from dataclasses import dataclass

SERVICE, ENGINE, VNEID, POLICE = "service", "engine", "vneid", "police"
ROLES = (SERVICE, ENGINE, VNEID, POLICE)

SEALED_TYPE = "application/jose"
JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"
JWKS_TYPE = "application/jwk-set+json"

JWKS_PATH = "/.well-known/jwks.json"
CALLBACK_PATH = "/v1/callbacks/vneid"


@dataclass(frozen=True)
class Kind:
    """One kind of request: its `typ`, the roles at both ends, the endpoint's path, the `typ` of a sealed answer."""

    typ: str
    sender: str
    receiver: str
    path: str
    answer: str | None

    @property
    def event(self) -> str:
        """The `event` of its audit leaves."""
        return event_of(self.typ)


def event_of(typ: str) -> str:
    """The `event` of an audit leaf: the `typ` without `+jwt`."""
    return typ.removesuffix("+jwt")


_ALL = (
    Kind("landquestions+jwt", ENGINE, SERVICE, "/v1/questions", "landquestions-receipt+jwt"),
    Kind("landwithdraw+jwt", ENGINE, SERVICE, "/v1/questions/withdraw", "landwithdraw-receipt+jwt"),
    Kind("landcollect+jwt", ENGINE, SERVICE, "/v1/answers", "landanswers+jwt"),
    Kind("landask+jwt", SERVICE, VNEID, "/bc-authorize", None),
    Kind("landcancel+jwt", SERVICE, VNEID, "/cancel", "landcancel-receipt+jwt"),
    Kind("landfetch+jwt", SERVICE, VNEID, "/token", "landreply+jwt"),
    Kind("landrevise+jwt", VNEID, SERVICE, "/v1/revisions", "landrevise-receipt+jwt"),
    Kind("landdecl+jwt", VNEID, SERVICE, "/v1/declarations", "landdecl-receipt+jwt"),
    Kind("residence+jwt", POLICE, SERVICE, "/v1/residence-proofs", "residence-reply+jwt"),
)

KINDS: dict[str, Kind] = {kind.typ: kind for kind in _ALL}
"""Every request by its `typ`; the ping is not sealed and stands in `CALLBACK_PATH`."""

_BY_PATH = {kind.path: kind for kind in _ALL}


def kind_at(path: str) -> Kind:
    """The one kind an endpoint takes."""
    return _BY_PATH[path]
