"""The options of ``text_lm``. In: a recipe's table. Out: checked settings."""

from pathlib import Path
from typing import ClassVar, Literal, Self

import polars as pl
from pydantic import Field, field_validator, model_validator

from shopsynth.schema import Settings

Wanted = tuple[dict[str, str | bool | float], ...]


class TextConditions(Settings):
    """Which columns texts are made for; shared by the methods that write reviews."""

    conditions: tuple[str, ...] | None = None
    """Columns of reviews, or of items, that a text is told before it begins; those of rating, label
    and category that the shop has, unless set."""

    wanted: Wanted = ()
    """Values that made texts are to have in columns of ``conditions``, a table for each text, in
    turn: ``[{ category = "cups", rating = 1 }, { category = "pots" }]``. What a table leaves out is
    as in a real text that agrees with it; without tables, all is."""

    longest_copy: int = Field(default=12, ge=2)
    """Words in a row that one real text alone has and no made text may have; a text with them, or
    one that reads as a whole real text, is drawn again."""

    @field_validator("wanted")
    @classmethod
    def _one_type_a_column(cls, wanted: Wanted) -> Wanted:
        kinds: dict[str, set[type]] = {}
        for table in wanted:
            for name, value in table.items():
                kinds.setdefault(name, set()).add(type(value))
        if mixed := sorted(name for name, found in kinds.items() if len(found) > 1):
            raise ValueError(
                f"values of {', '.join(mixed)} must be all texts, all numbers, or all true or false"
            )
        return wanted

    @property
    def wanted_rows(self) -> pl.DataFrame | None:
        """What texts are to have, one row a table, null where it leaves a column out."""
        return pl.DataFrame(list(self.wanted), infer_schema_length=None) if self.wanted else None


class TextLmOptions(TextConditions):
    """Options of ``text_lm``.

    Defaults are for some ten thousand texts and a few minutes of one CPU core; they were set, not
    searched for.

    Attributes:
        learned_without: Options that the network does not depend on: after a change of one of them
            a checkpoint still holds.
    """

    learned_without: ClassVar[frozenset[str]] = frozenset(
        {
            "wanted",
            "temperature",
            "top_p",
            "passes",
            "longest_copy",
            "checkpoint_folder",
            "checkpoint_steps",
        }
    )

    objective: Literal["next", "masked"] = "next"
    """What the network learns: the next piece of a text, or pieces hidden anywhere in it. A masked
    one writes a text of a drawn length in some passes, everywhere at once."""

    vocabulary: int = Field(default=2000, ge=300, le=100_000)
    """Most pieces of words that the tokenizer learns, bytes counted; few texts give fewer."""

    length: int = Field(default=128, ge=8, le=4096)
    """Pieces of a text; what is longer is cut in training, and no made text is longer."""

    dim: int = Field(default=128, ge=4)
    """Width of the network's layers."""

    layers: int = Field(default=2, ge=1)
    """Transformer layers."""

    heads: int = Field(default=4, ge=1)
    """Attention heads; must divide ``dim`` into even parts."""

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of activations dropped while training."""

    learning_rate: float = Field(default=0.003, gt=0)
    """Of AdamW, after 50 steps of warm-up."""

    weight_decay: float = Field(default=0.1, ge=0)
    """Of AdamW."""

    batch_tokens: int = Field(default=1024, ge=1)
    """Pieces of a batch, padding counted."""

    max_epochs: int = Field(default=10, ge=1)
    """Passes over the texts after which training ends in any case."""

    patience: int = Field(default=2, ge=1)
    """Passes without improvement on the held-out texts after which training ends."""

    held_out: float = Field(default=0.05, gt=0, lt=1)
    """Share of the texts that decide when to stop, at most 2,000; none are held out of fewer than
    20."""

    temperature: float = Field(default=1.0, gt=0)
    """Scores of pieces are divided by it before drawing: below 1 the likely becomes likelier."""

    top_p: float = Field(default=0.95, gt=0, le=1)
    """Share of probability from which pieces are drawn, the likeliest first (nucleus sampling)."""

    passes: int = Field(default=32, ge=1)
    """Only ``masked``: passes in which a text is uncovered, a share of its pieces in each."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; auto takes a GPU where there is one."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Numbers that training multiplies; auto takes bfloat16 on a GPU and float32 on a CPU."""

    compile: bool = False
    """Compile the network's layers before training: worth its minute only on a GPU."""

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

    @model_validator(mode="after")
    def _masked_is_deep(self) -> Self:
        # With one layer, 1,200 steps on planted reviews left the rating unheard; two heard it after
        # 720: a hidden place must first learn where it stands.
        if self.objective == "masked" and self.layers < 2:
            raise ValueError("objective masked needs layers of at least 2, got 1")
        return self


class PrivateTraining(Settings):
    """How the network is trained by noisy gradients; all of it is public."""

    ratings: tuple[float, ...] = Field(default=(1.0, 2.0, 3.0, 4.0, 5.0), min_length=1)
    """Mode dp: all ratings that there may be; others in the data count as none of them."""

    texts_per_user: int = Field(default=2, ge=1)
    """Mode dp: a user's newest texts that are read; who is not named is a user for each text."""

    training_steps: int = Field(default=300, ge=1)
    """Mode dp: noisy steps. More of them need more noise in each."""

    training_users: int = Field(default=500, ge=1)
    """Mode dp: users that take part in a step, on average, where the shop has as many as
    ``[privacy]`` bounds them by. Time grows with it, and the signal beside the noise."""

    training_clip: float = Field(default=1.0, gt=0)
    """Mode dp: greatest Euclidean norm of one user's gradient."""

    training_rate: float = Field(default=0.005, gt=0)
    """Mode dp: learning rate of Adam."""


class TextLmOptionsOfAllModes(PrivateTraining, TextLmOptions):
    """Options of ``text_lm``: those of rows, and those that begin with "Mode dp"."""


ONLY_IN_DP = frozenset(PrivateTraining.model_fields)
ONLY_WITH_ROWS = frozenset(
    {
        "objective",
        "dropout",
        "learning_rate",
        "weight_decay",
        "batch_tokens",
        "max_epochs",
        "patience",
        "held_out",
        "precision",
        "compile",
        "checkpoint_folder",
        "checkpoint_steps",
        "longest_copy",
    }
)
