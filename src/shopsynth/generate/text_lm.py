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

from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from shopsynth.generate._public_facts import refuse_options
from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
    register,
)
from shopsynth.generate.language.drawing import Drawn
from shopsynth.generate.language.options import (
    ONLY_IN_DP,
    ONLY_WITH_ROWS,
    TextLmOptionsOfAllModes,
)
from shopsynth.generate.language.reviews import Reviews
from shopsynth.privacy import PrivateView
from shopsynth.schema import (
    SILENT,
    MissingExtraError,
    Progress,
    Settings,
    SyntheticDataset,
    derived_seed,
)

if TYPE_CHECKING:
    from shopsynth.generate.language.model import TextModel

_METHOD = "text_lm"


@register(_METHOD)
class TextLm:
    """A transformer over pieces of words, causal or masked.

    With ``objective = "next"`` texts grow piece after piece. With ``"masked"`` a text's length is
    that of a real one; all its pieces are hidden and uncovered at random places in some passes.

    Attributes:
        loss_: Surprise of the held-out texts, nats a piece (a hidden piece, if masked); not in mode
            dp, which holds out none.
        steps_: Optimiser steps taken.
        drawn_: What the last sample threw away: draws that copied a real text, empty ones, and
            texts that no draw could make.

    Source:
        Radford et al., GPT-2, 2019; control tokens in front, Keskar et al., CTRL, arXiv 1909.05858;
        masked: Devlin et al., BERT, NAACL 2019, drawn as by Austin et al., arXiv 2107.03006.
    """

    Options: ClassVar[type[Settings]] = TextLmOptionsOfAllModes
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE | {"dp"}
    table: ClassVar[str] = "reviews"
    meets: ClassVar[frozenset[str]] = frozenset({"rows"})
    loss_: float
    steps_: int
    drawn_: Drawn

    def __init__(self, options: TextLmOptionsOfAllModes) -> None:
        self.options = options
        self._model: TextModel | None = None
        self._reviews: Reviews | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Train until held-out texts surprise no less; in mode dp buy noisy steps.

        The same seed and number of threads give the same weights on a CPU. In mode dp the seed
        makes the first weights alone: noise has none.

        Raises:
            PrivacyError: If ``view`` is no view, its budget does not pay for the training, or mode
                dp lacks a public bound on the users.
            RecipeError: If a condition is no column that can be one, or options do not belong to
                the view's mode.
            EmptyDataError: If there is no review with a text; never in mode dp, which would tell.
            MissingExtraError: If torch or the library tokenizers is not installed.
            InputError: If the loss stops being finite.
            SourceError: If ``checkpoint_folder`` holds a damaged checkpoint.
        """
        check_view(view, _METHOD, self.modes)
        need_libraries(_METHOD)
        private = view.mode == "dp"
        foreign = ONLY_WITH_ROWS if private else ONLY_IN_DP
        refuse_options(self.options, foreign, method=_METHOD, mode=view.mode)
        if private:
            from shopsynth.generate.language.private_fitting import fit_private_texts

            made = fit_private_texts(view, self.options, seed=seed, progress=progress)
            self._reviews, self._model = made
        else:
            from shopsynth.generate.language.fitting import fit_texts

            reviews = Reviews.read(view, self.options.conditions, _METHOD)
            self._reviews = reviews
            self._model = fit_texts(
                reviews.texts, reviews.about, self.options, seed=seed, progress=progress
            )
            self.loss_ = self._model.loss
        self.steps_ = self._model.n_steps
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Write ``n`` reviews.

        With ``rows`` each review has the wanted values of one row, in turn; what a row leaves open
        is as in a real review that agrees with it. Fewer than ``n`` come only where draws give
        nothing but copies; ``drawn_`` tells.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, a condition cannot be met, or
                all that is drawn copies real texts.
        """
        from shopsynth.generate.language.decoding import Taste

        check_request(n, conditions, _METHOD, meets=self.meets)
        model, reviews = fitted(self._model, _METHOD), fitted(self._reviews, _METHOD)
        wanted = model.controls.asked(n, conditions.rows if conditions else None, _METHOD)
        self.drawn_ = model.draw(
            wanted,
            Taste(self.options.temperature, self.options.top_p),
            passes=self.options.passes,
            random=np.random.Generator(np.random.PCG64(derived_seed(seed, _METHOD))),
            progress=progress,
        )
        self.drawn_.check(_METHOD)
        return reviews.written(self.drawn_.rows, method=_METHOD, options=self.options, seed=seed)


def need_libraries(method: str) -> None:
    """Refuse to go on without what a network over pieces needs.

    Raises:
        MissingExtraError: If torch or tokenizers is not installed.
    """
    missing = [name for name in ("torch", "tokenizers") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"generate.{method}: expected {' and '.join(missing)}, got none; "
            "pip install 'shopsynth[text,torch]'"
        )
