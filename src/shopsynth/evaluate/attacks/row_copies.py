"""Copies of attribute rows: whole, or in all but a few columns.

In: rows of attributes of all three sides. Out: what was found of whom.
"""

import numpy as np

from shopsynth.evaluate.attacks.chance import Found, draw
from shopsynth.evaluate.attacks.people import N_ASKED, N_KNOWN
from shopsynth.evaluate.attacks.rows import Rows, most_agreed

SHARE_OF_COLUMNS = 0.75
"""k of n: rows with 2 of 14 columns changed pass every distance check (PRIVACY §6), not this."""


def copied_rows(rows: Rows) -> dict[str, Found]:
    """Find real rows in the release, whole and in at least three columns of four.

    Returns:
        What was found by ``exact_copies_of_user_rows`` and by
        ``copies_of_k_of_n_user_columns``; the second only where a row has four columns or more.
    """
    n_columns = len(rows.names)
    train, heldout = (
        draw(len(side), N_ASKED, f"user rows {number}")
        for number, side in enumerate((rows.train, rows.heldout))
    )
    made = rows.made[draw(len(rows.made), N_KNOWN, "released user rows")]
    standin = draw(len(rows.train), len(made), "stand-in user rows")
    place = np.full(len(rows.train), -1)
    place[standin] = np.arange(standin.size)
    known = rows.train[standin]
    agreed = (
        (most_agreed(rows.train[train], made), most_agreed(rows.heldout[heldout], made)),
        (
            most_agreed(rows.train[train], known, place[train]),
            most_agreed(rows.heldout[heldout], known),
        ),
    )
    scale = max(1.0, len(made) / max(standin.size, 1))
    needed = {"exact_copies_of_user_rows": n_columns}
    if (k := int(np.ceil(SHARE_OF_COLUMNS * n_columns))) < n_columns:
        needed["copies_of_k_of_n_user_columns"] = k
    return {
        name: Found.count(
            (agreed[0][0] >= k, agreed[0][1] >= k), (agreed[1][0] >= k, agreed[1][1] >= k), scale
        )
        for name, k in needed.items()
    }
