"""Texts drawn from a network: piece after piece, or uncovered in passes.

In: a network and how each text begins. Out: the pieces of each text. Needs torch.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shopsynth.generate.language.network import Memory, TextNetwork

Ints = NDArray[np.int64]

_ROWS = 512
"""Texts that grow at a time: enough for fast matrix products; bounds memory."""

_IMPOSSIBLE = float("-inf")


@dataclass(frozen=True)
class Alphabet:
    """Which numbers may stand where.

    Attributes:
        bos: Number of the beginning.
        eos: Number of the end.
        mask: Number of a hidden piece.
        firsts: ``(n_controls,)`` number of each control's unknown level; its others follow.
        sizes: ``(n_controls,)`` levels of each control, the unknown one counted.
        n_specials: Numbers below are no pieces.
    """

    bos: int
    eos: int
    mask: int
    firsts: Ints
    sizes: Ints
    n_specials: int

    def begun(self, levels: Ints) -> Ints:
        """Write levels as the tokens that a text begins with, ``(n, 1 + n_controls)``."""
        bos = np.full((levels.shape[0], 1), self.bos, dtype=np.int64)
        return np.concatenate((bos, levels + self.firsts), axis=1)


@dataclass(frozen=True)
class Taste:
    """How pieces are drawn.

    Attributes:
        temperature: Divides scores.
        top_p: Share of probability that is drawn from, the likeliest first.
    """

    temperature: float
    top_p: float

    def choose(self, scores: Tensor, uniforms: NDArray[np.float64]) -> Tensor:
        """Draw one column a row of ``(n, n_tokens)`` scores.

        Source:
            Holtzman et al., The Curious Case of Neural Text Degeneration, ICLR 2020,
            arXiv 1904.09751.
        """
        shares = (scores.double() / self.temperature).softmax(dim=-1)
        target = torch.from_numpy(uniforms).to(shares)[:, None]
        if self.top_p >= 1:
            ends = shares.cumsum(dim=-1)
            return _crossed(ends, target * ends[:, -1:])
        shares, order = shares.sort(dim=-1, descending=True, stable=True)
        # The piece that crosses the share is still in.
        kept = shares * (shares.cumsum(dim=-1) - shares < self.top_p)
        ends = kept.cumsum(dim=-1)
        return order.gather(1, _crossed(ends, target * ends[:, -1:])[:, None])[:, 0]


@torch.inference_mode()
def grow(
    network: TextNetwork,
    alphabet: Alphabet,
    wanted: Ints,
    length: int,
    taste: Taste,
    random: np.random.Generator,
) -> tuple[Ints, list[NDArray[np.int32]]]:
    """Write texts piece after piece.

    Args:
        network: Causal, in evaluation mode.
        alphabet: Which numbers may stand where.
        wanted: ``(n, n_controls)`` level of each control; where it is -1 the network draws one.
        length: Most pieces of a text; one that has not ended by then is left as it is.
        taste: How pieces are drawn; controls are drawn as learned.
        random: Draws.

    Returns:
        The levels, and each text's pieces.
    """
    levels, texts = wanted.copy(), []
    for first in range(0, wanted.shape[0], _ROWS):
        block = slice(first, first + _ROWS)
        memory = Memory(network, wanted[block].shape[0], 1 + wanted.shape[1] + length)
        scores = _begin(memory, alphabet, levels[block], random)
        texts += _go_on(memory, alphabet, scores, length, taste, random)
    return levels, texts


def _begin(memory: Memory, alphabet: Alphabet, levels: Ints, random: np.random.Generator) -> Tensor:
    """Read the beginning and the controls, drawing those that are open; score the first piece."""
    scores = memory.read(torch.full((levels.shape[0],), alphabet.bos, device=memory.device))
    for place, (first, size) in enumerate(zip(alphabet.firsts, alphabet.sizes, strict=True)):
        if (levels[:, place] < 0).any():
            among = scores[:, first : first + size]
            uniforms = random.random(len(levels))
            drawn = Taste(1.0, 1.0).choose(among, uniforms).cpu().numpy()
            levels[:, place] = np.where(levels[:, place] < 0, drawn, levels[:, place])
        scores = memory.read(torch.from_numpy(levels[:, place] + first).to(memory.device))
    return scores


def _go_on(
    memory: Memory,
    alphabet: Alphabet,
    scores: Tensor,
    length: int,
    taste: Taste,
    random: np.random.Generator,
) -> list[NDArray[np.int32]]:
    written = np.full((scores.shape[0], length), alphabet.eos, dtype=np.int32)
    rows = np.arange(scores.shape[0])
    for place in range(length):
        end = scores[:, alphabet.eos].clone()
        scores[:, : alphabet.n_specials] = _IMPOSSIBLE
        if place:  # A text has a piece at least.
            scores[:, alphabet.eos] = end
        chosen = taste.choose(scores, random.random(rows.size))
        numbers = chosen.cpu().numpy()
        written[rows, place] = numbers
        going = numbers != alphabet.eos
        rows = rows[going]
        if rows.size == 0 or place == length - 1:
            break
        if not going.all():
            kept = torch.from_numpy(np.flatnonzero(going)).to(memory.device)
            memory.keep(kept)
            chosen = chosen[kept]
        scores = memory.read(chosen)
    ended = written == alphabet.eos
    n_pieces = np.where(ended.any(axis=1), ended.argmax(axis=1), length)
    return [row[:n] for row, n in zip(written, n_pieces, strict=True)]


@torch.inference_mode()
def uncover(
    network: TextNetwork,
    alphabet: Alphabet,
    levels: Ints,
    lengths: Ints,
    passes: int,
    taste: Taste,
    random: np.random.Generator,
) -> list[NDArray[np.int32]]:
    """Write texts of given lengths in passes: all is hidden, then places are uncovered at random.

    In each pass a network that looks both ways fills all hidden places, and an equal share of them,
    chosen by chance, stays.

    Args:
        network: Trained to tell hidden pieces, in evaluation mode.
        alphabet: Which numbers may stand where.
        levels: ``(n, n_controls)`` level of each control.
        lengths: ``(n,)`` pieces of each text, at least 1.
        passes: Passes; with as many as pieces each sees all the others before it is drawn.
        taste: How pieces are drawn.
        random: Draws.

    Source:
        Sampling of absorbing diffusion: Austin et al., NeurIPS 2021, arXiv 2107.03006.
    """
    device = network.pieces.weight.device
    begun = alphabet.begun(levels)
    texts: list[NDArray[np.int32]] = []
    for first in range(0, lengths.size, _ROWS):
        size = lengths[first : first + _ROWS]
        column = np.arange(int(size.max()) + 1)
        inside = column < size[:, None]
        text = np.where(inside, alphabet.mask, np.where(column == size[:, None], alphabet.eos, 0))
        turn = random.random(text.shape)
        turn[~inside] = np.inf
        order = turn.argsort(axis=1).argsort(axis=1)
        before = begun[first : first + _ROWS]
        for step in range(passes):
            low, high = size * step // passes, size * (step + 1) // passes
            now = (order >= low[:, None]) & (order < high[:, None]) & inside
            if not now.any():
                continue
            tokens = torch.from_numpy(np.concatenate((before, text), axis=1)).to(device)
            asked = torch.from_numpy(now).to(device)
            scores = network.scores(network.states(tokens)[:, before.shape[1] :][asked])
            scores[:, : alphabet.n_specials] = _IMPOSSIBLE
            text[now] = taste.choose(scores, random.random(int(now.sum()))).cpu().numpy()
        texts += [row[:n].astype(np.int32) for row, n in zip(text, size, strict=True)]
    return texts


def _crossed(ends: Tensor, target: Tensor) -> Tensor:
    """Return the first column a row whose running sum goes beyond the target."""
    chosen = (ends <= target).sum(dim=-1)
    # Rounding may carry the target over the end: the last column that adds something.
    last = (ends < ends[:, -1:]).sum(dim=-1)
    return torch.minimum(chosen, last)
