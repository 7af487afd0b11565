"""What stands between the people in the data and a release: the facts that audits and report tell.

In: the recipe and what the generate stage paid. Out: the ``privacy`` block of ``summary.json``, but
for the audits.
"""

import math
from typing import Any

from shopsynth.pipeline.manifest import Manifest
from shopsynth.pipeline.recipe import Recipe
from shopsynth.privacy import Charge, PrivacySettings, check_budget, release_receipt

_DONE = ("columns_dropped", "anonymity")
"""What the privacy stage notes of attributes: names of columns and counts."""

_NAME_DIGITS = 12
"""Of the hash of all synthetic rows; a recipe names no release, because noise differs by run."""

CANARY_PARTS = ("canaries/inserted", "canaries/kept_out")
"""Events of canary users by the side of their coin; the inserted stand among ``events`` too."""


def protection_facts(recipe: Recipe, done: dict[str, Manifest]) -> dict[str, Any]:
    """Say under which protection the rows of a run were made, and at what price.

    Only mode ``dp`` has an epsilon, and it is what was paid, not what the recipe allows.
    """
    return release_facts(recipe.privacy, done["privacy"], done["generate"])


def release_facts(
    settings: PrivacySettings, protected: Manifest, generated: Manifest
) -> dict[str, Any]:
    """Say the same of rows whose recipe is not at hand.

    Args:
        settings: What the privacy stage obeyed.
        protected: Of the privacy stage.
        generated: Of the generate stage; in mode ``dp`` it tells what was paid.

    Returns:
        Fields of ``SummaryPrivacy``; in mode ``deidentify`` also what was done to attributes.
    """
    facts: dict[str, Any] = {
        "mode": settings.mode,
        "unit": settings.unit,
        "release": generated.digest[:_NAME_DIGITS],
        "epsilon": None,
        "delta": None,
        "max_events_per_user": generated.facts["max_events_per_user"],
    }
    if settings.mode != "dp":
        entries = protected.facts["ledger"]["entries"]
        done = entries[0]["detail"] if entries else {}
        return {**facts, **{name: done[name] for name in _DONE if done.get(name)}}
    told = generated.facts
    paid = [(each["actor"], Charge.from_json(each["charge"])) for each in told["paid"]]
    spent = told["ledger"]["epsilon"]
    return {
        **facts,
        **release_receipt(paid, check_budget(settings).delta),
        "budget": settings.budget,
        "source_id": told["ledger"]["source"],
        "source_epsilon": spent if math.isfinite(spent) else None,
        "other_plans": len(told["ledger"]["entries"]) - told["plans"],
        "users_bound": settings.users,
    }
