"""Methods that make synthetic rows: augmenters change real ones, synthesizers learn and sample."""

from shopsynth.generate.base import SYNTHESIZERS, Conditions, Synthesizer, make_synthesizer

__all__ = ["SYNTHESIZERS", "Conditions", "Synthesizer", "make_synthesizer"]
