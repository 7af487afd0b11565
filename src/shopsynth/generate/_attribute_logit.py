"""A multinomial logit: which of several codes, given a row of numbers and one other code.

In: features, codes and, where there is one, the code of a parent attribute. Out: weights, and from
them log probabilities.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from shopsynth.generate._draws import Floats

_PENALTIES = (1000.0, 100.0, 10.0)
"""Of squared weights, strongest first; each fit starts from the one before."""

_PARENT_PENALTY = 1.0
"""Of how far the weights of a pair of codes move away from its share."""

_PRIOR_USERS = 0.5
"""Users by whom shares of pairs are drawn to those of single codes: what a rare pair is told as."""

_HELD_OUT = 5
_ROUNDS = 60


@dataclass(frozen=True)
class Logit:
    """Weights of a multinomial logit.

    Attributes:
        weights: ``(n_features, n_codes)``; all 0 where behaviour says nothing of the attribute.
        by_parent: ``(n_parent_codes, n_codes)``; -inf for codes that nobody has.
    """

    weights: Floats
    by_parent: Floats

    @classmethod
    def fit(
        cls,
        features: Floats,
        parent: NDArray[np.int64],
        codes: NDArray[np.int64],
        pairs: NDArray[np.int64],
        min_users: int,
    ) -> Self:
        """Learn weights; how strongly they are held back is chosen on every fifth user.

        Users whose pair of codes fewer than ``min_users`` have are not learned from, so that no
        rare combination is replayed. A code most of whose users are such is told by its own share,
        whatever the parent and the history: left out, nobody would ever get it.

        Args:
            features: ``(n, n_features)`` of mean 0 and deviation 1.
            parent: ``(n,)`` codes of the parent attribute, all 0 without one.
            codes: ``(n,)``.
            pairs: ``(n_parent_codes, n_codes)`` how many users have both: these and others.
            min_users: Users who must share a pair of codes.

        Source:
            Ridge-penalised maximum likelihood: le Cessie and van Houwelingen, Applied Statistics
            41(1), 1992; minimised by L-BFGS.
        """
        common = np.where(pairs >= min_users, pairs, 0)
        shares = pairs.sum(axis=0) / pairs.sum()
        joint = 2 * common.sum(axis=0) >= pairs.sum(axis=0)
        alone = np.flatnonzero(~joint)
        present = np.flatnonzero(joint & (shares > 0))
        weights = np.zeros((features.shape[1], pairs.shape[1]))
        by_parent = np.full(pairs.shape, -np.inf)
        usual = 1.0
        if present.size:
            rows = np.flatnonzero((common[parent, codes] > 0) & joint[codes])
            compact = np.searchsorted(present, codes[rows])
            problem = _Problem(features[rows], parent[rows], compact, _smooth(common[:, present]))
            weights[:, present], by_parent[:, present] = problem.solve()
            sums = np.exp(_log_sums(features @ weights[:, present] + by_parent[parent][:, present]))
            usual = (1 - shares[alone].sum()) * float(np.mean(1 / sums))
        by_parent[:, alone] = np.log(shares[alone] / usual)
        return cls(weights, by_parent)

    def log_shares(self, features: Floats, parent: NDArray[np.int64]) -> Floats:
        """Return the log probability of every code, ``(n, n_codes)``.

        Args:
            features: ``(n, n_features)``.
            parent: ``(n,)`` codes of the parent attribute, all 0 without one.
        """
        scores = features @ self.weights
        scores += self.by_parent[parent]
        scores -= _log_sums(scores)[:, None]
        return scores


class _Problem:
    """The likelihood of codes and its slope."""

    def __init__(
        self,
        features: Floats,
        parent: NDArray[np.int64],
        codes: NDArray[np.int64],
        log_pairs: Floats,
    ) -> None:
        self.features, self.parent, self.codes = features, parent, codes
        self.log_pairs = log_pairs
        self.shape = (features.shape[1], *log_pairs.shape)
        ones, rows = np.ones(parent.size), np.arange(parent.size)
        self.of_parent = sparse.csr_matrix(
            (ones, (parent, rows)), shape=(log_pairs.shape[0], parent.size)
        )

    def solve(self) -> tuple[Floats, Floats]:
        """Choose the penalty on held-out rows, then fit all of them with it."""
        n_features, n_parent, n_codes = self.shape
        start = np.zeros((n_features + n_parent) * n_codes)
        if n_codes == 1:
            return self._parts(start)
        held_out = np.arange(self.codes.size) % _HELD_OUT == _HELD_OUT - 1
        learn, judge = self._of(~held_out), self._of(held_out)
        pairs = np.bincount(learn.parent * n_codes + learn.codes, minlength=n_parent * n_codes)
        learn.log_pairs = judge.log_pairs = _smooth(pairs.reshape(n_parent, n_codes))
        found, best, best_loss = start, np.inf, judge._loss(start)
        for penalty in _PENALTIES:
            found = learn._minimise(found, penalty)
            if (loss := judge._loss(found)) < best_loss:
                best, best_loss = penalty, loss
        return self._parts(self._minimise(start, best) if np.isfinite(best) else start)

    def _of(self, rows: NDArray[np.bool_]) -> "_Problem":
        return _Problem(self.features[rows], self.parent[rows], self.codes[rows], self.log_pairs)

    def _minimise(self, start: Floats, penalty: float) -> Floats:
        """Fit from a start."""
        found = optimize.minimize(
            self._objective,
            start,
            args=(penalty,),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": _ROUNDS},
        )
        solution: Floats = found.x
        return solution

    def _objective(self, flat: Floats, penalty: float) -> tuple[float, Floats]:
        weights, by_parent = self._parts(flat)
        log_shares = self._log_shares(weights, by_parent)
        rows = np.arange(self.codes.size)
        loss = -log_shares[rows, self.codes].sum()
        residual = np.exp(log_shares)
        residual[rows, self.codes] -= 1.0
        moved = by_parent - self.log_pairs
        loss += (
            penalty / 2 * np.square(weights).sum() + _PARENT_PENALTY / 2 * np.square(moved).sum()
        )
        slope = self.features.T @ residual + penalty * weights
        slope_parent = self.of_parent @ residual + _PARENT_PENALTY * moved
        return float(loss), np.concatenate((slope.ravel(), slope_parent.ravel()))

    def _loss(self, flat: Floats) -> float:
        log_shares = self._log_shares(*self._parts(flat))
        return -float(log_shares[np.arange(self.codes.size), self.codes].sum())

    def _log_shares(self, weights: Floats, by_parent: Floats) -> Floats:
        scores = self.features @ weights + by_parent[self.parent]
        scores -= _log_sums(scores)[:, None]
        return scores

    def _parts(self, flat: Floats) -> tuple[Floats, Floats]:
        """Split what is searched over into weights and what they add to the shares of pairs."""
        weights, moved = np.split(flat, [self.shape[0] * self.shape[2]])
        return weights.reshape(self.shape[0], -1), moved.reshape(self.shape[1:]) + self.log_pairs


def _smooth(pairs: NDArray[np.int64]) -> Floats:
    """Return log shares of each parent's codes, drawn towards those of all users."""
    shares = pairs.sum(axis=0) + _PRIOR_USERS
    smoothed = pairs + _PRIOR_USERS * shares / shares.sum()
    log_shares: Floats = np.log(smoothed / smoothed.sum(axis=1, keepdims=True))
    return log_shares


def _log_sums(scores: Floats) -> Floats:
    most = scores.max(axis=1)
    sums: Floats = most + np.log(np.exp(scores - most[:, None]).sum(axis=1))
    return sums
