"""From real histories to a fitted network and all that drawing from it needs.

In: histories and options. Out: :class:`Learned`. Needs torch.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate._repeats import Repeats
from shopsynth.generate._wholes import Wholes
from shopsynth.generate.sequences.batches import Batches, Material
from shopsynth.generate.sequences.checkpoints import Checkpoints
from shopsynth.generate.sequences.company import Company, OtherUsers
from shopsynth.generate.sequences.decoding import Learned
from shopsynth.generate.sequences.event_tokens import EventTokens
from shopsynth.generate.sequences.event_types import pasts_of
from shopsynth.generate.sequences.item_vectors import item_vectors
from shopsynth.generate.sequences.losses import Questions
from shopsynth.generate.sequences.network import HistoryNetwork, Shape
from shopsynth.generate.sequences.options import SequenceLmOptions
from shopsynth.generate.sequences.semantic_ids import SemanticIds
from shopsynth.generate.sequences.training import Schedule, Training
from shopsynth.schema import Progress, derived_seed, sha256_of

_VECTOR_DIM = 32
"""Directions of content, and of company, from which item codes are made."""

_SMALL_SHOP = 20
_MOST_HELD_OUT = 2_000

_MIN_USERS = 3
"""People who must have had a history of four and more events for it to come again."""

_MOST_OWN = 100_000
"""Items with an embedding of their own, the most bought; others have that of their codes."""

_UNSEEN = 0.5
"""Events that an item counts as having had before its first, so that none is impossible."""

_SPEED = 0.99
"""Share of the running average of weights that stays at each step."""


def fit_network(
    form: EventForm,
    histories: Histories,
    options: SequenceLmOptions,
    *,
    seed: int,
    progress: Progress,
) -> Learned:
    """Give items codes and events tokens, and train the network on them.

    Raises:
        InputError: If the loss stops being finite.
        SourceError: If the checkpoint is damaged.
    """
    is_repeat = Repeats.fit(histories, form.n_items).is_repeat
    vectors = item_vectors(
        form, histories, dim=_VECTOR_DIM, seed=derived_seed(seed, "sequence_lm", "vectors")
    )
    ids = SemanticIds.fit(vectors, seed=derived_seed(seed, "sequence_lm", "codes"))
    tokens = EventTokens.fit(form, histories)
    company = Company.fit(histories, is_repeat, form.n_items)
    coded = tokens.encode(histories)
    material = Material(
        tokens=coded,
        ids=ids,
        others=OtherUsers.of(company, histories, is_repeat),
        is_repeat=is_repeat,
        may=tokens.types.allowed(pasts_of(histories, coded.kind, form.n_items)),
        attributes=np.zeros((histories.n_users, 0), dtype=np.int64),
    )
    weights = form.item_counts().astype(np.float64) + _UNSEEN
    device = torch.device(_device(options))
    with torch.random.fork_rng(devices=[0] if device.type == "cuda" else []):
        torch.manual_seed(derived_seed(seed, "sequence_lm", "weights"))
        shape = Shape(
            n_gaps=tokens.n_gaps,
            n_kinds=tokens.types.n_types,
            n_moments=tokens.n_moments,
            attributes=(),
            dim=options.dim,
            layers=options.layers,
            heads=options.heads,
            context=options.context,
        )
        own = torch.from_numpy(_own_numbers(form.item_counts()))
        network = HistoryNetwork(shape, ids, own, weights, options.dropout).to(device)
    training = Training(
        network,
        _schedule(options, device),
        Questions(material, device),
        derived_seed(seed, "sequence_lm", "training"),
        _checkpoints(options, form.source_sha256, seed),
    )
    learned, held_out = _split(histories.n_users, options.held_out, seed)
    parts = {"size": options.batch_events, "seed": derived_seed(seed, "sequence_lm", "batches")}
    training.run(Batches(coded, learned, **parts), Batches(coded, held_out, **parts), progress)
    best = training.best.eval().requires_grad_(False)
    return Learned(
        network=best,
        ids=ids,
        tokens=tokens,
        company=company,
        weights=weights,
        repeats=bool(is_repeat.any()),
        wholes=_wholes(histories, form.n_items, seed),
        n_users=histories.n_users,
        loss=training.best_loss,
        n_steps=training.n_steps,
    )


def _wholes(histories: Histories, n_items: int, seed: int) -> Wholes:
    random = np.random.Generator(np.random.PCG64(derived_seed(seed, "sequence_lm", "wholes")))
    return Wholes.fit(histories, n_items, min_users=_MIN_USERS, random=random)


def _split(n_users: int, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose who is learned from and who decides when to stop; in a small shop all do both."""
    random = np.random.Generator(np.random.PCG64(derived_seed(seed, "sequence_lm", "held_out")))
    users = random.permutation(n_users)
    if n_users < _SMALL_SHOP:
        return users, users
    n_held_out = min(_MOST_HELD_OUT, max(1, round(share * n_users)))
    return users[n_held_out:], users[:n_held_out]


def _own_numbers(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the most bought items from 1; 0 for items without an embedding of their own."""
    order = np.lexsort((np.arange(counts.size), -counts))[:_MOST_OWN]
    owners = np.sort(order[counts[order] > 0])
    numbers = np.zeros(counts.size, dtype=np.int64)
    numbers[owners] = np.arange(1, owners.size + 1)
    return numbers


def _schedule(options: SequenceLmOptions, device: torch.device) -> Schedule:
    half = options.precision == "bfloat16"
    return Schedule(
        learning_rate=options.learning_rate,
        warm_up=50,
        weight_decay=options.weight_decay,
        averaging=_SPEED,
        max_epochs=options.max_epochs,
        patience=options.patience,
        bfloat16=half or (options.precision == "auto" and device.type == "cuda"),
        compiled=options.compile,
    )


def _checkpoints(options: SequenceLmOptions, source: str, seed: int) -> Checkpoints | None:
    if options.checkpoint_folder is None:
        return None
    told = options.model_dump(mode="json", exclude={"checkpoint_folder", "checkpoint_steps"})
    fit = sha256_of({"options": told, "source": source, "seed": seed})
    return Checkpoints(options.checkpoint_folder, fit, options.checkpoint_steps)


def _device(options: SequenceLmOptions) -> str:
    if options.device != "auto":
        return options.device
    return "cuda" if torch.cuda.is_available() else "cpu"
