"""GRU4Rec with cross-entropy: a recurrent network that predicts a user's next moment.

In: weighted events, and validation to stop by. Out: item embeddings and recurrent layers; a user's
scores are cosines between the state after its newest events and every item. Not for cold items: an
item never trained is listed after all others, in one tie.
"""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from shopsynth.schema import Settings
from shopsynth.train.next_item._neural import NeuralOptions
from shopsynth.train.next_item._neural_ranker import NeuralRanker
from shopsynth.train.next_item.base import register

if TYPE_CHECKING:
    from shopsynth.train.next_item._gru_network import GruNetwork


class Gru4RecOptions(NeuralOptions):
    """Options of ``gru4rec``.

    Defaults are those of ``sasrec`` where both have one. A shop of some 3,000 items trains in
    seconds with ``learning_rate`` 0.005 (validation of Online Retail).
    """

    layers: int = Field(default=1, ge=1)
    """Recurrent layers."""

    hidden: int = Field(default=128, ge=1)
    """Width of the recurrent state."""


@register("gru4rec")
class Gru4Rec(NeuralRanker[Gru4RecOptions]):
    """Gated recurrent units over a history, trained with cross-entropy.

    A second architecture beside ``sasrec``: an uplift that only one of them shows is the model's,
    not the data's. Questions, loss, early stopping and probes are those of ``sasrec``. The same
    seed and number of threads give the same weights on a CPU.

    Attributes:
        fitted_: The state with the best validation NDCG@10.
        steps_: Optimiser steps taken.

    Source:
        Hidasi et al., ICLR 2016, https://arxiv.org/abs/1511.06939; cross-entropy instead of its
        pairwise losses as in Petrov and Macdonald, gSASRec, RecSys 2023,
        https://arxiv.org/abs/2308.07192, and Klenitskiy and Vasilev, Turning Dross Into Gold Loss,
        RecSys 2023, https://arxiv.org/abs/2309.07602.
    """

    name: ClassVar[str] = "gru4rec"
    Options: ClassVar[type[Settings]] = Gru4RecOptions

    def new_network(self, n_items: int) -> "GruNetwork":
        """Make a network with first weights for a catalogue of ``n_items`` items."""
        from shopsynth.train.next_item._gru_network import GruNetwork

        options = self.options
        return GruNetwork(
            n_items,
            options.dim,
            options.hidden,
            options.layers,
            options.dropout,
            options.temperature,
        )

    @classmethod
    def _checked(cls, options: Settings) -> Gru4RecOptions:
        return Gru4RecOptions.model_validate(options)
