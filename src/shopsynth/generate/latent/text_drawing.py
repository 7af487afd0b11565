"""Texts drawn from points of a latent space; none that copies a real one.

In: a fitted text VAE and a way to draw points. Out: texts with the columns they were told. Needs
torch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from shopsynth.generate.language.controls import Controls, Levels, complete
from shopsynth.generate.language.copies import Copies
from shopsynth.generate.language.decoding import Taste
from shopsynth.generate.language.drawing import Drawn, draw_new
from shopsynth.generate.language.tokenizer import ShopTokenizer
from shopsynth.generate.latent.mixture import Mixture
from shopsynth.generate.latent.places import Places, Telling
from shopsynth.generate.latent.text_network import TextVaeNetwork
from shopsynth.schema import Progress

Floats = NDArray[np.float32]
DrawPlaces = Callable[[Floats], Floats]
"""From what is known of new texts, ``(n, n_known)``, to their z, ``(n, latent)``."""

_ROWS = 512
"""Texts that grow at a time: enough for fast matrix products; bounds memory."""

_RIDGE = 1.0
"""Texts' worth of pull towards no difference between conditions, where few texts have one."""


@dataclass(frozen=True)
class TextLatent:
    """What a fit gives.

    Attributes:
        method: Whose, for messages.
        network: In evaluation mode.
        tokenizer: Writes pieces.
        controls: The columns that texts are told.
        levels: ``(n_texts, n_controls)`` what each real text is told.
        length: Most pieces of a text.
        copies: What must not come back.
        places: Where the texts lie that were learned from; known are their levels, one-hot.
        held_out: Where those lie that decided when to stop.
        telling: What z says of the latter.
        accuracy: Share of their pieces that the decoder names first, given z and those before.
        loss: Their surprise and weighted divergence, nats a piece.
        n_steps: Optimiser steps taken.
    """

    method: str
    network: TextVaeNetwork
    tokenizer: ShopTokenizer
    controls: Controls
    levels: Levels
    length: int
    copies: Copies
    places: Places
    held_out: Places
    telling: Telling
    accuracy: float
    loss: float
    n_steps: int

    def draw(
        self,
        wanted: Levels,
        places: DrawPlaces,
        taste: Taste,
        *,
        random: np.random.Generator,
        progress: Progress,
    ) -> Drawn:
        """Write texts; what is blank or copies a real text is drawn again, from another point.

        Args:
            wanted: ``(n, n_controls)`` levels, -1 where open: then as in a real text that agrees.
            places: Draws points.
            taste: How pieces are drawn.
            random: Draws.
            progress: Told how many texts are ready.
        """

        def once(open_levels: Levels, hotter: float) -> tuple[Levels, pl.Series]:
            levels, _ = complete(open_levels, self.levels, random)
            hot = Taste(taste.temperature + hotter, taste.top_p)
            grown = self._grow(levels, places(one_hot(self.controls, levels)), hot, random)
            return levels, self.tokenizer.written(grown)

        progress.start(f"{self.method}: texts", wanted.shape[0])
        return draw_new(once, wanted, self.controls, self.copies, progress)

    @torch.inference_mode()
    def _grow(
        self, levels: Levels, z: Floats, taste: Taste, random: np.random.Generator
    ) -> list[NDArray[np.int32]]:
        """Write texts piece after piece, from the level tokens and z."""
        n_own = self.tokenizer.n_specials - len(self.controls.specials)
        controls = levels + self.controls.firsts + n_own
        texts: list[NDArray[np.int32]] = []
        for first in range(0, levels.shape[0], _ROWS):
            block = slice(first, first + _ROWS)
            texts += self._grow_block(controls[block], z[block], taste, random)
        return texts

    def _grow_block(
        self, controls: Levels, z: Floats, taste: Taste, random: np.random.Generator
    ) -> list[NDArray[np.int32]]:
        network, tokenizer = self.network, self.tokenizer
        device = network.pieces.weight.device
        told = network.told(torch.from_numpy(z).to(device), torch.from_numpy(controls).to(device))
        memory = network.started(told)
        before = np.full(controls.shape[0], tokenizer.bos)
        if controls.shape[1]:
            before = controls[:, -1]
        token = torch.from_numpy(before).to(device)
        written = np.full((controls.shape[0], self.length), tokenizer.eos, dtype=np.int32)
        rows = np.arange(controls.shape[0])
        for place in range(self.length):
            scores, memory = network.step(token, told, memory)
            end = scores[:, tokenizer.eos].clone()
            scores[:, : tokenizer.n_specials] = float("-inf")
            if place:  # A text has a piece at least.
                scores[:, tokenizer.eos] = end
            token = taste.choose(scores, random.random(rows.size))
            numbers = token.cpu().numpy()
            written[rows, place] = numbers
            going = np.flatnonzero(numbers != tokenizer.eos)
            if going.size == 0:
                break
            if going.size < rows.size:
                kept = torch.from_numpy(going).to(device)
                token, told, memory, rows = token[kept], told[kept], memory[:, kept], rows[going]
        ended = written == tokenizer.eos
        n_pieces = np.where(ended.any(axis=1), ended.argmax(axis=1), self.length)
        return [row[:n] for row, n in zip(written, n_pieces, strict=True)]


@dataclass(frozen=True)
class ShiftedMixture:
    """Where texts lie, by what is known of them: one mixture, moved for each condition.

    Attributes:
        shifts: ``(n_known + 1, latent)`` how far each condition moves a text, the last row all.
        mixture: Of what is left.
    """

    shifts: NDArray[np.float64]
    mixture: Mixture

    @classmethod
    def fit(cls, places: Places, *, k: int, random: np.random.Generator) -> "ShiftedMixture":
        """Fit by ridge regression on what is known, and a mixture of what that leaves.

        Args:
            places: Of real texts.
            k: Most components.
            random: Draws each text's z, and chooses the first centres.
        """
        points = places.draw(random).astype(np.float64)
        known = _with_one(places.given)
        pull = np.diag([_RIDGE] * places.given.shape[1] + [0.0])
        shifts = np.linalg.solve(known.T @ known + pull, known.T @ points).astype(np.float64)
        return cls(shifts, Mixture.fit(points - known @ shifts, k=k, random=random))

    def draw(self, known: Floats, random: np.random.Generator) -> Floats:
        """Draw one z for each row of what is known."""
        moved = _with_one(known) @ self.shifts
        return (self.mixture.draw(known.shape[0], random) + moved).astype(np.float32)


def one_hot(controls: Controls, levels: Levels) -> Floats:
    """Write levels as numbers, ``(n, levels of all controls)``."""
    parts = [
        np.eye(control.n_levels, dtype=np.float32)[levels[:, place]]
        for place, control in enumerate(controls.columns)
    ]
    empty = np.zeros((levels.shape[0], 0), dtype=np.float32)
    return np.concatenate([empty, *parts], axis=1)


def _with_one(known: Floats) -> NDArray[np.float64]:
    return np.concatenate((known, np.ones((known.shape[0], 1))), axis=1, dtype=np.float64)
