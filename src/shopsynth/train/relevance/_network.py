"""A cross-encoder's network: query and item read together, one number out.

In: pairs of texts. Out: predicted grades. Weights come from a package, a folder or a hub; they are
never a pickle, and no code that comes with them runs.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from shopsynth.schema import MissingExtraError, SourceError
from shopsynth.text.encoders import encoder_place

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_BATCH = 128
"""Pairs predicted at once."""

_FACTS = "network.json"


@dataclass(frozen=True)
class Tokens:
    """Pairs of texts as numbers of words.

    Attributes:
        ids: Words of each pair: of the query, then of the item.
        types: Which of the two texts each word is of; empty where the network does not ask.
        lengths: ``(pair,)`` words of each pair.
        padding: Number of the word that fills short rows.
    """

    ids: list[list[int]]
    types: list[list[int]]
    lengths: Integers
    padding: int

    def batch(self, rows: Integers) -> dict[str, Tensor]:
        """Return ``ids``, ``types`` and ``mask`` of some pairs, ``(pair, seq)``."""
        width = int(self.lengths[rows].max())
        ids = np.full((rows.size, width), self.padding, dtype=np.int64)
        types, mask = np.zeros_like(ids), np.zeros_like(ids)
        for place, row in enumerate(rows.tolist()):
            n = self.lengths[row]
            ids[place, :n], mask[place, :n] = self.ids[row], 1
            if self.types:
                types[place, :n] = self.types[row]
        parts = {"ids": ids, "types": types, "mask": mask}
        return {name: torch.from_numpy(part) for name, part in parts.items()}


class PairNetwork(torch.nn.Module):
    """A BERT-like encoder and a linear head: a regression over sequences.

    Attributes:
        encoder: A transformers model.
        head: From the pooled state to one number.
        tokenizer: The tokenizer of the encoder's words.
        pooling: ``mean`` of the words' states, or ``cls``, the first of them.
        scale: ``(2,)`` mean and standard deviation of the grades: the head predicts in their units.
        half_bits: Whether matrices are multiplied in bfloat16; weights stay float32.
    """

    scale: Tensor

    def __init__(self, encoder: Any, tokenizer: Any, pooling: str, max_length: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.tokenizer = tokenizer
        self.pooling = pooling
        self.max_length = max_length
        self.half_bits = False
        self.dropout = torch.nn.Dropout(0.0)
        self.head = torch.nn.Linear(encoder.config.hidden_size, 1)
        torch.nn.init.normal_(self.head.weight, std=0.02)
        torch.nn.init.zeros_(self.head.bias)
        self.register_buffer("scale", torch.tensor([0.0, 1.0]))
        self._reads_types = getattr(encoder.config, "type_vocab_size", 0) > 1

    @classmethod
    def pretrained(cls, name: str, pooling: str, max_length: int) -> Self:
        """Load a pretrained encoder below a new head.

        Raises:
            MissingExtraError: If transformers, or the package with the weights, is not installed.
            SourceError: If there is no such model, the hub cannot be reached, or the tokenizer does
                not fit the weights.
        """
        library = _library()
        place = encoder_place(name)
        try:
            with _quiet():
                encoder = library.AutoModel.from_pretrained(place, use_safetensors=True)
                tokenizer = library.AutoTokenizer.from_pretrained(place)
        except Exception as error:  # the libraries raise anything at all
            raise SourceError(
                f"cross_encoder, model {name!r}: expected a folder or a name on a hub that can be "
                f"reached, with safetensors weights; loading failed ({type(error).__name__}). "
                'Without a network: shopsynth models add minilm, then model = "minilm"; or give '
                "the path of a folder."
            ) from error
        n_words, n_rows = len(tokenizer), encoder.get_input_embeddings().num_embeddings
        if n_words > n_rows:
            raise SourceError(
                f"cross_encoder, model {name!r}: expected a tokenizer of at most {n_rows} words, "
                f"as the weights have, got {n_words}; take tokenizer and weights of one model"
            )
        return cls(encoder.float(), tokenizer, pooling, max_length)

    def tokens(self, pairs: pl.DataFrame) -> Tokens:
        """Take pairs apart into words; of what is too long the longer text is cut.

        Args:
            pairs: Columns ``query`` and ``item``.
        """
        padding = int(self.tokenizer.pad_token_id or 0)
        if not pairs.height:
            return Tokens([], [], np.zeros(0, dtype=np.int64), padding)
        found = self.tokenizer(
            pairs["query"].to_list(),
            pairs["item"].to_list(),
            truncation=True,
            max_length=self.max_length,
            return_token_type_ids=self._reads_types,
            return_attention_mask=False,
        )
        ids = found["input_ids"]
        lengths = np.fromiter((len(each) for each in ids), dtype=np.int64, count=len(ids))
        return Tokens(ids, found["token_type_ids"] if self._reads_types else [], lengths, padding)

    def embed(self, batch: dict[str, Tensor]) -> Tensor:
        """Look word vectors up, ``(pair, seq, dim)``."""
        vectors: Tensor = self.encoder.get_input_embeddings()(batch["ids"])
        return vectors

    def forward(self, vectors: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """Predict the grades of a batch in their own units, ``(pair,)``."""
        types = {"token_type_ids": batch["types"]} if self._reads_types else {}
        with torch.autocast("cpu", torch.bfloat16, self.half_bits):
            found = self.encoder(inputs_embeds=vectors, attention_mask=batch["mask"], **types)
        states = found.last_hidden_state.float()
        if self.pooling == "cls":
            pooled = states[:, 0]
        else:
            kept = batch["mask"].unsqueeze(-1).float()
            pooled = (states * kept).sum(1) / kept.sum(1)
        said: Tensor = self.head(self.dropout(pooled)).squeeze(1)
        return self.scale[0] + self.scale[1] * said

    def predict(self, pairs: pl.DataFrame) -> Floats:
        """Predict the grades of pairs without gradients, like lengths together: ``(pair,)``."""
        tokens = self.tokens(pairs)
        order = np.argsort(tokens.lengths, kind="stable")
        found = np.zeros(order.size)
        self.eval()
        with torch.inference_mode():
            for start in range(0, order.size, _BATCH):
                rows = order[start : start + _BATCH]
                batch = tokens.batch(rows)
                found[rows] = self(self.embed(batch), batch).numpy()
        return found

    def save(self, folder: Path) -> None:
        """Write all but the weights: configuration and tokenizer, as JSON."""
        with _quiet():
            self.encoder.config.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
        facts = {"pooling": self.pooling, "max_length": self.max_length}
        (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")

    def weights(self) -> dict[str, np.ndarray]:
        """Return the weights by name."""
        return {name: value.detach().numpy() for name, value in self.state_dict().items()}

    @classmethod
    def load(cls, folder: Path, weights: dict[str, np.ndarray]) -> Self:
        """Read what :meth:`save` wrote and take these weights.

        Raises:
            MissingExtraError: If transformers is not installed.
            SourceError: If the files are damaged or the weights are another network's.
        """
        library = _library()
        try:
            facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
            with _quiet():
                config = library.AutoConfig.from_pretrained(folder, local_files_only=True)
                tokenizer = library.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            encoder = library.AutoModel.from_config(config)
            network = cls(encoder, tokenizer, facts["pooling"], facts["max_length"])
            network.load_state_dict({key: torch.from_numpy(part) for key, part in weights.items()})
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise SourceError(
                f"{folder}: expected a saved cross-encoder; reading it failed "
                f"({type(error).__name__}). Train the model again."
            ) from error
        return network.eval()


def _library() -> Any:
    try:
        return import_module("transformers")
    except ImportError as error:
        raise MissingExtraError(
            "task relevance, model cross_encoder: expected the library transformers, got none; "
            "install it with pip install 'shopsynth[text]'"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and reports off the terminal."""
    logging = import_module("transformers").utils.logging
    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
