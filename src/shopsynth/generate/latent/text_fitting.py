"""From real texts to a fitted text VAE, where its texts lie, and whether z tells of them.

In: texts, columns that tell of them, options. Out: :class:`TextLatent`. Needs torch.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from shopsynth.generate.language.batches import Rows, TextBatch, TextBatches
from shopsynth.generate.language.controls import Controls, Levels
from shopsynth.generate.language.copies import Copies
from shopsynth.generate.language.model import rows_of
from shopsynth.generate.language.tokenizer import ShopTokenizer
from shopsynth.generate.latent.places import Places, Telling, mean_divergence
from shopsynth.generate.latent.posterior import Easing, Posterior
from shopsynth.generate.latent.text_drawing import TextLatent, one_hot
from shopsynth.generate.latent.text_network import Shape, TextVaeNetwork
from shopsynth.generate.latent.text_options import LatentTextOptions
from shopsynth.generate.sequences.checkpoints import Checkpoints
from shopsynth.generate.sequences.training import Schedule, Training
from shopsynth.schema import Progress, derived_seed, sha256_of

_SMALL_SHOP = 20
_MOST_HELD_OUT = 2_000
_WARM_UP = 50

_SPEED = 0.99
"""Share of the running average of weights that stays at each step."""

_ENCODED_TOGETHER = 256

_FIT = "text_latent"
"""Of seeds and checkpoints: both methods learn the same autoencoder, and either goes on from what
the other learned."""


class TextQuestions:
    """Asks a VAE for the pieces of batches: the evidence lower bound, eased in.

    Args:
        device: Where it computes.
        easing: How hard z is pressed.
        seed: Of the noise by which held-out texts are judged: the same at every evaluation.
    """

    def __init__(self, device: torch.device, easing: Easing, seed: int) -> None:
        self.device = device
        self._easing = easing
        self._seed = seed

    def loss(self, network: TextVaeNetwork, batch: TextBatch) -> Tensor:
        """Add surprise and eased divergence (nats) of a batch, divided by its asked pieces."""
        tokens = self.tokens(batch)
        size = tokens.shape[0], network.shape.latent
        if network.training:
            network.n_steps += 1
            weight = self._easing.at(int(network.n_steps))
            noise = torch.randn(size, device=self.device)
        else:
            weight = self._easing.weight
            fixed = torch.Generator().manual_seed(self._seed)
            noise = torch.randn(size, generator=fixed).to(self.device)
        posterior = network.encode(tokens)
        surprise, _ = self.surprise(network, batch, posterior.draw(noise))
        cost = weight * posterior.divergence().sum()
        mean: Tensor = (surprise + cost) / int(batch.real.sum())
        return mean

    def surprise(
        self, network: TextVaeNetwork, batch: TextBatch, z: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the surprise of all asked pieces given z, nats, and how many are told first."""
        asked = torch.from_numpy(batch.real).to(self.device)
        target = torch.from_numpy(batch.target).to(self.device)[asked]
        scores = network.scores(network.states(self.tokens(batch), z)[asked]).float()
        right = (scores.argmax(1) == target).sum()
        return functional.cross_entropy(scores, target, reduction="sum"), right

    def tokens(self, batch: TextBatch) -> Tensor:
        """Lay out what is read."""
        return torch.from_numpy(batch.tokens).to(self.device)


@dataclass(frozen=True)
class _Ground:
    """What a fit starts from."""

    controls: Controls
    levels: Levels
    tokenizer: ShopTokenizer
    rows: Rows
    learned: NDArray[np.int64]
    decides: NDArray[np.int64]

    def batches(self, which: NDArray[np.int64], size: int, seed: int) -> TextBatches:
        """Cut some of the texts into batches."""
        return TextBatches(self.rows, which, objective="next", size=size, seed=seed)


def fit_text_vae(
    method: str,
    texts: pl.Series,
    about: pl.DataFrame,
    options: LatentTextOptions,
    *,
    seed: int,
    progress: Progress,
) -> TextLatent:
    """Train encoder and decoder together until held-out texts surprise no less.

    Args:
        method: Whose, for messages.
        texts: Real ones, none of them empty.
        about: One row a text, with the columns that texts are told; it may have none.
        options: How; ``conditions`` is not read.
        seed: Of all that is random: the same seed and number of threads give the same weights on a
            CPU.
        progress: Told the epochs.

    Raises:
        InputError: If the loss stops being finite.
        MissingExtraError: If the library tokenizers is not installed.
        SourceError: If ``checkpoint_folder`` holds a damaged checkpoint.
    """
    ground = _lay(texts, about, options, seed)
    device = _device_of(options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(seed, _FIT, "weights"))
        network = TextVaeNetwork(
            _shape(ground, options), dropout=options.dropout, word_dropout=options.word_dropout
        ).to(device)
    easing = Easing(options.kl_weight, options.kl_warm_up)
    questions = TextQuestions(device, easing, derived_seed(seed, _FIT, "judging"))
    training = Training(
        method,
        network,
        _schedule(options),
        questions,
        derived_seed(seed, _FIT, "training"),
        _checkpoints(method, options, ground.rows, seed),
    )
    batches_seed = derived_seed(seed, _FIT, "batches")
    learned, decides = (
        ground.batches(which, options.batch_tokens, batches_seed)
        for which in (ground.learned, ground.decides)
    )
    training.run(learned, decides, progress)
    best = training.best.eval().requires_grad_(False)
    known, known_held_out = (
        one_hot(ground.controls, ground.levels[which]) for which in (ground.learned, ground.decides)
    )
    of_learned, of_held_out = (
        _encoded(best, questions, ground, which) for which in (ground.learned, ground.decides)
    )
    gain, accuracy = _told(best, questions, decides, of_learned.mean)
    return TextLatent(
        method=method,
        network=best,
        tokenizer=ground.tokenizer,
        controls=ground.controls,
        levels=ground.levels,
        length=options.length,
        copies=Copies.of(texts, run=options.longest_copy),
        places=Places.of([of_learned], known),
        held_out=Places.of([of_held_out], known_held_out),
        telling=Telling(mean_divergence([of_held_out]), gain),
        accuracy=accuracy,
        loss=training.best_loss,
        n_steps=training.n_steps,
    )


def _lay(texts: pl.Series, about: pl.DataFrame, options: LatentTextOptions, seed: int) -> _Ground:
    controls = Controls.fit(about)
    order = np.random.Generator(np.random.PCG64(derived_seed(seed, _FIT, "held_out"))).permutation(
        texts.len()
    )
    learned = decides = np.sort(order)
    if order.size >= _SMALL_SHOP:
        n_held_out = min(_MOST_HELD_OUT, max(1, round(options.held_out * order.size)))
        learned, decides = np.sort(order[n_held_out:]), np.sort(order[:n_held_out])
    tokenizer = ShopTokenizer.train(
        texts.gather(learned),
        vocabulary=options.vocabulary + len(controls.specials),
        specials=controls.specials,
    )
    levels = controls.levels(about, texts.len())
    rows = rows_of(tokenizer, controls, texts, levels, options.length)
    return _Ground(controls, levels, tokenizer, rows, learned, decides)


def _shape(ground: _Ground, options: LatentTextOptions) -> Shape:
    return Shape(
        n_tokens=ground.tokenizer.n_tokens,
        n_told=len(ground.controls.columns),
        dim=options.dim,
        hidden=options.hidden_states,
        heads=options.heads,
        latent=options.latent,
        mask=ground.tokenizer.mask,
    )


@torch.inference_mode()
def _encoded(
    network: TextVaeNetwork,
    questions: TextQuestions,
    ground: _Ground,
    which: NDArray[np.int64],
) -> Posterior:
    """Say of texts what they may be about, in the order of ``which``."""
    # Sorted by length a batch has little padding; then everybody back to his place.
    order = np.argsort(ground.rows.lengths[which], kind="stable")
    found = []
    for first in range(0, order.size, _ENCODED_TOGETHER):
        tokens = ground.rows.padded(which[order[first : first + _ENCODED_TOGETHER]])
        found.append(network.encode(torch.from_numpy(tokens).to(questions.device)))
    back = torch.from_numpy(np.argsort(order))
    return Posterior(
        torch.cat([one.mean for one in found]).cpu()[back],
        torch.cat([one.log_variance for one in found]).cpu()[back],
    )


@torch.inference_mode()
def _told(
    network: TextVaeNetwork,
    questions: TextQuestions,
    batches: TextBatches,
    others: Tensor,
) -> tuple[float, float]:
    """Ask how much better held-out texts are told by their own z than by that of others.

    Others are texts learned from: held out may be a single one.

    Returns:
        Nats a piece, and the share of pieces named first, given z and those before.
    """
    gain, n_right, n_pieces, n_before = 0.0, 0, 0, 0
    for batch in batches.in_order():
        own = network.encode(questions.tokens(batch)).mean
        place = (torch.arange(own.shape[0]) + n_before + 1) % others.shape[0]
        with_own, right = questions.surprise(network, batch, own)
        with_other, _ = questions.surprise(network, batch, others[place].to(own.device))
        gain += float(with_other - with_own)
        n_right += int(right)
        n_pieces += int(batch.real.sum())
        n_before += own.shape[0]
    return gain / n_pieces, n_right / n_pieces


def _device_of(options: LatentTextOptions) -> torch.device:
    if options.device != "auto":
        return torch.device(options.device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _schedule(options: LatentTextOptions) -> Schedule:
    return Schedule(
        learning_rate=options.learning_rate,
        warm_up=_WARM_UP,
        weight_decay=options.weight_decay,
        averaging=_SPEED,
        max_epochs=options.max_epochs,
        patience=options.patience,
        bfloat16=False,
        compiled=False,
    )


def _checkpoints(
    method: str, options: LatentTextOptions, rows: Rows, seed: int
) -> Checkpoints | None:
    if options.checkpoint_folder is None:
        return None
    read = sha256(rows.pieces.tobytes())
    read.update(rows.offsets.tobytes())
    learned_by = options.model_dump(mode="json", exclude=set(options.learned_without))
    told = {"fit": _FIT, "options": learned_by, "read": read.hexdigest(), "seed": seed}
    return Checkpoints(method, options.checkpoint_folder, sha256_of(told), options.checkpoint_steps)
