"""Settings of training by contrast, which encoders of every kind share.

In: nothing. Out: :class:`ContrastOptions`.
"""

from pydantic import Field

from shopsynth.schema import Settings


class ContrastOptions(Settings):
    """How an encoder learns which items answer a query."""

    max_length: int = Field(default=64, ge=4)
    """Tokens of a text that are read."""

    learning_rate: float = Field(default=5e-5, gt=0)
    """Of AdamW, after warm-up."""

    warm_up: int = Field(default=20, ge=1)
    """Steps over which the rate rises from 0."""

    batch: int = Field(default=64, ge=2)
    """Judged queries a step; each one's answer is a negative of all others."""

    negatives: int = Field(default=4, ge=0)
    """Hard negatives a query and step: items that the teacher thinks near, and no answer."""

    mined: int = Field(default=50, ge=1)
    """Items of the teacher's list that hard negatives are drawn from."""

    teacher: str = "bm25"
    """Model of the task that mines hard negatives and teaches margins, with its own defaults."""

    teacher_weight: float = Field(default=0.0, ge=0, le=1)
    """Weight of the teacher's margins in the loss; 0 for answers alone."""

    word_vectors: bool = False
    """Train the word vectors too: half of the parameters, and most words are in no query."""

    max_steps: int = Field(default=300, ge=0)
    """Steps after which training ends in any case."""

    evaluate_every: int = Field(default=50, ge=1)
    """Steps between two looks at validation."""

    patience: int = Field(default=2, ge=1)
    """Looks without improvement after which training ends."""
