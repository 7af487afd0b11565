"""Texts that were learned: what is needed to draw new ones that copy none.

In: a trained network, its tokenizer, and what real texts are told. Out: drawn texts, and how
surprising given ones are. Needs torch.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch.nn import functional

from shopsynth.generate.language.batches import Rows
from shopsynth.generate.language.controls import Controls, Levels, complete
from shopsynth.generate.language.copies import Copies
from shopsynth.generate.language.decoding import Alphabet, Taste, grow, uncover
from shopsynth.generate.language.drawing import Drawn, draw_new
from shopsynth.generate.language.network import TextNetwork
from shopsynth.generate.language.tokenizer import ShopTokenizer
from shopsynth.schema import InputError, Progress

_ROWS = 64
"""Texts whose surprise is computed at a time."""


@dataclass(frozen=True)
class Real:
    """What drawing needs of real texts; nothing of it is written into made ones.

    Attributes:
        levels: ``(n_texts, n_controls)`` what each was told.
        lengths: ``(n_texts,)`` pieces of each.
        copies: What must not come back.
    """

    levels: Levels
    lengths: NDArray[np.int64]
    copies: Copies


@dataclass(frozen=True)
class TextModel:
    """A network that writes texts of a shop.

    Attributes:
        method: Whose, for messages.
        network: In evaluation mode.
        tokenizer: Writes pieces.
        controls: The columns that texts are told.
        length: Most pieces of a text.
        real: What drawing needs of real texts; ``None`` in mode dp, where none may be kept.
        loss: Surprise of the held-out texts, nats a piece.
        n_steps: Optimiser steps taken.
    """

    method: str
    network: TextNetwork
    tokenizer: ShopTokenizer
    controls: Controls
    length: int
    real: Real | None
    loss: float
    n_steps: int

    @property
    def alphabet(self) -> Alphabet:
        """Which numbers may stand where."""
        return alphabet_of(self.tokenizer, self.controls)

    def draw(
        self,
        wanted: Levels,
        taste: Taste,
        *,
        passes: int,
        random: np.random.Generator,
        progress: Progress,
    ) -> Drawn:
        """Write texts.

        Args:
            wanted: ``(n, n_controls)`` levels, -1 where the data decide.
            taste: How pieces are drawn.
            passes: Of a network that tells hidden pieces.
            random: Draws.
            progress: Told how many texts are ready.
        """
        progress.start(f"{self.method}: texts", wanted.shape[0])
        copies = None if self.real is None else self.real.copies

        def once(wanted: Levels, hotter: float) -> tuple[Levels, pl.Series]:
            return self._once(
                wanted, Taste(taste.temperature + hotter, taste.top_p), passes, random
            )

        return draw_new(once, wanted, self.controls, copies, progress)

    def _once(
        self, wanted: Levels, taste: Taste, passes: int, random: np.random.Generator
    ) -> tuple[Levels, pl.Series]:
        """Draw each text once: its levels, and what it says."""
        levels, lengths = wanted, np.zeros(0, dtype=np.int64)
        if self.real is not None:
            levels, row = complete(wanted, self.real.levels, random)
            lengths = np.maximum(self.real.lengths[row], 1)
        if self.network.causal:
            levels, ids = grow(self.network, self.alphabet, levels, self.length, taste, random)
        else:
            ids = uncover(self.network, self.alphabet, levels, lengths, passes, taste, random)
        return levels, self.tokenizer.written(ids)

    @torch.inference_mode()
    def surprise(self, texts: pl.Series, about: pl.DataFrame) -> NDArray[np.float64]:
        """Say how unlikely texts are, ``(n,)`` nats of a whole text, its end included.

        Args:
            texts: Read up to the model's length.
            about: The columns of the conditions, one row a text.

        Raises:
            InputError: If the network tells hidden pieces, which gives no likelihood.
        """
        if not self.network.causal:
            raise InputError(
                f"{self.method}: expected objective next to tell likelihoods, got masked; fit "
                "with objective next"
            )
        rows = rows_of(
            self.tokenizer,
            self.controls,
            texts,
            self.controls.levels(about, texts.len()),
            self.length,
        )
        device, found = self.network.pieces.weight.device, []
        for first in range(0, texts.len(), _ROWS):
            which = np.arange(first, min(first + _ROWS, texts.len()))
            tokens = torch.from_numpy(rows.padded(which)).to(device)
            scores = self.network(tokens[:, :-1])
            each = functional.cross_entropy(
                scores.flatten(0, 1).float(), tokens[:, 1:].flatten(), reduction="none"
            ).view(len(which), -1)
            told = tokens[:, 1:] != self.tokenizer.pad
            told[:, : rows.n_before - 1] = False
            found.append((each.double() * told).sum(dim=1).cpu().numpy())
        return np.concatenate(found) if found else np.zeros(0)


def alphabet_of(tokenizer: ShopTokenizer, controls: Controls) -> Alphabet:
    """Say which numbers may stand where."""
    n_own = tokenizer.n_specials - len(controls.specials)
    return Alphabet(
        bos=tokenizer.bos,
        eos=tokenizer.eos,
        mask=tokenizer.mask,
        firsts=controls.firsts + n_own,
        sizes=np.array([one.n_levels for one in controls.columns], dtype=np.int64),
        n_specials=tokenizer.n_specials,
    )


def rows_of(
    tokenizer: ShopTokenizer, controls: Controls, texts: pl.Series, levels: Levels, length: int
) -> Rows:
    """Write texts as rows: the beginning, controls, pieces, and the end of those that end."""
    begun = alphabet_of(tokenizer, controls).begun(levels).astype(np.int32)
    end = np.array([tokenizer.eos], dtype=np.int32)
    rows = [
        np.concatenate((before, ids, end) if ids.size <= length else (before, ids[:length]))
        for before, ids in zip(begun, tokenizer.encode(texts), strict=True)
    ]
    return Rows.of(rows, n_before=begun.shape[1], pad=tokenizer.pad, mask=tokenizer.mask)
