"""Where real rows lie in the latent space of an autoencoder, and whether z says anything of them.

In: posteriors. Out: :class:`Places`, :class:`Telling`. Needs torch.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from shopsynth.generate.latent.posterior import Posterior, as_array
from shopsynth.schema import Progress

Floats = NDArray[np.float32]

_ACTIVE_NATS = 0.01
"""Nats by which the held-out rows' posteriors differ from the prior in a number that says
something, as Burda et al., arXiv 1509.00519, ask of its variance."""

_TELLING_NATS = 0.01
"""Nats an event or token that one's own z must explain more than another's."""


@dataclass(frozen=True)
class Places:
    """Where rows lie.

    Attributes:
        mean: ``(n, latent)`` means of their posteriors.
        deviation: ``(n, latent)`` standard deviations.
        known: ``(n, n_known)`` what is known of each besides z, as numbers near 1, or ``None``.
    """

    mean: Floats
    deviation: Floats
    known: Floats | None = None

    @classmethod
    def of(cls, posteriors: list[Posterior], known: Floats | None = None) -> Self:
        """Put together what an encoder said, batch by batch."""
        mean = torch.cat([one.mean for one in posteriors])
        log_variance = torch.cat([one.log_variance for one in posteriors])
        return cls(as_array(mean), as_array((0.5 * log_variance).exp()), known)

    @property
    def given(self) -> Floats:
        """What is known of each; without anything a matrix of no columns."""
        if self.known is None:
            return np.zeros((self.mean.shape[0], 0), dtype=np.float32)
        return self.known

    def draw(self, random: np.random.Generator) -> Floats:
        """Draw each one's z once."""
        noise = random.standard_normal(self.mean.shape, dtype=np.float32)
        return self.mean + self.deviation * noise

    def spread(self) -> Floats:
        """Return the standard deviation of everybody's draws, ``(latent,)``; never 0."""
        within = np.square(self.deviation).mean(axis=0)
        spread: Floats = np.sqrt(self.mean.var(axis=0) + within)
        return spread

    def take(self, rows: NDArray[np.int64]) -> Self:
        """Return the places of some rows."""
        known = None if self.known is None else self.known[rows]
        return type(self)(self.mean[rows], self.deviation[rows], known)


@dataclass(frozen=True)
class Telling:
    """What z says of the held-out rows.

    Attributes:
        nats: ``(latent,)`` mean divergence of their posteriors from the prior, by number.
        gain: Nats an event or token that their own z explains more than that of another row.
    """

    nats: NDArray[np.float64]
    gain: float

    @property
    def n_active(self) -> int:
        """Numbers of z that say something."""
        return int((self.nats > _ACTIVE_NATS).sum())

    @property
    def collapsed(self) -> bool:
        """Whether the decoder does without z: every row is drawn from the same nobody."""
        return self.n_active == 0 or self.gain < _TELLING_NATS


def mean_divergence(posteriors: list[Posterior]) -> NDArray[np.float64]:
    """Return the mean divergence of rows from the prior, nats by number of z."""
    nats: NDArray[np.float64] = (
        torch.cat([one.divergence() for one in posteriors]).double().mean(0).cpu().numpy()
    )
    return nats


def tell_collapse(method: str, telling: Telling, unit: str, progress: Progress) -> None:
    """Say through the progress listener that z says nothing, where it does not."""
    if telling.collapsed:
        progress.start(
            f"{method}: posterior collapse: {telling.n_active} numbers of z say something, worth "
            f"{telling.gain:.3f} nats {unit}; lower kl_weight",
            0,
        )
