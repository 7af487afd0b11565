"""What all augmenters do: blocks, whole rows, no copies; and what the filter does to lengths."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from shopsynth.generate import _augmentation, make_synthesizer, pattern
from shopsynth.generate._augmentation import users_or_all
from shopsynth.schema import RecipeError

AUGMENTERS = ("insert", "crop", "reorder", "mask", "reverse_prior", "pattern")
FILTERED = tuple(name for name in AUGMENTERS if name != "crop")


def made(method, view, n=30, seed=1, **options):
    synthetic = make_synthesizer(method, options).fit(view, seed=0).sample(n, seed=seed)
    events = synthetic.data.need("events")
    assert events["user_id"].n_unique() == n
    falls = events.with_columns(gap=pl.col("timestamp").diff().over("user_id"))["gap"] < timedelta()
    assert not falls.any()
    real = view.events()["timestamp"]
    assert events["timestamp"].is_between(real.min(), real.max()).all()
    return events


def shop(n_users=40, n_items=15, seed=7):
    random = np.random.Generator(np.random.PCG64(seed))
    return {
        f"u{n:02d}": [f"i{item:02d}" for item in random.permutation(n_items)[: 1 + n % 8]]
        for n in range(n_users)
    }


@pytest.mark.parametrize("method", AUGMENTERS)
class TestEveryAugmenter:
    def test_blocks_join_to_as_many_users(self, method, make_view, monkeypatch):
        monkeypatch.setattr(_augmentation, "BLOCK_USERS", 16)
        monkeypatch.setattr(pattern, "BLOCK_USERS", 16)
        view = make_view(shop())
        assert made(method, view, n=50).equals(made(method, view, n=50))

    def test_what_an_event_carries_is_its_items_own(self, method, make_view):
        histories = shop()
        types = pl.Series([item for items in histories.values() for item in items])
        numbers = types.str.slice(1).cast(pl.Float64)
        view = make_view(histories, event_type="kind " + types, quantity=numbers)
        events = made(method, view, n=80)
        assert (events["event_type"] == "kind " + events["item_id"]).all()
        assert (events["quantity"] == events["item_id"].str.slice(1).cast(pl.Float64)).all()

    def test_no_history_is_a_copy_of_a_real_one(self, method, make_view, rows_of):
        """Where a history can be changed at all; ``pattern`` may grow one by chance."""
        histories = {user: items for user, items in shop(80, 40).items() if len(items) > 2}
        synthetic = (
            make_synthesizer(method, {}).fit(make_view(histories), seed=0).sample(60, seed=1)
        )
        real = {tuple(items) for items in histories.values()}
        copies = sum(tuple(items) in real for items in rows_of(synthetic).values())
        assert copies <= (3 if method == "pattern" else 0)


@pytest.mark.parametrize("method", FILTERED)
class TestConfidence:
    def test_it_keeps_the_mix_of_lengths(self, method, make_view):
        view = make_view(shop(120, 30))

        def lengths(confidence):
            events = made(method, view, n=120, confidence=confidence)
            return events.group_by("user_id").len()["len"].mean()

        assert lengths(0.4) == pytest.approx(lengths(1.0), rel=0.12)

    def test_it_is_a_share(self, method):
        for confidence in (0, 1.1):
            with pytest.raises(RecipeError, match="confidence"):
                make_synthesizer(method, {"confidence": confidence})


def test_sources_are_those_that_can_change_or_else_all():
    assert users_or_all(np.array([False, True, True])).tolist() == [1, 2]
    assert users_or_all(np.array([False, False])).tolist() == [0, 1]
