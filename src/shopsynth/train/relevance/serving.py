"""Serving: a cross-encoder made smaller and faster, at a loss that the benchmark tells.

In: a fitted cross-encoder. Out: one that answers with 8-bit matrices, or without the neurons that
matter least. Both are made of the float weights whenever they are needed, so what is saved is the
cross-encoder itself and how it is served.
"""

import copy
import json
import warnings
from pathlib import Path
from typing import Any, Self

from shopsynth.schema import Dataset, Ranking, SourceError
from shopsynth.train.relevance._pairs import graded, pairs_of
from shopsynth.train.relevance.cross_encoder import CrossEncoder

_FACTS = "serving.json"


class ServedCrossEncoder:
    """A cross-encoder as it is served; it can be asked and saved, not trained.

    Args:
        source: Fitted; it stays as it is.
        int8: Multiply matrices in 8-bit integers, their scale taken from each batch.
        pruned: Share of the neurons of feed-forward layers that is left out.

    Attributes:
        source: The cross-encoder that it was made of.
    """

    def __init__(self, source: CrossEncoder, *, int8: bool, pruned: float) -> None:
        self.source = source
        self._int8, self._pruned = int8, pruned
        self._model = copy.copy(source)
        self._model.network_ = copy.deepcopy(source.network_)
        if pruned:
            _prune(self._model.network_.encoder, pruned)
        if int8:
            self._model.network_.encoder = _in_int8(self._model.network_.encoder)
            self._model.network_.half_bits = False

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Predict the grade of every asked pair."""
        pairs = pairs_of(requests.need("judgments"), requests, self.source.options.fields)
        return graded(requests, self._model.predict(pairs))

    def size_bytes(self) -> int:
        """Tell how much memory the matrices of the encoder's layers take."""
        encoder = self._model.network_.encoder
        return sum(_size_bytes(module) for _, module in encoder.named_modules())

    def save(self, folder: Path) -> None:
        """Write the cross-encoder, and how it is served."""
        self.source.save(folder)
        facts = {"int8": self._int8, "pruned": self._pruned}
        (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            SourceError: If a file is missing or damaged.
        """
        try:
            facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
            int8, pruned = bool(facts["int8"]), float(facts["pruned"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SourceError(
                f"{folder / _FACTS}: expected how a cross-encoder is served; reading it failed "
                f"({type(error).__name__}). Make it again of the trained model."
            ) from error
        return cls(CrossEncoder.load(folder), int8=int8, pruned=pruned)


def quantised(model: CrossEncoder) -> ServedCrossEncoder:
    """Serve a cross-encoder with 8-bit matrices: weights by their own scale, states by a batch's.

    Args:
        model: Fitted; it stays as it is.

    Source:
        Jacob et al., Quantization and Training of Neural Networks for Efficient
        Integer-Arithmetic-Only Inference, CVPR 2018; dynamic quantisation by PyTorch.
    """
    return ServedCrossEncoder(model, int8=True, pruned=0.0)


def pruned(model: CrossEncoder, share: float, *, int8: bool = False) -> ServedCrossEncoder:
    """Serve a cross-encoder without the feed-forward neurons of the smallest weights.

    Whole neurons are left out, so that matrices get smaller and time is saved: single weights set
    to 0 are multiplied all the same.

    Args:
        model: Fitted; it stays as it is.
        share: Of the neurons of each layer, from 0 to below 1.
        int8: Whether what is left is quantised as well.

    Raises:
        ValueError: If ``share`` is out of range.

    Source:
        Li et al., Pruning Filters for Efficient ConvNets, ICLR 2017 (whole units by the norm of
        their weights).
    """
    if not 0 <= share < 1:
        raise ValueError(f"pruned: expected a share from 0 to below 1, got {share}")
    return ServedCrossEncoder(model, int8=int8, pruned=share)


def _in_int8(encoder: Any) -> Any:
    """Replace linear layers; PyTorch announces another library for it, which is not needed."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(  # type: ignore[no-untyped-call]
            encoder, {torch.nn.Linear}, dtype=torch.qint8
        )


def _prune(encoder: Any, share: float) -> None:
    """Leave out a share of the neurons between the two matrices of each feed-forward layer.

    A neuron counts as much as the product of the norms of what leads to it and what leads away.
    """
    import torch

    layers = [
        (module.intermediate, module.output)
        for _, module in encoder.named_modules()
        if isinstance(
            getattr(getattr(module, "intermediate", None), "dense", None), torch.nn.Linear
        )
    ]
    for before, after in layers:
        into, out = before.dense, after.dense
        value = into.weight.norm(dim=1) * out.weight.norm(dim=0)
        n_kept = max(1, round((1.0 - share) * value.numel()))
        kept = value.argsort(descending=True, stable=True)[:n_kept].sort().values
        before.dense = _linear(into.weight[kept], into.bias[kept])
        after.dense = _linear(out.weight[:, kept], out.bias)


def _linear(weight: Any, bias: Any) -> Any:
    import torch

    layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


def _size_bytes(module: Any) -> int:
    """Tell how much memory the matrix of a linear layer takes; 0 for other modules."""
    import torch

    if isinstance(module, torch.nn.Linear):
        return module.weight.numel() * module.weight.element_size()
    packed = getattr(module, "weight", None)
    if callable(packed):
        weight = packed()
        return int(weight.numel() * weight.element_size())
    return 0
