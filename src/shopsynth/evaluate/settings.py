"""The recipe's ``[evaluate]`` block."""

from typing import Annotated

from pydantic import Field

from shopsynth.schema import Settings


class EvaluateSettings(Settings):
    """How the uplift is judged."""

    seeds: int = Field(default=3, ge=1)
    """Generator seeds: that many times synthetic rows are made anew."""

    trainer_seeds: int = Field(default=0, ge=0)
    """Fits of every model on each generator seed's rows, each with the same trainer seeds; 0: one
    fit, with a trainer seed of its own."""

    controls: tuple[str, ...] = (
        "same_compute", "oversample", "noise", "broken_link", "side_information",
    )  # fmt: skip
    """Arms that could explain an uplift away. Without all of its task's controls nothing helps, and
    without side information, where there is some, nothing more than helps this model is said."""

    cutoffs: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(10, 20), min_length=1)
    """List lengths of the metrics; the first is the headline's."""

    max_questions: int = Field(default=25_000, ge=1)
    """Users asked in validation and in test, at most; more are drawn down by a hash of their ids,
    the same ones in every arm. The catalogue is never sampled."""

    resamples: int = Field(default=10_000, ge=100)
    """Bootstrap resamples."""

    min_seeds_for_verdict: int = Field(default=3, ge=1)
    """With fewer different generator seeds, or fewer different trainer seeds, every verdict is
    ``no effect shown``."""

    fail_under: float | None = None
    """Exit with code 3 if the headline uplift, relative, is below this."""
