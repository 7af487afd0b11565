"""The evaluate room: metrics, uplift with a verdict, fidelity, audits, data for pictures."""

from shopsynth.evaluate.attacks.canaries import (
    Canaries,
    CanaryBound,
    canary_epsilon,
    plant_canaries,
    score_canaries,
)
from shopsynth.evaluate.attacks.people import Sides
from shopsynth.evaluate.attacks.public_canaries import public_canaries
from shopsynth.evaluate.attacks.shadow import shadow_scores
from shopsynth.evaluate.audits import SHAREABLE_AUDITS, audit_release, audit_texts
from shopsynth.evaluate.base import METRICS, Hits, Lists, Metric, Pairs
from shopsynth.evaluate.distributions import describe_distributions
from shopsynth.evaluate.dose_curve import dose_rows
from shopsynth.evaluate.embedding import embed_histories
from shopsynth.evaluate.fidelity import measure_fidelity, measure_text_fidelity, synthetic_utility
from shopsynth.evaluate.holm import holm
from shopsynth.evaluate.hypotheses import Hypothesis, ProveSettings, register
from shopsynth.evaluate.means import summarise_metrics
from shopsynth.evaluate.scoring import (
    count_catalogue,
    list_length,
    metric_cutoffs,
    score_units,
)
from shopsynth.evaluate.settings import EvaluateSettings
from shopsynth.evaluate.system import SYSTEM, add_system
from shopsynth.evaluate.units import UnitValues
from shopsynth.evaluate.uplift import Uplift, compare_arms

__all__ = [
    "METRICS",
    "SHAREABLE_AUDITS",
    "SYSTEM",
    "Canaries",
    "CanaryBound",
    "EvaluateSettings",
    "Hits",
    "Hypothesis",
    "Lists",
    "Metric",
    "Pairs",
    "ProveSettings",
    "Sides",
    "UnitValues",
    "Uplift",
    "add_system",
    "audit_release",
    "audit_texts",
    "canary_epsilon",
    "compare_arms",
    "count_catalogue",
    "describe_distributions",
    "dose_rows",
    "embed_histories",
    "holm",
    "list_length",
    "measure_fidelity",
    "measure_text_fidelity",
    "metric_cutoffs",
    "plant_canaries",
    "public_canaries",
    "register",
    "score_canaries",
    "score_units",
    "shadow_scores",
    "summarise_metrics",
    "synthetic_utility",
]
