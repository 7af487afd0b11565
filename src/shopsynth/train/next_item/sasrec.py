"""SASRec with cross-entropy: a causal transformer that predicts a user's next moment.

In: weighted events, and validation to stop by. Out: item embeddings and layers; a user's scores are
cosines between the state after its newest events and every item. Not for cold items: an item never
trained is listed after all others, in one tie.
"""

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from shopsynth.schema import Settings
from shopsynth.train.next_item._neural import NeuralOptions
from shopsynth.train.next_item._neural_ranker import NeuralRanker
from shopsynth.train.next_item.base import register

if TYPE_CHECKING:
    from shopsynth.train.next_item._sasrec_network import SasrecNetwork


class SasrecOptions(NeuralOptions):
    """Options of ``sasrec``.

    Defaults were chosen on validation of Amazon Beauty (12,101 items, 131,000 events). A shop of
    some 3,000 items trains in seconds, and as well, with ``dim`` 32, ``layers`` 1,
    ``learning_rate`` 0.005 and ``dropout`` 0.1 (validation of Online Retail).
    """

    layers: int = Field(default=2, ge=1)
    """Transformer layers."""

    heads: int = Field(default=2, ge=1)
    """Attention heads; must divide ``dim``."""

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.dim % self.heads:
            raise ValueError(f"heads must divide dim; got heads {self.heads} and dim {self.dim}")
        return self


@register("sasrec")
class Sasrec(NeuralRanker[SasrecOptions]):
    """Self-attentive sequential recommendation, trained with cross-entropy.

    At the end of each moment of a history (an order, or a single event) the network is asked for
    the items of the next moment: the task's own question. The same seed and number of threads give
    the same weights on a CPU.

    Attributes:
        fitted_: The state with the best validation NDCG@10.
        steps_: Optimiser steps taken.

    Source:
        Kang and McAuley, ICDM 2018, https://arxiv.org/abs/1808.09781; cross-entropy as in
        Klenitskiy and Vasilev, Turning Dross Into Gold Loss, RecSys 2023,
        https://arxiv.org/abs/2309.07602.
    """

    name: ClassVar[str] = "sasrec"
    Options: ClassVar[type[Settings]] = SasrecOptions

    def new_network(self, n_items: int) -> "SasrecNetwork":
        """Make a network with first weights for a catalogue of ``n_items`` items."""
        from shopsynth.train.next_item._sasrec_network import NetworkSize, SasrecNetwork

        options = self.options
        size = NetworkSize(n_items, options.dim, options.layers, options.heads, options.max_length)
        return SasrecNetwork(size, options.dropout, options.temperature)

    @classmethod
    def _checked(cls, options: Settings) -> SasrecOptions:
        return SasrecOptions.model_validate(options)
