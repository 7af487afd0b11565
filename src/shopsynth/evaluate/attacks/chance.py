"""Is it a leak or chance? The yardsticks that every attack is held against.

In: which people an attack found. Out: a p-value or a bound, and what could not have been told.

Two yardsticks. *Held-out people* were never read, so what is found of them is chance. But later
people differ: seasons change, and a split by time cuts short histories. So the same attack is
also run on a *stand-in* for the release, the train rows of everybody but the person attacked: an
honest sample of the same period. What separates train from held-out people there is the season,
and is taken off. (That attacks on memory often see the date alone: Das et al., arXiv 2406.16201.)
"""

from bisect import bisect_left
from dataclasses import dataclass, replace

import numpy as np

from shopsynth.schema import derived_seed

Row = tuple[str, float, float | None, bool, str]
"""One line of ``EVALUATION_COLUMNS["audits"]``."""


@dataclass(frozen=True)
class Found:
    """How many people an attack found.

    Attributes:
        train: Of those the synthesizer could read, found in the release.
        heldout: Of those it could not.
        train_elsewhere: Of the former, found in the stand-in.
        heldout_elsewhere: Of the latter, found in the stand-in.
        n_train: People asked among those it could read.
        n_heldout: People asked among those it could not.
        scale: Histories in the release for each in the stand-in, at least 1.
    """

    train: int
    heldout: int
    train_elsewhere: int
    heldout_elsewhere: int
    n_train: int
    n_heldout: int
    scale: float = 1.0

    @classmethod
    def count(
        cls,
        release: tuple[np.ndarray, np.ndarray],
        standin: tuple[np.ndarray, np.ndarray],
        scale: float = 1.0,
    ) -> "Found":
        """Count truth values: train and held-out people in the release, and in the stand-in."""
        return cls(
            train=int(release[0].sum()),
            heldout=int(release[1].sum()),
            train_elsewhere=int(standin[0].sum()),
            heldout_elsewhere=int(standin[1].sum()),
            n_train=release[0].size,
            n_heldout=release[1].size,
            scale=scale,
        )

    def p_value(self) -> float:
        """Return the chance of so many finds among train people if nothing leaks.

        The larger of two one-sided tests: Fisher's, exact where train and held-out people are
        alike, and a test of the difference that remains after that of the stand-in is taken off.
        Where nobody was asked on one of the sides nothing is measured: NaN.
        """
        if not self.n_train or not self.n_heldout:
            return float("nan")
        return max(self._fisher_p(), self._drift_p())

    def fewest(self, level: float) -> int | None:
        """Return the smallest number of train people found that would fail, or ``None``."""

        def fails(n_found: int) -> bool:
            return replace(self, train=n_found).p_value() <= level

        fewest = 1 + bisect_left(range(1, self.n_train + 1), True, key=fails)
        return fewest if fewest <= self.n_train else None

    def _fisher_p(self) -> float:
        from scipy.stats import hypergeom

        total, found = self.n_train + self.n_heldout, self.train + self.heldout
        return float(hypergeom.sf(self.train - 1, total, found, self.n_train))

    def _drift_p(self) -> float:
        """Test the difference of shares against the one of the stand-in, by normal scores."""
        from scipy.stats import norm

        sizes = np.array([self.n_train, self.n_heldout, self.n_train, self.n_heldout])
        found = np.array([self.train, self.heldout, self.train_elsewhere, self.heldout_elsewhere])
        weight = np.array([1.0, 1.0, self.scale, self.scale])
        share, smoothed = found / sizes, (found + 0.5) / (sizes + 1)
        drift = max(0.0, float(share[2] - share[3])) * self.scale
        # Half a find is added to each count: none of 100 is no proof of never.
        spread = np.sqrt((weight**2 * smoothed * (1 - smoothed) / sizes).sum())
        return float(norm.sf((share[0] - share[1] - drift) / spread))


def copy_row(name: str, found: Found, level: float, what: str, note: str) -> Row:
    """Write one audit of copies: its p-value, and the fewest copies that would have failed.

    Where no number of copies could fail there is no threshold: what cannot fail has not passed.

    Args:
        name: Of the audit.
        found: What was found, and what by chance.
        level: Share of the family error that this gate may use.
        what: The things counted, in the plural.
        note: About the mode; empty if there is nothing to say.
    """
    p_value, fewest = found.p_value(), found.fewest(level)
    counts = (
        f"{found.train} of {found.n_train} readable and {found.heldout} of {found.n_heldout} "
        f"held-out {what} were found"
    )
    power = (
        f"fewer than {fewest} copied {what} could not be told from chance"
        if fewest is not None
        else f"with so few held-out {what} no excess could be shown at all"
    )
    threshold = level if fewest is not None else None
    passed = threshold is None or p_value > threshold
    return name, p_value, threshold, passed, "; ".join(filter(None, (counts, power, note)))


def draw(n: int, n_wanted: int, use: str) -> np.ndarray:
    """Draw positions without replacement, ascending; all of them where there are not more.

    Args:
        n: Positions to draw from.
        n_wanted: At most so many.
        use: Names the draw, so that two uses share no random stream.
    """
    if n <= n_wanted:
        return np.arange(n)
    generator = np.random.Generator(np.random.PCG64(derived_seed(0, "audit", use)))
    return np.sort(generator.choice(n, n_wanted, replace=False))
