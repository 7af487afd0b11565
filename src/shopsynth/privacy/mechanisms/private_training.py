"""private_training: a network that has read every history and remembers no one's.

In: protected events, a network of ours with public weights. Out: its weights after DP-SGD.
"""

import copy
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.privacy.charges import Charge
from shopsynth.privacy.mechanisms.base import register
from shopsynth.privacy.mechanisms.dp_sgd import (
    Predict,
    Schedule,
    refuse_unprovable,
    train_private,
)
from shopsynth.privacy.mechanisms.token_windows import PAD, encode_windows
from shopsynth.privacy.noise import NoiseSource
from shopsynth.schema import Dataset, PrivacyError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

_KNOWN_PLACES = ("torch.nn.", "shopsynth.")


@register
@dataclass(frozen=True, eq=False)
class PrivateTraining:
    """Which weights predict an average user's next item well?

    The network maps item numbers ``(windows, length)`` to logits over tokens
    ``(windows, length, FIRST_ITEM + n_items)``, causally; see ``token_windows`` for the numbers.
    With ``groups`` it reads and predicts groups of items instead: fewer numbers, learned sooner.
    The loss, the mean cross-entropy of a user's next tokens, is this room's own.

    **Proof.** That of :func:`train_private`: every step is one Gaussian mechanism of noise
    multiplier σ on users drawn with the public chance q. A user's tensors are a function of their
    rows alone, over a catalogue that is public.

    The network's code runs on rows, in this process, where Python has no wall: a malicious one
    could keep what it reads. So every layer must be a class of PyTorch or of shopsynth, reached by
    its own name, without hooks and without a replaced method; plug-ins choose architectures, they
    bring no code here. Whoever can change shopsynth's own files is outside of this threat model.

    Attributes:
        module: The network at its public start weights; it is copied, never changed.
        items: The public catalogue's item ids.
        schedule: How to train.
        length: Tokens to predict a window.
        windows: Windows a user, the most recent.
        groups: ``(n_items,)`` each item's group in the public catalogue, from 0; ``None`` tells
            every item from every other.

    Raises:
        PrivacyError: If the network is none that the proof holds for, ids repeat, or groups are not
            one a listed item.
    """

    module: "Module"
    items: pl.Series
    schedule: Schedule
    length: int
    windows: int
    groups: NDArray[np.integer] | None = None

    def __post_init__(self) -> None:
        if self.length < 1 or self.windows < 1 or self.items.n_unique() < len(self.items):
            raise PrivacyError(
                "private_training: expected a length and windows of at least 1 and distinct item "
                "ids, got others; mend the plan"
            )
        if self.groups is not None and (
            self.groups.shape != (len(self.items),) or (self.groups < 0).any()
        ):
            raise PrivacyError(
                "private_training: expected one group from 0 on for each item id, got others; "
                "group the catalogue"
            )
        refuse_foreign_code(self.module)
        refuse_unprovable(self.module)

    def charge(self) -> Charge:
        """Say what the training costs; reads nothing."""
        return self.schedule.charge("private_training: next item")

    def answer(self, rows: Dataset, noise: NoiseSource) -> dict[str, NDArray[np.float32]]:
        """Train a copy of the network.

        Returns:
            Its parameters and buffers by name.
        """
        import torch

        network = copy.deepcopy(self.module)
        tokens = encode_windows(rows, self.items, self.length, self.windows, self.groups)
        train_private(network, next_token_loss, (torch.from_numpy(tokens),), self.schedule, noise)
        return {name: part.cpu().numpy() for name, part in network.state_dict().items()}


def next_token_loss(predict: Predict, user: tuple["Tensor", ...]) -> "Tensor":
    """Average the cross-entropy of one user's next tokens, ``(windows, length + 1)``.

    Padding is no target; the mean is over the user's own tokens, so long histories weigh no more.
    """
    import torch

    tokens = user[0]
    logits = predict(tokens[:, :-1])
    target = tokens[:, 1:].flatten()
    told = (target != PAD).to(logits.dtype)
    each = torch.nn.functional.cross_entropy(logits.flatten(0, 1), target, reduction="none")
    return (each * told).sum() / told.sum().clamp_min(1.0)


def refuse_foreign_code(module: "Module") -> None:
    """Refuse networks whose code is not PyTorch's or ours.

    Raises:
        PrivacyError: If a layer's class is defined elsewhere or is not what its home exports under
            its name, if it carries a hook, or holds a function that is none of PyTorch's.
    """
    from torch.nn.modules import module as registry

    layers = list(module.modules())
    faults = {
        "layers of torch.nn or shopsynth": [x for x in layers if not _is_known(type(x))],
        "layers without hooks": [x for x in layers if _has_hooks(vars(x))],
        "layers that hold no function but PyTorch's": [x for x in layers if _holds_function(x)],
        "no hooks on all modules": [module] if _has_hooks(vars(registry), "_global_") else [],
    }
    found = [
        f"{expected}, got {', '.join(sorted({type(layer).__name__ for layer in broken}))}"
        for expected, broken in faults.items()
        if broken
    ]
    if found:
        raise PrivacyError(
            f"private_training: expected {'; '.join(found)}; the network's code reads rows, so "
            "only code that is part of this program may be in it"
        )


def _has_hooks(attributes: dict[str, Any], prefix: str = "_") -> bool:
    registration = "registration"  # Of parameters, when a layer is built: no rows are there yet.
    return any(
        bool(hooks)
        for name, hooks in attributes.items()
        if name.startswith(prefix) and name.endswith("_hooks") and registration not in name
    )


def _holds_function(layer: "Module") -> bool:
    """Say whether an attribute could run foreign code: an activation, or a replaced method."""
    from torch.nn import functional

    replaced = any(callable(getattr(type(layer), name, None)) for name in vars(layer))
    functions = [value for value in vars(layer).values() if callable(value)]
    known = vars(functional).values()
    return replaced or any(not any(value is one for one in known) for value in functions)


def _is_known(layer: type) -> bool:
    """Say whether the class is really what its claimed home exports: a name can be forged."""
    home = sys.modules.get(layer.__module__)
    claimed = layer.__module__.startswith(_KNOWN_PLACES)
    return claimed and getattr(home, layer.__qualname__, None) is layer
