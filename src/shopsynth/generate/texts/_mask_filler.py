"""Gaps in texts filled by a masked language model.

In: texts with marks where something is to stand, and what each gap may hold. Out: for each gap a
word, or nothing. The libraries are loaded only here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import MissingExtraError, SourceError
from shopsynth.text.characters import HAN, LETTER, Characters
from shopsynth.text.encoders import encoder_place
from shopsynth.text.spans import find_spans

GAP = "\ufffc"
"""Stands for a gap in the texts given: the sign of Unicode for an object that is no text."""

_SHORTEST = 3
"""Letters of a word worth putting in: to, of, on say nothing."""


_BYTES = "\u0120"
_BEGINS = (_BYTES, "\u2581")
"""Signs before a piece that begins a word, of byte pairs (RoBERTa) and of SentencePiece."""


@dataclass(frozen=True)
class Gap:
    """What one gap may hold.

    Attributes:
        chinese: Whether a Chinese character is wanted, or else a word in letters.
        without: Words in small letters that must not come: the one that was there, its neighbours.
    """

    chinese: bool
    without: frozenset[str]


class MaskFiller:
    """A masked language model and the words of its vocabulary that may be put in.

    Args:
        model: Folder, or the name of a model that a package ships.
        device: Where torch computes.
        threads: Threads of torch on a processor, 0 for as many as it takes by itself.
        batch: Texts at once.
        top: Words drawn from, the likeliest that may be put in.
        where: The edit, for messages.

    Raises:
        SourceError: If there is no such model, or its tokenizer does not fit its weights.
        MissingExtraError: If a library or the package with the weights is not installed.
    """

    def __init__(
        self, model: str, *, device: str, threads: int, batch: int, top: int, where: str
    ) -> None:
        self._network, self._tokenizer = _load(encoder_place(model), device, where)
        self._device, self._threads, self._batch, self._top = device, threads, batch, top
        self._words = _whole_words(self._tokenizer)
        self._allowed = _allowed(self._words)
        # A model's places, less the marks at both ends.
        self._most = min(int(self._network.config.max_position_embeddings), 512) - 2

    def fill(
        self, texts: Sequence[str], gaps: Sequence[Sequence[Gap]], random: np.random.Generator
    ) -> list[list[str]]:
        """Fill the gaps of texts, each by itself, the others still open.

        Args:
            texts: With :data:`GAP` at each gap; what a model does not see, it does not fill.
            gaps: One entry a gap of each text.
            random: Chance.

        Returns:
            One word a gap, empty for one that stays open.
        """
        filled = [[""] * len(wanted) for wanted in gaps]
        mask = self._tokenizer.mask_token
        marked = [text.replace(mask, " ").replace(GAP, f" {mask} ") for text in texts]
        # Texts of a length together, so that little is computed for padding.
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        with _threads_of(self._threads):
            for start in range(0, len(order), self._batch):
                rows = order[start : start + self._batch]
                self._fill_batch([marked[row] for row in rows], rows, gaps, filled, random)
        return filled

    def _fill_batch(
        self,
        texts: list[str],
        rows: list[int],
        gaps: Sequence[Sequence[Gap]],
        filled: list[list[str]],
        random: np.random.Generator,
    ) -> None:
        import torch

        batch = self._tokenizer(
            texts, return_tensors="pt", padding=True, truncation=True, max_length=self._most + 2
        ).to(self._device)
        here, place = (batch["input_ids"] == self._tokenizer.mask_token_id).nonzero(as_tuple=True)
        # Scores of the vocabulary at the gaps alone: at every place they are most of the work, and
        # gigabytes.
        last = self._network.get_output_embeddings()
        hook = last.register_forward_pre_hook(lambda _, given: (given[0][here, place],))
        try:
            with torch.inference_mode():
                logits = self._network(**batch).logits.float().cpu().numpy()
        finally:
            hook.remove()
        seen = [0] * len(rows)
        for line, scores in zip(here.tolist(), logits, strict=True):
            row, number = rows[line], seen[line]
            seen[line] += 1
            if number < len(gaps[row]):
                filled[row][number] = self._drawn(scores, gaps[row][number], random)

    def _drawn(self, scores: NDArray[np.float32], gap: Gap, random: np.random.Generator) -> str:
        """Draw one of the likeliest words that may come, by its chance among them."""
        allowed = self._allowed[int(gap.chinese)]
        chance = float(random.random())
        if allowed.size == 0:
            return ""
        # So many more than wanted that those that must not come leave enough.
        n_looked = min(self._top + len(gap.without), allowed.size)
        best = np.argpartition(-scores[allowed], n_looked - 1)[:n_looked]
        ranked = allowed[best[np.lexsort((best, -scores[allowed[best]]))]]
        able = [n for n in ranked.tolist() if self._words[n] not in gap.without][: self._top]
        if not able:
            return ""
        weights = np.exp(scores[able].astype(np.float64) - float(scores[able].max()))
        drawn = int(np.searchsorted(np.cumsum(weights) / weights.sum(), chance))
        word: str = self._words[able[min(drawn, len(able) - 1)]]
        return word


def _whole_words(tokenizer: Any) -> list[str]:
    """List the vocabulary in small letters, empty for what is no whole word.

    A piece that goes on within a word has a mark in some vocabularies; in others one that begins a
    word has.
    """
    tokens = [str(token) for token in tokenizer.convert_ids_to_tokens(range(len(tokenizer)))]
    marks = frozenset(tokenizer.all_special_tokens)
    begins = next((sign for sign in _BEGINS if sum(t.startswith(sign) for t in tokens) > 1), "")
    words = []
    for token in tokens:
        word = token.removeprefix(begins)
        # Bytes that are no letters are written as foreign ones beside this sign.
        legible = begins != _BYTES or word.isascii()
        whole = token.startswith(begins) and word.isalpha() and legible and token not in marks
        words.append(word.lower() if whole else "")
    return words


def _allowed(words: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the words in letters and the Chinese characters that may be put in.

    Numbers, and whatever would be protected had it stood there, such as a negation or a word of
    size, are left out.
    """
    texts = Characters.of(pl.Series(words, dtype=pl.String))
    free = np.ones(len(words), np.bool_)
    free[texts.text_of(find_spans(texts).start)] = False
    kinds = np.zeros(len(words), np.uint8)
    np.bitwise_or.at(kinds, texts.words.text, texts.words.flags)
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    chinese = free & ((kinds & HAN) != 0) & (lengths == 1)
    letters = free & ((kinds & HAN) == 0) & ((kinds & LETTER) != 0) & (lengths >= _SHORTEST)
    return np.flatnonzero(letters), np.flatnonzero(chinese)


@contextmanager
def _threads_of(threads: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@lru_cache(maxsize=2)
def _load(place: str, device: str, where: str) -> tuple[Any, Any]:
    try:
        from transformers import AutoModelForMaskedLM, AutoTokenizer
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{where}: expected the library transformers, got none; pip install 'shopsynth[text]', "
            f"or take {where.rpartition('.')[2]} off the edits"
        ) from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
        network = AutoModelForMaskedLM.from_pretrained(place, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise SourceError(
            f"{where}: expected model to be a folder with a masked language model, got "
            f"{type(error).__name__}; give such a folder, or splade-tiny, which a package ships"
        ) from error
    if tokenizer.mask_token_id is None or len(tokenizer) > network.config.vocab_size:
        raise SourceError(
            f"{where}: expected a tokenizer with a mask and at most {network.config.vocab_size} "
            f"words, got one of {len(tokenizer)}; give the folder of a masked language model with "
            "the tokenizer it was trained with"
        )
    return network.eval().to(device), tokenizer
