"""Canary users: people who do not exist, half of them put among the real ones.

In: events before a run, and the release after it. Out: a lower bound on ε that the release shows,
and the largest that it could have shown.

Whether each canary is put in is the toss of a fair coin, independent of all others. After the run
an attacker guesses the coins from the release. One release is one run: the guesses about it
depend on each other, so the textbook bound (Clopper-Pearson on the rates of hits and false
alarms), which needs as many runs as guesses, does not hold. The bound here does (Steinke et al.).

Source: Steinke, Nasr & Jagielski, Privacy auditing with one (1) training run, NeurIPS 2023, arXiv
2305.08846, theorem 5.2.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from shopsynth.evaluate.attacks.nearest import best_jaccard, item_sets, most_shared
from shopsynth.evaluate.histories import Histories, shared_catalogue
from shopsynth.schema import InputError, derived_seed, order_column

UNPROTECTED_BOUND = 0.5
"""What a release without DP may show (PRIVACY §6)."""

_GUESS_SHARES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02)
"""The attacker may be silent about the rest; every share costs confidence, so there are few."""

_MAX_EPSILON = 20.0
LONGEST = 20
SHORTEST = 5


@dataclass(frozen=True)
class Canaries:
    """Canary users, told apart by the coin.

    Attributes:
        inserted: Events of those that stand among the real ones.
        kept_out: Events of those that do not.
    """

    inserted: pl.DataFrame
    kept_out: pl.DataFrame


@dataclass(frozen=True)
class CanaryBound:
    """What the guesses prove.

    Attributes:
        epsilon: Lower bound on ε at the confidence asked for; 0 proves nothing.
        cannot_detect_above: The bound if every guess were right: no leak shows more.
        n_canaries: Canaries, inserted or kept out.
        n_guesses: Guesses behind the bound.
        n_right: Right ones among them.
    """

    epsilon: float
    cannot_detect_above: float
    n_canaries: int
    n_guesses: int
    n_right: int


def plant_canaries(
    events: pl.DataFrame, n: int = 1_000, seed: int = 0
) -> tuple[pl.DataFrame, Canaries]:
    """Add canary users to real events.

    Canaries buy 5 to 20 items drawn evenly from the catalogue, which nobody does, at the pace of
    real people. Prices and other cells are those of some real event with the item, so that no
    check of a single row stops them.

    Args:
        events: Real train events, with ``timestamp`` or ``position``.
        n: Canaries, of which a coin puts about half in.
        seed: Of the canaries and the coins. Whoever knows it knows the coins: draw it anew for
            every release.

    Returns:
        The events with canaries, sorted by user and time, and the canaries.

    Raises:
        InputError: If ``n`` is below 1 or there are no events.
    """
    if n < 1 or not events.height:
        raise InputError(
            f"plant_canaries: expected events and at least 1 canary, got {events.height} events "
            f"and n = {n}"
        )
    generator = np.random.Generator(np.random.PCG64(derived_seed(seed, "canaries")))
    order = order_column(events)
    by_item = events.sort("item_id", "user_id", order, maintain_order=True)
    lengths = generator.integers(SHORTEST, LONGEST + 1, n)
    user = np.repeat(np.arange(n), lengths)
    rows = by_item[_even_draws(by_item["item_id"], user.size, generator)]
    ids = pl.Series([f"canary-{number:06d}" for number in range(n)])
    columns = {
        "user_id": ids[user],
        order: _times(events, order, user, lengths, generator),
    }
    if "session_id" in events.columns:
        columns["session_id"] = columns["user_id"]
    made = rows.with_columns(**columns).sort("user_id", order, maintain_order=True)
    canaries = tossed(made, ids, generator)
    planted = pl.concat([events, canaries.inserted])
    return planted.sort("user_id", order, maintain_order=True), canaries


def tossed(made: pl.DataFrame, ids: pl.Series, generator: np.random.Generator) -> Canaries:
    """Toss one fair coin a canary."""
    put_in = ids.filter(pl.Series(generator.random(ids.len()) < 0.5))
    inside = pl.col("user_id").is_in(put_in.implode())
    return Canaries(made.filter(inside), made.filter(~inside))


def score_canaries(canaries: Canaries, synthetic: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Say of each canary how much of it the release holds.

    The score is the largest of three ranks: nearness (Jaccard), the share of its items that one
    released history holds (Hamming), and the most that it shares with one in bits. No score reads
    a coin, as the bound demands.

    Returns:
        Scores of inserted and of kept-out canaries, higher for surer guesses of "inserted".
    """
    from scipy.stats import rankdata

    everyone = pl.concat([canaries.inserted, canaries.kept_out])
    catalogue = shared_catalogue([everyone, synthetic])
    asked, made = (Histories.encode(table, catalogue) for table in (everyone, synthetic))
    sets, released = item_sets(asked), item_sets(made)
    bits = np.log2((made.n_users + 1) / (released.sum(axis=0) + 1)).astype(np.float32)
    scores = [
        best_jaccard(sets, released),
        most_shared(sets, released) / np.diff(sets.indptr),
        most_shared((sets * bits).tocsr(), released),
    ]
    surest = np.max([rankdata(each) for each in scores], axis=0)
    inserted = everyone["user_id"].unique().sort().is_in(
        canaries.inserted["user_id"].unique().implode()
    ).to_numpy()  # fmt: skip
    return surest[inserted], surest[~inserted]


def canary_epsilon(
    scores_in: np.ndarray, scores_out: np.ndarray, delta: float, confidence: float = 0.95
) -> CanaryBound:
    """Bound ε from below by guesses about canaries of one run.

    The attacker guesses "inserted" for the highest scores and "kept out" for the lowest, for six
    numbers of guesses fixed beforehand, or only "inserted"; the error is split among the twelve.

    Args:
        scores_in: Of inserted canaries.
        scores_out: Of those kept out; every canary's coin must have been tossed for itself.
        delta: The δ that the claim allows.
        confidence: One-sided.

    Raises:
        InputError: If there is no canary, or δ or the confidence is no probability.

    Example:
        >>> found = canary_epsilon(np.ones(500), np.zeros(500), delta=1e-6)
        >>> found.epsilon == found.cannot_detect_above > 4.75
        True
    """
    scores = np.concatenate([scores_in, scores_out])
    if not scores.size or not 0 <= delta < 1 or not 0 < confidence < 1:
        raise InputError(
            f"canary_epsilon: expected canaries, 0 <= delta < 1 and 0 < confidence < 1, got "
            f"{scores.size} canaries, delta = {delta} and confidence = {confidence}"
        )
    inserted = np.repeat([True, False], [scores_in.size, scores_out.size])
    generator = np.random.Generator(np.random.PCG64(derived_seed(0, "canary ties")))
    shuffled = generator.permutation(scores.size)
    order = shuffled[np.argsort(-scores[shuffled], kind="stable")]
    coin = inserted[order]
    error = (1 - confidence) / (2 * len(_GUESS_SHARES))
    best, limit = (0.0, 0, 0), 0.0
    for share in _GUESS_SHARES:
        n_guesses = max(1, int(share * scores.size))
        n_top = (n_guesses + 1) // 2
        n_low = n_guesses - n_top
        both = int(coin[:n_top].sum() + (~coin[scores.size - n_low :]).sum())
        for n_right in (both, int(coin[:n_guesses].sum())):
            bound = one_run_epsilon(n_guesses, n_right, scores.size, delta, error)
            best = max(best, (bound, n_guesses, n_right))
        limit = max(limit, one_run_epsilon(n_guesses, n_guesses, scores.size, delta, error))
    return CanaryBound(best[0], limit, scores.size, best[1], best[2])


def one_run_epsilon(n_guesses: int, n_right: int, n_canaries: int, delta: float, p: float) -> float:
    """Return the largest ε that ``n_right`` right guesses refute at error ``p``.

    Source:
        arXiv 2305.08846, theorem 5.2, with its α maximised over all shifts.
    """
    if _one_run_p(0.0, n_guesses, n_right, n_canaries, delta) > p:
        return 0.0
    low, high = 0.0, _MAX_EPSILON
    for _ in range(50):
        middle = (low + high) / 2
        refuted = _one_run_p(middle, n_guesses, n_right, n_canaries, delta) <= p
        low, high = (middle, high) if refuted else (low, middle)
    return low


def _one_run_p(
    epsilon: float, n_guesses: int, n_right: int, n_canaries: int, delta: float
) -> float:
    """Bound the chance of so many right guesses about the coins of an (ε, δ)-DP run."""
    from scipy.stats import binom

    rate = 1 / (1 + np.exp(-epsilon))
    tail = float(binom.sf(n_right - 1, n_guesses, rate))
    if not delta or not n_right:
        return tail
    shifts = np.arange(1, n_right + 1)
    below = np.cumsum(binom.pmf(n_right - shifts, n_guesses, rate))
    alpha = float((below / shifts).max())
    return min(1.0, tail + 2 * n_canaries * delta * alpha)


def _even_draws(item_ids: pl.Series, n: int, generator: np.random.Generator) -> np.ndarray:
    """Draw row numbers of a column sorted by item: an item evenly, then one of its rows."""
    sizes = item_ids.rle().struct.field("len").to_numpy().astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    item = generator.integers(sizes.size, size=n)
    return np.asarray(starts[item] + (generator.random(n) * sizes[item]).astype(np.int64))


def _times(
    events: pl.DataFrame,
    order: str,
    user: np.ndarray,
    lengths: np.ndarray,
    generator: np.random.Generator,
) -> pl.Series:
    """Start each canary at a real event's time and let it go on at real people's gaps."""
    first = np.cumsum(lengths) - lengths
    if order == "position":
        return pl.Series(np.arange(user.size) - first[user]).cast(events.schema[order])
    known = events.sort("user_id", order)
    times = known[order].to_physical().to_numpy()
    same = (known["user_id"] == known["user_id"].shift(1)).fill_null(False).to_numpy()
    gaps = np.diff(times)[same[1:]] if same.any() else np.array([3_600_000_000])
    steps = generator.choice(gaps, user.size)
    steps[first] = generator.choice(times, lengths.size)
    walked = np.cumsum(steps)
    walked -= (walked[first] - steps[first])[user]
    latest = np.maximum(times.max() - (lengths[user] - 1 - np.arange(user.size) + first[user]), 0)
    return pl.Series(np.minimum(walked, latest)).cast(events.schema[order])
