"""What a generic run adds to a model file: its own prior, and whether Splink is to link or to dedupe.

Rules
- The wrapper is that of `linkage.models.artefact`, and `artefact.read` opens and checks the result.
- The hash is that of `artefact`: settings and features, not the card.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from linkage.blocking.rules import BlockingRule
from linkage.models import splink_adapter
from linkage.models.model import Model
from linkage.models.training import Trained


def with_prior(trained: Trained, prior: float) -> Trained:
    """The same training with another probability that two random records match."""
    return replace(trained, model=replace(trained.model, probability_two_random_records_match=prior))


def for_link_type(body: dict[str, Any], model: Model, rules: Sequence[BlockingRule], *, dedupe: bool) -> dict[str, Any]:
    """The body of a model file with Splink's `link_type` for this kind of run."""
    if not dedupe:
        return body
    written = {**body, "splink": splink_adapter.settings(model, rules, link_type="dedupe_only")}
    told = json.dumps({key: written[key] for key in ("splink", "features")}, sort_keys=True, ensure_ascii=False)
    written["card"] = {**body["card"], "hash": hashlib.sha256(told.encode()).hexdigest()}
    return written
