"""text_gan and the conditional contest: conditions decide where z lies; lost kinds are refused."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from shopsynth.generate import Conditions, make_synthesizer
from shopsynth.generate.latent.contest import fit_gan
from shopsynth.generate.latent.options import AdversaryOptions
from shopsynth.generate.latent.places import Places
from shopsynth.generate.latent.text_options import TextGanOptions
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Dataset, InputError

QUICK = {
    "hidden": 64, "max_steps": 300, "judged_every": 25, "critic_steps": 2, "generator_rate": 0.005,
    "critic_rate": 0.01, "stabiliser": "gradient_penalty",
}  # fmt: skip
CENTRES = np.array([[2.0, 0.0, 0.0], [-2.0, 0.0, 0.0]], dtype=np.float32)


def places(n, seed, kinds=2):
    """Two kinds far apart, each known by its one-hot columns."""
    random = np.random.Generator(np.random.PCG64(seed))
    known = np.eye(2, dtype=np.float32)[np.arange(n) % kinds]
    noise = random.standard_normal((n, 3), dtype=np.float32)
    mean = (known @ CENTRES + 0.3 * noise).astype(np.float32)
    return Places(mean, np.full((n, 3), 0.2, dtype=np.float32), known)


def learn(made, held_out, seed=1, **options):
    settings = AdversaryOptions.model_validate(QUICK | options)
    return fit_gan(
        "text_gan", made, held_out, settings, instead="text_vae", seed=seed, progress=SILENT
    )


def test_a_generator_told_the_condition_makes_its_kind():
    learned = learn(places(600, 1), places(200, 2))
    random = np.random.Generator(np.random.PCG64(3))
    for kind, centre in enumerate(CENTRES):
        known = np.eye(2, dtype=np.float32)[np.full(300, kind)]
        drawn = learned.draw(300, random, known)
        assert drawn.mean(axis=0) == pytest.approx(centre, abs=0.35)
        assert (np.sign(drawn[:, 0]) == np.sign(centre[0])).mean() > 0.98
    assert learned.distances.reached < 0.2 * learned.distances.untrained


def test_a_generator_that_never_met_a_kind_is_refused():
    with pytest.raises(InputError, match=r"generate\.text_gan: .*text_vae"):
        learn(places(600, 1, kinds=1), places(200, 2), max_steps=100)


REVIEWS = [
    (f"r{n}", "i0", f"{('soft', 'itchy')[n % 2]} {('hat', 'bag')[n // 2 % 2]} {n % 17}", n % 2)
    for n in range(120)
]


@pytest.fixture(scope="module")
def fitted() -> Any:
    reviews = pl.DataFrame(
        REVIEWS, schema=["review_id", "item_id", "text", "rating"], orient="row"
    ).with_columns(pl.col("rating").cast(pl.Float64))
    data = Dataset(items=pl.DataFrame({"item_id": ["i0"]}), reviews=reviews)
    view = PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=8)
    options = {
        "dim": 16, "hidden_states": 24, "heads": 2, "latent": 3, "vocabulary": 300, "length": 16,
        "batch_tokens": 256, "max_epochs": 6, "patience": 6, "held_out": 0.3,
        "learning_rate": 0.02, "kl_warm_up": 20, "word_dropout": 0.0, "dropout": 0.0,
    }  # fmt: skip
    return make_synthesizer("text_gan", QUICK | options).fit(view, seed=1)


def test_reviews_come_with_the_conditions_asked_for(fitted):
    wanted = Conditions(rows=pl.DataFrame({"rating": [1.0, 0.0]}))
    reviews = fitted.sample(30, conditions=wanted, seed=2).data.need("reviews")
    assert reviews["rating"].to_list() == [1.0, 0.0] * 15
    real = {row[2] for row in REVIEWS}
    assert real.isdisjoint(reviews["text"])


def test_what_was_learned_is_told(fitted):
    assert fitted.steps_ > 0
    assert fitted.distances_.reached <= fitted.distances_.untrained
    assert 0 < fitted.accuracy_ <= 1
    assert isinstance(fitted.options, TextGanOptions)
    assert fitted.options.stabiliser == "gradient_penalty"
    assert fitted.collapsed_ in (True, False)
