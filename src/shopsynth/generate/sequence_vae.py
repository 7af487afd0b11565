"""sequence_vae: whole histories from a VAE: who somebody is, in few numbers, then their events.

In: a private view's events and catalogue. Out: events of new users with items, types, sessions and
times.

Not for shops of a few hundred events, nor where ``sequence_lm`` will do: what events tell of each
other it learns as well and sooner; it gives no differential privacy. Needs torch.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from shopsynth.generate._histories import read_histories
from shopsynth.generate.base import (
    WITHOUT_GUARANTEE,
    Conditions,
    check_request,
    check_view,
    fitted,
    register,
    whole_sample,
)
from shopsynth.generate.sequences.conditions import make_plan
from shopsynth.generate.sequences.latent_options import SequenceVaeOptions
from shopsynth.generate.sequences.streaming import MEETS, Source, need_torch, stream_histories
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Progress, Settings, SyntheticDataset, derived_seed

if TYPE_CHECKING:
    from shopsynth.generate.latent.mixture import Mixture
    from shopsynth.generate.sequences.latent_fitting import LearnedVae

_METHOD = "sequence_vae"


@dataclass(frozen=True)
class _Model:
    """What fit learned."""

    source: Source
    vae: "LearnedVae"
    mixture: "Mixture"


@register("sequence_vae")
class SequenceVae:
    """A variational autoencoder over histories.

    An encoder reads a whole history and says in a few numbers z who it is of; the decoder, the
    network of ``sequence_lm``, is told z at every event and draws as it does there. So the
    decoder's first guess of new items is still what counts of neighbours say: the network learns to
    correct it, and z learns what differs between people, where that helps to explain events.

    New people's z come from a mixture of normal distributions around where the real ones lie, or
    from the prior. With a ``start``, z is what the encoder says of the beginning.

    Attributes:
        loss_: Surprise of the held-out users and weighted divergence, nats an event.
        steps_: Optimiser steps taken.
        active_: Numbers of z that say something of held-out users (above .01 nats).
        gain_: Nats an event that their own z explains more than another's.
        collapsed_: Whether the decoder does without z (posterior collapse): histories are then
            those of ``sequence_lm``, and the progress listener is told so.

    Source:
        Kingma and Welling, arXiv 1312.6114; Bowman et al., arXiv 1511.06349; Liang et al., arXiv
        1802.05814.
    """

    Options: ClassVar[type[Settings]] = SequenceVaeOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "events"
    meets: ClassVar[frozenset[str]] = MEETS
    loss_: float
    steps_: int
    active_: int
    gain_: float
    collapsed_: bool

    def __init__(self, options: SequenceVaeOptions) -> None:
        self.options = options
        self._model: _Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Train encoder and decoder until held-out users of the view surprise no less.

        The same seed and number of threads give the same weights on a CPU.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            EmptyDataError: If no catalogue item was ever bought.
            MissingExtraError: If torch is not installed.
            InputError: If training diverges.
            SourceError: If ``checkpoint_folder`` holds a damaged checkpoint.
        """
        check_view(view, _METHOD, self.modes)
        need_torch(_METHOD)
        from shopsynth.generate.latent.mixture import Mixture
        from shopsynth.generate.latent.places import tell_collapse
        from shopsynth.generate.sequences.latent_fitting import fit_vae

        form, histories = read_histories(view, _METHOD)
        vae = fit_vae(_METHOD, form, histories, self.options, seed=seed, progress=progress)
        tell_collapse(_METHOD, vae.telling, "an event", progress)
        random = np.random.Generator(np.random.PCG64(derived_seed(seed, _METHOD, "mixture")))
        mixture = Mixture.fit(vae.people.draw(random), k=self.options.components, random=random)
        source = Source.of(_METHOD, self.options, form, histories, vae.learned)
        self._model = _Model(source, vae, mixture)
        self.loss_, self.steps_ = vae.learned.loss, vae.learned.n_steps
        self.active_, self.gain_ = vae.telling.n_active, vae.telling.gain
        self.collapsed_ = vae.telling.collapsed
        return self

    def sample(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> SyntheticDataset:
        """Draw who ``n`` people are, and their histories.

        With ``item_ids`` every history gets one of them, chosen by the network; with ``category``
        it stays inside; with ``period`` inside a time window; with ``start`` it goes on from one
        of the beginnings, in turn.

        Raises:
            InputError: If ``fit`` has not run, ``n`` is not positive, or a condition cannot be met;
                the message names the nearest one that can.
        """
        return whole_sample(self.stream(n, conditions=conditions, seed=seed, progress=progress))

    def stream(
        self,
        n: int,
        *,
        conditions: Conditions | None = None,
        seed: int,
        progress: Progress = SILENT,
    ) -> Iterator[SyntheticDataset]:
        """Make the rows of ``sample``, a block of users at a time.

        Raises:
            InputError: As ``sample``.
        """
        check_request(n, conditions, _METHOD, meets=MEETS)
        model = fitted(self._model, _METHOD)
        random = np.random.Generator(np.random.PCG64(seed))
        plan = make_plan(n, conditions, model.source.shop, random)
        if plan.given is not None:
            latent = model.vae.who(plan.given, random)
        elif self.options.drawn_from == "people":
            latent = model.mixture.draw(n, random)
        else:
            latent = random.standard_normal((n, self.options.latent), dtype=np.float32)
        plan = replace(plan, latent=latent)
        yield from stream_histories(model.source, plan, seed=seed, random=random, progress=progress)
