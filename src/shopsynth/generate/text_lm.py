"""text_lm: reviews from a small language model that is trained on the shop's own texts alone.

In: a private view's reviews and catalogue. Out: ``reviews`` of its items, with the columns that
texts were conditioned on. Needs torch and the library tokenizers.

Words are cut into pieces learned from the texts themselves, so any language will do. A text is told
its rating, label and category before it begins, and can be asked for them. What reads as a real
text, or has a long run of one, is drawn again.

For other columns (titles, searches) there is :func:`~shopsynth.generate.language.fitting.fit_texts`
from Python. In mode dp pieces are learned from the public catalogue and weights by noisy gradients
(DP-SGD over users); in the other modes it gives no differential privacy. Not for shops of a few
hundred reviews: it needs some thousand to write sentences; tune a given model instead
(``tuned_lm``).
"""

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shopsynth.generate._public_facts import refuse_options
from shopsynth.generate.base import WITHOUT_GUARANTEE, register
from shopsynth.generate.language.controls import Levels
from shopsynth.generate.language.drawing import Drawn
from shopsynth.generate.language.options import (
    ONLY_IN_DP,
    ONLY_WITH_ROWS,
    TextLmOptionsOfAllModes,
)
from shopsynth.generate.language.review_writer import ReviewWriter
from shopsynth.generate.language.reviews import Reviews
from shopsynth.privacy import PrivateView
from shopsynth.schema import Progress, Settings

if TYPE_CHECKING:
    from shopsynth.generate.language.model import TextModel


@register("text_lm")
class TextLm(ReviewWriter[TextLmOptionsOfAllModes, "TextModel"]):
    """A transformer over pieces of words, causal or masked.

    With ``objective = "next"`` texts grow piece after piece. With ``"masked"`` a text's length is
    that of a real one; all its pieces are hidden and uncovered at random places in some passes.

    In mode dp a fit needs a public bound on the users and buys noisy steps: ``PrivacyError`` where
    the budget does not pay for them.

    Attributes:
        loss_: Surprise of the held-out texts, nats a piece (a hidden piece, if masked); not in mode
            dp, which holds out none.
        steps_: Optimiser steps taken.

    Source:
        Radford et al., GPT-2, 2019; control tokens in front, Keskar et al., CTRL, arXiv 1909.05858;
        masked: Devlin et al., BERT, NAACL 2019, drawn as by Austin et al., arXiv 2107.03006.
    """

    method: ClassVar[str] = "text_lm"
    Options: ClassVar[type[Settings]] = TextLmOptionsOfAllModes
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE | {"dp"}
    loss_: float
    steps_: int

    def _learn(
        self, view: PrivateView, seed: int, progress: Progress
    ) -> "tuple[Reviews, TextModel]":
        private = view.mode == "dp"
        foreign = ONLY_WITH_ROWS if private else ONLY_IN_DP
        refuse_options(self.options, foreign, method=self.method, mode=view.mode)
        if private:
            from shopsynth.generate.language.private_fitting import fit_private_texts

            reviews, model = fit_private_texts(view, self.options, seed=seed, progress=progress)
        else:
            from shopsynth.generate.language.fitting import fit_texts

            reviews = self._read(view)
            model = fit_texts(
                reviews.texts, reviews.about, self.options, seed=seed, progress=progress
            )
            self.loss_ = model.loss
        self.steps_ = model.n_steps
        return reviews, model

    def _draw(
        self, model: "TextModel", wanted: Levels, random: np.random.Generator, progress: Progress
    ) -> Drawn:
        from shopsynth.generate.language.decoding import Taste

        taste = Taste(self.options.temperature, self.options.top_p)
        return model.draw(
            wanted, taste, passes=self.options.passes, random=random, progress=progress
        )
