"""A given language model, tuned on a shop's texts by a few weights more.

In: texts with what is known of them, a model, options. Out: :class:`TunedModel`, which writes such
texts. Needs torch, transformers and peft.

What is known of a text stands before it as lines (``rating: 5``), so that what the model has read
elsewhere helps it to understand them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from shopsynth.generate.language.controls import Controls, Levels, complete
from shopsynth.generate.language.copies import Copies
from shopsynth.generate.language.drawing import Drawn, draw_new
from shopsynth.generate.language.given_model import load_given, with_adapters
from shopsynth.generate.language.tokenizer import MOST_CHARACTERS
from shopsynth.generate.language.tuning_options import TunedLmOptions
from shopsynth.schema import InputError, Progress, SourceError, derived_seed

_METHOD = "tuned_lm"
_SMALL_SHOP, _MOST_HELD_OUT = 20, 2_000
_WARM_UP = 10
_ROWS = 32
"""Texts that grow at a time; bounds memory."""

_UNTOLD = -100
"""Target of what the network is not asked for."""


@dataclass(frozen=True)
class TunedModel:
    """A tuned network that writes texts of a shop.

    Attributes:
        network: In evaluation mode, adapters and all.
        tokenizer: The given model's.
        controls: The columns that texts are told.
        length: Most pieces of a text.
        room: Most pieces of prompt and text together.
        levels: ``(n_texts, n_controls)`` what real texts were told.
        copies: What must not come back.
        loss: Surprise of the held-out texts, nats a piece.
        loss_before: The same before the first step.
        n_steps: Optimiser steps taken.
    """

    network: Any
    tokenizer: Any
    controls: Controls
    length: int
    room: int
    levels: Levels
    copies: Copies
    loss: float
    loss_before: float
    n_steps: int

    def draw(
        self,
        wanted: Levels,
        options: TunedLmOptions,
        *,
        random: np.random.Generator,
        progress: Progress,
    ) -> Drawn:
        """Write texts; ``wanted`` is ``(n, n_controls)`` levels, -1 where the data decide."""
        progress.start(f"{_METHOD}: texts", wanted.shape[0])

        def once(wanted: Levels, hotter: float) -> tuple[Levels, pl.Series]:
            levels, _ = complete(wanted, self.levels, random)
            heat = options.temperature + hotter
            return levels, self._written(levels, heat, options.top_p, random)

        return draw_new(once, wanted, self.controls, self.copies, progress)

    def _written(
        self, levels: Levels, temperature: float, top_p: float, random: np.random.Generator
    ) -> pl.Series:
        prompts, texts = prompts_of(self.tokenizer, self.controls, levels), []
        device = next(self.network.parameters()).device
        end = self.tokenizer.eos_token_id
        with torch.random.fork_rng(devices=[0] if device.type == "cuda" else []):
            torch.manual_seed(int(random.integers(1 << 62)))
            for first in range(0, len(prompts), _ROWS):
                block = prompts[first : first + _ROWS]
                width = max(map(len, block))
                told = torch.full((len(block), width), end)
                seen = torch.zeros_like(told)
                for row, prompt in enumerate(block):
                    told[row, width - len(prompt) :] = torch.tensor(prompt)
                    seen[row, width - len(prompt) :] = 1
                made = self.network.generate(
                    input_ids=told.to(device),
                    attention_mask=seen.to(device),
                    do_sample=True,
                    temperature=temperature,
                    top_p=top_p,
                    top_k=0,
                    max_new_tokens=min(self.length, self.room - width),
                    eos_token_id=end,
                    pad_token_id=end,
                )
                texts += self.tokenizer.batch_decode(made[:, width:], skip_special_tokens=True)
        return pl.Series("text", texts, dtype=pl.String).str.strip_chars()


def fit_given(
    texts: pl.Series,
    about: pl.DataFrame,
    options: TunedLmOptions,
    *,
    seed: int,
    progress: Progress,
) -> TunedModel:
    """Tune a given model until held-out texts surprise no less.

    Args:
        texts: Real ones, none empty.
        about: One row a text, with the columns that a text is told.
        options: Which model, and how it is tuned.
        seed: Of adapters, batches and dropout.
        progress: Told the epochs.

    Raises:
        InputError: If the loss stops being finite.
        MissingExtraError: If transformers or peft is not installed.
        RecipeError: If no model is named.
        SourceError: If the model cannot be loaded, or reads too few pieces.
    """
    given, tokenizer = load_given(options.model)
    controls = Controls.fit(about)
    levels = controls.levels(about, texts.len())
    prompts = prompts_of(tokenizer, controls, levels)
    room = int(getattr(given.config, "max_position_embeddings", None) or 1 << 30)
    longest = max(map(len, prompts))
    if longest + 8 > room:
        raise SourceError(
            f"generate.{_METHOD}.options.model: expected one that reads at least {longest + 8} "
            f"pieces, got {room}; choose another model or fewer conditions"
        )
    rows = [
        (len(prompt), [*prompt, *text, tokenizer.eos_token_id][:room])
        for prompt, text in zip(prompts, _pieces(tokenizer, texts, options.length), strict=True)
    ]
    learned, decides = _split(len(rows), options.held_out, derived_seed(seed, _METHOD, "held_out"))
    n_batches = -(-learned.size // options.batch_texts)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(seed, _METHOD, "weights"))
        network = with_adapters(given, options, n_batches * options.max_epochs)
    tuning = _Tuning(network.to(_device_of(options)), rows, options, seed)
    tuning.run(learned, decides, progress)
    return TunedModel(
        network=network.eval(),
        tokenizer=tokenizer,
        controls=controls,
        length=options.length,
        room=room,
        levels=levels,
        copies=Copies.of(texts, run=options.longest_copy),
        loss=tuning.best_loss,
        loss_before=tuning.loss_before,
        n_steps=tuning.n_steps,
    )


def prompts_of(tokenizer: Any, controls: Controls, levels: Levels) -> list[list[int]]:
    """Write what texts are told, as lines before the text; what is unknown has no line."""
    lines = pl.lit("")
    for name, dtype in controls.written(levels[:0]).schema.items():
        cell = pl.col(name).cast(pl.Int64) if dtype == pl.Boolean else pl.col(name)
        number = pl.col(name).cast(pl.String).str.strip_suffix(".0")
        told = pl.lit(f"{name}: ") + (number if dtype.is_float() else cell.cast(pl.String))
        lines = lines + (told + "\n").fill_null("")
    written = controls.written(levels)
    height = pl.DataFrame({"row": np.arange(levels.shape[0])})
    prompts = pl.concat([height, written], how="horizontal").select(lines + "text:").to_series()
    start = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    told_ids = tokenizer(prompts.to_list(), add_special_tokens=False)["input_ids"]
    return [[*start, *ids] for ids in told_ids]


class _Tuning:
    """The adapters of one network in training; its best ones are in it at the end."""

    def __init__(
        self, network: Any, rows: list[tuple[int, list[int]]], options: TunedLmOptions, seed: int
    ) -> None:
        self._network, self._rows, self._options, self._seed = network, rows, options, seed
        self._device = next(network.parameters()).device
        self._parameters = [part for part in network.parameters() if part.requires_grad]
        self._optimizer = torch.optim.AdamW(self._parameters, lr=options.learning_rate)
        self.best_loss = self.loss_before = float("inf")
        self.n_steps = 0

    def run(
        self, learned: NDArray[np.int64], decides: NDArray[np.int64], progress: Progress
    ) -> None:
        """Train for some epochs, and take back what made held-out texts surprise more."""
        options, size = self._options, self._options.batch_texts
        progress.start(f"{_METHOD}: epochs", options.max_epochs)
        self.loss_before = self._evaluated(decides)
        best, n_worse = None, 0
        with torch.random.fork_rng(devices=[0] if self._device.type == "cuda" else []):
            for epoch in range(options.max_epochs):
                seed = derived_seed(self._seed, _METHOD, "epoch", epoch)
                order = np.random.Generator(np.random.PCG64(seed)).permutation(learned)
                self._network.train()
                for first in range(0, order.size, size):
                    self._step(order[first : first + size])
                loss = self._evaluated(decides)
                n_worse = 0 if loss < self.best_loss else n_worse + 1
                if loss < self.best_loss:
                    self.best_loss = loss
                    best = [part.detach().clone() for part in self._adapters()]
                progress.advance()
                if n_worse >= options.patience:
                    break
        if best is not None:
            with torch.no_grad():
                for part, kept in zip(self._adapters(), best, strict=True):
                    part.copy_(kept)

    def _adapters(self) -> list[Tensor]:
        """List all that is not the given model's: ``adalora`` also counts its ranks."""
        named = self._network.named_parameters()
        return [part.data for name, part in named if "lora_" in name or "ranknum" in name]

    def _step(self, which: NDArray[np.int64]) -> None:
        torch.manual_seed(derived_seed(self._seed, _METHOD, "dropout", self.n_steps))
        total, n_pieces = self._surprise(which)
        loss = total / n_pieces
        if not torch.isfinite(loss):
            raise InputError(
                f"generate.{_METHOD}: expected a finite loss, got {loss.item()} after "
                f"{self.n_steps} steps; lower learning_rate"
            )
        for group in self._optimizer.param_groups:
            group["lr"] = self._options.learning_rate * min(1.0, (self.n_steps + 1) / _WARM_UP)
        self._optimizer.zero_grad(set_to_none=False)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        self._optimizer.step()
        if self._options.adapter == "adalora":
            self._network.base_model.update_and_allocate(self.n_steps)
        self.n_steps += 1

    @torch.no_grad()
    def _evaluated(self, which: NDArray[np.int64]) -> float:
        self._network.eval()
        total, n_pieces = 0.0, 0
        for first in range(0, which.size, self._options.batch_texts):
            part, n = self._surprise(which[first : first + self._options.batch_texts])
            total, n_pieces = total + float(part), n_pieces + n
        return total / n_pieces

    def _surprise(self, which: NDArray[np.int64]) -> tuple[Tensor, int]:
        """Return the nats of some texts, prompts not counted, and their number of pieces."""
        rows = [self._rows[row] for row in which]
        width = max(len(ids) for _, ids in rows)
        told = torch.zeros((len(rows), width), dtype=torch.int64)
        seen, target = torch.zeros_like(told), torch.full_like(told, _UNTOLD)
        for place, (n_prompt, ids) in enumerate(rows):
            told[place, : len(ids)] = torch.tensor(ids)
            seen[place, : len(ids)] = 1
            target[place, n_prompt : len(ids)] = told[place, n_prompt : len(ids)]
        found = self._network(input_ids=told.to(self._device), attention_mask=seen.to(self._device))
        total = functional.cross_entropy(
            found.logits[:, :-1].flatten(0, 1).float(),
            target[:, 1:].flatten().to(self._device),
            ignore_index=_UNTOLD,
            reduction="sum",
        )
        return total, int((target[:, 1:] != _UNTOLD).sum())


def _pieces(tokenizer: Any, texts: pl.Series, length: int) -> list[list[int]]:
    read = (" " + texts.str.strip_chars().str.head(MOST_CHARACTERS)).to_list()
    ids = tokenizer(read, add_special_tokens=False)["input_ids"]
    return [one[:length] for one in ids]


def _split(n: int, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose what is learned from and what decides when to stop; of few texts all do both."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(n)
    if n < _SMALL_SHOP:
        return order, order
    n_held_out = min(_MOST_HELD_OUT, max(1, round(share * n)))
    return order[n_held_out:], order[:n_held_out]


def _device_of(options: TunedLmOptions) -> torch.device:
    if options.device != "auto":
        return torch.device(options.device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
