"""What ``text_vae`` and ``text_gan`` share: an autoencoder of reviews, and texts from its points.

In: a private view, and a way to draw points of the latent space. Out: ``fit`` and ``sample``.
Loads torch when it fits or draws, not before.
"""

from abc import abstractmethod
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from shopsynth.generate.language.controls import Levels
from shopsynth.generate.language.drawing import Drawn
from shopsynth.generate.language.review_writer import ReviewWriter
from shopsynth.generate.language.reviews import Reviews
from shopsynth.generate.latent.text_options import LatentTextOptions
from shopsynth.privacy import PrivateView
from shopsynth.schema import Progress

if TYPE_CHECKING:
    from shopsynth.generate.latent.text_drawing import TextLatent

Chosen = TypeVar("Chosen", bound=LatentTextOptions)


class LatentReviewWriter(ReviewWriter[Chosen, "TextLatent"]):
    """Learns the autoencoder; a subclass learns and tells where new texts' points lie.

    Attributes:
        loss_: Surprise of the held-out texts and weighted divergence, nats a piece.
        accuracy_: Share of held-out pieces named first, given z and the pieces before.
        active_: Numbers of z that say something of held-out texts (above .01 nats).
        gain_: Nats a piece that their own z explains more than another's.
        collapsed_: Whether the decoder does without z (posterior collapse); the progress listener
            is told so.
    """

    loss_: float
    accuracy_: float
    active_: int
    gain_: float
    collapsed_: bool

    def _learn(
        self, view: PrivateView, seed: int, progress: Progress
    ) -> "tuple[Reviews, TextLatent]":
        from shopsynth.generate.latent.places import tell_collapse
        from shopsynth.generate.latent.text_fitting import fit_text_vae

        reviews = self._read(view)
        latent = fit_text_vae(
            self.method, reviews.texts, reviews.about, self.options, seed=seed, progress=progress
        )
        tell_collapse(self.method, latent.telling, "a piece", progress)
        self._learn_places(latent, seed, progress)
        self.loss_, self.accuracy_ = latent.loss, latent.accuracy
        self.active_, self.gain_ = latent.telling.n_active, latent.telling.gain
        self.collapsed_ = latent.telling.collapsed
        return reviews, latent

    def _draw(
        self, model: "TextLatent", wanted: Levels, random: np.random.Generator, progress: Progress
    ) -> Drawn:
        from shopsynth.generate.language.decoding import Taste

        def places(known: NDArray[np.float32]) -> NDArray[np.float32]:
            return self._places(known, random)

        taste = Taste(self.options.temperature, self.options.top_p)
        return model.draw(wanted, places, taste, random=random, progress=progress)

    @abstractmethod
    def _learn_places(self, latent: "TextLatent", seed: int, progress: Progress) -> None:
        """Learn where texts lie."""

    @abstractmethod
    def _places(
        self, known: NDArray[np.float32], random: np.random.Generator
    ) -> NDArray[np.float32]:
        """Draw a point for each row of what is known, ``(n, n_known)`` to ``(n, latent)``."""
