"""Near duplicates of texts: synthetic texts that say what a held-out text says are dropped.

In: synthetic rows with a text, held-out real texts. Out: the rows kept, and the rejects.
"""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.combine.near_duplicates import EXACT, NEAR, similar_pairs
from shopsynth.schema import InputError, make_rejects
from shopsynth.text.shingles import ShingleSets, shingle_sets
from shopsynth.text.words import spell_alike

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def drop_near_duplicate_texts(
    synthetic: pl.DataFrame,
    heldout: pl.Series,
    threshold: float = 0.7,
    *,
    table: str = "queries",
    column: str = "text",
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drop synthetic texts that repeat a held-out text, exactly or nearly.

    A model trained on them would have seen the test. Dropped are:

    - ``exact_duplicate_of_test``: the text is spelled alike (case, width and punctuation aside);
    - ``near_duplicate_of_test``: it has the same words in another order, or the Jaccard
      similarity of words and runs of four characters reaches the threshold.

    Every text is compared with every held-out text that it can be similar to: nothing is sampled.
    Not for paraphrases, which share no words.

    Args:
        synthetic: Rows of one table.
        heldout: Texts of validation and test; nulls and texts without words are like nobody.
        threshold: Jaccard similarity in (0, 1] from which two texts count as nearly the same.
        table: Name of the table, for the rejects.
        column: Column of the texts.

    Returns:
        The rows kept, in order, and the rejects with ``REJECT_COLUMNS``, exact ones first.

    Raises:
        InputError: If the column is missing or the threshold out of range.

    Example:
        >>> made = pl.DataFrame({"text": ["red wool scarf", "Scarf, red wool!", "tea pot"]})
        >>> kept, rejects = drop_near_duplicate_texts(made, pl.Series(["Red wool scarf"]))
        >>> kept["text"].to_list(), rejects["reason"].to_list()
        (['tea pot'], ['exact_duplicate_of_test', 'near_duplicate_of_test'])
    """
    if column not in synthetic.columns:
        raise InputError(
            f"combine, table {table}: expected a column {column!r} with the texts, got "
            f"{', '.join(synthetic.columns)}; name the column that holds them"
        )
    if not 0 < threshold <= 1:
        raise InputError(
            f"combine, table {table}: expected a threshold above 0 and at most 1, got {threshold}; "
            "it is a Jaccard similarity of words and runs of characters"
        )
    spelled = spell_alike(synthetic[column])
    known = spell_alike(heldout).unique().sort()
    known = known.filter(known != "")
    exact = spelled.is_in(known.implode())
    # Each spelling is compared once: generators repeat themselves.
    left = spelled.filter(~exact & (spelled != "")).unique().sort()
    near_left = left.filter(pl.Series(_near(left, known, threshold), dtype=pl.Boolean))
    near = spelled.is_in(near_left.implode())
    rejects = pl.concat(
        make_rejects(table, reason, synthetic.filter(rows))
        for reason, rows in ((EXACT, exact), (NEAR, near))
    )
    return synthetic.filter(~(exact | near)), rejects


def _near(made: pl.Series, known: pl.Series, threshold: float) -> NDArray[np.bool_]:
    """Tell which texts are nearly a known one: ``(n_made,)``."""
    near = _sorted_words(made).is_in(_sorted_words(known).implode()).to_numpy().copy()
    made_sets, known_sets = _matrices(shingle_sets(made), shingle_sets(known))
    for row, _ in similar_pairs(made_sets, known_sets, threshold):
        near[row] = True
    return near


def _sorted_words(spelled: pl.Series) -> pl.Series:
    return spelled.str.split(" ").list.unique().list.sort().list.join(" ")


def _matrices(made: ShingleSets, known: ShingleSets) -> "tuple[csr_array, csr_array]":
    """Turn sets into matrices of ones over those elements that both sides have or one has."""
    from scipy.sparse import csr_array

    elements, place = np.unique(
        np.concatenate([made.elements, known.elements]), return_inverse=True
    )
    places = np.split(place, [made.elements.size])
    matrices = [
        csr_array(
            (np.ones(columns.size, dtype=np.float32), columns, sets.offsets),
            shape=(sets.sizes.size, elements.size),
        )
        for columns, sets in zip(places, (made, known), strict=True)
    ]
    return matrices[0], matrices[1]
