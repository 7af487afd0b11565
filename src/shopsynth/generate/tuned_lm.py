"""tuned_lm: reviews from a given language model, tuned on the shop's own by LoRA or AdaLoRA.

In: a private view's reviews and catalogue, and the folder of a causal language model. Out:
``reviews`` of the shop's items, with the columns that texts were conditioned on. Needs torch,
transformers and peft.

For shops of a few hundred reviews, which are too few to learn a language from; whatever the given
model has read before may come out again, and what reads as one of the shop's real texts, or has a
long run of one, is drawn again. It gives no differential privacy. Not for models of more than some
hundred million weights without a GPU, nor for shops without any model at hand, where ``text_lm``
needs none.
"""

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shopsynth.generate.base import register
from shopsynth.generate.language.controls import Levels
from shopsynth.generate.language.drawing import Drawn
from shopsynth.generate.language.review_writer import ReviewWriter
from shopsynth.generate.language.reviews import Reviews
from shopsynth.generate.language.tuning_options import TunedLmOptions
from shopsynth.privacy import PrivateView
from shopsynth.schema import Progress, Settings

if TYPE_CHECKING:
    from shopsynth.generate.language.tuning import TunedModel


@register("tuned_lm")
class TunedLm(ReviewWriter[TunedLmOptions, "TunedModel"]):
    """A given causal model with a few trained weights, told in words what to write.

    A fit also needs transformers and peft (``MissingExtraError``), and a model that can be loaded
    and has its own tokenizer (``SourceError``).

    Attributes:
        loss_: Surprise of the held-out texts, nats a piece of the given tokenizer.
        loss_before_: The same of the given model, before it was tuned.
        steps_: Optimiser steps taken.

    Source:
        Hu et al., LoRA, ICLR 2022, arXiv 2106.09685; Zhang et al., AdaLoRA, ICLR 2023,
        arXiv 2303.10512.
    """

    method: ClassVar[str] = "tuned_lm"
    Options: ClassVar[type[Settings]] = TunedLmOptions
    loss_: float
    loss_before_: float
    steps_: int

    def _learn(
        self, view: PrivateView, seed: int, progress: Progress
    ) -> "tuple[Reviews, TunedModel]":
        from shopsynth.generate.language.tuning import fit_given

        reviews = self._read(view)
        model = fit_given(reviews.texts, reviews.about, self.options, seed=seed, progress=progress)
        self.loss_, self.loss_before_ = model.loss, model.loss_before
        self.steps_ = model.n_steps
        return reviews, model

    def _draw(
        self, model: "TunedModel", wanted: Levels, random: np.random.Generator, progress: Progress
    ) -> Drawn:
        return model.draw(wanted, self.options, random=random, progress=progress)
