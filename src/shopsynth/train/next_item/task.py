"""The task next_item: its questions, its answers and its slices.

In: a :class:`Split`. Out: for each user the history before the cut and the items of the next
session after it.
"""

from typing import ClassVar

import polars as pl

from shopsynth.schema import (
    TRUTH_COLUMNS,
    Dataset,
    EmptyDataError,
    Holdout,
    Registry,
    Split,
    order_column,
)
from shopsynth.train.base import Ranker
from shopsynth.train.next_item.base import RANKERS
from shopsynth.train.tasks import TASKS

_OF_TRAINING_ROWS = ("origin", "weight")


@TASKS.register("next_item")
class NextItem:
    """Users are asked for their next session, over the full catalogue.

    The items of one session (an order, a basket) have no order among themselves, so all of them
    are right answers of grade 1. What a user does after that session is not asked: the model
    would have seen the session by then.
    """

    name: ClassVar[str] = "next_item"
    unit: ClassVar[str] = "user"
    table: ClassVar[str] = "events"
    metrics: ClassVar[tuple[str, ...]] = (
        "ndcg", "recall", "mrr", "coverage", "novelty", "gini",
    )  # fmt: skip
    slice_names: ClassVar[tuple[str, ...]] = ("all", "cold", "tail", "warm", "short", "new")
    controls: ClassVar[tuple[str, ...]] = ("same_compute", "oversample", "noise", "broken_link")
    side_information: ClassVar[str | None] = "hybrid"
    rankers: ClassVar[Registry[Ranker]] = RANKERS

    def holdout(self, split: Split, part: str) -> Holdout:
        """Pose the questions of ``part`` with their answers.

        A unit is a user with at least one earlier event and one event in ``part``. Its history is
        all before ``part`` (:meth:`Split.before`): train for ``validation``, train and validation
        for ``test``; at low data, where test asks other users, what those did before. Its
        answers are the distinct items of the first session in ``part``: the rows that share the
        first event's ``session_id``, or its timestamp where there is none. A split by
        ``leave_one_out`` or a shop ordered by ``position`` alone has one answer, the next item.

        ``exclude_seen`` is left off here: the recipe decides it, so the caller sets it with
        ``dataclasses.replace``. Answers that a user already has stay in the truth either way.

        Args:
            split: The real shop.
            part: ``validation`` or ``test``.

        Returns:
            ``requests`` with the histories as ``events`` and the full catalogue as ``items``;
            ``truth`` sorted by unit and item.

        Raises:
            UnknownNameError: If there is no such part.
            EmptyDataError: If no user has events both before and in ``part``.
        """
        earlier = [known.need("events") for known in split.before(part)]
        asked = getattr(split, part).ordered_events()
        history = pl.concat(earlier, how="diagonal")
        asked = asked.join(history.select("user_id").unique(), on="user_id", how="semi")
        if asked.height == 0:
            raise EmptyDataError(
                f"next_item, {part}: expected users with events both before the cut and after it, "
                f"got none among {history['user_id'].n_unique()} users before it. "
                f"Give [split] {part} a larger share, or use events of a longer period."
            )
        asked = asked.filter(_in_next_session(asked, split.by))
        truth = (
            asked.select(pl.col("user_id").alias("unit_id"), "item_id", pl.lit(1.0).alias("grade"))
            .unique()
            .sort("unit_id", "item_id")
            .cast(dict(TRUTH_COLUMNS))
        )
        # A shop's own column weight (of a parcel, say) is not the weight of a row.
        history = history.drop(_OF_TRAINING_ROWS, strict=False)
        history = history.join(asked.select("user_id").unique(), on="user_id", how="semi")
        requests = Dataset(items=split.train.items, events=history)
        return Holdout(Dataset(items=requests.items, events=requests.ordered_events()), truth)

    def slices(self, split: Split, truth: pl.DataFrame) -> pl.DataFrame:
        """Say which answers belong to which slice.

        Item slices (``cold``, ``tail``, ``warm``) hold single answers, user slices (``short``,
        ``new``) all answers of a unit, and ``all`` every answer.

        Args:
            split: Holds the slices, fixed from train alone.
            truth: Answers of :meth:`holdout`.

        Returns:
            Columns ``unit_id``, ``item_id``, ``slice``, sorted by slice, unit and item.
        """
        answers = truth.select("unit_id", "item_id")
        parts = [answers.with_columns(pl.lit("all").alias("slice"))]
        for kind, key in (("item", "item_id"), ("user", "unit_id")):
            members = split.slices.filter(pl.col("kind") == kind).select(
                pl.col("id").alias(key), "slice"
            )
            joined = answers.join(members, on=key, how="inner")
            parts.append(joined.select("unit_id", "item_id", "slice"))
        return pl.concat(parts).sort("slice", "unit_id", "item_id")

    def describe(self, *, exclude_seen: bool = False) -> dict[str, str]:
        """Tell the report how users are asked and judged."""
        seen = "left out" if exclude_seen else "not left out: people buy again"
        return {
            "ranking": "the full catalogue, never a sample",
            "ties": "equal scores share their mean rank",
            "own history": f"items a user already had are {seen}",
            "test input": "all that a user did before the test, validation events too",
            "truth": "the items of the user's next session; one basket has no order",
        }


def _in_next_session(asked: pl.DataFrame, by: str) -> pl.Expr:
    """Mark the rows of each user's first session; ``asked`` is ordered by user and time."""
    if by == "leave_one_out" or order_column(asked) == "position":
        return pl.int_range(pl.len()).over("user_id") == 0
    moment = pl.col("timestamp").cast(pl.Int64).cast(pl.String)
    if "session_id" in asked.columns:
        # A prefix keeps a session called like a timestamp apart from that timestamp.
        session = pl.coalesce(pl.lit("session ") + pl.col("session_id"), moment)
    else:
        session = moment
    return session == session.first().over("user_id")
