"""A second task, as a plug-in would bring it: will a user buy again what he bought before?

A unit is a pair of a user and an item that the user bought; its label is whether he bought it in
the part that is asked about. Two counted models predict it, the weights of rows left aside. It is
known inside ``with rebuy_task():``. Worker processes do not know it, so pipelines that use it run
inline.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

import polars as pl

from shopsynth.schema import (
    RANKING_COLUMNS,
    SILENT,
    TRUTH_COLUMNS,
    Dataset,
    Holdout,
    Progress,
    Ranking,
    Registry,
    Settings,
    Split,
    TrainingSet,
)
from shopsynth.train import TASKS, Ranker

PAIR = ["user_id", "item_id"]
MODELS: Registry[Ranker] = Registry("train.rebuy")


class NoOptions(Settings):
    """These models have none."""


class Rebuy:
    """Pairs of a user and an item; label 1 if the pair occurs again."""

    name: ClassVar[str] = "rebuy"
    unit: ClassVar[str] = "pair"
    table: ClassVar[str] = "events"
    metrics: ClassVar[tuple[str, ...]] = ("auroc", "auprc")
    slice_names: ClassVar[tuple[str, ...]] = ("all", "tail", "warm")
    controls: ClassVar[tuple[str, ...]] = ("oversample", "noise", "broken_link")
    side_information: ClassVar[str | None] = None
    rankers: ClassVar[Registry[Ranker]] = MODELS

    def holdout(self, split: Split, part: str) -> Holdout:
        """Ask about every pair of the past of the users who buy anything in ``part``."""
        past = pl.concat([known.need("events") for known in split.before(part)], how="diagonal")
        now = getattr(split, part).need("events")
        buyers = now.select("user_id").unique()
        pairs = past.select(PAIR).unique().join(buyers, on="user_id", how="semi").sort(PAIR)
        again = now.select(PAIR).unique().with_columns(pl.lit(1.0).alias("grade"))
        labelled = pairs.join(again, on=PAIR, how="left", maintain_order="left").with_columns(
            pl.format("{} {}", *PAIR).alias("unit_id"), pl.col("grade").fill_null(0.0)
        )
        questions = labelled.select(
            pl.col("user_id").alias("head"),
            pl.lit("buys_again").alias("relation"),
            pl.col("item_id").alias("tail"),
            "unit_id",
        )
        truth = labelled.select(list(TRUTH_COLUMNS)).cast(TRUTH_COLUMNS)  # type: ignore[arg-type]
        requests = Dataset(items=split.train.items, events=past, relations=questions)
        return Holdout(requests, truth)

    def slices(self, split: Split, truth: pl.DataFrame) -> pl.DataFrame:
        """Put pairs into the slices of their items."""
        pairs = truth.select("unit_id", "item_id")
        items = split.slices.filter(
            pl.col("kind") == "item", pl.col("slice").is_in(self.slice_names)
        )
        of_items = pairs.join(items.select(pl.col("id").alias("item_id"), "slice"), on="item_id")
        every = pairs.with_columns(pl.lit("all").alias("slice"))
        return pl.concat([every, of_items]).sort("slice", "unit_id")

    def describe(self, *, exclude_seen: bool = False) -> dict[str, str]:
        """Tell how pairs are asked and judged."""
        return {
            "test input": "what the user bought before the test",
            "truth": "whether a user who buys again buys this item again",
        }


@MODELS.register("global_rate")
class GlobalRate:
    """One chance for every pair: the share of pairs that occur more than once."""

    Options: ClassVar[type[Settings]] = NoOptions
    prior_: float
    rates_: dict[str, float]

    def __init__(self, options: Settings) -> None:
        self.steps_ = 0
        self.rates_ = {}

    def fit(
        self,
        training: TrainingSet,
        validation: Holdout,
        *,
        seed: int,
        steps: int | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Count pairs."""
        self.prior_ = _rate(_counted(training))
        return self

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        """Predict each pair by its item, or by the share of all where the item is unknown."""
        asked = requests.need("relations").rename({"tail": "item_id"})
        rates = pl.DataFrame(
            {"item_id": [*self.rates_], "score": [*self.rates_.values()]},
            schema={"item_id": pl.String, "score": pl.Float64},
        )
        judged = asked.join(rates, on="item_id", how="left", maintain_order="left")
        return Ranking(
            judged.select(
                "unit_id",
                "item_id",
                pl.col("score").fill_null(self.prior_).cast(pl.Float32),
                pl.lit(1.0).alias("rank"),
            ).select(list(RANKING_COLUMNS))
        )

    def save(self, folder: Path) -> None:
        """Write the counts."""
        facts = {"prior": self.prior_, "rates": self.rates_}
        (folder / "rates.json").write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the counts."""
        facts = json.loads((folder / "rates.json").read_text(encoding="utf-8"))
        model = cls(NoOptions())
        model.prior_, model.rates_ = facts["prior"], facts["rates"]
        return model


@MODELS.register("item_rate")
class ItemRate(GlobalRate):
    """A chance for every item, drawn towards that of all items where the item is rare."""

    def fit(
        self,
        training: TrainingSet,
        validation: Holdout,
        *,
        seed: int,
        steps: int | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Count by item, as if each had five pairs more with the chance of all."""
        pairs = _counted(training)
        self.prior_ = _rate(pairs)
        by_item = pairs.group_by("item_id").agg(
            pl.len().alias("n"), (pl.col("times") > 1).sum().alias("again")
        )
        self.rates_ = {
            item: (again + 5 * self.prior_) / (n + 5)
            for item, n, again in by_item.sort("item_id").iter_rows()
        }
        return self


def _counted(training: TrainingSet) -> pl.DataFrame:
    return training.rows.group_by(PAIR).agg(pl.len().alias("times")).sort(PAIR)


def _rate(pairs: pl.DataFrame) -> float:
    return pairs.filter(pl.col("times") > 1).height / pairs.height


@contextmanager
def rebuy_task() -> Iterator[type[Rebuy]]:
    """Make the task known for a while, as an entry point of ``shopsynth.tasks`` would for good."""
    TASKS.register("rebuy")(Rebuy)
    try:
        yield Rebuy
    finally:
        del TASKS._classes["rebuy"]
