"""Drawing texts until they copy none: the same for every network that writes.

In: something that draws texts once. Out: texts, none of them empty or a copy, and what was thrown
away for that.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from shopsynth.generate.language.controls import Controls, Levels
from shopsynth.generate.language.copies import Copies
from shopsynth.schema import InputError, Progress

TRIES = 8
"""Draws of a text that was a copy or blank; then it is left out."""

_HOTTER = 0.15
"""What each further draw adds to the temperature, so that a network that knows its texts by heart
says something else at last."""

_BROKEN = "\ufffd"
"""What stands for bytes that are no UTF-8: a network that has learned little writes some. They are
left out."""

Once = Callable[[Levels, float], tuple[Levels, pl.Series]]
"""Gets ``(n, n_controls)`` levels, -1 where open, and what is added to the temperature; returns the
levels, none of them open, and ``n`` texts."""


@dataclass(frozen=True)
class Drawn:
    """Made texts.

    Attributes:
        rows: ``text``, and the columns of the conditions.
        n_copies: Draws that were thrown away, because they copied a real text.
        n_blank: Draws that were thrown away, because nothing stood in them.
        n_left_out: Texts that no draw could make.
    """

    rows: pl.DataFrame
    n_copies: int
    n_blank: int
    n_left_out: int

    def check(self, method: str) -> None:
        """Refuse a sample of nothing.

        Raises:
            InputError: If all texts were left out.
        """
        if self.rows.is_empty():
            raise InputError(
                f"generate.{method}: expected texts that copy no real one, got none in "
                f"{self.n_left_out} places, each drawn {TRIES} times; fit on more texts, with a "
                "smaller network or fewer epochs"
            )


def draw_new(
    once: Once, wanted: Levels, controls: Controls, copies: Copies | None, progress: Progress
) -> Drawn:
    """Draw texts, and those again that copy or are blank, each time a little hotter.

    Args:
        once: Draws.
        wanted: ``(n, n_controls)`` levels, -1 where the data decide.
        controls: Writes levels as values.
        copies: What must not come back; ``None`` where no real text may be kept.
        progress: Started already; told how many texts are ready.
    """
    n = wanted.shape[0]
    texts, levels, missing = [""] * n, wanted.copy(), np.arange(n)
    n_copies = n_blank = 0
    for tried in range(TRIES):
        told, made = once(wanted[missing], _HOTTER * tried)
        made = made.str.replace_all(_BROKEN, "", literal=True)
        blank = (made.str.strip_chars() == "").to_numpy()
        copied = np.zeros(made.len(), np.bool_) if copies is None else copies.among(made)
        copied &= ~blank
        n_copies, n_blank = n_copies + int(copied.sum()), n_blank + int(blank.sum())
        good = ~(blank | copied)
        levels[missing[good]] = told[good]
        for place, text in zip(missing[good], made.filter(pl.Series(good)), strict=True):
            texts[place] = text
        missing = missing[~good]
        progress.advance(int(good.sum()))
        if missing.size == 0:
            break
    progress.advance(int(missing.size))
    kept = np.delete(np.arange(n), missing)
    written = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String).gather(kept)})
    # Not the other way round: without conditions there is no column to put the texts beside.
    rows = written.with_columns(controls.written(levels[kept]).get_columns())
    return Drawn(rows, n_copies, n_blank, int(missing.size))
