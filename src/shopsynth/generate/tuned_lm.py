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

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
    register,
)
from shopsynth.generate.language.drawing import Drawn
from shopsynth.generate.language.reviews import Reviews
from shopsynth.generate.language.tuning_options import TunedLmOptions
from shopsynth.generate.text_lm import need_libraries
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Progress, Settings, SyntheticDataset, derived_seed

if TYPE_CHECKING:
    from shopsynth.generate.language.tuning import TunedModel

_METHOD = "tuned_lm"


@register(_METHOD)
class TunedLm:
    """A given causal model with a few trained weights, told in words what to write.

    Attributes:
        loss_: Surprise of the held-out texts, nats a piece of the given tokenizer.
        loss_before_: The same of the given model, before it was tuned.
        steps_: Optimiser steps taken.
        drawn_: What the last sample threw away.

    Source:
        Hu et al., LoRA, ICLR 2022, arXiv 2106.09685; Zhang et al., AdaLoRA, ICLR 2023,
        arXiv 2303.10512.
    """

    Options: ClassVar[type[Settings]] = TunedLmOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "reviews"
    meets: ClassVar[frozenset[str]] = frozenset({"rows"})
    loss_: float
    loss_before_: float
    steps_: int
    drawn_: Drawn

    def __init__(self, options: TunedLmOptions) -> None:
        self.options = options
        self._model: TunedModel | None = None
        self._reviews: Reviews | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Tune the model until held-out texts of the view surprise no less.

        Raises:
            PrivacyError: If ``view`` is no view, or in mode dp.
            RecipeError: If no model is named, or a condition is no column that can be one.
            EmptyDataError: If there is no review with a text.
            MissingExtraError: If torch, transformers or peft is not installed.
            SourceError: If the model cannot be loaded, or its tokenizer is another model's.
            InputError: If the loss stops being finite.
        """
        check_view(view, _METHOD, self.modes)
        need_libraries(_METHOD)
        from shopsynth.generate.language.tuning import fit_given

        reviews = Reviews.read(view, self.options.conditions, _METHOD)
        self._model = fit_given(
            reviews.texts, reviews.about, self.options, seed=seed, progress=progress
        )
        self._reviews = reviews
        self.loss_, self.steps_ = self._model.loss, self._model.n_steps
        self.loss_before_ = self._model.loss_before
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Write ``n`` reviews; ``rows`` among the conditions as for ``text_lm``.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, a condition cannot be met, or
                all that is drawn copies real texts.
        """
        check_request(n, conditions, _METHOD, meets=self.meets)
        model, reviews = fitted(self._model, _METHOD), fitted(self._reviews, _METHOD)
        self.drawn_ = model.draw(
            model.controls.asked(n, conditions.rows if conditions else None, _METHOD),
            self.options,
            random=np.random.Generator(np.random.PCG64(derived_seed(seed, _METHOD))),
            progress=progress,
        )
        self.drawn_.check(_METHOD)
        return reviews.written(self.drawn_.rows, method=_METHOD, options=self.options, seed=seed)
