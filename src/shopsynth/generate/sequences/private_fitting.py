"""From a view in mode dp to a model of histories: a noisy chain first, then a network above it.

In: a view, its public facts and options. Out: a :class:`Model` whose next groups a network draws.
Needs torch.

Two plans are bought, one after the other, because the network learns what the first answers leave
out. Next to one plan of all questions that takes 1 to 8 % more noise in each step of the training.
"""

from dataclasses import replace
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from shopsynth.generate._category_steps import CategorySteps
from shopsynth.generate._draws import Floats
from shopsynth.generate._growth import Model
from shopsynth.generate._histories import EventForm
from shopsynth.generate._private_chain import fit_private_chain
from shopsynth.generate._private_plan import PrivatePlan
from shopsynth.generate.sequences.item_vectors import item_vectors
from shopsynth.generate.sequences.private_network import PrivateNetwork
from shopsynth.generate.sequences.private_options import SequenceLmOptionsOfAllModes
from shopsynth.generate.sequences.private_steps import NetworkSteps
from shopsynth.privacy import PrivateView
from shopsynth.privacy.mechanisms import PrivateTraining, PublicGroups
from shopsynth.privacy.mechanisms.dp_sgd import Schedule
from shopsynth.privacy.mechanisms.token_windows import END, FIRST_ITEM, START
from shopsynth.schema import Progress, derived_seed

_LEAST = 1e-6
"""Chance of what the chain leaves out, so that it has a logarithm."""

_DIM, _LAYERS = 16, 1
"""5,000 weights with 100 groups. At epsilon 8 a width of 32 took twice as long to learn less: noise
has a part in each weight."""

_CONTENT_DIM = 16
"""Directions of content that the network is told of each group."""

_MICROBATCH = 128
"""Users whose gradients are computed at the same time; 32 take a third longer."""


def fit_private_network(
    view: PrivateView,
    plan: PrivatePlan,
    options: SequenceLmOptionsOfAllModes,
    *,
    seed: int,
    progress: Progress,
) -> Model:
    """Buy a noisy chain, then train a network to correct it.

    Args:
        view: In mode dp; its rows are not touched.
        plan: What the chain asks.
        options: How the budget is split and how the network is trained.
        seed: Of the first weights, which are public; noise and draws of users take none.
        progress: Told when each plan is answered.

    Raises:
        PrivacyError: If the view has no budget left, or no public bound on its users.
    """
    rate = min(1.0, options.training_users / view.n_users)
    progress.start("sequence_lm: noisy counts, noisy training", 2)
    chain = fit_private_chain(view, plan, options.clip, 1 - options.training_share)
    progress.advance(1)
    steps = cast(CategorySteps, chain.steps)  # A private chain has no others.
    network = _network(chain.form, steps, chain.lengths, seed)
    mu = view.allowance * options.training_share**0.5
    schedule = Schedule(
        noise_multiplier=view.steps_noise(mu, steps=options.training_steps, sampling_rate=rate),
        clip=options.training_clip,
        steps=options.training_steps,
        sampling_rate=rate,
        users_bound=view.n_users,
        learning_rate=options.training_rate,
        microbatch=_MICROBATCH,
    )
    groups = plan.groups
    asked = PrivateTraining(
        network, groups.item_ids, schedule, length=options.context, windows=1, groups=groups.group
    )
    (weights,) = view.buy([asked])
    network.load_state_dict({name: torch.from_numpy(part) for name, part in weights.items()})
    progress.advance(1)
    filled = np.bincount(groups.group, minlength=groups.n_groups) > 0
    learned = network.eval().requires_grad_(False)
    return replace(chain, steps=NetworkSteps(learned, steps, filled, options.context))


def chain_scores(steps: CategorySteps, lengths: NDArray[np.int64]) -> NDArray[np.float32]:
    """Write a chain as logarithms of next chances, token after token.

    Args:
        steps: The chain.
        lengths: A sample of history lengths: they say how often a history ends.

    Returns:
        ``(n_tokens, n_tokens)``, rows what was last; see ``token_windows`` for the numbers.
    """
    table, n_groups = steps.transitions, steps.groups.n_groups
    row = np.repeat(np.arange(n_groups + 1), table.sizes())
    share = np.zeros((n_groups + 1, n_groups))
    share[row, table.choices] = np.diff(table.cumulative) / table.totals()[row]
    ends = 1 / max(float(lengths.mean()), 1.0)
    chances = np.zeros((FIRST_ITEM + n_groups,) * 2)
    # What follows an item that the catalogue lacks is taken to be as at the start.
    chances[:, FIRST_ITEM:] = share[-1]
    chances[FIRST_ITEM:, FIRST_ITEM:] = share[:-1] * (1 - ends)
    chances[FIRST_ITEM:, END] = ends
    chances[START, END] = 0.0
    scores: NDArray[np.float32] = np.log(np.maximum(chances, _LEAST)).astype(np.float32)
    return scores


def _network(
    form: EventForm, steps: CategorySteps, lengths: NDArray[np.int64], seed: int
) -> PrivateNetwork:
    content = _group_content(form, steps.groups, derived_seed(seed, "sequence_lm", "content"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(seed, "sequence_lm", "weights"))
        return PrivateNetwork(chain_scores(steps, lengths), content, dim=_DIM, layers=_LAYERS)


def _group_content(form: EventForm, groups: PublicGroups, seed: int) -> NDArray[np.float32]:
    """Average what the catalogue says of each group's items, ``(n_groups, n_directions)``."""
    vectors = item_vectors(form, None, dim=_CONTENT_DIM, seed=seed)
    summed: Floats = np.zeros((groups.n_groups, vectors.shape[1]))
    np.add.at(summed, groups.group, vectors)
    sizes = np.bincount(groups.group, minlength=groups.n_groups)
    return (summed / np.maximum(sizes, 1)[:, None]).astype(np.float32)
