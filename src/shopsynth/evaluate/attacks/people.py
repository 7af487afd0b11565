"""The three sides of an audit: people who could be read, people who could not, and the release.

In: events tables. Out: their histories over one catalogue, and samples of them for pairwise work.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from shopsynth.evaluate.attacks.chance import draw
from shopsynth.evaluate.attacks.nearest import item_sets, most_shared
from shopsynth.evaluate.histories import Histories, shared_catalogue

if TYPE_CHECKING:
    from scipy.sparse import csr_array

N_ASKED = 2_000
"""People a side in pairwise attacks."""

MIN_ITEMS = 5
"""Fewer different items are too common a choice to tell who chose them."""

N_KNOWN = 100_000
"""Histories of the release, and of its stand-in, that they are compared with."""


@dataclass(frozen=True)
class Sides:
    """One table three times, for :func:`shopsynth.evaluate.audit_release`.

    Attributes:
        train: Real rows that the synthesizer could read.
        heldout: Real rows of the same kind that it could not.
        synthetic: Rows to be released.
    """

    train: pl.DataFrame
    heldout: pl.DataFrame
    synthetic: pl.DataFrame


@dataclass(frozen=True)
class People:
    """Histories of all three sides, users numbered within each.

    Attributes:
        train: Whom the synthesizer could read.
        heldout: Whom it could not.
        made: The release.
    """

    train: Histories
    heldout: Histories
    made: Histories

    @classmethod
    def encode(cls, sides: Sides) -> Self:
        """Number users and items of three events tables."""
        tables = (sides.train, sides.heldout, sides.synthetic)
        catalogue = shared_catalogue(tables)
        return cls(*(Histories.encode(table, catalogue) for table in tables))

    @cached_property
    def standin(self) -> np.ndarray:
        """Train users whose rows stand in for a release of the same size, ascending."""
        return draw(self.train.n_users, min(self.made.n_users, N_KNOWN), "stand-in")

    @property
    def scale(self) -> float:
        """Histories of the release for each of the stand-in, at least 1."""
        n_made = min(self.made.n_users, N_KNOWN)
        return max(1.0, n_made / max(self.standin.size, 1))

    @cached_property
    def sets(self) -> tuple["csr_array", "csr_array", "csr_array"]:
        """Item sets of train, held-out and synthetic users."""
        return item_sets(self.train), item_sets(self.heldout), item_sets(self.made)

    @cached_property
    def bits(self) -> np.ndarray:
        """Information of each item among real people, train and held-out alike, in bits."""
        n_real = self.train.n_users + self.heldout.n_users
        counts = sum(sets.sum(axis=0) for sets in self.sets[:2])
        return np.asarray(np.log2(n_real / np.maximum(counts, 1)), dtype=np.float32)

    def told(self, side: int) -> np.ndarray:
        """Return what the items of each user tell together, in bits, shape ``(users,)``.

        Args:
            side: 0 for train, 1 for held-out users. A user with fewer than five different items
                tells nothing.
        """
        sets = self.sets[side]
        told = np.asarray(sets @ self.bits)
        told[np.diff(sets.indptr) < MIN_ITEMS] = 0.0
        return told

    def shared_bits(
        self, asked: tuple["csr_array", "csr_array"], users: np.ndarray
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the most bits that train and held-out sets share with one history of others.

        Args:
            asked: Item sets of train users and of held-out users.
            users: The train users whose sets they are.

        Returns:
            For the release and for the stand-in: of train users, and of held-out users.
        """
        train, heldout = ((sets * self.bits).tocsr() for sets in asked)
        own = self.place_in_standin(users)
        return [
            (most_shared(train, self.released_sets), most_shared(heldout, self.released_sets)),
            (most_shared(train, self.standin_sets, own), most_shared(heldout, self.standin_sets)),
        ]

    @cached_property
    def released_sets(self) -> "csr_array":
        """Item sets of at most :data:`N_KNOWN` synthetic users."""
        return self.sets[2][draw(self.made.n_users, N_KNOWN, "release")]

    @cached_property
    def standin_sets(self) -> "csr_array":
        """Item sets of the stand-in."""
        return self.sets[0][self.standin]

    def place_in_standin(self, users: np.ndarray) -> np.ndarray:
        """Return where train users stand in the stand-in, -1 for nowhere."""
        place = np.full(self.train.n_users, -1)
        place[self.standin] = np.arange(self.standin.size)
        return np.asarray(place[users])
