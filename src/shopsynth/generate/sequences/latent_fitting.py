"""From real histories to a fitted VAE, where its people lie, and whether z tells of them.

In: histories and options. Out: :class:`LearnedVae`. Needs torch.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate.latent.places import Places, Telling, mean_divergence
from shopsynth.generate.latent.posterior import SPREAD, Easing, Posterior
from shopsynth.generate.sequences.batches import LONGEST_ROW, Batches
from shopsynth.generate.sequences.decoding import Learned
from shopsynth.generate.sequences.fitting import Groundwork, device_of, train
from shopsynth.generate.sequences.latent import HistoryVae, Seen
from shopsynth.generate.sequences.latent_losses import LatentQuestions
from shopsynth.generate.sequences.latent_options import LatentOptions
from shopsynth.generate.sequences.plan import Given
from shopsynth.schema import InputError, Progress

Floats = NDArray[np.float32]

_MOST_PLACED = 50_000
"""People from whom is learned where people lie."""

_WORSE_NATS = 0.1
"""Nats an event by which a network after a few steps may be worse than an untrained one; what it
costs that people lie apart, as no untrained encoder lets them, is allowed besides."""

_ENCODED_TOGETHER = 4096
"""Beginnings that are encoded at a time: bounds memory."""


@dataclass(frozen=True)
class LearnedVae:
    """What a fit gives.

    Attributes:
        vae: In evaluation mode.
        learned: The decoder, and all that drawing from it needs.
        people: Where the users lie that were learned from.
        held_out: Where those lie that decided when to stop.
        telling: What z says of the latter.
    """

    vae: HistoryVae
    learned: Learned
    people: Places
    held_out: Places
    telling: Telling

    @torch.inference_mode()
    def who(self, given: Given, random: np.random.Generator) -> Floats:
        """Draw who begun histories are of, ``(n, latent)``, from what they did."""
        n = given.lengths.size
        blocks = (
            given.take(np.arange(first, min(first + _ENCODED_TOGETHER, n)))
            for first in range(0, n, _ENCODED_TOGETHER)
        )
        return Places.of([self._who(block) for block in blocks]).draw(random)

    def _who(self, given: Given) -> Posterior:
        """Read no more of a history than the rows had that were learned from."""
        device = next(self.vae.parameters()).device
        longest = min(int(given.lengths.max()), LONGEST_ROW)
        real = np.arange(longest) < given.lengths[:, None]
        moment = self.learned.tokens.moment_of(given.time)
        parts = (part[:, :longest] for part in (given.item, given.gap, given.kind, moment))
        return self.vae.encode(Seen.laid(*parts, real, device=device))


def fit_vae(
    method: str,
    form: EventForm,
    histories: Histories,
    options: LatentOptions,
    *,
    seed: int,
    progress: Progress,
) -> LearnedVae:
    """Train encoder and decoder together.

    Raises:
        InputError: If the loss stops being finite, or ends above that of an untrained network.
        SourceError: If the checkpoint is damaged.
    """
    ground = Groundwork.lay(method, form, histories, options.held_out, seed)
    device = device_of(options)
    with torch.random.fork_rng(devices=[0] if device.type == "cuda" else []):
        torch.manual_seed(ground.seed_of("weights"))
        decoder = ground.network(options, options.latent)
        vae = HistoryVae(decoder, options.encoder_layers, options.dropout).to(device)
    easing = Easing(options.kl_weight, options.kl_warm_up)
    questions = LatentQuestions(ground.material, device, easing, ground.seed_of("judging"))
    decides = ground.batches(ground.held_out, options.batch_events)
    before = _loss(vae.eval(), questions, decides)
    training = train(ground, vae, questions, options, progress)
    apart = easing.weight * options.latent * SPREAD**2 / 2 / decides.mean_width
    if training.best_loss > before + apart + _WORSE_NATS:
        raise InputError(
            f"generate.{method}: expected held-out users to surprise less than before the first "
            f"step ({before:.2f} nats an event), got {training.best_loss:.2f} after "
            f"{training.n_steps} steps; lower learning_rate"
        )
    best = training.best.eval().requires_grad_(False)
    posteriors = encoded(best, questions, decides)
    placed = ground.batches(ground.learned[:_MOST_PLACED], options.batch_events)
    people = Places.of(encoded(best, questions, placed))
    telling = Telling(
        mean_divergence(posteriors),
        _gain(best, questions, decides, people),
    )
    learned = ground.outcome(best.decoder, training.best_loss, training.n_steps)
    return LearnedVae(best, learned, people, Places.of(posteriors), telling)


@torch.inference_mode()
def encoded(vae: HistoryVae, questions: LatentQuestions, batches: Batches) -> list[Posterior]:
    """Say of users, batch by batch, who they may be; of a long history by its first row."""
    found = []
    for batch in batches.in_order():
        one = vae.encode(questions.seen(batch))
        first = torch.from_numpy(batch.place == 0).to(one.mean.device)
        found.append(Posterior(one.mean[first], one.log_variance[first]))
    return found


@torch.inference_mode()
def _loss(vae: HistoryVae, questions: LatentQuestions, batches: Batches) -> float:
    total, n_events = 0.0, 0
    for batch in batches.in_order():
        n = int(batch.real.sum())
        total += float(questions.loss(vae, batch)) * n
        n_events += n
    return total / n_events


@torch.inference_mode()
def _gain(vae: HistoryVae, questions: LatentQuestions, batches: Batches, people: Places) -> float:
    """Ask how much worse users are explained by the z of others.

    Others are people learned from: held out may be a single user. Both are in order of length, so
    that the other has about as many events and all are others where few are learned from and judge.
    """
    others = torch.from_numpy(people.mean)
    total, n_events, n_before = 0.0, 0, 0
    for batch in batches.in_order():
        inputs = questions.questions.inputs(batch)
        own = vae.encode(questions.seen(batch)).mean
        place = torch.arange(n_before, n_before + batch.user.size) * len(others) // batches.n_rows
        n_before += batch.user.size
        other = others[(place + 1) % len(others)].to(own.device)
        for mean, sign in ((own, -1.0), (other, 1.0)):
            states = vae.decoder(replace(inputs, latent=mean))
            surprise = questions.questions.surprise(vae.decoder, states, batch)
            total += sign * float(surprise)
        n_events += int(batch.real.sum())
    return total / n_events
