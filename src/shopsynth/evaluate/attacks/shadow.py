"""Shadow models: an attacker who can run the same synthesizer on people of his own.

In: events, a way to fit and sample, the people attacked. Out: for each of them how much likelier
the release is if they were read.

The strongest attack here and by far the dearest: one fit a shadow. It is not part of
:func:`~shopsynth.evaluate.audit_release`, which has no synthesizer at hand.

Source: Carlini et al., Membership inference attacks from first principles, S&P 2022, section 5
(online attack), with the distance to the closest record in place of a loss.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

from shopsynth.evaluate.attacks.nearest import best_jaccard, item_sets
from shopsynth.evaluate.histories import Histories, shared_catalogue
from shopsynth.schema import InputError, derived_seed

Refit = Callable[[pl.DataFrame, int], pl.DataFrame]
"""Takes train events and a seed, fits the synthesizer and returns synthetic events."""

_MIN_SPREAD = 0.02
"""Floor of a standard deviation of similarities: few shadows may agree by chance."""


def shadow_scores(
    events: pl.DataFrame,
    refit: Refit,
    targets: pl.Series,
    release: pl.DataFrame,
    *,
    n_shadows: int = 16,
    seed: int = 0,
) -> np.ndarray:
    """Score people by how likely the release is with them against without them.

    Every shadow is fitted on a random half of all users. A target's similarity to the nearest
    synthetic history is taken as normal, once over shadows that read it and once over those that
    did not.

    Args:
        events: Real events of people whom the attacker knows, the targets among them.
        refit: Fits the synthesizer that made the release.
        targets: User ids to attack; PRIVACY §6 asks for the most vulnerable, the most isolated.
        release: What was released.
        n_shadows: Fits, at least 4; each target is in half of them.
        seed: Of the halves and the fits.

    Returns:
        Log-likelihood ratios, higher for surer members, shape ``(targets,)``.

    Raises:
        InputError: If there are fewer than 4 shadows, or a target has no events.
    """
    known = events["user_id"].unique().sort()
    missing = targets.len() - int(targets.is_in(known.implode()).sum())
    if n_shadows < 4 or missing:
        raise InputError(
            f"shadow_scores: expected at least 4 shadows and events of every target, got "
            f"{n_shadows} and {missing} targets without events"
        )
    generator = np.random.Generator(np.random.PCG64(derived_seed(seed, "shadows")))
    # Each user is in exactly half of the shadows, so that no target lacks either side.
    order = generator.random((n_shadows, known.len())).argsort(axis=0)
    inside = order < n_shadows // 2
    at = known.search_sorted(targets).to_numpy()
    own = events.filter(pl.col("user_id").is_in(targets.implode()))
    similar = np.empty((n_shadows, targets.len()))
    for number in range(n_shadows):
        read = known.filter(pl.Series(inside[number]))
        part = events.filter(pl.col("user_id").is_in(read.implode()))
        made = refit(part, derived_seed(seed, "shadow", number))
        similar[number] = _similarity(own, targets, made)
    seen = _similarity(own, targets, release)
    chosen = inside[:, at]
    return np.asarray(_log_normal(seen, similar, chosen) - _log_normal(seen, similar, ~chosen))


def _similarity(own: pl.DataFrame, targets: pl.Series, made: pl.DataFrame) -> np.ndarray:
    catalogue = shared_catalogue([own, made])
    asked, known = (Histories.encode(table, catalogue) for table in (own, made))
    place = own["user_id"].unique().sort().search_sorted(targets).to_numpy()
    return best_jaccard(item_sets(asked, place), item_sets(known))


def _log_normal(seen: np.ndarray, similar: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Log-density of what was seen under the chosen shadows' mean and spread, by target."""
    values = np.where(chosen, similar, np.nan)
    mean = np.nanmean(values, axis=0)
    spread = np.maximum(np.nanstd(values, axis=0, ddof=1), _MIN_SPREAD)
    return np.asarray(-0.5 * ((seen - mean) / spread) ** 2 - np.log(spread))
