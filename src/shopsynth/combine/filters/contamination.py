"""Contamination: a made text that a held-out part already has would let a model see the test.

In: made rows with a text, the held-out texts by part. Out: the rows kept, and the rejects, whose
reason names the part.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.combine.filters._rows import need_columns, parted, reasons_of
from shopsynth.schema import InputError
from shopsynth.text.near_duplicates import near_duplicate_pairs
from shopsynth.text.shingles import mix_hashes
from shopsynth.text.words import spell_alike, split_words

_SLACK = 0.1
"""How far below the threshold pairs are looked for: sketches miss one in ten that just reach what
is looked for, and one in a hundred of those .1 above; see ``near_duplicate_pairs``."""

_LEAST = 0.3

_SPREAD, _STEP = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)
"""Odd numbers: of the words' hashes, and of the polynomial that hashes a run of them."""

Hashes = NDArray[np.uint64]


def contamination(
    rows: pl.DataFrame,
    heldout: Mapping[str, pl.Series],
    threshold: float = 0.7,
    *,
    run: int | None = None,
    learned: pl.Series | None = None,
    table: str = "queries",
    column: str = "text",
    seed: int = 0,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drop made texts that a held-out part has, exactly or nearly; for millions of texts.

    A text goes as ``equal_in_<part>`` where both are spelled alike (case, width and punctuation
    aside) or have the same words in another order, as ``near_in_<part>`` where the Jaccard
    similarity of words and runs of four characters reaches the threshold. With ``run`` it goes as
    ``holds_run_of_<part>`` where both have so many words in a row, however much stands around
    them, which no similarity of whole texts sees; of Chinese, pairs of neighbouring characters.
    Equality counts before nearness, nearness before runs, and the first part before the next.

    :func:`~shopsynth.combine.drop_near_duplicate_texts` compares every pair and misses none; this
    one looks pairs up in sketches, misses one in a hundred at the threshold, and takes time that
    grows with the number of texts, not of pairs. Not for paraphrases, which share no words; see
    ``embedding_near_duplicates``.

    Args:
        rows: Made rows.
        heldout: Texts by the name of their part, such as ``test`` and ``validation``; nulls and
            texts without words are like nobody.
        threshold: Jaccard similarity in (0, 1].
        run: Words in a row, at least 2; 8 and 13 are usual. Without it runs are not looked for.
        learned: Texts of the training part: a run that one of these has is no secret of the
            held-out parts, and nothing goes for it.
        table: Name of the table, for the rejects.
        column: Column of the texts.
        seed: Seed of the sketches.

    Returns:
        The rows kept, in order, and the rejects; count them with ``reject_counts``.

    Raises:
        InputError: If the column is missing, or the threshold or the run out of range.

    Source:
        Lee et al., Deduplicating training data makes language models better, ACL 2022 (near
        duplicates of the evaluation texts by MinHash); Brown et al., Language models are few-shot
        learners, NeurIPS 2020, appendix C (runs of 8 to 13 words).

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
    if run is not None and run < 2:
        raise InputError(f"{where}: expected a run of at least 2 words, got {run}; 8 is usual")
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
    runs = _runs(rows[column], heldout, learned, run) if run else []
    return parted(rows, table, reasons_of(rows.height, *same, *alike, *runs))


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


def _runs(
    made: pl.Series, heldout: Mapping[str, pl.Series], learned: pl.Series | None, run: int
) -> list[tuple[str, pl.Series]]:
    """Tell by part which made texts have a run that it has and no learned text has."""
    known = [*heldout.values()] if learned is None else [*heldout.values(), learned]
    sides = [texts.cast(pl.String).rename("text") for texts in (made, *known)]
    hashes, owners = _run_hashes(pl.concat(sides), run)
    starts = np.cumsum([0, *(texts.len() for texts in sides)])
    side = np.searchsorted(starts[1:], owners, side="right")
    of_side = [hashes[side == number] for number in range(len(sides))]
    ours = owners[side == 0]
    allowed = np.zeros(ours.size, np.bool_)
    if learned is not None:
        allowed = np.isin(of_side[0], of_side[-1])
    found = []
    for number, name in enumerate(heldout, 1):
        told = np.zeros(made.len(), np.bool_)
        told[ours[np.isin(of_side[0], of_side[number]) & ~allowed]] = True
        found.append((f"holds_run_of_{name}", pl.Series(told, dtype=pl.Boolean)))
    return found


def _run_hashes(texts: pl.Series, run: int) -> tuple[Hashes, NDArray[np.int64]]:
    """Hash every run of words within one text: ``(hashes, owners)``, ``(n_runs,)`` each."""
    words = split_words(texts)
    text = np.repeat(np.arange(texts.len()), np.diff(words.offsets))
    n = max(words.ids.size - run + 1, 0)
    mixed = mix_hashes(words.ids.astype(np.uint64) + np.uint64(1), _SPREAD)
    hashes = np.zeros(n, np.uint64)
    for step in range(run):
        hashes = hashes * _STEP + mixed[step : step + n]
    whole = text[:n] == text[run - 1 : run - 1 + n]
    return hashes[whole], text[:n][whole]
