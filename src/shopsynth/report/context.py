"""What a report tells besides the numbers: the shop, the journey, the protocol, the costs.

In: facts that the pipeline collected from the stages. Out: one frozen, checked object.
"""

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from shopsynth.schema import TIMESTAMP, SchemaError, collect

REJECT_COUNT_COLUMNS = ("table", "reason", "n")
SAMPLE_COLUMNS = ("user_id", "item_id", "title")


@dataclass(frozen=True)
class ReportContext:
    """Facts of one run that are no part of its :class:`~shopsynth.schema.Evaluation`.

    Attributes:
        title: Heading of the report, for example the shop's name.
        created: When the run ended, ISO 8601; passed in, because a report has no clock.
        shop: Rows of each clean table, by table name.
        rejects: Columns ``table``, ``reason``, ``n``: rows that cleaning took out.
        split: Facts of the split, for example ``{"by": "time", "train": 30000}``.
        privacy: ``mode``, ``unit``, ``epsilon``, ``delta`` and any further facts to show.
        generators: One a generator: ``name``, ``options`` (a dict), ``users`` (or queries, reviews)
            and ``events`` (or rows of these).
        dose: The chosen ``ratio`` and ``weight``, and ``sources``: shares of methods; ``wanted``,
            the ratio of the recipe, where there were too few rows for it.
        near_duplicates: Synthetic histories or texts that filters dropped, as copies of held-out
            ones or for what else a recipe asks, by reason.
        stages: One a stage: ``name``, ``wall_s``, ``cpu_s``, ``peak_rss_mb``, ``cached``.
        recipe: The resolved recipe, as text.
        samples: A few synthetic histories, a row an event, each user's in order. Columns
            ``user_id``, ``item_id``, ``title``; optional ``timestamp``, ``synthesizer``, ``note``
            (in place of a time). Of searches and reviews ``user_id`` is a query or a class, and
            ``title`` an item or a text.
        environment: Versions and machine, by name.
        protocol: How it was measured, by name: tie rule, masking, fit set, test input, truth.
        headline_model: The model whose uplift is told first.
        metric: The headline metric.
        cutoff: Its list length.
        shareable: Audits that the page for others may tell, because they read no real rows; any
            other is for the data's controller alone.

    Raises:
        SchemaError: If a frame misses a column it must have.
    """

    title: str
    created: str
    shop: dict[str, int]
    rejects: pl.DataFrame
    split: dict[str, object]
    privacy: dict[str, object]
    generators: list[dict[str, object]]
    dose: dict[str, Any]
    near_duplicates: dict[str, int]
    stages: list[dict[str, object]]
    recipe: str
    samples: pl.DataFrame
    environment: dict[str, str] = field(default_factory=dict)
    protocol: dict[str, str] = field(default_factory=dict)
    headline_model: str = "sasrec"
    metric: str = "ndcg"
    cutoff: int = 10
    shareable: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        faults = []
        for name, wanted in (("rejects", REJECT_COUNT_COLUMNS), ("samples", SAMPLE_COLUMNS)):
            present = getattr(self, name).columns
            missing = [column for column in wanted if column not in present]
            if missing:
                faults.append(
                    f"{name}: expected column(s) {', '.join(missing)}; "
                    f"present: {', '.join(present) or 'none'}"
                )
        found = self.samples.schema.get("timestamp", TIMESTAMP)
        if found != TIMESTAMP:
            faults.append(f"samples: column timestamp: expected {TIMESTAMP}, got {found}")
        collect("ReportContext", faults, SchemaError)
