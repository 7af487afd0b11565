"""What an encoder says of a row: a normal distribution over few numbers z, of fixed spread.

In: summaries of rows. Out: :class:`Posterior`. Needs torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

SPREAD = 0.7
"""Standard deviation of the posteriors' means over rows. Fixed, it leaves z something to say: the
divergence cannot fall below what it costs, so that the decoder never finds z to be noise alone."""

_LEAST_ROWS = 8
"""Rows whose moments are taken; a batch with fewer is moved and scaled by those before."""

_FIRST_LOG_VARIANCE = -2.0
"""Of z's noise at first: a decoder that meets hardly more than noise learns to do without z."""

_LEAST_VARIANCE, _MOST_VARIANCE = -8.0, 4.0
"""Bounds on the logarithm of a variance, so that no divergence overflows."""


@dataclass(frozen=True)
class Posterior:
    """What rows may be: independent normal distributions, ``(row, latent)`` each."""

    mean: Tensor
    log_variance: Tensor

    def draw(self, noise: Tensor) -> Tensor:
        """Turn standard normal noise ``(row, latent)`` into draws that gradients pass through."""
        return self.mean + noise * (0.5 * self.log_variance).exp()

    def divergence(self) -> Tensor:
        """Return the KL divergence from the standard normal prior: ``(row, latent)`` nats."""
        variance = self.log_variance.exp()
        return 0.5 * (self.mean.square() + variance - 1.0 - self.log_variance)


class PosteriorHead(nn.Module):
    """From a summary of a row to the distribution of its z.

    Args:
        dim: Numbers of a summary.
        latent: Numbers of z.

    Source:
        Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014, arXiv 1312.6114. Means of
        fixed spread: Zhu et al., ACL 2020, arXiv 2004.12585.
    """

    def __init__(self, dim: int, latent: int) -> None:
        super().__init__()
        self.to_mean = nn.Linear(dim, latent, bias=False)
        self.moments = nn.BatchNorm1d(latent, affine=False)
        self.to_log_variance = nn.Linear(dim, latent)
        nn.init.constant_(self.to_log_variance.bias, _FIRST_LOG_VARIANCE)

    def forward(self, summary: Tensor) -> Posterior:
        """Read summaries ``(row, dim)``."""
        log_variance = self.to_log_variance(summary).float()
        mean = SPREAD * functional.batch_norm(
            self.to_mean(summary).float(),
            self.moments.running_mean,
            self.moments.running_var,
            training=self.training and summary.shape[0] >= _LEAST_ROWS,
        )
        return Posterior(mean, log_variance.clamp(_LEAST_VARIANCE, _MOST_VARIANCE))


@dataclass(frozen=True)
class Easing:
    """How hard z is pressed towards the prior.

    Without easing a decoder that already guesses well learns to ignore z before z says anything.

    Attributes:
        weight: Weight of the divergence in the end; 1 is the evidence lower bound itself.
        warm_up: Steps over which the weight rises from 0.

    Source:
        Annealing: Bowman et al., arXiv 1511.06349, section 3.1. A weight below 1: Liang et al.,
        WWW 2018, arXiv 1802.05814, section 2.2.2.
    """

    weight: float
    warm_up: int

    def at(self, step: int) -> float:
        """Return the weight after some steps."""
        return self.weight * min(1.0, step / max(1, self.warm_up))


def as_array(tensor: Tensor) -> NDArray[np.float32]:
    """Bring numbers back from where they were computed."""
    array: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    return array
