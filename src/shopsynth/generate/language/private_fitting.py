"""From a view in mode dp to a network that writes reviews: noisy steps above a public tokenizer.

In: a view and options. Out: :class:`TextModel`, and the public part of :class:`Reviews`. Needs
torch.

Pieces are learned from the catalogue, which is public: people's texts may name what they like, the
tokenizer never saw it. Values of the conditions are public as well: the declared ratings, and what
the catalogue says of items. How they are spread is learned with the texts.
"""

import polars as pl
import torch

from shopsynth.generate.language.controls import Control, Controls
from shopsynth.generate.language.model import TextModel
from shopsynth.generate.language.network import TextNetwork
from shopsynth.generate.language.options import TextLmOptionsOfAllModes
from shopsynth.generate.language.reviews import Reviews
from shopsynth.generate.language.tokenizer import ShopTokenizer
from shopsynth.privacy import PrivateView
from shopsynth.privacy.mechanisms import PrivateTexts, PublicColumn
from shopsynth.privacy.mechanisms.dp_sgd import Schedule
from shopsynth.schema import Progress, RecipeError, derived_seed

_METHOD = "text_lm"
_MICROBATCH = 16
"""Users whose gradients are computed at the same time: with 200,000 weights some 13 MB."""


def fit_private_texts(
    view: PrivateView, options: TextLmOptionsOfAllModes, *, seed: int, progress: Progress
) -> tuple[Reviews, TextModel]:
    """Buy a network's weights.

    Args:
        view: In mode dp; its rows are not touched.
        options: How the network is made and trained.
        seed: Of the first weights, which are public; noise and draws of users take none.
        progress: Told when the training is done.

    Raises:
        InputError: If the option ``wanted`` asks for values that are not public; nothing is paid.
        PrivacyError: If the view has no budget left, or no public bound on its users.
        RecipeError: If a condition has no public values.
        MissingExtraError: If the library tokenizers is not installed.
    """
    progress.start(f"{_METHOD}: noisy training", 1)
    reviews = Reviews.public(view, options.conditions, _METHOD)
    controls = _public_controls(reviews, options.ratings)
    if (rows := options.wanted_rows) is not None:
        controls.wanted(rows, f"generate.{_METHOD}.options.wanted")
    tokenizer = ShopTokenizer.train(
        _public_texts(view.items),
        vocabulary=options.vocabulary + len(controls.specials),
        specials=controls.specials,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(seed, _METHOD, "weights"))
        network = TextNetwork(
            tokenizer.n_tokens,
            dim=options.dim,
            layers=options.layers,
            heads=options.heads,
            dropout=0.0,
            causal=True,
        )
    rate = min(1.0, options.training_users / view.n_users)
    steps = options.training_steps
    noise = view.steps_noise(view.allowance, steps=steps, sampling_rate=rate)
    schedule = Schedule(
        noise_multiplier=noise,
        clip=options.training_clip,
        steps=steps,
        sampling_rate=rate,
        users_bound=view.n_users,
        learning_rate=options.training_rate,
        microbatch=_MICROBATCH,
    )
    n_own = tokenizer.n_specials - len(controls.specials)
    asked = PrivateTexts(
        network,
        schedule,
        pieces=tokenizer.pieces_json(),
        first_piece=tokenizer.n_specials,
        columns=tuple(
            PublicColumn(one.column, one.values, int(first) + n_own)
            for one, first in zip(controls.columns, controls.firsts, strict=True)
        ),
        length=1 + len(controls.columns) + options.length,
        texts=options.texts_per_user,
    )
    (weights,) = view.buy([asked])
    network.load_state_dict({name: torch.from_numpy(part) for name, part in weights.items()})
    progress.advance(1)
    return reviews, TextModel(
        method=_METHOD,
        network=network.eval().requires_grad_(False),
        tokenizer=tokenizer,
        controls=controls,
        length=options.length,
        real=None,
        loss=float("nan"),
        n_steps=options.training_steps,
    )


def _public_controls(reviews: Reviews, ratings: tuple[float, ...]) -> Controls:
    """Give conditions their public values.

    Raises:
        RecipeError: If one is a column of reviews other than the rating: its values would have to
            be bought.
    """
    foreign = sorted(set(reviews.own) - {"rating"})
    if foreign:
        raise RecipeError(
            f"generate.{_METHOD}.options.conditions: expected the rating or columns of items in "
            f"privacy mode dp, got {', '.join(foreign)}; the values of other columns of reviews "
            "are not public, so leave them out"
        )
    stars = pl.Series("rating", sorted(set(ratings)), dtype=pl.Float64)
    found = [Control.of_values("rating", stars) for _ in reviews.own]
    # The catalogue is public, so a value of one item is nobody's own.
    of_items = (Control.fit(reviews.items[name], shared_by=1) for name in reviews.of_items)
    return Controls((*found, *of_items))


def _public_texts(items: pl.DataFrame) -> pl.Series:
    """Return all that the catalogue says in words."""
    columns = [name for name, dtype in items.schema.items() if dtype == pl.String]
    words = [items[name].alias("text") for name in columns if name != "item_id"]
    empty = pl.Series("text", [], dtype=pl.String)
    return pl.concat([empty, *words]).drop_nulls()
