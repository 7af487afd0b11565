"""text_vae: reviews from a VAE: what a text is about, in few numbers, then its words.

In: a private view's reviews and catalogue. Out: ``reviews`` of its items, with the columns that
texts were conditioned on. Needs torch and the library tokenizers.

Not for shops of a few hundred reviews, nor where ``text_lm`` will do: its words are better, for it
spends nothing on saying what a text is about. It gives no differential privacy: an encoder trained
by noisy gradients of some thousand people would say nothing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
    register,
)
from shopsynth.generate.language.reviews import Reviews
from shopsynth.generate.latent.text_options import TextVaeOptions
from shopsynth.generate.latent.text_reviews import MEETS, write_reviews
from shopsynth.generate.text_lm import need_libraries
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Progress, Settings, SyntheticDataset, derived_seed

if TYPE_CHECKING:
    from shopsynth.generate.language.drawing import Drawn
    from shopsynth.generate.latent.text_drawing import ShiftedMixture, TextLatent

_METHOD = "text_vae"


@dataclass(frozen=True)
class _Model:
    """What fit learned."""

    reviews: Reviews
    latent: "TextLatent"
    mixture: "ShiftedMixture"


@register(_METHOD)
class TextVae:
    """A variational autoencoder over texts.

    An encoder reads a whole text and says in a few numbers z what it is about; a decoder, told z
    and the conditions at every piece, writes it again. Pieces are hidden from the decoder while it
    learns, z's means keep a fixed spread, and what they cost is eased in: else it would do without
    z. New texts' z come from where real texts of their conditions lie, or from the prior.

    Attributes:
        loss_: Surprise of the held-out texts and weighted divergence, nats a piece.
        steps_: Optimiser steps taken.
        accuracy_: Share of held-out pieces named first, given z and the pieces before.
        active_: Numbers of z that say something of held-out texts (above .01 nats).
        gain_: Nats a piece that their own z explains more than another's.
        collapsed_: Whether the decoder does without z (posterior collapse); the progress listener
            is told so.
        drawn_: What the last sample threw away: draws that copied a real text, blank ones, and
            texts that no draw could make.

    Source:
        Bowman et al., CoNLL 2016, arXiv 1511.06349; Kingma and Welling, arXiv 1312.6114; Zhu et
        al., ACL 2020, arXiv 2004.12585.
    """

    Options: ClassVar[type[Settings]] = TextVaeOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "reviews"
    meets: ClassVar[frozenset[str]] = MEETS
    loss_: float
    steps_: int
    accuracy_: float
    active_: int
    gain_: float
    collapsed_: bool
    drawn_: "Drawn"

    def __init__(self, options: TextVaeOptions) -> None:
        self.options = options
        self._model: _Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Train encoder and decoder until held-out texts surprise no less.

        The same seed and number of threads give the same weights on a CPU.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            RecipeError: If a condition is no column that can be one.
            EmptyDataError: If there is no review with a text.
            MissingExtraError: If torch or the library tokenizers is not installed.
            InputError: If the loss stops being finite.
            SourceError: If ``checkpoint_folder`` holds a damaged checkpoint.
        """
        check_view(view, _METHOD, self.modes)
        need_libraries(_METHOD)
        from shopsynth.generate.latent.places import tell_collapse
        from shopsynth.generate.latent.text_drawing import ShiftedMixture
        from shopsynth.generate.latent.text_fitting import fit_text_vae

        reviews = Reviews.read(view, self.options.conditions, _METHOD)
        latent = fit_text_vae(
            _METHOD, reviews.texts, reviews.about, self.options, seed=seed, progress=progress
        )
        tell_collapse(_METHOD, latent.telling, "a piece", progress)
        random = np.random.Generator(np.random.PCG64(derived_seed(seed, _METHOD, "mixture")))
        mixture = ShiftedMixture.fit(latent.places, k=self.options.components, random=random)
        self._model = _Model(reviews, latent, mixture)
        self.loss_, self.steps_, self.accuracy_ = latent.loss, latent.n_steps, latent.accuracy
        self.active_, self.gain_ = latent.telling.n_active, latent.telling.gain
        self.collapsed_ = latent.telling.collapsed
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
        check_request(n, conditions, _METHOD, meets=MEETS)
        model = fitted(self._model, _METHOD)
        random = np.random.Generator(np.random.PCG64(derived_seed(seed, _METHOD)))

        def places(known: NDArray[np.float32]) -> NDArray[np.float32]:
            if self.options.drawn_from == "texts":
                return model.mixture.draw(known, random)
            return random.standard_normal((known.shape[0], self.options.latent), dtype=np.float32)

        synthetic, self.drawn_ = write_reviews(
            model.reviews,
            model.latent,
            places,
            self.options,
            n,
            conditions=conditions,
            seed=seed,
            random=random,
            progress=progress,
        )
        return synthetic
