"""Audits of a release: whether synthetic histories copy people rather than their habits.

In: real train events, real held-out events, synthetic events. Out: a row an audit, with its power.

Some equality is chance: two people buy the same three bestsellers. So copies of histories that the
synthesizer could read are held against copies of histories it never saw, and only the excess
counts (PRIVACY §6). An audit never proves privacy; ``power`` says what each could not have seen.
"""

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from shopsynth.evaluate.histories import Histories, shared_catalogue
from shopsynth.schema import EVALUATION_COLUMNS, derived_seed

if TYPE_CHECKING:
    from scipy.sparse import csr_array

P_THRESHOLD = 0.01
"""An excess of copies this unlikely by chance fails (PRIVACY §6)."""

_MIN_HISTORY = 3
"""Shorter histories are too common to belong to anybody."""

_RUN = 5
"""Items in a row that count as copied text would (PRIVACY §6: 5-item runs)."""

_MAX_NEIGHBOURS = 2_000
"""Histories a side in the distance figure: all pairs of them fit into 32 MB."""

_MODE_NOTES = {
    "dp": "the guarantee is the mechanism's, not this audit's",
    "deidentify": "no guarantee stands behind this mode, and augmenters copy by design",
    "public": "the input holds no personal data by declaration",
    "unsafe_nonprivate": "nothing was protected",
}


def audit_release(
    train: pl.DataFrame, heldout: pl.DataFrame, synthetic: pl.DataFrame, mode: str
) -> pl.DataFrame:
    """Audit synthetic events for copies of real people's histories.

    Augmenters keep most of a real history, so outside mode ``dp`` a failure is to be expected and
    is reported; what follows from it is the pipeline's decision. The distance to the closest record
    is shown and never a gate: it misses verbatim rows (PRIVACY §6).

    Args:
        train: Real events the synthesizer could read.
        heldout: Real later events that it could not: the yardstick of chance.
        synthetic: The events to be released.
        mode: The privacy mode, for the sentence about power.

    Returns:
        Columns of ``EVALUATION_COLUMNS["audits"]``. For the copy audits ``value`` is the p-value
        of a one-sided Fisher test and must exceed ``threshold``. Where no number of copies could
        fail (no held-out history is long enough, as in a split by leave-one-out) there is no
        threshold: what cannot fail has not passed.
    """
    tables = (train, heldout, synthetic)
    catalogue = shared_catalogue(tables)
    real, later, made = (Histories.encode(table, catalogue) for table in tables)
    note = _MODE_NOTES.get(mode, f"mode {mode}")
    rows = [
        _copy_audit(
            "exact_copies_of_histories",
            _copied_histories(real, made),
            _copied_histories(later, made),
            note,
        ),
        _copy_audit(
            "copies_of_5_item_runs", _copied_runs(real, made), _copied_runs(later, made), note
        ),
        (
            "distance_to_closest_record_share",
            _closer_to_train(real, later, made),
            None,
            True,
            "shown only: the share of synthetic histories nearer to a train than to a held-out "
            "history; about 0.5 where both are alike. It misses verbatim rows and is no evidence "
            "of privacy",
        ),
    ]
    return pl.DataFrame(rows, schema=EVALUATION_COLUMNS["audits"], orient="row")


def _copy_audit(
    name: str, seen: np.ndarray, unseen: np.ndarray, note: str
) -> tuple[str, float, float | None, bool, str]:
    """Test whether seen histories are copied more often than unseen ones.

    Args:
        name: Of the audit.
        seen: Whether each history that the synthesizer could read was copied.
        unseen: The same for histories that it could not read.
        note: About the mode.
    """
    n_copied, n_chance = int(seen.sum()), int(unseen.sum())
    p_value = _excess_p(n_copied, seen.size, n_chance, unseen.size)
    counts = (
        f"{n_copied} of {seen.size} readable and {n_chance} of {unseen.size} held-out histories "
        "were found"
    )
    needed = _fewest_detected(seen.size, n_chance, unseen.size)
    power = (
        f"fewer than {needed} copied histories could not be told from chance"
        if needed is not None
        else "with so few held-out histories no excess could be shown at all"
    )
    threshold = P_THRESHOLD if needed is not None else None
    return name, p_value, threshold, p_value > P_THRESHOLD, f"{counts}; {power}; {note}"


def _excess_p(n_copied: int, n_seen: int, n_chance: int, n_unseen: int) -> float:
    """One-sided Fisher test: the chance of at least so many copies among the seen."""
    from scipy.stats import hypergeom

    return float(hypergeom.sf(n_copied - 1, n_seen + n_unseen, n_copied + n_chance, n_seen))


def _fewest_detected(n_seen: int, n_chance: int, n_unseen: int) -> int | None:
    """Return the smallest number of copies that would fail, or ``None`` if none would."""

    def fails(n_copied: int) -> bool:
        return _excess_p(n_copied, n_seen, n_chance, n_unseen) <= P_THRESHOLD

    fewest = 1 + bisect_left(range(1, n_seen + 1), True, key=fails)
    return fewest if fewest <= n_seen else None


def _copied_histories(asked: Histories, made: Histories) -> np.ndarray:
    """Say of each history of at least three items whether a synthetic one equals it."""
    mine, theirs = _sequences(asked), _sequences(made)
    return mine.is_in(theirs.unique().implode()).to_numpy()


def _sequences(histories: Histories) -> pl.Series:
    """Write each history of at least three items as one key, by user."""
    events = pl.DataFrame({"user": histories.user, "item": histories.item})
    keys = events.group_by("user", maintain_order=True).agg(
        pl.col("item").cast(pl.String).str.join(" ").alias("key"), pl.len().alias("n_events")
    )
    return keys.filter(pl.col("n_events") >= _MIN_HISTORY)["key"]


def _copied_runs(asked: Histories, made: Histories) -> np.ndarray:
    """Say of one random run of each history whether a synthetic history holds it.

    One run a user: users are then independent, and a long history does not count more.
    """
    runs, users = asked.runs(_RUN)
    generator = np.random.Generator(np.random.PCG64(derived_seed(0, "audit runs")))
    order = generator.permutation(users.size)
    _, first = np.unique(users[order], return_index=True)
    mine, theirs = (
        pl.DataFrame({f"item_{place}": rows[:, place] for place in range(_RUN)})
        for rows in (runs[order[first]], made.runs(_RUN)[0])
    )
    found = mine.with_row_index("run").join(theirs, on=mine.columns, how="semi")["run"]
    copied = np.zeros(mine.height, dtype=bool)
    copied[found.to_numpy()] = True
    return copied


def _closer_to_train(real: Histories, later: Histories, made: Histories) -> float:
    """Share of synthetic histories whose nearest real one is a train history, ties halved."""
    generator = np.random.Generator(np.random.PCG64(derived_seed(0, "audit distance")))
    n_each = min(_MAX_NEIGHBOURS, real.n_users, later.n_users)
    if not n_each or not made.n_users:
        return float("nan")
    seen, unseen, asked = (
        _item_sets(each, generator.permutation(each.n_users)[:n])
        for each, n in ((real, n_each), (later, n_each), (made, _MAX_NEIGHBOURS))
    )
    nearest_seen, nearest_unseen = _best_jaccard(asked, seen), _best_jaccard(asked, unseen)
    closer = (nearest_seen > nearest_unseen) + 0.5 * (nearest_seen == nearest_unseen)
    return float(closer.mean())


def _item_sets(histories: Histories, users: np.ndarray) -> "csr_array":
    """Return the chosen users' item sets, shape ``(users, n_items)``, entries 0 or 1."""
    from scipy.sparse import csr_array

    user, item = np.divmod(histories.pairs(), histories.n_items)
    shape = (histories.n_users, histories.n_items)
    return csr_array((np.ones(user.size, dtype=np.float32), (user, item)), shape=shape)[users]


def _best_jaccard(asked: "csr_array", known: "csr_array") -> np.ndarray:
    """Return each asked set's similarity to the most similar known one, shape ``(asked,)``."""
    common = (asked @ known.T).toarray()
    sizes = (each.sum(axis=1) for each in (asked, known))
    union = np.add.outer(*sizes) - common
    return np.asarray((common / union).max(axis=1))
