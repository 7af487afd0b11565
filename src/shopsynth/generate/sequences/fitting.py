"""From real histories to a fitted network and all that drawing from it needs.

In: histories and options. Out: :class:`Learned`. Needs torch.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from shopsynth.generate._histories import EventForm, Histories
from shopsynth.generate._repeats import Repeats
from shopsynth.generate._wholes import Wholes
from shopsynth.generate.sequences.batches import Batch, Batches, Material
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
from shopsynth.generate.sequences.training import Asks, Network, Schedule, Training
from shopsynth.schema import Progress, derived_seed, sha256_of

_VECTOR_DIM = 32
"""Directions of content, and of company, from which item codes are made."""

_SMALL_SHOP = 20
_MOST_HELD_OUT = 2_000

_MIN_USERS = 10
"""People who must have had a history of four and more events for it to come again. More than for
a pair or a word: three or four who did the same eight things in one order may be one."""

_MOST_OWN = 100_000
"""Items with an embedding of their own, the most bought; others have that of their codes."""

_UNSEEN = 0.5
"""Events that an item counts as having had before its first, so that none is impossible."""

_SPEED = 0.99
"""Share of the running average of weights that stays at each step."""


@dataclass(frozen=True)
class Groundwork:
    """What a network of any method starts from: codes, tokens, counts, and who is held out.

    Attributes:
        method: Whose network.
        seed: Of all that is random.
        source: Fingerprint of the view.
        material: What the network learns from.
        ids: Codes of the catalogue.
        tokens: The vocabulary of events.
        company: Neighbours of items.
        counts: ``(n_items,)`` real events.
        wholes: Histories that must not come again.
        learned: Users that are learned from.
        held_out: Users that decide when to stop.
    """

    method: str
    seed: int
    source: str
    material: Material
    ids: SemanticIds
    tokens: EventTokens
    company: Company
    counts: NDArray[np.int64]
    wholes: Wholes
    learned: NDArray[np.int64]
    held_out: NDArray[np.int64]

    @classmethod
    def lay(
        cls, method: str, form: EventForm, histories: Histories, held_out: float, seed: int
    ) -> Self:
        """Give items codes and events tokens, and choose who is held out."""
        is_repeat = Repeats.fit(histories, form.n_items).is_repeat
        vectors = item_vectors(
            form, histories, dim=_VECTOR_DIM, seed=derived_seed(seed, method, "vectors")
        )
        ids = SemanticIds.fit(vectors, seed=derived_seed(seed, method, "codes"))
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
        random = np.random.Generator(np.random.PCG64(derived_seed(seed, method, "wholes")))
        wholes = Wholes.fit(histories, form.n_items, min_users=_MIN_USERS, random=random)
        learned, decides = _split(
            histories.n_users, held_out, derived_seed(seed, method, "held_out")
        )
        return cls(
            method=method,
            seed=seed,
            source=form.source_sha256,
            material=material,
            ids=ids,
            tokens=tokens,
            company=company,
            counts=form.item_counts(),
            wholes=wholes,
            learned=learned,
            held_out=decides,
        )

    @property
    def weights(self) -> NDArray[np.float64]:
        """Popularity, ``(n_items,)`` above 0."""
        return self.counts.astype(np.float64) + _UNSEEN

    def seed_of(self, use: str) -> int:
        """Derive the seed of one use."""
        return derived_seed(self.seed, self.method, use)

    def read(self) -> str:
        """Hash what is read: one source gives other rows where privacy settings differ."""
        tokens, digest = self.material.tokens, sha256()
        for part in (tokens.item, tokens.gap, tokens.kind, tokens.moment, tokens.offsets):
            digest.update(part.tobytes())
        digest.update(self.ids.codes.tobytes())
        return digest.hexdigest()

    def network(self, options: SequenceLmOptions, latent: int = 0) -> HistoryNetwork:
        """Make a network with first weights drawn from torch's global state."""
        shape = Shape(
            n_gaps=self.tokens.n_gaps,
            n_kinds=self.tokens.types.n_types,
            n_moments=self.tokens.n_moments,
            attributes=(),
            dim=options.dim,
            layers=options.layers,
            heads=options.heads,
            context=options.context,
            latent=latent,
        )
        own = torch.from_numpy(_own_numbers(self.counts))
        return HistoryNetwork(shape, self.ids, own, self.weights, options.dropout)

    def batches(self, users: NDArray[np.int64], size: int) -> Batches:
        """Cut the histories of users into batches of ``size`` events."""
        return Batches(self.material.tokens, users, size=size, seed=self.seed_of("batches"))

    def outcome(self, network: HistoryNetwork, loss: float, n_steps: int) -> Learned:
        """Give a decoder a trained network and all that drawing from it needs."""
        return Learned(
            network=network.eval().requires_grad_(False),
            ids=self.ids,
            tokens=self.tokens,
            company=self.company,
            weights=self.weights,
            repeats=bool(self.material.is_repeat.any()),
            wholes=self.wholes,
            n_users=self.material.tokens.lengths.size,
            loss=loss,
            n_steps=n_steps,
        )


def fit_network(
    form: EventForm,
    histories: Histories,
    options: SequenceLmOptions,
    *,
    seed: int,
    progress: Progress,
) -> Learned:
    """Give items codes and events tokens, and train the network of ``sequence_lm`` on them.

    Raises:
        InputError: If the loss stops being finite.
        SourceError: If the checkpoint is damaged.
    """
    ground = Groundwork.lay("sequence_lm", form, histories, options.held_out, seed)
    device = device_of(options)
    with torch.random.fork_rng(devices=[0] if device.type == "cuda" else []):
        torch.manual_seed(ground.seed_of("weights"))
        network = ground.network(options).to(device)
    training = train(ground, network, Questions(ground.material, device), options, progress)
    return ground.outcome(training.best, training.best_loss, training.n_steps)


def train(
    ground: Groundwork,
    network: Network,
    questions: Asks[Network, Batch],
    options: SequenceLmOptions,
    progress: Progress,
) -> Training[Network, Batch]:
    """Train a network as its options say, or go on where its checkpoint is."""
    schedule = _schedule(options, next(network.parameters()).device)
    seed, checkpoints = ground.seed_of("training"), _checkpoints(options, ground)
    training = Training(ground.method, network, schedule, questions, seed, checkpoints)
    learned = ground.batches(ground.learned, options.batch_events)
    training.run(learned, ground.batches(ground.held_out, options.batch_events), progress)
    return training


def device_of(options: SequenceLmOptions) -> torch.device:
    """Say where to compute."""
    if options.device != "auto":
        return torch.device(options.device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _split(n_users: int, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose who is learned from and who decides when to stop; in a small shop all do both."""
    random = np.random.Generator(np.random.PCG64(seed))
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


def _checkpoints(options: SequenceLmOptions, ground: Groundwork) -> Checkpoints | None:
    if options.checkpoint_folder is None:
        return None
    fit = sha256_of(
        {
            "method": ground.method,
            "options": options.model_dump(mode="json", exclude=set(options.learned_without)),
            "source": ground.source,
            "read": ground.read(),
            "seed": ground.seed,
        }
    )
    folder, steps = options.checkpoint_folder, options.checkpoint_steps
    return Checkpoints(ground.method, folder, fit, steps)
