"""The model file: Splink settings, the card that says where they come from, and the features they need.

Rules
- `model.json` holds `splink` (settings that Splink opens), `card` (trained on what, how, when) and `features`.
- A model refuses data with other features: comparisons and levels must be those it was trained with.
- `evidence` holds the joint evidence (family), which Splink cannot express, in the shape of Splink's comparisons.
- The hash of a model is that of its settings, features and evidence, not of its card.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from linkage.blocking.rules import BlockingRule
from linkage.compare.comparisons import Comparison
from linkage.errors import ModelError
from linkage.models import splink_adapter
from linkage.models.model import Model
from linkage.models.training import Trained

FORMAT = 1


def _features(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    return [
        {
            "comparison": comparison.name,
            "columns": list(comparison.columns),
            "levels": [[level.label, level.sql] for level in comparison.levels],
        }
        for comparison in comparisons
    ]


def _hash(body: Mapping[str, Any]) -> str:
    parts = {key: body[key] for key in ("splink", "features", "evidence")}
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def write(
    trained: Trained, rules: Sequence[BlockingRule], *, card: Mapping[str, Any], link_type: str = "link_only"
) -> dict[str, Any]:
    """The body of a model file; `card` adds what the pipeline knows (rows, hashes, versions)."""
    model = trained.model
    blocks = [
        {
            "block": list(found.block),
            "pairs": found.pairs,
            "iterations": found.result.iterations,
            "share_of_matches": found.result.share_of_matches,
            "estimated": list(found.estimated),
        }
        for found in trained.blocks
    ]
    body: dict[str, Any] = {
        "quychu_model": FORMAT,
        "splink": splink_adapter.settings(model, rules, link_type=link_type),
        "features": _features(model.comparisons),
        "evidence": [],
    }
    body["card"] = {
        "hash": _hash(body),
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "training_blocks": blocks,
        "guessed": list(trained.guessed),
        "sentences": {comparison.name: comparison.sentence for comparison in model.comparisons},
        "sentences_vi": {comparison.name: comparison.sentence_vi for comparison in model.comparisons},
        **card,
    }
    return body


def with_evidence(
    body: Mapping[str, Any],
    evidence: list[dict[str, Any]],
    sentences: Mapping[str, str],
    sentences_vi: Mapping[str, str],
) -> dict[str, Any]:
    """The body with joint evidence and its sentences, hashed anew."""
    changed = {**body, "evidence": evidence}
    card = body["card"]
    told = {"sentences": {**card["sentences"], **sentences}, "sentences_vi": {**card["sentences_vi"], **sentences_vi}}
    return {**changed, "card": {**card, **told, "hash": _hash(changed)}}


def read(path: Path, comparisons: Sequence[Comparison]) -> tuple[Model, dict[str, Any]]:
    """The model of a file and its whole body; `ModelError` where it is no model or has other features."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"{path}: expected a model file, found none; train one with `quychu train`."
        raise ModelError(message) from None
    except (OSError, ValueError):
        message = f"{path.name}: expected a model written by `quychu train`, found no readable JSON; train it again."
        raise ModelError(message) from None
    if not isinstance(body, dict) or body.get("quychu_model") != FORMAT:
        message = f"{path.name}: expected a quychu model of format {FORMAT}, found another file; train it again."
        raise ModelError(message)
    if body.get("features") != _features(comparisons):
        message = (
            f"{path.name}: expected a model with the comparisons of this config, found other comparisons or levels; "
            "train it again or give the config it was trained with."
        )
        raise ModelError(message)
    if _hash(body) != body["card"]["hash"]:
        message = f"{path.name}: expected the settings that were trained, found changed ones; train it again."
        raise ModelError(message)
    return splink_adapter.model_from_settings(body["splink"], comparisons), body


def model_of(body: Mapping[str, Any], comparisons: Sequence[Comparison]) -> Model:
    """The model inside the body of a model file."""
    return splink_adapter.model_from_settings(body["splink"], comparisons)
