"""A GAN in a latent space: from noise to the z of new rows, judged on rows it never met.

In: where people or texts lie in the latent space of a VAE. Out: a generator of such places, or an
error: a GAN that diverged or fell back to few places is never returned. Needs torch.

Nothing adversarial passes through events or tokens. They are discrete: a critic's gradient does not
reach through their draw, and the ways around it (REINFORCE, Gumbel-softmax) are noisy or
biased enough that language GANs so made lost to plain likelihood (Caccia et al., ICLR 2020, arXiv
1811.02549). In z everything is smooth, and every draw of it decodes to valid events or texts.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from shopsynth.generate.latent.judge import Distances, Judge
from shopsynth.generate.latent.options import AdversaryOptions
from shopsynth.generate.latent.places import Places
from shopsynth.generate.latent.posterior import as_array
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
"""Share of the held-out rows in cells that are not lost below which a generator is refused."""

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
    def draw(self, n: int, random: np.random.Generator, known: Floats | None = None) -> Floats:
        """Draw ``n`` new z: ``(n, latent)``.

        Args:
            n: How many.
            random: Source of the noise.
            known: ``(n, n_known)`` what they are to be, if the places learned from say so.
        """
        noise = random.standard_normal((n, self.shift.size), dtype=np.float32)
        told = noise if known is None else np.concatenate((noise, known), axis=1)
        made = [
            as_array(self.generator(torch.from_numpy(told[first : first + _BLOCK])))
            for first in range(0, n, _BLOCK)
        ]
        return np.concatenate(made) * self.scale + self.shift


def fit_gan(
    method: str,
    places: Places,
    held_out: Places,
    options: AdversaryOptions,
    *,
    instead: str,
    seed: int,
    progress: Progress,
) -> LearnedGan:
    """Train a generator until it comes no nearer to the held-out rows.

    On a CPU: both networks are small. The same seed gives the same weights. Where places come with
    what is known of them, generator and critic are told it.

    Args:
        method: Whose generator, for messages and seeds.
        places: What is learned from.
        held_out: What judges.
        options: How.
        instead: The method that does without an adversary, for messages.
        seed: Of all that is random.
        progress: Listener.

    Raises:
        InputError: If training diverges, or the generator ends clearly farther from held-out rows
            than one normal distribution, or loses a kind of them.

    Source:
        Gradient penalty: Gulrajani et al., arXiv 1704.00028. Spectral norm with hinge loss: Miyato
        et al., ICLR 2018, arXiv 1802.05957. Two rates: Heusel et al., arXiv 1706.08500. Lost kinds
        by cells: Richardson and Weiss, NeurIPS 2018, arXiv 1805.12462.
    """
    random = np.random.Generator(np.random.PCG64(derived_seed(seed, method, "people")))
    shift, scale = places.mean.mean(axis=0), places.spread()
    learned, judges = (
        Places((side.mean - shift) / scale, side.deviation / scale, side.known)
        for side in (places, held_out)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(seed, method, "weights"))
        contest = _Contest(method, learned, Judge(learned, judges, random), options, instead)
        contest.run(progress)
    best = contest.best.requires_grad_(False)
    return LearnedGan(best, shift, scale, contest.distances(), contest.n_steps)


class _Contest:
    """Generator against critic.

    Args:
        method: Whose, for messages.
        places: Learned from, standardised.
        judge: Says how near a generator is.
        options: Of the method.
        instead: Method that does without an adversary, for messages.
    """

    def __init__(
        self, method: str, places: Places, judge: Judge, options: AdversaryOptions, instead: str
    ) -> None:
        latent, hidden, n_known = places.mean.shape[1], options.hidden, places.given.shape[1]
        self._mean = torch.from_numpy(places.mean)
        self._deviation = torch.from_numpy(places.deviation)
        self._given = torch.from_numpy(places.given)
        self._method, self._judge, self._options = method, judge, options
        self._instead = instead
        self._penalised = options.stabiliser == "gradient_penalty"
        self._generator = _layers(latent + n_known, hidden, latent, spectral=False)
        self._critic = _layers(latent + n_known, hidden, 1, spectral=not self._penalised)
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
        progress.start(f"{self._method}: looks at the distance", looks)
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
            made = self.best(self._asked())
        found = self._judge.compare(self._untrained, self._reached, made)
        if not found.reached <= found.normal + _WORSE * found.untrained:
            raise InputError(
                f"generate.{self._method}: expected a generator about as near to held-out rows as "
                f"one normal distribution is ({found.normal:.3f}), got {found.reached:.3f} after "
                f"{self.n_steps} steps, from {found.untrained:.3f} untrained; raise max_steps, "
                f"lower generator_rate and critic_rate, or choose {self._instead}"
            )
        if found.kept < _LEAST_KEPT:
            raise InputError(
                f"generate.{self._method}: expected a generator that makes rows of the kinds that "
                f"are held out, got one that makes those of {found.kept:.0%} of them: it knows too "
                f"few kinds; raise max_steps or critic_steps, or choose {self._instead}"
            )
        return found

    def _asked(self) -> Tensor:
        """Return what a generator under judgement is given: noise and what is known."""
        return torch.cat((self._judge.noise, self._judge.given), 1)

    @torch.inference_mode()
    def _look(self) -> float:
        return self._judge.distance(self._average(self._asked()))

    def _refuse_divergence(self, distance: float) -> None:
        if np.isfinite(distance) and distance <= _FAR * self._untrained:
            return
        raise InputError(
            f"generate.{self._method}: expected a distance from held-out rows that falls from "
            f"{self._untrained:.3f}, got {distance:.3g} after {self.n_steps} steps: training "
            "diverges; lower generator_rate and critic_rate"
        )

    def _step(self) -> None:
        """Take the critic's steps and one of the generator."""
        options = self._options
        for _ in range(options.critic_steps):
            row = torch.randint(self._mean.shape[0], (_BATCH,))
            real = self._mean[row] + self._deviation[row] * torch.randn(_BATCH, self._mean.shape[1])
            given = self._given[row]
            with torch.no_grad():
                made = self._generator(torch.cat((torch.randn_like(real), given), 1))
            self._descend(1, self._critic_loss(*(torch.cat((z, given), 1) for z in (real, made))))
        noise = torch.randn(_BATCH, self._mean.shape[1])
        if self._given.shape[1]:
            given = self._given[torch.randint(self._mean.shape[0], (_BATCH,))]
        made = self._generator(torch.cat((noise, given), 1))
        self._descend(0, -self._critic(torch.cat((made, given), 1)).mean())
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
