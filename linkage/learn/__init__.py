"""Learn: answers of citizens → settled links, labels, and a model beside the old one.

Read in this order: `settle` (whose a place is), `relink` (what that does to the links), `labels`, `teach` (the new
model) with `reestimate` and `compare`, `folder` (on files).
"""

from linkage.learn.folder import Learnt, learn, quality, record_quality, renew_workbook, undo
from linkage.learn.teach import Taught

__all__ = ["Learnt", "Taught", "learn", "quality", "record_quality", "renew_workbook", "undo"]
