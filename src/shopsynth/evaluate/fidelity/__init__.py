"""Fidelity: how near synthetic histories are to real ones, beside what other real rows reach."""

from shopsynth.evaluate.fidelity.measure import measure_fidelity
from shopsynth.evaluate.fidelity.texts import measure_text_fidelity
from shopsynth.evaluate.fidelity.utility import synthetic_utility

__all__ = ["measure_fidelity", "measure_text_fidelity", "synthetic_utility"]
