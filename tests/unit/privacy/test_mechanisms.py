"""Counts, quantiles, vocabularies and votes: right without noise, bounded for one user, refused."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.noise import Asked, NoNoise, SeededNoise
from shopsynth.privacy.mechanisms import (
    MECHANISMS,
    DPQuantiles,
    DPVocabulary,
    Mechanism,
    NearestVotes,
    NoisyCount,
)
from shopsynth.privacy.mechanisms.hashed_words import hash_words
from shopsynth.privacy.mechanisms.shares import saturating_sums, sum_shares, user_numbers
from shopsynth.privacy.noise import Grid, SystemNoise, discretisation_slack
from shopsynth.schema import Dataset, PrivacyError, SchemaError

START = datetime(2026, 1, 1, tzinfo=UTC)


def shop(rows: Sequence[tuple[str, str, float | None, float]]) -> Dataset:
    """Make events of (user, item, price, hours since the start)."""
    return Dataset(
        items=pl.DataFrame({"item_id": ["a", "b"]}),
        events=pl.DataFrame(
            {
                "user_id": [row[0] for row in rows],
                "item_id": [row[1] for row in rows],
                "price": [row[2] for row in rows],
                "timestamp": [START + timedelta(hours=row[3]) for row in rows],
            },
            schema_overrides={
                "user_id": pl.String,
                "item_id": pl.String,
                "price": pl.Float64,
                "timestamp": pl.Datetime("us", "UTC"),
            },
        ),
    )


def reviews(rows: list[tuple[str | None, str]]) -> Dataset:
    return Dataset(
        items=pl.DataFrame({"item_id": ["a"]}),
        reviews=pl.DataFrame(
            {
                "review_id": [str(number) for number in range(len(rows))],
                "item_id": pl.Series(["a"] * len(rows), dtype=pl.String),
                "text": [row[1] for row in rows],
                "user_id": [row[0] for row in rows],
            },
            schema_overrides={"user_id": pl.String, "text": pl.String, "review_id": pl.String},
        ),
    )


def test_all_are_registered_and_priced_without_rows() -> None:
    asked: list[Mechanism] = [
        NoisyCount(4.0),
        DPQuantiles("price", (0.0, 1.0), (0.5,), 4.0),
        DPVocabulary("item_id", 4.0, 1e-9),
        NearestVotes(("tea",), "text", 4.0),
    ]
    for mechanism in asked:
        assert type(mechanism) in MECHANISMS
        charge = mechanism.charge()
        assert charge.kind == "gaussian"
        assert charge.noise_multiplier == 4.0
        assert charge.slack < (2e-9 if isinstance(mechanism, DPVocabulary) else 1e-12)


def test_the_count_counts_users_not_rows() -> None:
    data = shop([("ann", "a", 1, 0), ("ann", "b", 1, 1), ("bob", "a", 1, 0)])
    assert NoisyCount(3.0).answer(data, NoNoise()) == 2
    noisy = [NoisyCount(3.0).answer(data, SystemNoise()) for _ in range(400)]
    assert 2.5 < np.std(noisy) < 3.5
    assert abs(np.mean(noisy) - 2) < 0.8
    nobody = reviews([(None, "words")])
    assert NoisyCount(3.0, table="reviews").answer(nobody, NoNoise()) == 0
    with pytest.raises(SchemaError, match="needs the table users"):
        NoisyCount(3.0, table="users").answer(data, NoNoise())


def test_a_shop_beyond_the_grid_is_held_at_its_end_and_not_refused() -> None:
    data = shop([(user, "a", 1, 0) for user in "stuvw"])
    assert NoisyCount(2.0**-23).answer(data, NoNoise()) == 2.0


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(-(2**62), 2**62) | st.integers(-9, 9)), max_size=30
    )
)
def test_sums_are_exact_and_end_at_a_bound_instead_of_turning_over(
    marks: list[tuple[int, int]],
) -> None:
    cell, units = np.array(marks, dtype=np.int64).reshape(-1, 2).T
    bound = 2**62
    sums = [sum(unit for place, unit in marks if place == at) for at in range(3)]
    held = [max(-bound, min(bound, each)) for each in sums]
    assert saturating_sums(cell, units, 3).tolist() == held


def test_quantiles_are_those_of_an_average_user() -> None:
    edges = tuple(float(edge) for edge in range(0, 101, 5))
    cheap = [(f"cheap{n}", "a", 12.0, 0) for n in range(75)]
    dear = [(f"dear{n}", "a", 82.0, hour) for n in range(25) for hour in range(9)]
    data = shop([*cheap, *dear, ("cheap0", "a", None, 1), ("cheap1", "a", math.nan, 1)])
    asked = DPQuantiles("price", edges, (0.25, 0.5, 0.9), 1.0)
    low, middle, high = asked.answer(data, NoNoise())
    assert 10 < low < middle < 15, "nine rows of a user weigh no more than one"
    assert 80 < high < 85
    noisy = asked.answer(data, SeededNoise(1))
    assert np.all(np.diff(noisy) >= 0)
    assert np.all((noisy >= 0) & (noisy <= 100))


def test_quantiles_of_derived_numbers() -> None:
    data = shop([(user, "a", 1, hour) for user in "uvw" for hour in (1, 3, 5, 7)])
    gaps = DPQuantiles("gap_s", (0.0, 7_000.0, 7_400.0, 90_000.0), (0.5,), 1.0)
    assert 7_000 < gaps.answer(data, NoNoise())[0] < 7_400
    hours = DPQuantiles("hour", tuple(map(float, range(25))), (0.2, 0.7), 1.0)
    first, last = hours.answer(data, NoNoise())
    assert first == pytest.approx(1.8)
    assert last == pytest.approx(5.8)
    lengths = DPQuantiles("n_events", (0.0, 3.5, 4.5, 99.0), (0.5,), 1.0)
    assert 3.5 < lengths.answer(data, NoNoise())[0] < 4.5


def test_numbers_outside_of_the_range_go_to_its_ends_and_no_rows_to_the_middle() -> None:
    asked = DPQuantiles("price", (0.0, 1.0, 2.0, 3.0), (0.5,), 1.0)
    assert asked.answer(shop([("u", "a", 1e9, 0)]), NoNoise())[0] == 2.5
    assert asked.answer(shop([("u", "a", -5, 0)]), NoNoise())[0] == 0.5
    assert asked.answer(shop([]), NoNoise())[0] == 1.5


def test_the_vocabulary_pays_for_the_values_of_one_user_however_many_there_are() -> None:
    """The others' weights are the same without that user, and so is the noise on them."""
    asked = DPVocabulary("item_id", 5.0, 1e-9, max_values=3)
    failure = 1e-9 / (1 - 1e-9)
    assert asked.charge().slack == failure + discretisation_slack(3)
    many: list[tuple[str, str, float | None, float]] = [
        (f"u{n}", f"i{n}-{k}", 1, 0) for n in range(9) for k in range(4)
    ]
    without, own = Asked(), Asked()
    asked.answer(shop(many), without)
    asked.answer(shop([*many, *[("z", f"z{k}", 1, 0) for k in range(9)]]), own)
    first, second = without.calls[0][0], own.calls[0][0]
    assert second.size - first.size == 3
    assert np.array_equal(second[: first.size], first)


def test_the_vocabulary_tells_common_values_and_no_rare_one() -> None:
    common: list[tuple[str, str, float | None, float]] = [
        (f"u{n}", item, 1, 0) for n in range(300) for item in ("a", "b")
    ]
    data = shop(
        [*common, ("u1", "rare", 1, 1), *[("heavy", "mine", 1, hour) for hour in range(99)]]
    )
    asked = DPVocabulary("item_id", 5.0, 1e-9)
    told = asked.answer(data, SystemNoise())
    assert sorted(told["value"]) == ["a", "b"]
    assert told["weight"].is_sorted(descending=True)
    assert told["weight"].to_numpy() == pytest.approx(300 / math.sqrt(2), abs=40)
    assert asked.answer(shop([]), SystemNoise()).height == 0


def test_words_are_split_in_both_scripts() -> None:
    data = reviews([(f"u{n}", "Good 茶杯, GOOD price") for n in range(20)] + [(None, "secret")])
    told = DPVocabulary("text", 0.1, 1e-6, words=True, table="reviews").answer(data, NoNoise())
    assert sorted(told["value"]) == ["good", "price", "杯", "茶"]


def test_only_the_most_frequent_values_of_a_user_count() -> None:
    rows = [("u", "often", 1, 0), ("u", "often", 1, 1), ("u", "b", 1, 2), ("u", "a", 1, 3)]
    marks = DPVocabulary("item_id", 1.0, 0.1, max_values=2)._marks(shop(rows))
    assert marks["value"].to_list() == ["often", "a"]


def test_the_threshold_keeps_unique_values_in() -> None:
    """Simulated: some value of a lone user passes as often as promised, not more."""
    delta, sigma, trials = 0.02, 2.0, 20_000
    for held in (1, 4, 16):
        rows = shop([("u", f"v{n}", 1.0, 0.0) for n in range(held)])
        asked = DPVocabulary("item_id", sigma, delta, max_values=16)
        draw = np.random.Generator(np.random.PCG64(held))
        weights = 1 / math.sqrt(held) + draw.normal(0, sigma, (trials, held))
        shown = np.mean((weights > asked.threshold).any(axis=1))
        assert shown < delta * 1.3
        assert asked.answer(rows, NoNoise()).height == 0
    exact = 1 + 2.0 * 2.053749  # one value: 1 + σ Φ⁻¹(0.98)
    assert DPVocabulary("x", sigma, delta, max_values=1).threshold == pytest.approx(exact)
    assert DPVocabulary("x", 1.0, 1e-300).threshold < 40, "no digits are lost far out"


def test_texts_vote_for_the_nearest_candidate() -> None:
    candidates = ("the tea is good", "茶杯很好看", "shoes too small", "nothing like it")
    data = reviews(
        [
            ("ann", "good tea"),
            ("ann", "tea, very good"),
            ("ann", "these shoes are too small"),
            ("bob", "这个茶杯好看"),
            (None, "shoes small"),
        ]
    )
    votes = NearestVotes(candidates, "text", 2.0).answer(data, NoNoise())
    assert votes == pytest.approx([2 / 3, 1, 1 / 3, 0], abs=1e-9)
    kept = NearestVotes(candidates, "text", 2.0, threshold=0.5).answer(data, NoNoise())
    assert kept == pytest.approx([2 / 3, 1, 0, 0], abs=1e-9)
    assert NearestVotes(candidates, "text", 2.0).answer(reviews([]), NoNoise()).sum() == 0


def test_hashed_words_are_whole_and_the_same_every_time() -> None:
    texts = pl.Series(["red shoe", "", "!!!", "ＲＥＤ Shoe"])
    vectors = hash_words(texts, 32)
    assert np.abs(vectors).sum(axis=1).tolist() == [3, 0, 0, 3], "two words and their pair"
    assert np.array_equal(vectors[0], vectors[3])
    assert np.flatnonzero(vectors[0]).tolist() == np.flatnonzero(hash_words(texts[:1], 32)).tolist()


MARKS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=60)


@settings(max_examples=200, deadline=None)
@given(marks=MARKS, mine=st.lists(st.integers(0, 4), min_size=1, max_size=400))
def test_one_user_moves_the_sums_by_one_at_most(
    marks: list[tuple[int, int]], mine: list[int]
) -> None:
    """The sensitivity that all proofs rest on, for whatever the user and the others hold."""
    grid = Grid.for_noise(3.0)
    bys: tuple[Literal["total", "norm"], ...] = ("total", "norm")
    for by in bys:
        others = [np.array([mark[side] for mark in marks], dtype=np.int64) for side in (0, 1)]
        without = sum_shares(others[0], others[1], 5, grid, by)
        user = np.concatenate([others[0], np.full(len(mine), 9)])
        cell = np.concatenate([others[1], np.array(mine, dtype=np.int64)])
        moved = grid.values(sum_shares(user, cell, 5, grid, by) - without)
        norm = np.linalg.norm(moved)
        assert norm <= 1 + 2**-40
        assert norm > (0.99 if by == "norm" else 0.4)


def test_users_are_numbered_by_id() -> None:
    assert user_numbers(pl.Series(["b", "a", "b"])).tolist() == [1, 0, 1]
    assert user_numbers(pl.Series([], dtype=pl.String)).tolist() == []


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: NoisyCount(0.0), "noise_multiplier above 0"),
        (lambda: NoisyCount(math.nan), "noise_multiplier above 0"),
        (lambda: NoisyCount(1.0, table="items"), "rows name a user"),
        (lambda: DPQuantiles("price", (1.0, 1.0), (0.5,), 1.0), "rising edges"),
        (lambda: DPQuantiles("price", (1.0,), (0.5,), 1.0), "rising edges"),
        (lambda: DPQuantiles("price", (0.0, math.inf), (0.5,), 1.0), "rising edges"),
        (lambda: DPQuantiles("price", (0.0, 1.0), (1.0,), 1.0), "shares above 0"),
        (lambda: DPQuantiles("price", (0.0, 1.0), (), 1.0), "shares above 0"),
        (lambda: DPQuantiles("price", (0.0, 1.0), (0.5,), 1.0, table="queries"), "name a user"),
        (lambda: DPVocabulary("x", 1.0, 0.0), "threshold_delta"),
        (lambda: DPVocabulary("x", 1.0, 1e-9, max_values=0), "max_values"),
        (lambda: NearestVotes((), "text", 1.0), "candidates"),
        (lambda: NearestVotes(("a",), "text", 1.0, n_dimensions=1), "dimensions"),
        (lambda: NearestVotes(("a",), "text", 1.0, threshold=math.nan), "threshold"),
    ],
)
def test_parameters_that_break_a_proof_are_refused(make, expected: str) -> None:
    with pytest.raises(PrivacyError, match=expected):
        make()
