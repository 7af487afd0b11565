"""Fusion: what two or more fitted models of one task say together.

In: fitted models and validation questions. Out: one :class:`Ranking`, the weights chosen on
validation. It knows models by their rankings alone, so it fuses whatever a task has. It is how an
arm uses side information directly (``side_information``), and how the menu gets names such as
``sasrec+hybrid``.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopsynth.schema import (
    FUSED,
    RANKING_COLUMNS,
    Dataset,
    Holdout,
    InputError,
    Ranking,
    RecipeError,
    SourceError,
)
from shopsynth.train.base import Ranker

Floats = NDArray[np.float64]

_WEIGHTS = (0.0, 1.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Of a part that joins; the ends first, because a model alone is simpler than two."""

_CONSTANTS = (20.0, 10.0, 5.0, 60.0)
"""The first is used while weights are chosen. 60 is the source's; 10 and 20 were better here."""

_LENGTH = 200
"""Of the lists that are fused; with 600 or 2,000 NDCG@10 changed by less than .0006 (Beauty)."""

PROBE_UNITS = 5000
"""Of validation, as for ``hybrid``: enough to weigh two models by."""

_FACTS = "fusion.json"
_VERSION = 1


def fused_names(name: str) -> tuple[str, ...]:
    """Take a model's name apart: ``a+b`` is the fusion of ``a`` and ``b``.

    Args:
        name: Of ``[train] models``; a plain name is a fusion of one.

    Raises:
        RecipeError: If a part is empty or named twice.

    Example:
        >>> fused_names("sasrec+hybrid"), fused_names("sasrec")
        (('sasrec', 'hybrid'), ('sasrec',))
    """
    parts = tuple(name.split(FUSED))
    if not all(parts) or len(set(parts)) < len(parts):
        raise RecipeError(
            f"train.models: {name!r}: expected different models joined by +, such as "
            "sasrec+hybrid, got an empty part or one part twice; name each model once"
        )
    return parts


class Fusion:
    """Weighted reciprocal-rank fusion: ``sum_i w_i / (c + rank_i)`` over the parts' lists.

    An item that a part does not list gets nothing from it. Nor does one that the part lists as
    tied with items beyond the list: which of them are listed is chance. Where each unit has one
    item only (a pair and its prediction), ranks say nothing and ``sum_i w_i score_i`` is taken.

    Ranks need no scale: similarities, logits and probabilities fuse alike, and nothing is lost by
    it: in a trial on Amazon Beauty and Toys (test NDCG@10, weights by validation) ``item_knn`` and
    ``content_knn`` gave .0449 and .0579 by rank, .0444 and .0581 by score, in standard deviations
    of a list from its last score. ``hybrid`` sees their scores of the whole catalogue and is better
    still: on Beauty .0467 against .0451, where the parts have .0398 and .0141
    (``benchmarks/fusion.py``). Where a task has such a hybrid, that is the part to fuse.

    Args:
        parts: Fitted models of one task by name.

    Attributes:
        parts: As given.
        weights_: Weight of each part; they add up to 1, and some may be 0.
        constant_: ``c``: how little the top of a list counts more than what follows.
        steps_: Optimiser steps that all parts took.

    Source:
        Cormack, Clarke and Büttcher, Reciprocal Rank Fusion Outperforms Condorcet and Individual
        Rank Learning Methods, SIGIR 2009.
    """

    weights_: dict[str, float]
    constant_: float

    def __init__(self, parts: Mapping[str, Ranker]) -> None:
        if len(parts) < 2:
            raise InputError(
                f"Fusion: expected two or more fitted models, got {len(parts)}; "
                "use a single model as it is"
            )
        self.parts = dict(parts)
        self.steps_ = sum(part.steps_ for part in self.parts.values())

    def choose(self, validation: Holdout, score: Callable[[Ranking], float]) -> Self:
        """Choose weights and constant on validation.

        Parts join one after the other, each with the best of a grid of weights from 0 (not at all)
        to 1 (alone), so a fusion can fall back to any one of its parts. Then the constant is
        chosen. Of equally good choices the first: what there was, the new part alone, a mixture.
        Nothing is drawn.

        Args:
            validation: Questions with real answers, never test. At most 5,000 units are asked.
            score: The task's headline metric as a mean over units, higher is better. Units that
                were not asked are not in the ranking; whether they count as 0 or are left out
                makes no difference to the choice.
        """
        asked = validation.drawn_down(PROBE_UNITS)
        table = self._read(tuple(self.parts), asked.requests, _LENGTH, asked.exclude_seen)

        def value(weights: Floats, constant: float) -> float:
            return score(_fused(table, weights, constant, _LENGTH))

        alone = np.eye(len(self.parts))
        best, constant = alone[0], _CONSTANTS[0]
        for part in alone[1:]:
            mixed = [(1 - weight) * best + weight * part for weight in _WEIGHTS]
            best = max(mixed, key=lambda weights: value(weights, _CONSTANTS[0]))
        if not table.single and np.count_nonzero(best) > 1:
            constant = max(_CONSTANTS, key=lambda each: value(best, each))
        self.weights_ = dict(zip(self.parts, best.tolist(), strict=True))
        self.constant_ = constant
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank all of ``requests.items`` for every unit; return the best ``k`` of each."""
        used = tuple(name for name, weight in self.weights_.items() if weight > 0)
        if len(used) == 1:
            return self.parts[used[0]].rank(requests, k=k, exclude_seen=exclude_seen)
        table = self._read(used, requests, max(k, _LENGTH), exclude_seen)
        weights = np.array([self.weights_[name] for name in used])
        return _fused(table, weights, self.constant_, k)

    def save(self, folder: Path) -> None:
        """Write the weights into an existing folder; the parts have their own."""
        facts = {"version": _VERSION, "weights": self.weights_, "constant": self.constant_}
        (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, parts: Mapping[str, Ranker]) -> Self:
        """Read the weights that :meth:`save` wrote.

        Args:
            folder: Where they are.
            parts: The same models, loaded from their own folders.

        Raises:
            SourceError: If the file is missing or damaged, or was written for other parts.
        """
        where = folder / _FACTS
        try:
            facts = json.loads(where.read_text(encoding="utf-8"))
            version, weights, constant = (facts[key] for key in ("version", "weights", "constant"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SourceError(
                f"{where}: expected the weights of a fusion; reading them failed "
                f"({type(error).__name__}). Train again."
            ) from error
        if version != _VERSION or list(weights) != list(parts):
            raise SourceError(
                f"{where}: expected version {_VERSION} and the parts {', '.join(parts)}, got "
                f"version {version} and {', '.join(weights)}. Train again."
            )
        fusion = cls(parts)
        fusion.weights_, fusion.constant_ = weights, constant
        return fusion

    def _read(
        self, names: tuple[str, ...], requests: Dataset, length: int, exclude_seen: bool
    ) -> "_Table":
        lists = [
            self.parts[name].rank(requests, k=length, exclude_seen=exclude_seen).frame
            for name in names
        ]
        return _table(lists)


@dataclass(frozen=True)
class _Table:
    """What every part says of every item that any part lists, by unit.

    Attributes:
        unit_ids: All units, sorted.
        item_ids: All listed items, sorted.
        unit: Unit number of each row, ascending. Shape ``(rows,)``.
        item: Item number of each row, ascending within a unit. Shape ``(rows,)``.
        said: Rank of the row's item in each part's list, infinite where it is not listed; scores,
            0 where there is none, if ``single``. Shape ``(parts, rows)``.
        single: Whether each unit has one item only.
    """

    unit_ids: pl.Series
    item_ids: pl.Series
    unit: NDArray[np.int64]
    item: NDArray[np.int64]
    said: Floats
    single: bool

    def gains(self, weights: Floats, constant: float) -> NDArray[np.float32]:
        """Add up what the parts give each row; as narrow as the scores of a ranking."""
        total = np.zeros(self.unit.size)
        for weight, said in zip(weights, self.said, strict=True):
            if weight > 0:
                total += weight * (said if self.single else 1.0 / (constant + said))
        return total.astype(np.float32)


def _table(lists: list[pl.DataFrame]) -> _Table:
    """Put the lists of all parts side by side."""
    unit_ids, item_ids = (
        pl.concat([frame[column].unique() for frame in lists]).unique().sort()
        for column in ("unit_id", "item_id")
    )
    single = all(frame["unit_id"].n_unique() == frame.height for frame in lists)
    coded = [_coded(frame, unit_ids, item_ids) for frame in lists]
    if not single:
        coded = [frame.filter(_place_is_known()) for frame in coded]
    keys = [frame["unit"].to_numpy() * item_ids.len() + frame["item"].to_numpy() for frame in coded]
    every = np.unique(np.concatenate(keys))
    said = np.full((len(lists), every.size), 0.0 if single else np.inf)
    for row, key, frame in zip(said, keys, coded, strict=True):
        row[np.searchsorted(every, key)] = frame["score" if single else "rank"].to_numpy()
    unit, item = np.divmod(every, max(1, item_ids.len()))
    return _Table(unit_ids, item_ids, unit, item, said, single)


def _coded(frame: pl.DataFrame, unit_ids: pl.Series, item_ids: pl.Series) -> pl.DataFrame:
    """Number units and items; columns ``unit``, ``item`` (Int64), ``score``, ``rank``."""
    return frame.select(
        pl.col("unit_id").cast(pl.Enum(unit_ids)).to_physical().cast(pl.Int64).alias("unit"),
        pl.col("item_id").cast(pl.Enum(item_ids)).to_physical().cast(pl.Int64).alias("item"),
        "score",
        "rank",
    )


def _place_is_known() -> pl.Expr:
    """Say of each row whether all items tied with it are listed too.

    Then the mean of their places in the list is their rank; ties that reach further have a
    greater rank.
    """
    place = pl.col("rank").rank("average").over("unit")
    return (pl.col("rank") - place).abs() < 0.25  # mean ranks differ by halves


def _fused(table: _Table, weights: Floats, constant: float, k: int) -> Ranking:
    """Rank every unit's rows by their gains; equal ones share their mean rank."""
    gains = table.gains(weights, constant)
    kept = np.arange(gains.size) if table.single else np.flatnonzero(gains > 0)
    order = kept[np.lexsort((-gains[kept], table.unit[kept]))]
    unit, gain = table.unit[order], gains[order]
    new_unit = np.r_[True, unit[1:] != unit[:-1]][: unit.size]
    new_tie = new_unit | np.r_[True, gain[1:] != gain[:-1]][: unit.size]
    starts = np.flatnonzero(new_unit)
    place = np.arange(unit.size) - np.repeat(starts, np.diff(np.r_[starts, unit.size]))
    ties = np.flatnonzero(new_tie)
    sizes = np.diff(np.r_[ties, unit.size])
    rank = np.repeat(place[ties] + (sizes - 1) / 2 + 1.0, sizes)
    top = place < k
    return Ranking(
        pl.DataFrame(
            {
                "unit_id": table.unit_ids.gather(unit[top]),
                "item_id": table.item_ids.gather(table.item[order][top]),
                "score": gain[top],
                "rank": rank[top],
            },
            schema=RANKING_COLUMNS,
        )
    )
