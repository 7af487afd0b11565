"""From real texts to a network that writes such ones.

In: texts, columns that tell of them, options. Out: :class:`TextModel`. Needs torch.
"""

from hashlib import sha256

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from shopsynth.generate.language.batches import Rows, TextBatch, TextBatches
from shopsynth.generate.language.controls import Controls
from shopsynth.generate.language.copies import Copies
from shopsynth.generate.language.model import Real, TextModel, rows_of
from shopsynth.generate.language.network import TextNetwork
from shopsynth.generate.language.options import TextLmOptions
from shopsynth.generate.language.tokenizer import ShopTokenizer
from shopsynth.generate.sequences.checkpoints import Checkpoints
from shopsynth.generate.sequences.training import Schedule, Training
from shopsynth.schema import EmptyDataError, Progress, derived_seed, sha256_of

_SMALL_SHOP = 20
_MOST_HELD_OUT = 2_000
_WARM_UP = 50

_SPEED = 0.99
"""Share of the running average of weights that stays at each step."""


class Questions:
    """Asks a network for pieces.

    Args:
        device: Where it computes.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def loss(self, network: TextNetwork, batch: TextBatch) -> Tensor:
        """Return the mean surprise of an asked piece, nats."""
        asked = torch.from_numpy(batch.real).to(self._device)
        states = network.states(torch.from_numpy(batch.tokens).to(self._device))
        target = torch.from_numpy(batch.target).to(self._device)
        return functional.cross_entropy(network.scores(states[asked]).float(), target[asked])


def fit_texts(
    texts: pl.Series,
    about: pl.DataFrame,
    options: TextLmOptions,
    *,
    seed: int,
    progress: Progress,
    method: str = "text_lm",
) -> TextModel:
    """Learn to write texts of any column: reviews, titles, searches.

    Args:
        texts: Real ones; empty ones and nulls are not learned from.
        about: One row a text, with the columns that a text is told before it begins; it may have
            none.
        options: How the network is made and trained; ``conditions`` is not read.
        seed: Of weights, batches and dropout: the same seed and number of threads give the same
            weights on a CPU.
        progress: Told the epochs.
        method: Whose, for messages.

    Raises:
        EmptyDataError: If no text has a character other than blanks.
        InputError: If the loss stops being finite.
        MissingExtraError: If the library tokenizers is not installed.
        SourceError: If ``checkpoint_folder`` holds a damaged checkpoint.
    """
    texts = texts.cast(pl.String).fill_null("")
    full = texts.str.strip_chars() != ""
    texts, about = texts.filter(full), about.filter(full) if about.width else about
    if texts.len() == 0:
        raise EmptyDataError(
            f"generate.{method}: expected texts to learn from, got none that is not empty; map a "
            "column to text under [shop.reviews]"
        )
    controls = Controls.fit(about)
    learned, decides = _split(texts.len(), options.held_out, derived_seed(seed, method, "held_out"))
    tokenizer = ShopTokenizer.train(
        texts.gather(np.sort(learned)),
        vocabulary=options.vocabulary + len(controls.specials),
        specials=controls.specials,
    )
    levels = controls.levels(about, texts.len())
    rows = rows_of(tokenizer, controls, texts, levels, options.length)
    network = _network(tokenizer.n_tokens, options, derived_seed(seed, method, "weights"))
    training = Training(
        method,
        network,
        _schedule(options, network.pieces.weight.device),
        Questions(network.pieces.weight.device),
        derived_seed(seed, method, "training"),
        _checkpoints(method, options, rows, seed),
    )
    batches_seed = derived_seed(seed, method, "batches")
    parts = [
        TextBatches(
            rows, part, objective=options.objective, size=options.batch_tokens, seed=batches_seed
        )
        for part in (learned, decides)
    ]
    training.run(parts[0], parts[1], progress)
    ended = rows.pieces[rows.offsets[1:] - 1] == tokenizer.eos
    n_pieces = rows.lengths - rows.n_before - ended
    return TextModel(
        method=method,
        network=training.best.eval().requires_grad_(False),
        tokenizer=tokenizer,
        controls=controls,
        length=options.length,
        real=Real(levels, n_pieces, Copies.of(texts, run=options.longest_copy)),
        loss=training.best_loss,
        n_steps=training.n_steps,
    )


def device_of(options: TextLmOptions) -> torch.device:
    """Say where to compute."""
    if options.device != "auto":
        return torch.device(options.device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _network(n_tokens: int, options: TextLmOptions, seed: int) -> TextNetwork:
    device = device_of(options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = TextNetwork(
            n_tokens,
            dim=options.dim,
            layers=options.layers,
            heads=options.heads,
            dropout=options.dropout,
            causal=options.objective == "next",
        )
    return network.to(device)


def _split(n: int, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose what is learned from and what decides when to stop; of few texts all do both."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(n)
    if n < _SMALL_SHOP:
        return order, order
    n_held_out = min(_MOST_HELD_OUT, max(1, round(share * n)))
    return order[n_held_out:], order[:n_held_out]


def _schedule(options: TextLmOptions, device: torch.device) -> Schedule:
    half = options.precision == "bfloat16"
    return Schedule(
        learning_rate=options.learning_rate,
        warm_up=_WARM_UP,
        weight_decay=options.weight_decay,
        averaging=_SPEED,
        max_epochs=options.max_epochs,
        patience=options.patience,
        bfloat16=half or (options.precision == "auto" and device.type == "cuda"),
        compiled=options.compile,
    )


def _checkpoints(method: str, options: TextLmOptions, rows: Rows, seed: int) -> Checkpoints | None:
    if options.checkpoint_folder is None:
        return None
    read = sha256(rows.pieces.tobytes())
    read.update(rows.offsets.tobytes())
    learned_by = options.model_dump(mode="json", exclude=set(options.learned_without))
    told = {"method": method, "options": learned_by, "read": read.hexdigest(), "seed": seed}
    return Checkpoints(method, options.checkpoint_folder, sha256_of(told), options.checkpoint_steps)
