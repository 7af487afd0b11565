"""text_lm in mode dp: pays within its budget, sees no row, keeps to public values."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from fakes.noise import NoNoise, SeededNoise
from fakes.planted_reviews import ITEMS, planted_reviews
from fakes.tills import purse_of
from shopsynth.generate import Conditions, make_synthesizer
from shopsynth.generate.language.tokenizer import ShopTokenizer
from shopsynth.privacy import PrivateView
from shopsynth.privacy.accounting import compose
from shopsynth.privacy.mechanisms import MECHANISMS, PrivateTexts, PublicColumn
from shopsynth.privacy.mechanisms.dp_sgd import Schedule
from shopsynth.schema import Dataset, InputError, PrivacyError, RecipeError

TINY: dict[str, Any] = {
    "dim": 8, "heads": 2, "layers": 1, "vocabulary": 300, "length": 8, "training_steps": 3,
    "training_users": 20,
}  # fmt: skip
REVIEWS = planted_reviews(60)
SCHEDULE = Schedule(
    noise_multiplier=1.0, clip=1.0, steps=2, sampling_rate=0.5, users_bound=30, learning_rate=0.01
)


def view_of(reviews=REVIEWS, noise=None, epsilon=8.0):
    return PrivateView(
        Dataset(items=ITEMS, reviews=reviews),
        mode="dp",
        fingerprint="f" * 64,
        max_events_per_user=8,
        users_bound=30,
        purse=purse_of(epsilon, noise or NoNoise()),
    )


def made(view=None, n=30, options=None, **kwargs):
    method = make_synthesizer("text_lm", TINY | (options or {}))
    return method.fit(view or view_of(), seed=1).sample(n, seed=1, **kwargs).data.need("reviews")


class TestTextLm:
    def test_it_pays_for_its_steps_and_draws_without_paying(self):
        view = view_of(noise=SeededNoise(1))
        method: Any = make_synthesizer("text_lm", TINY).fit(view, seed=1)
        till = view._purse.till
        assert till.reserved == till.committed == 1
        assert 7.5 < compose(till.charges).epsilon(till.delta) <= 8.0
        reviews = method.sample(20, seed=1).data.need("reviews")
        assert reviews.height == 20
        assert till.reserved == 1
        assert method.steps_ == 3
        assert not hasattr(method, "loss_")

    def test_values_are_public_ones(self):
        told = REVIEWS.with_columns(rating=pl.lit(3.7), label=pl.lit("secret"))
        reviews = made(view_of(told), n=60)
        assert set(reviews.columns) == {"review_id", "item_id", "text", "rating"}
        assert set(reviews["rating"].drop_nulls()) <= {1.0, 2.0, 3.0, 4.0, 5.0}

    def test_wanted_values_are_given(self):
        rows = pl.DataFrame({"rating": [4], "category": ["pots"]})
        reviews = made(n=12, conditions=Conditions(rows=rows))
        assert set(reviews["rating"]) == {4.0}
        kind_of = dict(ITEMS.select("item_id", "category").rows())
        assert {kind_of[item] for item in reviews["item_id"]} == {"pots"}
        with pytest.raises(InputError, match="1 rows of column rating"):
            made(conditions=Conditions(rows=pl.DataFrame({"rating": [4.5]})))

    def test_a_condition_without_public_values_is_refused(self):
        told = REVIEWS.with_columns(label=pl.lit("x"))
        with pytest.raises(RecipeError, match=r"the rating or columns of items.*got label"):
            made(view_of(told), options={"conditions": ["label"]})
        with pytest.raises(RecipeError, match="none of dropout in privacy mode dp"):
            made(options={"dropout": 0.1})


def asked(**changes):
    import torch

    from shopsynth.generate.language.network import TextNetwork

    torch.manual_seed(1)
    network = TextNetwork(300, dim=8, layers=1, heads=2, dropout=0.0, causal=True)
    tokenizer = ShopTokenizer.train(ITEMS["title"], vocabulary=290, specials=list("abcde"))
    plan: dict[str, Any] = {
        "module": network,
        "schedule": SCHEDULE,
        "pieces": tokenizer.pieces_json(),
        "first_piece": tokenizer.n_specials,
        "columns": (
            PublicColumn("rating", pl.Series([1.0, 5.0]), 4),
            PublicColumn("category", pl.Series(["cups"]), 7),
        ),
        "length": 12,
        "texts": 2,
    }
    return PrivateTexts(**(plan | changes)), tokenizer


def shop(rows):
    names = ["review_id", "item_id", "user_id", "text", "rating"]
    return Dataset(items=ITEMS, reviews=pl.DataFrame(rows, schema=names, orient="row"))


class TestPrivateTexts:
    ROWS = (
        ("r1", "i0", "u1", "red cup", 5.0),
        ("r2", "i9", "u1", "a" * 99, 3.0),
        ("r3", "i0", "u1", "never read", 1.0),
        ("r4", "?", None, "", 1.0),
    )

    def test_it_is_one_of_the_closed_set(self):
        assert PrivateTexts in MECHANISMS

    def test_a_user_is_their_newest_texts_and_who_is_unknown_is_one_for_each(self):
        plan, tokenizer = asked()
        tokens = plan.encode(shop([*self.ROWS, ("r5", "i0", None, "blue", 5.0)]))
        assert tokens.shape == (4 - 1, 2, 12)
        nobody, other, named = tokens
        assert nobody.tolist() == [[1, 5, 7, 2] + [0] * 8, [0] * 12]
        assert other[0][:3].tolist() == [1, 6, 8]
        # The newest of a user without times are those of the last ids.
        assert named[:, :3].tolist() == [[1, 5, 8], [1, 4, 7]]
        assert tokenizer.decode([named[0]])[0].startswith("never")
        assert (named[1] != 0).all()
        assert 2 not in named[1]

    def test_times_say_what_is_newest(self):
        plan, _ = asked(texts=1)
        data = shop(self.ROWS)
        times = [datetime(2024, 1, day, tzinfo=UTC) for day in (9, 2, 3, 4)]
        dated = data.reviews.with_columns(timestamp=pl.Series(times))
        tokens = plan.encode(data.with_tables(reviews=dated))
        assert tokens[1, 0, 1] == 6

    def test_one_user_more_changes_nobody_elses_tokens(self):
        plan, _ = asked()
        few = plan.encode(shop(self.ROWS[:3]))
        more = plan.encode(shop([*self.ROWS[:3], ("r0", "i1", "u2", "mine", 1.0)]))
        assert (more[0] == few[0]).all()
        assert more.shape[0] == few.shape[0] + 1
        assert plan.encode(shop(self.ROWS).with_tables(reviews=data_less())).shape == (0, 2, 12)

    def test_its_weights_are_learned_from_the_texts_and_its_own_stay(self):
        plan, _ = asked()
        before = {name: part.clone() for name, part in plan.module.state_dict().items()}
        weights = plan.answer(shop(self.ROWS), NoNoise())
        assert any(not np.array_equal(before[name].numpy(), weights[name]) for name in before)
        assert all((before[name] == part).all() for name, part in plan.module.state_dict().items())
        assert plan.charge().count == 2

    def test_a_plan_that_cannot_be_is_refused(self):
        for changes in ({"texts": 0}, {"length": 3}):
            with pytest.raises(PrivacyError, match="private_texts: expected at least 1 text"):
                asked(**changes)


def data_less():
    return shop(TestPrivateTexts.ROWS).reviews.clear()
