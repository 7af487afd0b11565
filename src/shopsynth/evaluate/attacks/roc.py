"""Areas under ROC curves and their far left end, with errors.

In: scores of members and of others. Out: areas, standard errors, and bounds on the rate of the
surest guesses.
"""

import numpy as np


def auc(members: np.ndarray, others: np.ndarray) -> float:
    """Return the chance that a member is scored above another, ties halved.

    Example:
        >>> auc(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
        0.875
    """
    return float(_placements(members, others)[0].mean())


def paired_auc(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]
) -> tuple[float, float, float]:
    """Compare two attacks on the same people.

    Args:
        first: Scores of members and others by the attack.
        second: Scores of the same members and others by the other attack.

    Returns:
        The second's area, the standard error of the first's, and that of their difference.

    Source:
        DeLong, DeLong & Clarke-Pearson, Comparing the areas under two or more correlated ROC
        curves, Biometrics 1988.
    """
    one, two = (_placements(*each) for each in (first, second))
    # Where nobody differs the sample has no spread; one person in between is allowed for.
    spreads = [
        np.sqrt(sum(max(part.var(ddof=1), 1 / part.size) / part.size for part in parts))
        for parts in (one, [a - b for a, b in zip(one, two, strict=True)])
    ]
    return float(two[0].mean()), float(spreads[0]), float(spreads[1])


def top_count(members: np.ndarray, others: np.ndarray, allowed: int) -> int:
    """Count members that score above all but ``allowed`` of the others."""
    bar = np.sort(others)[-allowed - 1] if allowed < others.size else -np.inf
    return int((members > bar).sum())


def top_rate_low(hits: int, n_members: int, allowed: int, n_others: int, level: float) -> float:
    """Bound from below how many times likelier members are than others to stand at the top.

    The share of others above the bar is Beta(allowed + 1, n_others - allowed) by order
    statistics. If members are at most ``c`` times as likely, their number is below a binomial
    with ``c`` times that share; the bound is the ``c`` at which ``hits`` has chance ``level``.

    Args:
        hits: Members above the bar.
        n_members: Members asked.
        allowed: Others above the bar, by choice of the bar.
        n_others: Others asked.
        level: One-sided error.
    """
    from scipy.optimize import brentq
    from scipy.stats import beta, binom

    if not hits:
        return 0.0
    middle = (np.arange(400) + 0.5) / 400
    share = beta.ppf(middle, allowed + 1, n_others - allowed)

    def excess(log_ratio: float) -> float:
        rate = np.minimum(1.0, np.exp(log_ratio) * share)
        return float(binom.sf(hits - 1, n_members, rate).mean()) - level

    lowest, highest = np.log(1e-6), np.log(1e6)
    return float(np.exp(brentq(excess, lowest, highest))) if excess(highest) > 0 else 0.0


def _placements(members: np.ndarray, others: np.ndarray) -> list[np.ndarray]:
    """Return each member's share of others below, and each other's share of members above."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([members, others]))
    among_members, among_others = rankdata(members), rankdata(others)
    below = (ranks[: members.size] - among_members) / others.size
    above = 1 - (ranks[members.size :] - among_others) / members.size
    return [below, above]
