"""Contamination: a made text that a held-out part already has would let a model see the test.

In: made rows with a text, the held-out texts by part. Out: the rows kept, and the rejects, whose
reason names the part.
"""

from collections.abc import Mapping

import polars as pl

from shopsynth.combine.filters._rows import need_columns, parted, reasons_of
from shopsynth.schema import InputError
from shopsynth.text.near_duplicates import near_duplicate_pairs
from shopsynth.text.words import spell_alike

_SLACK = 0.1
"""How far below the threshold pairs are looked for: sketches miss one in ten that just reach what
is looked for, and one in a hundred of those .1 above; see ``near_duplicate_pairs``."""

_LEAST = 0.3


def contamination(
    rows: pl.DataFrame,
    heldout: Mapping[str, pl.Series],
    threshold: float = 0.7,
    *,
    table: str = "queries",
    column: str = "text",
    seed: int = 0,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drop made texts that a held-out part has, exactly or nearly; for millions of texts.

    A text goes as ``equal_in_<part>`` where both are spelled alike (case, width and punctuation
    aside) or have the same words in another order, as ``near_in_<part>`` where the Jaccard
    similarity of words and runs of four characters reaches the threshold. Equality counts before
    nearness, and the first part before the next.
    :func:`~shopsynth.combine.drop_near_duplicate_texts` compares every pair and misses none; this
    one looks pairs up in sketches, misses one in a hundred at the threshold, and takes time that
    grows with the number of texts, not of pairs. Not for paraphrases, which share no words; see
    ``embedding_near_duplicates``.

    Args:
        rows: Made rows.
        heldout: Texts by the name of their part, such as ``test`` and ``validation``; nulls and
            texts without words are like nobody.
        threshold: Jaccard similarity in (0, 1].
        table: Name of the table, for the rejects.
        column: Column of the texts.
        seed: Seed of the sketches.

    Returns:
        The rows kept, in order, and the rejects; count them with ``reject_counts``.

    Raises:
        InputError: If the column is missing or the threshold out of range.

    Source:
        Lee et al., Deduplicating training data makes language models better, ACL 2022 (near
        duplicates of the evaluation texts by MinHash).

    Example:
        >>> made = pl.DataFrame({"query_id": ["a", "b"], "text": ["wool scarf, red", "tea pot"]})
        >>> kept, rejects = contamination(made, {"test": pl.Series(["Red wool scarf"])})
        >>> kept["query_id"].to_list(), rejects["reason"].to_list()
        (['b'], ['equal_in_test'])
    """
    where = f"contamination, table {table}"
    need_columns(where, rows, column)
    if not 0 < threshold <= 1:
        raise InputError(
            f"{where}: expected a threshold above 0 and at most 1, got {threshold}; it is a "
            "Jaccard similarity of words and runs of characters"
        )
    made = _bags(rows[column])
    parts = {name: _bags(texts).filter(pl.col("bag") != "") for name, texts in heldout.items()}
    same = [
        (f"equal_in_{name}", made["bag"].is_in(known["bag"].unique().implode()))
        for name, known in parts.items()
    ]
    near = _near(made["spelled"], [known["spelled"] for known in parts.values()], threshold, seed)
    alike = [
        (f"near_in_{name}", made["spelled"].is_in(spelled.implode()))
        for name, spelled in zip(parts, near, strict=True)
    ]
    return parted(rows, table, reasons_of(rows.height, *same, *alike))


def _bags(texts: pl.Series) -> pl.DataFrame:
    """Spell texts alike, and sort their words: ``spelled``, ``bag``."""
    spelled = spell_alike(texts)
    words = spelled.str.split(" ").list.unique().list.sort().list.join(" ")
    return pl.DataFrame({"spelled": spelled, "bag": words})


def _near(made: pl.Series, parts: list[pl.Series], threshold: float, seed: int) -> list[pl.Series]:
    """List the made spellings that are nearly in each part."""
    known = pl.concat([pl.Series([], dtype=pl.String), *parts]).unique().sort()
    # Each spelling once, and on one side: of equal texts only the first makes pairs with others.
    ours = made.filter((made != "") & ~made.is_in(known.implode())).unique().sort()
    least = max(min(threshold, _LEAST), threshold - _SLACK)
    pairs = near_duplicate_pairs(pl.concat([ours, known]), least, seed=seed)
    first, n_ours = pl.col("left"), ours.len()
    pairs = pairs.filter(
        (pl.col("similarity") >= threshold) & (first < n_ours) & (pl.col("right") >= n_ours)
    )
    found = pl.DataFrame(
        {"made": ours.gather(pairs["left"]), "known": known.gather(pairs["right"] - n_ours)}
    )
    return [
        found.filter(pl.col("known").is_in(part.unique().implode()))["made"].unique()
        for part in parts
    ]
