"""A GAN over who people are: from noise to the z of new people, judged on people it never met.

In: where people lie in the latent space of a VAE. Out: a generator of such places, or an error: a
GAN that diverged or fell back to few places is never returned. Needs torch.

Nothing adversarial passes through the events themselves. Items are discrete: a critic's gradient
does not reach through their draw, and the ways around it (REINFORCE, Gumbel-softmax) are noisy or
biased enough that language GANs so made lost to plain likelihood (Caccia et al., ICLR 2020, arXiv
1811.02549). In z everything is smooth, and every draw of it decodes to valid events.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from shopsynth.generate.sequences.latent import as_array
from shopsynth.generate.sequences.latent_fitting import People
from shopsynth.generate.sequences.latent_judge import Distances, Judge
from shopsynth.generate.sequences.latent_options import SequenceGanOptions
from shopsynth.schema import InputError, Progress, derived_seed

Floats = NDArray[np.float32]

_BATCH = 256
_PENALTY = 10.0
"""Of Gulrajani et al."""

_SPEED = 0.995
"""Share of the running average of the generator's weights that stays at each step."""

_FAR = 10.0
"""Early on a generator may overshoot; one ten times as far as an untrained one will not return."""

_WORSE = 0.04
"""Of an untrained generator's distance: how much farther than one normal distribution a generator
may end. With sixteen numbers fits that went well ended at 0 to .01, one that makes half of the
people alone is at .06, and one with fifty times the learning rate ended at .32."""

_LEAST_KEPT = 0.8
"""Share of the held-out people in cells that are not lost below which a generator is refused."""

_BLOCK = 65_536
_SLOPE = 0.2


@dataclass(frozen=True)
class LearnedGan:
    """What a fit gives.

    Attributes:
        generator: Noise to standardised z.
        shift: ``(latent,)`` mean of z.
        scale: ``(latent,)`` its standard deviation.
        distances: How near it came.
        n_steps: Steps of the generator taken.
    """

    generator: nn.Module
    shift: Floats
    scale: Floats
    distances: Distances
    n_steps: int

    @torch.inference_mode()
    def draw(self, n: int, random: np.random.Generator) -> Floats:
        """Draw ``n`` new people's z: ``(n, latent)``."""
        noise = random.standard_normal((n, self.shift.size), dtype=np.float32)
        made = [
            as_array(self.generator(torch.from_numpy(noise[first : first + _BLOCK])))
            for first in range(0, n, _BLOCK)
        ]
        return np.concatenate(made) * self.scale + self.shift


def fit_gan(
    people: People,
    held_out: People,
    options: SequenceGanOptions,
    *,
    seed: int,
    progress: Progress,
) -> LearnedGan:
    """Train a generator until it comes no nearer to the held-out people.

    On a CPU: both networks are small. The same seed gives the same weights.

    Raises:
        InputError: If training diverges, or the generator ends clearly farther from held-out people
            than one normal distribution, or loses a kind of them.

    Source:
        Gradient penalty: Gulrajani et al., arXiv 1704.00028. Spectral norm with hinge loss: Miyato
        et al., ICLR 2018, arXiv 1802.05957. Two rates: Heusel et al., arXiv 1706.08500. Lost kinds
        by cells: Richardson and Weiss, NeurIPS 2018, arXiv 1805.12462.
    """
    random = np.random.Generator(np.random.PCG64(derived_seed(seed, "sequence_gan", "people")))
    shift, scale = people.mean.mean(axis=0), people.spread()
    known = People((people.mean - shift) / scale, people.deviation / scale)
    judges = People((held_out.mean - shift) / scale, held_out.deviation / scale)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(seed, "sequence_gan", "weights"))
        contest = _Contest(known, Judge(known, judges, random), options)
        contest.run(progress)
    best = contest.best.requires_grad_(False)
    return LearnedGan(best, shift, scale, contest.distances(), contest.n_steps)


class _Contest:
    """Generator against critic.

    Args:
        people: Learned from, standardised.
        judge: Says how near a generator is.
        options: Of the method.
    """

    def __init__(self, people: People, judge: Judge, options: SequenceGanOptions) -> None:
        latent, hidden = people.mean.shape[1], options.hidden
        self._mean = torch.from_numpy(people.mean)
        self._deviation = torch.from_numpy(people.deviation)
        self._judge, self._options = judge, options
        self._penalised = options.stabiliser == "gradient_penalty"
        self._generator = _layers(latent, hidden, latent, spectral=False)
        self._critic = _layers(latent, hidden, 1, spectral=not self._penalised)
        rates = options.generator_rate, options.critic_rate
        self._steps = [
            torch.optim.Adam(network.parameters(), lr=rate, betas=(0.0, 0.9))
            for network, rate in zip((self._generator, self._critic), rates, strict=True)
        ]
        self._average = copy.deepcopy(self._generator)
        self.best = copy.deepcopy(self._generator)
        self.n_steps = 0

    def run(self, progress: Progress) -> None:
        """Train, look at the distance now and then, keep the nearest."""
        options = self._options
        looks = -(-options.max_steps // options.judged_every)
        progress.start("sequence_gan: looks at the distance", looks)
        self._untrained = self._reached = self._look()
        n_worse = n_looks = 0
        while n_looks < looks and n_worse < options.gan_patience:
            for _ in range(min(options.judged_every, options.max_steps - self.n_steps)):
                self._step()
            n_looks += 1
            progress.advance()
            distance = self._look()
            self._refuse_divergence(distance)
            n_worse = 0 if distance < self._reached else n_worse + 1
            if distance < self._reached:
                self._reached = distance
                self.best.load_state_dict(self._average.state_dict())
        progress.advance(looks - n_looks)

    def distances(self) -> Distances:
        """Say how near the best came.

        Raises:
            InputError: If one normal distribution, which needs no adversary, is clearly nearer, or
                a kind is lost.
        """
        with torch.inference_mode():
            made = self.best(self._judge.noise)
        found = self._judge.compare(self._untrained, self._reached, made)
        if not found.reached <= found.normal + _WORSE * found.untrained:
            raise InputError(
                "generate.sequence_gan: expected a generator about as near to held-out people as "
                f"one normal distribution is ({found.normal:.3f}), got {found.reached:.3f} after "
                f"{self.n_steps} steps, from {found.untrained:.3f} untrained; raise max_steps, "
                "lower generator_rate and critic_rate, or choose sequence_vae"
            )
        if found.kept < _LEAST_KEPT:
            raise InputError(
                "generate.sequence_gan: expected a generator that makes people of the kinds that "
                f"are held out, got one that makes those of {found.kept:.0%} of them: it knows too "
                "few kinds; raise max_steps or critic_steps, or choose sequence_vae"
            )
        return found

    @torch.inference_mode()
    def _look(self) -> float:
        return self._judge.distance(self._average(self._judge.noise))

    def _refuse_divergence(self, distance: float) -> None:
        if np.isfinite(distance) and distance <= _FAR * self._untrained:
            return
        raise InputError(
            "generate.sequence_gan: expected a distance from held-out people that falls from "
            f"{self._untrained:.3f}, got {distance:.3g} after {self.n_steps} steps: training "
            "diverges; lower generator_rate and critic_rate"
        )

    def _step(self) -> None:
        """Take the critic's steps and one of the generator."""
        options = self._options
        for _ in range(options.critic_steps):
            row = torch.randint(self._mean.shape[0], (_BATCH,))
            real = self._mean[row] + self._deviation[row] * torch.randn(_BATCH, self._mean.shape[1])
            with torch.no_grad():
                made = self._generator(torch.randn_like(real))
            self._descend(1, self._critic_loss(real, made))
        made = self._generator(torch.randn(_BATCH, self._mean.shape[1]))
        self._descend(0, -self._critic(made).mean())
        self.n_steps += 1
        keep = min(_SPEED, (1 + self.n_steps) / (10 + self.n_steps))
        with torch.no_grad():
            average, current = (
                [p.data for p in network.parameters()]
                for network in (self._average, self._generator)
            )
            torch._foreach_lerp_(average, current, 1.0 - keep)

    def _critic_loss(self, real: Tensor, made: Tensor) -> Tensor:
        says_real, says_made = self._critic(real), self._critic(made)
        if not self._penalised:
            return functional.relu(1 - says_real).mean() + functional.relu(1 + says_made).mean()
        between = torch.lerp(real, made, torch.rand(real.shape[0], 1)).requires_grad_()
        slope = torch.autograd.grad(self._critic(between).sum(), between, create_graph=True)[0]
        penalty = (slope.norm(dim=1) - 1).square().mean()
        wrong: Tensor = says_made.mean() - says_real.mean() + _PENALTY * penalty
        return wrong

    def _descend(self, which: int, loss: Tensor) -> None:
        self._steps[which].zero_grad()
        torch.autograd.backward(loss, inputs=self._steps[which].param_groups[0]["params"])
        self._steps[which].step()


def _layers(n_in: int, hidden: int, n_out: int, *, spectral: bool) -> nn.Sequential:
    linear: list[nn.Module] = [
        nn.Linear(n_in, hidden),
        nn.Linear(hidden, hidden),
        nn.Linear(hidden, n_out),
    ]
    if spectral:
        linear = [parametrizations.spectral_norm(layer) for layer in linear]
    rectified = [part for layer in linear for part in (layer, nn.LeakyReLU(_SLOPE))]
    return nn.Sequential(*rectified[:-1])
