"""Methods that make synthetic rows: augmenters change real ones, synthesizers learn and sample."""

from shopsynth.generate._attributes import attributes_left_out
from shopsynth.generate._wanted_users import sample_for_users
from shopsynth.generate.base import (
    SYNTHESIZERS,
    Conditions,
    PaidSynthesizer,
    StreamingSynthesizer,
    Synthesizer,
    make_synthesizer,
    sample_parts,
)
from shopsynth.generate.texts import AugmentedTexts, LabelFilter, augment_text

__all__ = [
    "SYNTHESIZERS",
    "AugmentedTexts",
    "Conditions",
    "LabelFilter",
    "PaidSynthesizer",
    "StreamingSynthesizer",
    "Synthesizer",
    "attributes_left_out",
    "augment_text",
    "make_synthesizer",
    "sample_for_users",
    "sample_parts",
]
