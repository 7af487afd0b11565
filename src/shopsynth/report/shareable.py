"""What may leave the house: the shareable page and its machine-readable receipt.

In: ``summary.json``'s values and the :class:`ReportContext`. Out: a page without scripts, and JSON.

Neither holds a number that compares real rows with synthetic ones: no uplift, no fidelity, no size
of a real table, no audit that reads real rows. Such numbers leak, with or without a guarantee
(Ganev and De Cristofaro, "The Inadequacy of Similarity-based Privacy Metrics", arXiv 2312.05114).
"""

from typing import Any

from shopsynth.report.context import ReportContext
from shopsynth.report.guarantee import attack_table, guarantee, ledger_table
from shopsynth.report.summary import Summary
from shopsynth.report.summary_parts import SummaryAudit

NO_UPLIFT = (
    "Uplift, fidelity and audits that read real rows are left out: they were measured on real "
    "people's data and are for the data's controller."
)


def shareable_audits(summary: Summary, context: ReportContext) -> tuple[SummaryAudit, ...]:
    """Choose the audits that are named as shareable, none by default."""
    return tuple(a for a in summary.privacy.audits if a.name in context.shareable)


def privacy_part(summary: Summary) -> dict[str, Any]:
    """Collect what both pages tell of the guarantee, for their templates."""
    return {
        "guarantee": guarantee(summary.privacy),
        "ledger": ledger_table(summary.privacy),
        "attacks": attack_table(summary.privacy),
    }


def receipt(summary: Summary, context: ReportContext) -> dict[str, Any]:
    """Make the receipt: what a recipient's program needs to know of the release.

    Returns:
        JSON-ready values, version 1: who made what, under which protection and at which price.
    """
    privacy = summary.privacy.model_dump(mode="json")
    told = guarantee(summary.privacy)
    return {
        "version": 1,
        "recipe_sha256": summary.recipe_sha256,
        "created": context.created,
        "generators": [str(made["name"]) for made in context.generators],
        **privacy,
        "strength": told.strength,
        "not_protected": list(told.unprotected_en),
        "not_protected_zh": list(told.unprotected_zh),
        "audits": [a.model_dump(mode="json") for a in shareable_audits(summary, context)],
    }
