"""The options of ``sequence_lm``. In: a recipe's table. Out: checked settings."""

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from shopsynth.schema import Settings


class SequenceLmOptions(Settings):
    """Options of ``sequence_lm``.

    Defaults were chosen on users cut out of 4,000 training users of Amazon Beauty.

    Attributes:
        learned_without: Options that the network does not depend on: after a change of one of them
            a checkpoint still holds.
    """

    learned_without: ClassVar[frozenset[str]] = frozenset(
        {
            "temperature",
            "top_p",
            "sharpness",
            "popularity",
            "checkpoint_folder",
            "checkpoint_steps",
        }
    )

    dim: int = Field(default=64, ge=4)
    """Width of the network's layers."""

    layers: int = Field(default=2, ge=1)
    """Transformer layers."""

    heads: int = Field(default=2, ge=1)
    """Attention heads; must divide ``dim`` into even parts."""

    context: int = Field(default=32, ge=1)
    """Newest events that each layer looks at."""

    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Share of activations dropped while training."""

    learning_rate: float = Field(default=0.001, gt=0)
    """Of AdamW, after 50 steps of warm-up."""

    weight_decay: float = Field(default=0.5, ge=0)
    """Of AdamW. Few users need much: 4,000 of Amazon Beauty .5 rather than .05."""

    batch_events: int = Field(default=512, ge=1)
    """Events of a batch, padding counted."""

    max_epochs: int = Field(default=30, ge=1)
    """Passes over the events after which training ends in any case."""

    patience: int = Field(default=3, ge=1)
    """Passes without improvement on the held-out users after which training ends."""

    held_out: float = Field(default=0.05, gt=0, lt=1)
    """Share of the users that decide when to stop, at most 2,000; none are held out of fewer than
    20 users."""

    temperature: float = Field(default=0.8, gt=0)
    """Scores of items are divided by it before drawing: below 1 the likely becomes likelier."""

    top_p: float = Field(default=1.0, gt=0, le=1)
    """Share of probability from which codes are drawn, the likeliest first (nucleus sampling)."""

    sharpness: float = Field(default=1.5, gt=0)
    """Power to which counts of items bought together are raised when they guess the next item."""

    popularity: float = Field(default=0.02, gt=0, le=1)
    """Weight of mere popularity in the guess of the next item; at 1 it is drawn as learned, which
    spreads a few thousand histories too thinly to show what follows what."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; auto takes a GPU where there is one."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Numbers that training multiplies; auto takes bfloat16 on a GPU and float32 on a CPU."""

    compile: bool = False
    """Compile the network's layers before training: worth its minute only on a GPU with many
    events."""

    checkpoint_folder: Path | None = None
    """Where the state of a fit is kept, so that a killed fit goes on and ends with the same
    weights; nowhere unless set."""

    checkpoint_steps: int = Field(default=500, ge=1)
    """Steps between two checkpoints."""

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.dim % (2 * self.heads):
            raise ValueError(
                f"heads must divide dim into even parts; got heads {self.heads}, dim {self.dim}"
            )
        return self
