"""Adversarial training: losses at word vectors that were moved where the loss grows fastest.

In: the loss as a function of a shift of word vectors. Out: gradients, added to the parameters'.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

Adversary = Literal["none", "fgm", "pgd", "freelb"]

Loss = Callable[[Tensor], Tensor]
"""The loss at word vectors shifted by ``(pair, seq, dim)``."""


def backward(
    loss: Loss, vectors: Tensor, adversary: Adversary, radius: float, rounds: int
) -> Tensor:
    """Add the gradients of a batch's loss, plain and attacked.

    ``fgm`` adds the loss at the end of one step along the gradient; ``pgd`` takes ``rounds``
    shorter steps there, never leaving the ball, and adds the loss at the end alone; ``freelb``
    starts at a random place and adds the mean of the losses of all rounds, so no round's gradients
    are thrown away. A round costs a forward and a backward pass.

    Args:
        loss: Of a shift.
        vectors: ``(pair, seq, dim)``: they say how long a shift may be.
        adversary: Which attack.
        radius: Of the ball, as a share of the length of a pair's own vectors.
        rounds: Steps of ``pgd`` and ``freelb``.

    Returns:
        The plain loss; with ``freelb`` the mean of its rounds.

    Source:
        Miyato, Dai and Goodfellow, Adversarial Training Methods for Semi-Supervised Text
        Classification, ICLR 2017 (FGM); Madry et al., ICLR 2018 (PGD); Zhu et al., FreeLB,
        ICLR 2020.
    """
    longest = radius * _lengths(vectors.detach())
    shift = torch.zeros_like(vectors, requires_grad=True)
    if adversary == "freelb":
        return _freelb(loss, shift, longest, rounds)
    plain = loss(shift)
    torch.autograd.backward(plain)
    if adversary == "none":
        return plain.detach()
    n_steps = 1 if adversary == "fgm" else rounds
    stride = longest if adversary == "fgm" else 1.5 * longest / rounds
    slope = shift.grad
    for step in range(n_steps):
        assert slope is not None  # noqa: S101 - the loss depends on the shift
        shift = _moved(shift, slope, stride, longest)
        attacked = loss(shift)
        if step < n_steps - 1:
            (slope,) = torch.autograd.grad(attacked, shift)
        else:
            torch.autograd.backward(attacked)
    return plain.detach()


def _freelb(loss: Loss, shift: Tensor, longest: Tensor, rounds: int) -> Tensor:
    start = torch.empty_like(shift).uniform_(-1.0, 1.0)
    shift = (0.5 * longest * start / _lengths(start)).requires_grad_()
    total = torch.zeros(())
    for _ in range(rounds):
        attacked = loss(shift) / rounds
        torch.autograd.backward(attacked)
        total += attacked.detach()
        assert shift.grad is not None  # noqa: S101 - the loss depends on the shift
        shift = _moved(shift, shift.grad, longest / rounds, longest)
    return total


def _moved(shift: Tensor, slope: Tensor, stride: Tensor, longest: Tensor) -> Tensor:
    """Take a step of length ``stride`` along the slope, and return into the ball."""
    moved = shift.detach() + stride * slope / _lengths(slope)
    inside = (longest / _lengths(moved)).clamp(max=1.0)
    moved = moved * inside
    return moved.requires_grad_()


def _lengths(vectors: Tensor) -> Tensor:
    """Return the length of each pair's vectors, ``(pair, 1, 1)``; never 0."""
    lengths: Tensor = torch.linalg.vector_norm(vectors.flatten(1), dim=1)
    return lengths.clamp(min=1e-12).view(-1, 1, 1)
