"""What a class of users gives away about a sensitive attribute: its variety and its distance.

In: the class of every user and one sensitive column. Out: one figure a class.

Only known cells count, so a class in which nothing is told gives nothing away.

Source: l-diversity, Machanavajjhala et al., ICDE 2006 (distinct form); t-closeness, Li et al., ICDE
2007 (section 4: equal distance for categories, ordered distance for numbers and times).
"""

import numpy as np
import polars as pl

from shopsynth.privacy.ladders import is_hidden


def too_telling(
    classes: pl.Series, sensitive: pl.Series, *, fewest: int, farthest: float
) -> pl.Series:
    """Say of each user whether their class gives too much away.

    Args:
        classes: Number of each user's class.
        sensitive: The users' cells.
        fewest: Fewest distinct values a class may hold; 0 and 1 demand nothing.
        farthest: Largest distance of a class to the whole table, 0 to 1; 0 demands nothing.

    Returns:
        One truth value a user.
    """
    known = ~is_hidden(sensitive)
    cells = pl.DataFrame({"class": classes, "value": sensitive}).filter(known)
    figures = cells.group_by("class").agg(pl.col("value").n_unique().alias("n_values"))
    failed = pl.col("n_values") < fewest
    if farthest > 0:
        figures = figures.join(class_distances(cells), on="class")
        # A class that lies exactly at the bound must not fail by the rounding of its shares.
        failed |= pl.col("distance") > farthest + 1e-9
    return classes.is_in(figures.filter(failed)["class"].implode())


def class_distances(cells: pl.DataFrame) -> pl.DataFrame:
    """Measure how far the values of each class lie from those of the whole table.

    Args:
        cells: Columns ``class`` and ``value``, known cells only.

    Returns:
        Columns ``class`` and ``distance``, 0 to 1: total variation for text and yes or no, the
        normalised ordered earth mover's distance for numbers and times.
    """
    whole = cells.group_by("value").len("n").sort("value").with_row_index("code")
    q = whole["n"].to_numpy() / max(cells.height, 1)
    shares = (
        cells.join(whole.select("value", "code"), on="value")
        .group_by("class", "code")
        .len("n")
        .sort("class", "code")
        .with_columns((pl.col("n") / pl.col("n").sum().over("class")).alias("p"))
    )
    code, p = shares["code"].to_numpy().astype(np.int64), shares["p"].to_numpy()
    ordered = cells.schema["value"].is_numeric() or cells.schema["value"].is_temporal()
    first = shares["class"].is_first_distinct().to_numpy()
    if ordered and q.size > 1:
        starts = np.flatnonzero(first)
        moved = _moved(code, p, starts, np.cumsum(q)) / (q.size - 1)
        distance = np.add.reduceat(moved, starts) if starts.size else np.empty(0)
        return pl.DataFrame({"class": shares["class"].filter(first), "distance": distance})
    gain = pl.Series("gain", np.maximum(p - q[code], 0.0))  # Total variation: the part above q.
    return shares.with_columns(gain).group_by("class").agg(pl.col("gain").sum().alias("distance"))


def _moved(code: np.ndarray, p: np.ndarray, starts: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Sum ``|F_class - F_whole|`` over the stretch that begins at each held value.

    A class's distribution function is flat between the values it holds, so that the sum splits
    where the whole's function crosses it; prefix sums then need no table of class times value.

    Args:
        code: Held values as ranks, by class and ascending, shape ``(rows,)``.
        p: Their shares, shape ``(rows,)``.
        starts: Where each class begins, shape ``(classes,)``.
        whole: Distribution function of the table, shape ``(n_values,)``.

    Returns:
        Shape ``(rows,)``; what lies before a class's first value counts to its first row.
    """
    size, prefix = whole.size, np.concatenate([[0.0], np.cumsum(whole)])
    total = np.cumsum(p)
    before = np.repeat(total[starts] - p[starts], np.diff(np.append(starts, p.size)))
    reached = total - before
    end = np.append(code[1:], size)
    end[starts[1:] - 1] = size
    cross = np.clip(np.searchsorted(whole, reached), code, end)
    above = reached * (cross - code) - (prefix[cross] - prefix[code])
    below = prefix[end] - prefix[cross] - reached * (end - cross)
    moved: np.ndarray = above + below
    moved[starts] += prefix[code[starts]]
    return moved
