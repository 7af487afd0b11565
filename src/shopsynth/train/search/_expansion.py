"""Texts as weights of words, said and meant, by a masked language model.

In: the name of a model and texts. Out: ``(text, word)`` weights, mostly zero: sparse matrices, or
tensors to train with.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
from scipy import sparse

from shopsynth.schema import SourceError
from shopsynth.text.encoders import encoder_place
from shopsynth.train.encoders import Kind, encoder_library, quiet
from shopsynth.train.ranks import Floats

if TYPE_CHECKING:
    from torch import Tensor

_BATCH = 32
"""Texts expanded at once: each position has a weight for every word of the model."""


class Expansion:
    """``max over positions of log(1 + relu(logit))``, a weight for every word that the model knows.

    Attributes:
        network: A masked language model.
        tokenizer: The tokenizer of its words.
        max_length: Tokens of a text that are read.

    Source:
        Formal et al., SPLADE v2, arXiv 2109.10086, equations 1 and 6.
    """

    def __init__(self, network: Any, tokenizer: Any, max_length: int) -> None:
        self.network = network.eval()
        self.tokenizer = tokenizer
        self.max_length = max_length

    @classmethod
    def named(cls, name: str, max_length: int) -> Self:
        """Load a pretrained model.

        Args:
            name: A model that a package ships (``splade-tiny``), a folder, or a name on the hub.
            max_length: Tokens of a text that are read.

        Raises:
            MissingExtraError: If transformers, or the package with the weights, is not installed.
            SourceError: If there is no such model, the hub cannot be reached, or it is no masked
                language model with safetensors weights and a tokenizer that fits them.
        """
        encoder_library()
        library, place = import_module("transformers"), encoder_place(name)
        try:
            with quiet():
                tokenizer = library.AutoTokenizer.from_pretrained(place)
                network = library.AutoModelForMaskedLM.from_pretrained(place, use_safetensors=True)
        except Exception as error:  # the libraries raise anything at all
            raise SourceError(
                f"sparse encoder {name!r}: expected a folder or a name on a hub that can be "
                "reached, with a masked language model in safetensors; loading failed "
                f"({type(error).__name__}). Without a network: shopsynth models add splade-tiny, "
                'then model = "splade-tiny"; or give the path of a folder.'
            ) from error
        n_rows = network.get_input_embeddings().num_embeddings
        if len(tokenizer) > n_rows:
            raise SourceError(
                f"sparse encoder {name!r}: expected a tokenizer of at most {n_rows} words, as the "
                f"weights have, got {len(tokenizer)}; take tokenizer and weights of one model"
            )
        return cls(network, tokenizer, max_length)

    @classmethod
    def load(cls, folder: Path, weights: dict[str, np.ndarray], max_length: int) -> Self:
        """Read what :meth:`save` wrote and take these weights.

        Raises:
            MissingExtraError: If transformers is not installed.
            SourceError: If the files are damaged or the weights are another network's.
        """
        encoder_library()
        import torch

        library = import_module("transformers")
        try:
            with quiet():
                config = library.AutoConfig.from_pretrained(folder, local_files_only=True)
                tokenizer = library.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            network = library.AutoModelForMaskedLM.from_config(config)
            network.load_state_dict({key: torch.from_numpy(part) for key, part in weights.items()})
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise SourceError(
                f"{folder}: expected a saved sparse encoder; reading it failed "
                f"({type(error).__name__}). Train the model again."
            ) from error
        return cls(network, tokenizer, max_length)

    def save(self, folder: Path) -> dict[str, np.ndarray]:
        """Write configuration and tokenizer as JSON; return the weights."""
        with quiet():
            self.network.config.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
        return {name: part.detach().numpy() for name, part in self.network.state_dict().items()}

    def vectors(self, texts: list[str], kind: Kind = "plain") -> "Tensor":
        """Expand texts, with gradients where they are on: ``(text, word)``; queries as items."""
        import torch

        words = self.tokenizer(
            texts, padding=True, truncation=True, max_length=self.max_length, return_tensors="pt"
        )
        weights = torch.log1p(torch.relu(self.network(**words).logits))
        there: Tensor = weights * words["attention_mask"].unsqueeze(-1)
        return there.amax(dim=1)

    def expand(self, texts: pl.Series) -> sparse.csr_matrix:
        """Expand texts without gradients, equal ones once: ``(text, word)``."""
        import torch

        distinct = texts.unique().sort()
        distinct = distinct.gather(distinct.str.len_chars().arg_sort())
        said = distinct.to_list()
        with torch.inference_mode():
            parts = [
                sparse.csr_matrix(self.vectors(said[start : start + _BATCH]).numpy())
                for start in range(0, len(said), _BATCH)
            ]
        if not parts:
            return sparse.csr_matrix((0, self.network.config.vocab_size), dtype=np.float32)
        place = texts.replace_strict(
            distinct, pl.int_range(distinct.len(), eager=True), return_dtype=pl.Int64
        )
        return sparse.vstack(parts, format="csr")[place.to_numpy()]


def products(queries: sparse.csr_matrix, index: sparse.csr_matrix) -> Floats:
    """Score every text of an inverted index, ``(word, text)``: ``(query, text)``."""
    scores: Floats = (queries @ index).toarray()
    return scores
