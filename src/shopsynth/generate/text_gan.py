"""text_gan: reviews drawn by a GAN in the latent space of a text VAE.

In: a private view's reviews and catalogue. Out: ``reviews`` of its items, with the columns that
texts were conditioned on. Needs torch and the library tokenizers.

Not for shops of a few hundred reviews, nor where ``text_vae`` will do, which knows where texts lie
without an adversary, or ``text_lm``, whose words are better. It gives no differential privacy.
"""

from dataclasses import dataclass
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
from shopsynth.generate.language.reviews import Reviews
from shopsynth.generate.latent.text_options import TextGanOptions
from shopsynth.generate.latent.text_reviews import MEETS, write_reviews
from shopsynth.generate.text_lm import need_libraries
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Progress, Settings, SyntheticDataset, derived_seed

if TYPE_CHECKING:
    from shopsynth.generate.language.drawing import Drawn
    from shopsynth.generate.latent.contest import LearnedGan
    from shopsynth.generate.latent.judge import Distances
    from shopsynth.generate.latent.text_drawing import TextLatent

_METHOD = "text_gan"


@dataclass(frozen=True)
class _Model:
    """What fit learned."""

    reviews: Reviews
    latent: "TextLatent"
    gan: "LearnedGan"


@register(_METHOD)
class TextGan:
    """A generative adversarial network over what texts are about.

    First ``text_vae`` learns to say in a few numbers z what a text is about, and to write texts
    given z. Then a generator, told the conditions, learns to make z that a critic, told them too,
    cannot tell from those of real texts: Wasserstein with a gradient penalty. No gradient passes
    through a draw of words, which are discrete.

    A generator that diverges, ends no nearer to held-out texts than one normal distribution, or
    reaches few of their kinds is refused, never returned.

    Attributes:
        loss_: Of the VAE: surprise of held-out texts and weighted divergence, nats a piece.
        steps_: Steps of the generator taken.
        distances_: How near the generator came to held-out texts.
        accuracy_: Share of held-out pieces named first, given z and the pieces before.
        gain_: Nats a piece that the z of held-out texts explains more than another's.
        collapsed_: Whether the decoder does without z: then nothing the GAN learned matters, and
            the progress listener is told so.
        drawn_: What the last sample threw away: draws that copied a real text, blank ones, and
            texts that no draw could make.

    Source:
        Gulrajani et al., arXiv 1704.00028; in a latent space of texts: Zhao et al., ICML 2018,
        arXiv 1706.04223; Donahue and Rumshisky, arXiv 1810.06640.
    """

    Options: ClassVar[type[Settings]] = TextGanOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "reviews"
    meets: ClassVar[frozenset[str]] = MEETS
    loss_: float
    steps_: int
    distances_: "Distances"
    accuracy_: float
    gain_: float
    collapsed_: bool
    drawn_: "Drawn"

    def __init__(self, options: TextGanOptions) -> None:
        self.options = options
        self._model: _Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Train the VAE, then generator against critic, both judged by held-out texts.

        The same seed and number of threads give the same weights on a CPU.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            RecipeError: If a condition is no column that can be one.
            EmptyDataError: If there is no review with a text.
            MissingExtraError: If torch or the library tokenizers is not installed.
            InputError: If training diverges, or the generator knows but few kinds of texts.
            SourceError: If ``checkpoint_folder`` holds a damaged checkpoint.
        """
        check_view(view, _METHOD, self.modes)
        need_libraries(_METHOD)
        from shopsynth.generate.latent.contest import fit_gan
        from shopsynth.generate.latent.places import tell_collapse
        from shopsynth.generate.latent.text_fitting import fit_text_vae

        options = self.options
        reviews = Reviews.read(view, options.conditions, _METHOD)
        latent = fit_text_vae(
            _METHOD, reviews.texts, reviews.about, options, seed=seed, progress=progress
        )
        tell_collapse(_METHOD, latent.telling, "a piece", progress)
        gan = fit_gan(
            _METHOD,
            latent.places,
            latent.held_out,
            options,
            instead="text_vae",
            seed=seed,
            progress=progress,
        )
        self._model = _Model(reviews, latent, gan)
        self.loss_, self.accuracy_ = latent.loss, latent.accuracy
        self.steps_, self.distances_ = gan.n_steps, gan.distances
        self.gain_, self.collapsed_ = latent.telling.gain, latent.telling.collapsed
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
        synthetic, self.drawn_ = write_reviews(
            model.reviews,
            model.latent,
            lambda known: model.gan.draw(known.shape[0], random, known),
            self.options,
            n,
            conditions=conditions,
            seed=seed,
            random=random,
            progress=progress,
        )
        return synthetic
