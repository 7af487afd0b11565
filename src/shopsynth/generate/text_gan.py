"""text_gan: reviews drawn by a GAN in the latent space of a text VAE.

In: a private view's reviews and catalogue. Out: ``reviews`` of its items, with the columns that
texts were conditioned on. Needs torch and the library tokenizers.

Not for shops of a few hundred reviews, nor where ``text_vae`` will do, which knows where texts lie
without an adversary, or ``text_lm``, whose words are better. It gives no differential privacy.
"""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate.base import register
from shopsynth.generate.latent.text_options import TextGanOptions
from shopsynth.generate.latent.text_reviews import LatentReviewWriter
from shopsynth.schema import Progress, Settings

if TYPE_CHECKING:
    from shopsynth.generate.latent.contest import LearnedGan
    from shopsynth.generate.latent.judge import Distances
    from shopsynth.generate.latent.text_drawing import TextLatent


@register("text_gan")
class TextGan(LatentReviewWriter[TextGanOptions]):
    """A generative adversarial network over what texts are about.

    First ``text_vae`` learns to say in a few numbers z what a text is about, and to write texts
    given z. Then a generator, told the conditions, learns to make z that a critic, told them too,
    cannot tell from those of real texts: Wasserstein with a gradient penalty. No gradient passes
    through a draw of words, which are discrete. Where the decoder does without z (``collapsed_``),
    nothing the GAN learned matters.

    A generator that diverges, ends no nearer to held-out texts than one normal distribution, or
    reaches few of their kinds is refused (``InputError``), never returned.

    Attributes:
        steps_: Steps of the generator taken.
        distances_: How near the generator came to held-out texts.

    Source:
        Gulrajani et al., arXiv 1704.00028; in a latent space of texts: Zhao et al., ICML 2018,
        arXiv 1706.04223; Donahue and Rumshisky, arXiv 1810.06640.
    """

    method: ClassVar[str] = "text_gan"
    Options: ClassVar[type[Settings]] = TextGanOptions
    steps_: int
    distances_: "Distances"
    _gan: "LearnedGan"

    def _learn_places(self, latent: "TextLatent", seed: int, progress: Progress) -> None:
        from shopsynth.generate.latent.contest import fit_gan

        self._gan = fit_gan(
            self.method,
            latent.places,
            latent.held_out,
            self.options,
            instead="text_vae",
            seed=seed,
            progress=progress,
        )
        self.steps_, self.distances_ = self._gan.n_steps, self._gan.distances

    def _places(
        self, known: NDArray[np.float32], random: np.random.Generator
    ) -> NDArray[np.float32]:
        return self._gan.draw(known.shape[0], random, known)
