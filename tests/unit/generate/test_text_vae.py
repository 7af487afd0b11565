"""text_vae and its autoencoder: conditions steer planted words, z is used, no text is a copy."""

from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from fakes.listening import RecordingProgress
from shopsynth.generate import Conditions, make_synthesizer
from shopsynth.generate.language.decoding import Taste
from shopsynth.generate.latent.places import Places, Telling, tell_collapse
from shopsynth.generate.latent.posterior import PosteriorHead
from shopsynth.generate.latent.text_drawing import ShiftedMixture
from shopsynth.generate.latent.text_network import Shape, TextVaeNetwork
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Dataset, EmptyDataError, InputError, RecipeError

SMALL: dict[str, object] = {
    "dim": 16, "hidden_states": 32, "heads": 2, "latent": 4, "vocabulary": 400, "length": 24,
    "batch_tokens": 512, "max_epochs": 2,
}  # fmt: skip
TRAINED: dict[str, object] = {
    "learning_rate": 0.02, "max_epochs": 16, "patience": 16, "dropout": 0.0, "word_dropout": 0.2,
    "kl_weight": 0.1, "kl_warm_up": 40, "held_out": 0.2, "batch_tokens": 256,
}  # fmt: skip
GOOD, BAD = ("lovely", "perfect", "soft"), ("itchy", "broken", "ugly")
THINGS = ("shirt", "skirt", "scarf", "jumper")


def shop(n=240, **columns):
    """Reviews of good ratings in good words and of bad ones in bad words, about four things."""
    random = np.random.Generator(np.random.PCG64(7))
    rows = []
    for number in range(n):
        good = number % 2 == 0
        said = " ".join(random.choice(GOOD if good else BAD, 3))
        thing = THINGS[number % 4]
        text = f"{said} {thing} {thing} number {random.integers(100)}"
        rows.append((f"review-{number}", f"item-{number % 4}", text, 5.0 if good else 1.0))
    names = ["review_id", "item_id", "text", "rating"]
    reviews = pl.DataFrame(rows, schema=names, orient="row").with_columns(**columns)
    items = pl.DataFrame({"item_id": [f"item-{n}" for n in range(4)], "title": list(THINGS)})
    data = Dataset(items=items, reviews=reviews)
    return PrivateView(data, mode="public", fingerprint="f" * 64, max_events_per_user=8)


def fit(view, seed=1, progress=SILENT, **options) -> Any:
    return make_synthesizer("text_vae", SMALL | options).fit(view, seed=seed, progress=progress)


def said(reviews, words):
    """Share of texts with one of some words."""
    return reviews["text"].str.contains("|".join(words)).mean()


@pytest.fixture(scope="module")
def view():
    return shop()


@pytest.fixture(scope="module")
def trained(view):
    return fit(view, **TRAINED)


class TestPlantedReviews:
    def test_texts_say_what_their_rating_says(self, trained):
        for rating, words, others in ((5.0, GOOD, BAD), (1.0, BAD, GOOD)):
            wanted = Conditions(rows=pl.DataFrame({"rating": [rating]}))
            reviews = trained.sample(80, conditions=wanted, seed=3).data.need("reviews")
            assert set(reviews["rating"]) == {rating}
            assert said(reviews, words) > 0.9 > 0.2 > said(reviews, others)

    def test_without_a_wish_ratings_come_in_real_shares(self, trained):
        reviews = trained.sample(200, seed=3).data.need("reviews")
        assert reviews["rating"].value_counts().height == 2
        assert (reviews["rating"] == 5).mean() == pytest.approx(0.5, abs=0.12)

    def test_z_is_used_and_tells_texts_from_each_other(self, trained):
        assert not trained.collapsed_
        assert trained.active_ == 4
        assert trained.gain_ > 0.05
        assert trained.accuracy_ > 0.4

    def test_nothing_is_copied_and_redraws_are_counted(self, view, trained):
        reviews = trained.sample(200, seed=5).data.need("reviews")
        assert not reviews["text"].is_in(view.rows.need("reviews")["text"].implode()).any()
        drawn = trained.drawn_
        assert drawn.rows.height + drawn.n_left_out == 200
        assert drawn.n_copies > 0

    def test_the_prior_may_be_drawn_from(self, view):
        normal = fit(view, drawn_from="normal").sample(20, seed=3).data.need("reviews")
        texts = fit(view, drawn_from="texts").sample(20, seed=3).data.need("reviews")
        assert not normal.equals(texts)


def test_without_conditions_texts_come_with_nothing_said(view):
    reviews = fit(view, conditions=()).sample(5, seed=1).data.need("reviews")
    assert reviews.columns == ["review_id", "item_id", "text"]


def test_the_longest_text_is_the_length(view):
    latent = fit(view, length=8, max_epochs=1)._model
    random = np.random.Generator(np.random.PCG64(1))
    z = random.standard_normal((40, 4), dtype=np.float32)
    grown = latent._grow(np.ones((40, 1), dtype=np.int64), z, Taste(1.0, 1.0), random)
    assert max(pieces.size for pieces in grown) == 8
    assert min(pieces.size for pieces in grown) >= 1


def test_wishes_that_cannot_be_met_are_told(trained):
    with pytest.raises(InputError, match="1 rows of column rating"):
        trained.sample(2, conditions=Conditions(rows=pl.DataFrame({"rating": [3.0]})), seed=1)
    with pytest.raises(InputError, match="got mood"):
        trained.sample(2, conditions=Conditions(rows=pl.DataFrame({"mood": ["bad"]})), seed=1)


def test_a_shop_that_says_one_thing_only_gets_nothing_back():
    view = shop(text=pl.lit("the same words again and again"))
    known_by_heart = fit(view, temperature=0.01, **TRAINED)
    with pytest.raises(InputError, match="copy no real one, got none in 3 places"):
        known_by_heart.sample(3, seed=1)


def test_reviews_without_a_text_are_refused():
    with pytest.raises(EmptyDataError, match="expected reviews with texts"):
        fit(shop(text=pl.lit("  ")))


def test_heads_that_do_not_divide_are_refused():
    with pytest.raises(RecipeError, match="heads must divide dim"):
        make_synthesizer("text_vae", SMALL | {"heads": 3})


def test_a_fit_that_was_learned_is_taken_from_its_folder(view, tmp_path):
    options = {"checkpoint_folder": str(tmp_path), "checkpoint_steps": 2}
    first = fit(view, **options)
    heard = RecordingProgress()
    again = fit(view, progress=heard, temperature=0.9, **options)
    assert (again.loss_, again.steps_) == (first.loss_, first.steps_)
    without = fit(view)
    assert without.loss_ == first.loss_


def test_collapse_is_told_through_the_listener():
    heard = RecordingProgress()
    tell_collapse("text_vae", Telling(np.array([0.0, 0.5]), 0.001), "a piece", heard)
    assert heard.started == [
        (
            "text_vae: posterior collapse: 1 numbers of z say something, worth 0.001 nats a piece; "
            "lower kl_weight",
            0,
        )
    ]
    tell_collapse("text_vae", Telling(np.array([0.0, 0.5]), 0.1), "a piece", heard)
    assert len(heard.started) == 1


class TestTheNetwork:
    shape = Shape(n_tokens=30, n_told=1, dim=8, hidden=12, heads=2, latent=3, mask=3)

    def network(self, **how):
        torch.manual_seed(1)
        return TextVaeNetwork(self.shape, dropout=0.0, word_dropout=0.5, **how).eval()

    def test_padding_says_nothing(self):
        network = self.network()
        text = torch.tensor([[1, 5, 20, 21, 2]])
        padded = torch.tensor([[1, 5, 20, 21, 2, 0, 0], [1, 5, 9, 9, 9, 9, 2]])
        assert torch.allclose(network.encode(text).mean, network.encode(padded).mean[:1], atol=1e-6)

    def test_step_by_step_it_scores_as_all_at_once(self):
        network = self.network()
        tokens, z = torch.tensor([[1, 5, 20, 21], [1, 6, 9, 8]]), torch.randn(2, 3)
        whole = network.scores(network.states(tokens, z))
        told = network.told(z, tokens[:, 1:2])
        memory = network.started(told)
        for place in range(1, 4):
            scores, memory = network.step(tokens[:, place], told, memory)
            assert torch.allclose(scores, whole[:, place], atol=1e-5)

    def test_what_comes_after_is_not_seen(self):
        network = self.network()
        z = torch.randn(1, 3)
        one = network.states(torch.tensor([[1, 5, 20, 21]]), z)
        other = network.states(torch.tensor([[1, 5, 20, 9]]), z)
        assert torch.equal(one[:, :3], other[:, :3])
        assert not torch.equal(one[:, 3], other[:, 3])

    def test_words_are_hidden_while_it_learns_only(self):
        network = self.network()
        tokens, z = torch.tensor([[1, 5, 20, 21, 22, 23, 24, 25]]), torch.randn(1, 3)
        calm = network.states(tokens, z)
        assert torch.equal(calm, network.states(tokens, z))
        assert not torch.equal(calm, network.train().states(tokens, z))


def test_means_keep_their_spread_while_learning():
    torch.manual_seed(1)
    head = PosteriorHead(6, 3).train()
    means = head(torch.randn(500, 6) * 9).mean
    assert means.std(0).tolist() == pytest.approx([0.7] * 3, abs=0.01)
    assert head(torch.randn(3, 6)).divergence().min() >= 0


def test_a_mixture_is_moved_to_where_each_condition_lies():
    random = np.random.Generator(np.random.PCG64(1))
    known = np.eye(2, dtype=np.float32)[np.arange(400) % 2]
    centres = np.array([[4.0, 0.0], [-4.0, 0.0]], dtype=np.float32)
    mean = (known @ centres + random.standard_normal((400, 2), dtype=np.float32) * 0.1).astype("f4")
    places = Places(mean, np.full_like(mean, 0.1), known)
    mixture = ShiftedMixture.fit(places, k=2, random=random)
    drawn = mixture.draw(np.eye(2, dtype=np.float32)[[0] * 200 + [1] * 200], random)
    assert drawn[:200, 0].mean() == pytest.approx(4, abs=0.1)
    assert drawn[200:, 0].mean() == pytest.approx(-4, abs=0.1)
    assert drawn[:, 1].std() < 0.3
