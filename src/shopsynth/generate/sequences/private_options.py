"""The options of ``sequence_lm`` in mode dp. In: a recipe's table. Out: checked settings."""

from pydantic import Field

from shopsynth.generate._public_facts import PublicFacts
from shopsynth.generate.sequences.options import SequenceLmOptions


class NoisyTraining(PublicFacts):
    """How a network is trained by noisy gradients; all of it is public.

    Defaults were chosen on a planted shop, whose people do not exist.
    """

    training_share: float = Field(default=0.4, gt=0, lt=1)
    """Mode dp: share of the squared mu that the network's training is paid from; the rest buys the
    counts that it starts from."""

    training_steps: int = Field(default=300, ge=1)
    """Mode dp: noisy steps. More of them need more noise in each."""

    training_users: int = Field(default=2000, ge=1)
    """Mode dp: users that take part in a step, on average, where the shop has as many as
    ``[privacy]`` bounds them by: each is drawn by chance. Time grows with it, and the signal beside
    the noise."""

    training_clip: float = Field(default=1.0, gt=0)
    """Mode dp: greatest Euclidean norm of one user's gradient."""

    training_rate: float = Field(default=0.005, gt=0)
    """Mode dp: learning rate of Adam."""


class SequenceLmOptionsOfAllModes(NoisyTraining, SequenceLmOptions):
    """Options of ``sequence_lm``: those of rows, and those that begin with "Mode dp"."""


ONLY_WITH_ROWS = frozenset(SequenceLmOptions.model_fields) - {"context"}
ONLY_IN_DP = frozenset(NoisyTraining.model_fields)
