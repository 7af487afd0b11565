"""Adapters: a network tuned by small matrices beside its own, which stay as they are.

In: an encoder. Out: the same with adapters; when trained, a plain encoder again.
"""

import warnings
from importlib import import_module
from typing import Any, Literal

import torch
from torch import Tensor

from shopsynth.schema import MissingExtraError

Tuning = Literal["full", "lora", "adalora"]

_ORTHOGONAL = 0.1
"""Weight of the penalty that keeps AdaLoRA's factors orthogonal; the source has .1 to .5."""

_ALPHA = 2.0
"""Scale of an adapter's output by its rank; the usual lora_alpha is twice the rank."""


class Adapters:
    """Low-rank matrices beside every linear layer of an encoder.

    LoRA gives every layer one rank; AdaLoRA starts with half as much again and takes ranks from
    layers where they matter least.

    Args:
        encoder: Its own weights are frozen.
        tuning: ``lora`` or ``adalora``.
        rank: Of a matrix; with AdaLoRA the mean that is left at the end.
        n_steps: Optimiser steps of the training: AdaLoRA plans its ranks over them.

    Attributes:
        encoder: With adapters.

    Raises:
        MissingExtraError: If peft is not installed.

    Source:
        Hu et al., LoRA, ICLR 2022; Zhang et al., AdaLoRA, ICLR 2023. Both by the library peft.
    """

    def __init__(self, encoder: Any, tuning: Tuning, rank: int, n_steps: int) -> None:
        library = _library()
        names = [
            name
            for name, module in encoder.named_modules()
            if isinstance(module, torch.nn.Linear) and "pooler" not in name
        ]
        self._is_adaptive = tuning == "adalora"
        self._steps = 0
        if self._is_adaptive:
            first = rank + (rank + 1) // 2
            config = library.AdaLoraConfig(
                init_r=first, target_r=rank, lora_alpha=_ALPHA * first, target_modules=names,
                tinit=n_steps // 10, tfinal=n_steps // 3, deltaT=max(1, n_steps // 50),
                total_step=max(3, n_steps),
            )  # fmt: skip
        else:
            config = library.LoraConfig(r=rank, lora_alpha=_ALPHA * rank, target_modules=names)
        with warnings.catch_warnings():  # peft asks transformers by a name of its version 4
            warnings.simplefilter("ignore", FutureWarning)
            self.encoder = library.get_peft_model(encoder, config)

    def penalty(self) -> Tensor:
        """Tell how far AdaLoRA's factors are from orthogonal; 0 for LoRA."""
        factors = [
            part @ part.T if "lora_A" in name else part.T @ part
            for name, part in self.encoder.named_parameters()
            if self._is_adaptive and ("lora_A" in name or "lora_B" in name)
        ]
        distances = [(each - torch.eye(each.shape[0])).norm() for each in factors]
        if not distances:
            return torch.zeros(())
        return _ORTHOGONAL * torch.stack(distances).mean()

    def stepped(self) -> None:
        """Count an optimiser step, while its gradients are there; AdaLoRA moves ranks by them."""
        self._steps += 1
        if self._is_adaptive:
            self.encoder.base_model.update_and_allocate(self._steps)

    def merged(self) -> Any:
        """Return the encoder with its adapters added to its own weights."""
        encoder = self.encoder.merge_and_unload()
        encoder.requires_grad_(True)
        return encoder


def _library() -> Any:
    try:
        return import_module("peft")
    except ImportError as error:
        raise MissingExtraError(
            "tuning by lora or adalora: expected the library peft, got none; "
            "install it with pip install 'shopsynth[text]', or set tuning = \"full\""
        ) from error
