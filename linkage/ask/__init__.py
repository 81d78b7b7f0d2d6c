"""Ask: doubtful links worth an answer → questions, one for each citizen.

Read in this order: `askable` (who may be asked about what), `gain` (whom first), `facts` (what a line tells), `make`
(all of it on tables), `folder` (on files).
"""

from linkage.ask.folder import ask
from linkage.ask.make import Asked
from linkage.ask.plan import Expectation, Plan

__all__ = ["Asked", "Expectation", "Plan", "ask"]
