"""The use cases of the service: one function each, in one transaction: state + outbox + audit leaf.

| function | who starts it |
|---|---|
| `accept_questions`, `withdraw`, `collect` | the engine |
| `callback`, `revise`, `declare` | the identity provider |
| `residence` | the police |
| `take_results` | the worker, with what came of its messages |
| `expire` | the worker, as time passes |
| `officer_outcome` | the office |

Reading order: `world.py` (how one event and all that follows from it become rows), `accept.py`, `results.py`.
`retrying` runs a use case again where another transaction was faster by a hair.
"""

from __future__ import annotations

from confirm_api.service.accept import accept_questions
from confirm_api.service.answer import UseCaseAnswer
from confirm_api.service.citizen_side import callback, declare, revise
from confirm_api.service.engine_side import collect, withdraw
from confirm_api.service.locks import Contention, retrying
from confirm_api.service.officers import officer_outcome
from confirm_api.service.residence import residence
from confirm_api.service.results import take_results
from confirm_api.service.times import expire

__all__ = [
    "Contention",
    "UseCaseAnswer",
    "accept_questions",
    "callback",
    "collect",
    "declare",
    "expire",
    "officer_outcome",
    "residence",
    "retrying",
    "revise",
    "take_results",
    "withdraw",
]
