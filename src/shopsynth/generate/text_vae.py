"""text_vae: reviews from a VAE: what a text is about, in few numbers, then its words.

In: a private view's reviews and catalogue. Out: ``reviews`` of its items, with the columns that
texts were conditioned on. Needs torch and the library tokenizers.

Not for shops of a few hundred reviews, nor where ``text_lm`` will do: its words are better, for it
spends nothing on saying what a text is about. It gives no differential privacy: an encoder trained
by noisy gradients of some thousand people would say nothing.
"""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate.base import register
from shopsynth.generate.latent.text_options import TextVaeOptions
from shopsynth.generate.latent.text_reviews import LatentReviewWriter
from shopsynth.schema import Progress, Settings, derived_seed

if TYPE_CHECKING:
    from shopsynth.generate.latent.text_drawing import ShiftedMixture, TextLatent


@register("text_vae")
class TextVae(LatentReviewWriter[TextVaeOptions]):
    """A variational autoencoder over texts.

    An encoder reads a whole text and says in a few numbers z what it is about; a decoder, told z
    and the conditions at every piece, writes it again. Pieces are hidden from the decoder while it
    learns, z's means keep a fixed spread, and what they cost is eased in: else it would do without
    z. New texts' z come from where real texts of their conditions lie, or from the prior.

    Attributes:
        steps_: Optimiser steps taken.

    Source:
        Bowman et al., CoNLL 2016, arXiv 1511.06349; Kingma and Welling, arXiv 1312.6114; Zhu et
        al., ACL 2020, arXiv 2004.12585.
    """

    method: ClassVar[str] = "text_vae"
    Options: ClassVar[type[Settings]] = TextVaeOptions
    steps_: int
    _mixture: "ShiftedMixture"

    def _learn_places(self, latent: "TextLatent", seed: int, progress: Progress) -> None:
        from shopsynth.generate.latent.text_drawing import ShiftedMixture

        random = np.random.Generator(np.random.PCG64(derived_seed(seed, self.method, "mixture")))
        components = self.options.components
        self._mixture = ShiftedMixture.fit(latent.places, k=components, random=random)
        self.steps_ = latent.n_steps

    def _places(
        self, known: NDArray[np.float32], random: np.random.Generator
    ) -> NDArray[np.float32]:
        if self.options.drawn_from == "texts":
            return self._mixture.draw(known, random)
        return random.standard_normal((known.shape[0], self.options.latent), dtype=np.float32)
