"""The recipe's ``[train]`` block."""

from typing import Any

from pydantic import Field

from shopsynth.schema import Settings


class TrainSettings(Settings):
    """Which tasks and models are trained."""

    tasks: tuple[str, ...] = Field(default=("next_item",), min_length=1)
    """Downstream tasks: built in, or a plug-in's. The first one carries the headline."""

    models: tuple[str, ...] = (
        "popularity",
        "item_knn",
        "markov",
        "content_knn",
        "hybrid",
        "sasrec",
    )
    """The menu every arm may choose from; ``a+b`` is the fusion of two fitted models by rank,
    weighed on validation."""

    headline: str = "sasrec"
    """The model of the menu whose uplift is reported first."""

    exclude_seen: bool = False
    """Leave a user's own history out of the ranking: only where nobody buys twice."""

    trials: int = Field(default=0, ge=0)
    """Trials that each arm and model gets for its tuning, chosen on validation; the first are the
    options as given, and an option that ``options`` sets stays. 0 tunes nothing."""

    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Options by model name, for example ``[train.options.sasrec]``."""
