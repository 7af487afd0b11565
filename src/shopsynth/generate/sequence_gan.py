"""sequence_gan: whole histories of people drawn by a GAN in the latent space of a history VAE.

In: a private view's events and catalogue. Out: events of new users with items, types, sessions and
times.

Not for shops of a few hundred events, nor where ``sequence_vae`` will do, which knows where people
lie without an adversary; it gives no differential privacy. Needs torch.
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
from shopsynth.generate.sequences.latent_options import SequenceGanOptions
from shopsynth.generate.sequences.streaming import MEETS, Source, need_torch, stream_histories
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Progress, Settings, SyntheticDataset

if TYPE_CHECKING:
    from shopsynth.generate.latent.contest import LearnedGan
    from shopsynth.generate.latent.judge import Distances
    from shopsynth.generate.sequences.latent_fitting import LearnedVae

_METHOD = "sequence_gan"


@dataclass(frozen=True)
class _Model:
    """What fit learned."""

    source: Source
    vae: "LearnedVae"
    gan: "LearnedGan"


@register("sequence_gan")
class SequenceGan:
    """A generative adversarial network over who people are.

    First ``sequence_vae`` learns to say in a few numbers z who a history is of, and to draw
    histories given z. Then a generator learns to make z that a critic cannot tell from those of
    real people: Wasserstein with a gradient penalty, or spectral norm with the hinge loss; two
    learning rates, an average of the generator's weights, and a stop when it comes no nearer to
    held-out people. What the adversary learned is who comes, not what they do: events are drawn by
    the VAE's decoder, with the counts it corrects. No gradient passes through a draw of items,
    which are discrete; training a GAN through them is noisy where it is unbiased.

    A generator that diverges, ends no nearer than it began, or reaches few of the held-out people
    is refused, never returned. With a ``start`` the encoder says who the beginning is of.

    ``checkpoint_folder`` keeps the VAE's fit; the GAN's seconds are taken anew.

    Attributes:
        loss_: Of the VAE: surprise of held-out users and weighted divergence, nats an event.
        steps_: Steps of the generator taken.
        distances_: How near the generator came to held-out people.
        gain_: Nats an event that the z of held-out users explains more than another's.
        collapsed_: Whether the decoder does without z: then nothing the GAN learned matters, and
            the progress listener is told so.

    Source:
        Arjovsky et al., arXiv 1701.07875; Gulrajani et al., arXiv 1704.00028; Miyato et al., arXiv
        1802.05957; Heusel et al., arXiv 1706.08500.
    """

    Options: ClassVar[type[Settings]] = SequenceGanOptions
    modes: ClassVar[frozenset[str]] = WITHOUT_GUARANTEE
    table: ClassVar[str] = "events"
    meets: ClassVar[frozenset[str]] = MEETS
    loss_: float
    steps_: int
    distances_: "Distances"
    gain_: float
    collapsed_: bool

    def __init__(self, options: SequenceGanOptions) -> None:
        self.options = options
        self._model: _Model | None = None

    def fit(self, view: PrivateView, *, seed: int, progress: Progress = SILENT) -> Self:
        """Train the VAE, then generator against critic, both judged by held-out users of the view.

        The same seed and number of threads give the same weights on a CPU.

        Raises:
            PrivacyError: If ``view`` is not a view of a mode without guarantee.
            EmptyDataError: If no catalogue item was ever bought.
            MissingExtraError: If torch is not installed.
            InputError: If training diverges, or the generator knows but few kinds of people.
            SourceError: If ``checkpoint_folder`` holds a damaged checkpoint.
        """
        check_view(view, _METHOD, self.modes)
        need_torch(_METHOD)
        from shopsynth.generate.latent.contest import fit_gan
        from shopsynth.generate.latent.places import tell_collapse
        from shopsynth.generate.sequences.latent_fitting import fit_vae

        form, histories = read_histories(view, _METHOD)
        options = self.options
        vae = fit_vae(_METHOD, form, histories, options, seed=seed, progress=progress)
        tell_collapse(_METHOD, vae.telling, "an event", progress)
        gan = fit_gan(
            _METHOD,
            vae.people,
            vae.held_out,
            options,
            instead="sequence_vae",
            seed=seed,
            progress=progress,
        )
        self._model = _Model(Source.of(_METHOD, options, form, histories, vae.learned), vae, gan)
        self.loss_, self.steps_ = vae.learned.loss, gan.n_steps
        self.distances_ = gan.distances
        self.gain_, self.collapsed_ = vae.telling.gain, vae.telling.collapsed
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
        given = plan.given
        latent = model.gan.draw(n, random) if given is None else model.vae.who(given, random)
        plan = replace(plan, latent=latent)
        yield from stream_histories(model.source, plan, seed=seed, random=random, progress=progress)
