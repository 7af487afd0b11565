"""dp_sgd: training in which no user's whole history moves a step by more than a bound.

In: a network with public weights, one block of tensors a user, a public schedule. Out: the network,
trained by noisy gradients.

Our own loop, because libraries take the sampling rate and the divisor from the number of rows, so
that neighbours differ in scale (PRIVACY §5), and protect rows, not users.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from shopsynth.privacy.charges import Charge
from shopsynth.privacy.noise import NoiseSource, gradient_step
from shopsynth.schema import MissingExtraError, PrivacyError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

Predict = Callable[["Tensor"], "Tensor"]
Loss = Callable[[Predict, tuple["Tensor", ...]], "Tensor"]
"""One user's loss: gets the network as a function and the user's tensors, without a user axis."""

_ROUNDING_MARGIN = 2.0**-10
"""Noise is larger by this share. An allowance of engineering and no proof: see
:func:`train_private` for what it allows for."""

_LEAST_NOISE = 2.0**-5
"""Below it clipped gradients on the grid no longer fit float32, and nothing is protected anyway."""


@dataclass(frozen=True)
class Schedule:
    """How to train, all of it public.

    Attributes:
        noise_multiplier: σ, the noise of each step in units of ``clip``.
        clip: C, the greatest L2 norm of one user's gradient.
        steps: Number of noisy steps.
        sampling_rate: q, the chance of a user to take part in a step.
        users_bound: Public number of users; q times it is the divisor of every step's sum. It need
            not be right: if it is too large the steps are too short, privacy is the same.
        learning_rate: Of the optimizer.
        optimizer: ``adam`` or plain ``sgd``; both see noisy gradients only.
        microbatch: Users whose gradients are computed at the same time: memory and speed. With 1
            the proof of :func:`train_private` is exact, with more it is up to rounding.

    Raises:
        PrivacyError: If a number is out of range.
    """

    noise_multiplier: float
    clip: float
    steps: int
    sampling_rate: float
    users_bound: int
    learning_rate: float
    optimizer: Literal["adam", "sgd"] = "adam"
    microbatch: int = 32

    def __post_init__(self) -> None:
        rules = {
            f"a finite noise_multiplier of at least {_LEAST_NOISE}": (
                math.isfinite(self.noise_multiplier) and self.noise_multiplier >= _LEAST_NOISE
            ),
            "a finite clip above 0": math.isfinite(self.clip) and self.clip > 0,
            "a sampling_rate above 0 and at most 1": 0 < self.sampling_rate <= 1,
            "a learning_rate above 0": math.isfinite(self.learning_rate) and self.learning_rate > 0,
            "the optimizer adam or sgd": self.optimizer in ("adam", "sgd"),
            "steps, users_bound and microbatch of at least 1": (
                min(self.steps, self.users_bound, self.microbatch) >= 1
            ),
        }
        broken = [expected for expected, holds in rules.items() if not holds]
        if broken:
            raise PrivacyError(f"dp_sgd: expected {'; '.join(broken)}; mend the schedule")

    @property
    def deviation(self) -> float:
        """Standard deviation of the noise on a step's sum of gradients."""
        return self.noise_multiplier * self.clip * (1 + _ROUNDING_MARGIN)

    @property
    def divisor(self) -> float:
        """What a step's noisy sum is divided by: public, whoever was drawn."""
        return self.sampling_rate * self.users_bound

    def charge(self, mechanism: str) -> Charge:
        """Say what the training costs; reads nothing."""
        return Charge(
            mechanism,
            "poisson_gaussian",
            self.noise_multiplier,
            count=self.steps,
            sampling_rate=self.sampling_rate,
            detail={"clip": self.clip, "divisor": self.divisor},
        )


def train_private(
    module: "Module",
    loss: Loss,
    users: tuple["Tensor", ...],
    schedule: Schedule,
    noise: NoiseSource,
) -> None:
    """Train a network in place by user-level DP-SGD.

    **Proof.** In a step every user takes part with chance q, independently. A user's gradient is a
    function of their tensors and the weights before the step, shortened to norm C and cut toward
    zero on a grid; without finite numbers it is 0. The step adds the sum and N(0, σ²C²), once, also
    if nobody was drawn, and divides by a public constant. So each step is one Poisson-sampled
    Gaussian mechanism of noise multiplier σ on one user more or less; the optimizer is
    post-processing.

    **What is not proven.** That a gradient is a function of one's own tensors holds in real
    numbers. In float32 a kernel may round it differently with the number of users in its microbatch
    and the place among them, and one user more shifts both for others. On a CPU no gradient changed
    by a bit, with microbatches of 1, 11, 32 and 33 users and a network with attention; elsewhere
    rounding may come to 1e-6 of a norm. Noise is larger by 2^-10 for this, as much as a thousand
    such changes that all point the same way: an allowance of engineering, and no bound. With a
    microbatch of 1 everybody is computed alone, and nothing is left to allow for.

    Args:
        module: float32 parameters, at public weights; no layer that mixes users (batch norm).
        loss: One user's loss, averaged over what they did: code of this room, for it reads rows.
        users: Tensors with the users as first axis, ``(n_users, …)`` each.
        schedule: The public schedule.
        noise: Where draws of users and noise come from.

    Raises:
        PrivacyError: If the network cannot be trained with this proof.
        MissingExtraError: If PyTorch is not installed.

    Source: Abadi et al., "Deep Learning with Differential Privacy", CCS 2016, arXiv 1607.00133,
    algorithm 1; users as in McMahan et al., ICLR 2018, arXiv 1710.06963. Sums in whole grid units:
    Casacuberta et al., "Widespread Underestimation of Sensitivity", CCS 2022, arXiv 2207.10635.
    """
    torch = _load_torch()
    refuse_unprovable(module)
    parameters = [p for p in module.parameters() if p.requires_grad]
    sizes = [p.numel() for p in parameters]
    made = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[schedule.optimizer]
    optimizer = made(parameters, lr=schedule.learning_rate)
    step = gradient_step(schedule.deviation)
    for _ in range(schedule.steps):
        drawn = np.flatnonzero(noise.bernoulli(len(users[0]), schedule.sampling_rate))
        units = clipped_sum(module, loss, users, drawn, schedule)
        drawn_noise = noise.normal((sum(sizes),), schedule.deviation)
        units += torch.from_numpy(np.rint(drawn_noise / np.float32(step))).to(units)
        mean = (units * (step / schedule.divisor)).float()
        for parameter, part in zip(parameters, torch.split(mean, sizes), strict=True):
            parameter.grad = part.view_as(parameter)
        optimizer.step()
    module.zero_grad(set_to_none=True)


def clipped_sum(
    module: "Module",
    loss: Loss,
    users: tuple["Tensor", ...],
    drawn: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    schedule: Schedule,
) -> "Tensor":
    """Add up the drawn users' gradients, each shortened to the clip, in whole grid units.

    Whole numbers below 2^53 add up exactly in float64, so the sum does not depend on its order and
    one user moves it by their own vector and nothing else.

    Returns:
        ``(n_parameters,)`` float64, in units of ``gradient_step(schedule.deviation)``.
    """
    torch = _load_torch()
    step = gradient_step(schedule.deviation)
    n_parameters = sum(p.numel() for p in module.parameters() if p.requires_grad)
    device = next(module.parameters()).device
    total: Tensor = torch.zeros(n_parameters, dtype=torch.float64, device=device)
    for chunk in np.array_split(drawn, math.ceil(len(drawn) / schedule.microbatch) or 1):
        if chunk.size == 0:
            continue
        index = torch.from_numpy(chunk)
        gradients = user_gradients(module, loss, tuple(part[index].to(device) for part in users))
        norm = torch.linalg.vector_norm(gradients, dim=1, dtype=torch.float64)
        finite = torch.isfinite(norm)
        factor = torch.clamp(schedule.clip / norm.clamp_min(1e-30), max=1.0)
        shortened = gradients.double() * factor[:, None]
        units = torch.where(finite[:, None], torch.trunc(shortened / step), 0.0)
        total += units.sum(0)
    return total


def user_gradients(module: "Module", loss: Loss, users: tuple["Tensor", ...]) -> "Tensor":
    """Compute one gradient a user.

    Recurrent layers change their state in place, which ``vmap`` cannot follow; networks with one
    are differentiated user by user.

    Returns:
        ``(n_users, n_parameters)``.
    """
    torch = _load_torch()
    trained = {name: p.detach() for name, p in module.named_parameters() if p.requires_grad}
    fixed = {name: p.detach() for name, p in module.named_parameters() if not p.requires_grad}
    fixed |= dict(module.named_buffers())

    def one_user(parameters: dict[str, "Tensor"], *data: "Tensor") -> "Tensor":
        state = {**parameters, **fixed}
        return loss(lambda given: torch.func.functional_call(module, state, (given,)), data)

    gradient = torch.func.grad(one_user)
    recurrent = any(isinstance(layer, torch.nn.RNNBase) for layer in module.modules())
    # Fused attention kernels have no rule for one gradient a user.
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        if recurrent:
            each = [gradient(trained, *data) for data in zip(*users, strict=True)]
            found = {name: torch.stack([one[name] for one in each]) for name in trained}
        else:
            axes = (None, *[0] * len(users))
            found = torch.func.vmap(gradient, axes, randomness="different")(trained, *users)
    gradients: Tensor = torch.cat([found[name].flatten(1) for name in trained], dim=1)
    return gradients


def refuse_unprovable(module: "Module") -> None:
    """Refuse networks for which one user's part of a step has no bound.

    Raises:
        PrivacyError: If a layer mixes users or keeps running statistics, a trained parameter is not
            float32, or there is none.
    """
    torch = _load_torch()
    trained = [p for p in module.parameters() if p.requires_grad]
    mixing = sorted(
        {
            type(layer).__name__
            for layer in module.modules()
            if isinstance(layer, torch.nn.modules.batchnorm._NormBase)
            and (layer.track_running_stats or "BatchNorm" in type(layer).__name__)
        }
    )
    faults = []
    if mixing:
        faults.append(f"layers that keep users apart, got {', '.join(mixing)}")
    if not trained or any(p.dtype != torch.float32 for p in trained):
        faults.append("float32 parameters to train, got others or none")
    if faults:
        raise PrivacyError(
            f"dp_sgd: expected {'; '.join(faults)}; take layer or group norm, and call float()"
        )


def _load_torch() -> Any:
    try:
        import torch
        import torch.nn.attention
    except ImportError as error:
        raise MissingExtraError(
            "dp_sgd: expected PyTorch, got none; pip install 'shopsynth[torch]'"
        ) from error
    return torch
