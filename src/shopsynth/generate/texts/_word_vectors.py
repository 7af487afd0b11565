"""Vectors of words: learned from a shop's own texts, or a model's.

In: texts as numbers of words, or the words themselves. Out: one vector a word, of length 1.
"""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from shopsynth.schema import MissingExtraError, SourceError
from shopsynth.text.characters import Integers
from shopsynth.text.encoders import encoder_place

Vectors = NDArray[np.float32]

_REACH = 2
"""Words to either side that count as context, the sides told apart: so that what can stand for a
word counts, not what stands beside it or what it is about (Levy and Goldberg 2014, section 3)."""

_SMOOTH = 0.75
"""Power of the contexts' counts: rare contexts are no news (Levy, Goldberg and Dagan 2015)."""

_LENGTH = 100
_PASSES = 3
"""Power iterations of the randomised decomposition: enough for a spectrum that falls slowly."""


def shop_vectors(word: Integers, text: Integers, n_words: int, seed: int) -> Vectors:
    """Learn vectors from which words stand beside which.

    Args:
        word: ``(n,)`` number of each word in the texts' order, -1 for one without a vector.
        text: ``(n,)`` number of its text, rising.
        n_words: Words that have a vector.
        seed: Of the decomposition's start.

    Returns:
        ``(n_words, dim)``, of length 1, or 0 where a word never stands beside another.

    Source:
        Levy, Goldberg and Dagan, Improving distributional similarity with lessons learned from
        word embeddings, TACL 2015 (positive pointwise mutual information, decomposed, singular
        values by their root); Halko, Martinsson and Tropp, SIAM Review 53(2), 2011.
    """
    pairs = csr_array((n_words, 2 * n_words), dtype=np.float32)
    for step in range(1, _REACH + 1):
        left, right = word[:-step], word[step:]
        both = (text[:-step] == text[step:]) & (left >= 0) & (right >= 0)
        left, right = left[both], right[both]
        counts = np.ones(left.size, np.float32)
        pairs = pairs + csr_array((counts, (left, right)), pairs.shape)
        pairs = pairs + csr_array((counts, (right, left + n_words)), pairs.shape)
    pairs.sum_duplicates()
    often = np.asarray(pairs.sum(axis=1), np.float64).ravel()
    smooth = np.asarray(pairs.sum(axis=0), np.float64).ravel() ** _SMOOTH
    smooth /= max(float(smooth.sum()), 1.0)
    rows = np.repeat(np.arange(n_words), np.diff(pairs.indptr))
    told = pairs.data / (np.maximum(often, 1.0)[rows] * smooth[pairs.indices])
    pairs.data = np.maximum(np.log(told), 0.0).astype(np.float32)
    return _unit(_decomposed(pairs, min(_LENGTH, n_words), seed))


def _decomposed(matrix: Any, length: int, seed: int) -> Vectors:
    """Return left singular vectors, weighted by the root of their values: ``(n, length)``."""
    random = np.random.Generator(np.random.PCG64(seed))
    # Ten directions more than wanted, as Halko et al. advise.
    basis = random.standard_normal((matrix.shape[1], length + 10)).astype(np.float32)
    for _ in range(_PASSES):
        basis = np.linalg.qr(matrix.T @ np.linalg.qr(matrix @ basis)[0])[0]
    left, values, _ = np.linalg.svd(matrix @ basis, full_matrices=False)
    return np.asarray(left[:, :length] * np.sqrt(values[:length]), np.float32)


def model_vectors(words: list[str], model: str) -> Vectors:
    """Take vectors from a model: its own for model2vec's, else the mean of a word's pieces.

    Args:
        words: The words.
        model: Folder, or the name of a model that a package ships.

    Returns:
        ``(n_words, dim)``, of length 1.

    Raises:
        SourceError: If the folder holds no such model.
        MissingExtraError: If a library or the package with the weights is not installed.
    """
    place = encoder_place(model)
    try:
        vectors = (_static(place) or _input_vectors(place))(words)
    except (OSError, ValueError, LookupError) as error:
        raise SourceError(
            "augment_text.embedding_neighbours: expected model to be a folder with an encoder's "
            f"weights and the tokenizer they were trained with, got {type(error).__name__}; give "
            "such a folder, minilm, e5-small, or shop to learn from the texts"
        ) from error
    return _unit(np.asarray(vectors, np.float32))


def _static(place: str) -> Callable[[list[str]], Any] | None:
    """Load a model of model2vec's, if it is one and the library is there."""
    config = json.loads((Path(place) / "config.json").read_text("utf-8"))
    if config.get("model_type") != "model2vec":
        return None
    try:
        library = import_module("model2vec")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "augment_text.embedding_neighbours: expected the library model2vec for this model, got "
            "none; pip install model2vec, or set model to shop, which needs none"
        ) from error
    encode: Callable[[list[str]], Any] = library.StaticModel.from_pretrained(place).encode
    return encode


def _input_vectors(place: str) -> Callable[[list[str]], Any]:
    """Load a transformer's table of input vectors: words as it sees them before any context."""
    try:
        from transformers import AutoModel, AutoTokenizer
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "augment_text.embedding_neighbours: expected the library transformers, got none; "
            "pip install 'shopsynth[text]', or set model to shop, which needs none"
        ) from error
    tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
    network = AutoModel.from_pretrained(place, local_files_only=True)
    table = network.get_input_embeddings().weight.detach().numpy()

    def mean_of_pieces(words: list[str]) -> Vectors:
        pieces = tokenizer(words, add_special_tokens=False)["input_ids"]
        return np.stack([table[ids].mean(axis=0) if ids else 0 * table[0] for ids in pieces])

    return mean_of_pieces


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)
