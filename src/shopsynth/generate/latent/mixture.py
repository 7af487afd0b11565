"""A mixture of normal distributions: where real people or texts lie among all possible ones.

In: points. Out: weights, centres and covariances, and new points drawn from them.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS = 100
_ENOUGH = 1e-4
"""Nats a point by which the likelihood must still rise for another round."""

_RIDGE = 1e-3
"""Share of the points' own variance added to every covariance, so that none becomes a line."""

_LEAST_POINTS = 4
"""Points that a component has for each dimension; a covariance of fewer says nothing."""


@dataclass(frozen=True)
class Mixture:
    """Normal distributions in shares.

    Attributes:
        shares: ``(k,)``, sum 1.
        centres: ``(k, dim)``.
        roots: ``(k, dim, dim)`` lower Cholesky factors of the covariances.

    Source:
        Dempster, Laird and Rubin, J. R. Stat. Soc. B 39(1), 1977.

    Example:
        >>> points = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]] * 5)
        >>> mixture = Mixture.fit(points, k=2, random=np.random.Generator(np.random.PCG64(1)))
        >>> np.sort(mixture.centres.ravel()).round(2).tolist()
        [0.1, 5.1]
    """

    shares: Floats
    centres: Floats
    roots: Floats

    @classmethod
    def fit(cls, points: NDArray[np.floating], *, k: int, random: np.random.Generator) -> Self:
        """Fit by expectation maximisation.

        Args:
            points: ``(n, dim)``.
            k: Most components; there are fewer where points are few.
            random: Chooses the first centres.
        """
        exact: Floats = points.astype(np.float64)
        n, dim = exact.shape
        k = max(1, min(k, n // (_LEAST_POINTS * dim)))
        ridge = np.diag(_RIDGE * exact.var(axis=0) + np.finfo(np.float32).eps)
        chance = _hard(exact, _spread(exact, k, random))
        before = -np.inf
        for _ in range(_ROUNDS):
            mixture = cls._expected(exact, chance, ridge)
            scores = mixture._scores(exact)
            top = scores.max(axis=1, keepdims=True)
            weights = np.exp(scores - top)
            likely = float((top[:, 0] + np.log(weights.sum(axis=1))).mean())
            if likely < before + _ENOUGH:
                break
            before, chance = likely, weights / weights.sum(axis=1, keepdims=True)
        return mixture

    @classmethod
    def _expected(cls, points: Floats, chance: Floats, ridge: Floats) -> Self:
        """Give each component the moments of its points."""
        mass = chance.sum(axis=0) + np.finfo(np.float64).tiny
        centres = chance.T @ points / mass[:, None]
        roots = np.empty((mass.size, *ridge.shape))
        for number, centre in enumerate(centres):
            away = points - centre
            covariance = (away * chance[:, number : number + 1]).T @ away / mass[number]
            roots[number] = np.linalg.cholesky(covariance + ridge)
        return cls(mass / mass.sum(), centres, roots)

    def _scores(self, points: Floats) -> Floats:
        """Return the logarithm of each component's density times share: ``(n, k)``."""
        scores = np.empty((points.shape[0], self.shares.size))
        for number, (centre, root) in enumerate(zip(self.centres, self.roots, strict=True)):
            away = np.linalg.solve(root, (points - centre).T)
            volume = np.log(np.diag(root)).sum()
            scores[:, number] = np.log(self.shares[number]) - volume - 0.5 * (away**2).sum(axis=0)
        constant: float = 0.5 * points.shape[1] * float(np.log(2 * np.pi))
        return scores - constant

    def draw(self, n: int, random: np.random.Generator) -> NDArray[np.float32]:
        """Draw ``n`` points: ``(n, dim)``."""
        which = np.searchsorted(np.cumsum(self.shares)[:-1], random.random(n), side="right")
        noise = random.standard_normal((n, self.centres.shape[1]))
        points = np.empty(noise.shape, dtype=np.float32)
        for number, (centre, root) in enumerate(zip(self.centres, self.roots, strict=True)):
            rows = which == number
            points[rows] = centre + noise[rows] @ root.T
        return points


def _spread(points: Floats, k: int, random: np.random.Generator) -> Floats:
    """Choose first centres far from each other (k-means++, Arthur and Vassilvitskii 2007)."""
    chosen = [points[random.integers(points.shape[0])]]
    far = np.full(points.shape[0], np.inf)
    for _ in range(k - 1):
        far = np.minimum(far, ((points - chosen[-1]) ** 2).sum(axis=1))
        target = random.random() * far.sum()
        chosen.append(points[min(np.searchsorted(np.cumsum(far), target), far.size - 1)])
    return np.stack(chosen)


def _hard(points: Floats, centres: Floats) -> Floats:
    """Give each point to its nearest centre: ``(n, k)``."""
    # What is left of the squared distance without the part that all centres share.
    nearest = (np.square(centres).sum(axis=1) - 2 * points @ centres.T).argmin(axis=1)
    one_hot: Floats = np.eye(centres.shape[0])[nearest]
    return one_hot
