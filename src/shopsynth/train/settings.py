"""The recipe's ``[train]`` block."""

from typing import Any

from pydantic import Field

from shopsynth.schema import Settings


class TrainSettings(Settings):
    """Which tasks and models are trained."""

    tasks: tuple[str, ...] = Field(default=("next_item",), min_length=1)
    """Downstream tasks, each a folder of the train room."""

    models: tuple[str, ...] = ("popularity", "item_knn", "content_knn", "hybrid", "sasrec")
    """The menu every arm may choose from."""

    headline: str = "sasrec"
    """The model whose uplift is reported first and for which the dose is chosen."""

    exclude_seen: bool = False
    """Leave a user's own history out of the ranking: only where nobody buys twice."""

    trials: int = Field(default=0, ge=0)
    """Trials that each arm and model gets for its tuning, chosen on validation; the first are the
    options as given, and an option that ``options`` sets stays. 0 tunes nothing."""

    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Options by model name, for example ``[train.options.sasrec]``."""
