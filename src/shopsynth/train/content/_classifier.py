"""The network of a tuned text classifier: an encoder and one linear layer.

In: texts. Out: a score of every class. A tensor of vectors is ``(text, dim)``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from shopsynth.train.encoders import Encoder

_HEAD = ("coef", "intercept", "centre", "scale")


class Classifier(torch.nn.Module):
    """Scores of classes: a linear layer on the encoder's vectors, centred and scaled.

    Attributes:
        encoder: Of the texts.
        network: The encoder's, whose weights learn.
        coef: ``(class, dim)``.
        intercept: ``(class,)``.
        centre: ``(dim,)`` what is taken off every vector; not learned.
        scale: ``(1,)`` what is multiplied to it; not learned.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, encoder: Encoder, n_classes: int) -> None:
        super().__init__()
        dim = encoder.network.config.hidden_size
        self.encoder = encoder
        self.wear(encoder.network)
        self.dropout = torch.nn.Dropout(0.0)
        self.coef = torch.nn.Parameter(0.02 * torch.randn(n_classes, dim))
        self.intercept = torch.nn.Parameter(torch.zeros(n_classes))
        self.register_buffer("centre", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(1))

    def wear(self, network: Any) -> None:
        """Encode by another network, as one with adapters is: its weights are now the module's."""
        self.network = self.encoder.network = network

    def vectors(self, texts: list[str]) -> Tensor:
        """Encode texts, with gradients where they are on."""
        found = self.encoder.vectors(texts, "query")
        return (found - self.centre) * self.scale

    def logits(self, vectors: Tensor) -> Tensor:
        """Score the classes of vectors, ``(text, class)``."""
        said: Tensor = self.dropout(vectors) @ self.coef.T + self.intercept
        return said

    def scores(self, texts: pl.Series) -> NDArray[np.float32]:
        """Score the classes of texts without gradients, ``(text, class)``."""
        self.eval()
        found = torch.from_numpy(self.encoder.encode(texts, "query"))
        with torch.inference_mode():
            said: NDArray[np.float32] = self.logits((found - self.centre) * self.scale).numpy()
        return said

    def head_arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return the last layer and what comes before it."""
        return {name: getattr(self, name).detach().numpy() for name in _HEAD}

    def take_head(self, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        """Take what :meth:`head_arrays` gave, or a linear classifier fitted elsewhere."""
        with torch.no_grad():
            for name in _HEAD:
                getattr(self, name).copy_(torch.from_numpy(arrays[name]))
