"""What every downstream task and every ranker is.

In: a :class:`TrainingSet`. Out: fitted models, and for a :class:`Holdout` their :class:`Ranking`.
"""

from pathlib import Path
from typing import ClassVar, Protocol, Self

import polars as pl

from shopsynth.schema import (
    SILENT,
    Dataset,
    Holdout,
    Progress,
    Ranking,
    Registry,
    Settings,
    Split,
    TrainingSet,
)


class Ranker(Protocol):
    """A model that ranks the whole catalogue for a unit (a user, a query), or judges a pair.

    Attributes:
        Options: Settings model of the recipe's options for this model. Its class attribute
            ``space``, if it has one, names the :class:`Choice` of each option worth tuning.
        made_of: Names of the models of the task that it is made of; empty for most. Such a model
            and its parts are one architecture when an uplift is confirmed.
        steps_: Optimiser steps taken by :meth:`fit`; 0 for models that are counted, not trained.
    """

    Options: ClassVar[type[Settings]]
    steps_: int

    def __init__(self, options: Settings) -> None:
        """Keep the options."""

    def fit(
        self,
        training: TrainingSet,
        validation: Holdout,
        *,
        seed: int,
        steps: int | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Fit on the training rows; read ``validation`` only to stop and to keep the best state.

        Args:
            training: Rows with weights.
            validation: Questions with real answers, never test.
            seed: Of initial weights, sampling and order.
            steps: Take exactly so many optimiser steps (the ``same_compute`` control) instead of
                stopping early; models without an optimiser ignore it.
            progress: Listener.
        """

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Rank all of ``requests.items`` for every unit; return the best ``k`` of each.

        Where a unit is a pair there is nothing to rank: its one row has the prediction as score
        and rank 1.
        """

    def save(self, folder: Path) -> None:
        """Write the model as JSON and safetensors into an existing empty folder."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a model that :meth:`save` wrote."""


class Task(Protocol):
    """A downstream task: what its units are, what they are asked, and what counts.

    The harness knows nothing else of a task. To add one: a folder of this room named after it, or
    a plug-in under the entry-point group ``shopsynth.tasks``; either way a class that keeps this
    protocol, decorated with ``@TASKS.register("<the name>")`` or named by the entry point.

    Attributes:
        name: The task's word, for example ``next_item``.
        unit: What is asked, in one word: ``user``, ``query`` or ``pair``. Metrics have a value a
            unit, and intervals are over units.
        table: The table whose rows train it.
        metrics: Metric names of the evaluate room that judge it, the headline first.
        slice_names: Names of the slices that :meth:`slices` may tell, ``all`` first: a plan is
            registered before there are rows to look at.
        controls: Arms that could explain an uplift away and make sense for this task: without
            optimisers, say, ``same_compute`` explains nothing. ``side_information`` makes sense
            where the attribute of that name is set, ``oracle`` wherever there is a reserve.
        side_information: The model of the task that uses texts, attributes or relations directly,
            with which the control ``side_information`` is fused; ``None``: there is none.
        rankers: The models of the task.
    """

    name: ClassVar[str]
    unit: ClassVar[str]
    table: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    slice_names: ClassVar[tuple[str, ...]]
    controls: ClassVar[tuple[str, ...]]
    side_information: ClassVar[str | None]
    rankers: ClassVar[Registry[Ranker]]

    def holdout(self, split: Split, part: str) -> Holdout:
        """Pose the questions of ``part`` (``validation`` or ``test``) with their answers."""

    def slices(self, split: Split, truth: pl.DataFrame) -> pl.DataFrame:
        """Say which answers belong to which slice: ``unit_id``, ``item_id``, ``slice``."""

    def describe(self, *, exclude_seen: bool = False) -> dict[str, str]:
        """Tell the report how this task is asked and judged: a sentence a rule.

        Args:
            exclude_seen: As the recipe sets it.

        Returns:
            At least ``truth`` (what counts as right) and ``test input`` (what is known when a test
            question is asked).
        """
