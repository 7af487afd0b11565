"""Planted leaks of PRIVACY §7, leaks of output: each is caught, and its clean twin passes."""

from functools import cache

import numpy as np
import polars as pl
import pytest

from fakes.tastes import basket, draw_events, draw_texts, draw_users, gamed, outlier, verbatim
from shopsynth.evaluate import Sides, audit_release

SEED, N = 7, 2_500
OUTLYING = "copies_of_outlying_baskets"


@cache
def shop():
    return tuple(draw_events(SEED, N, who) for who in ("r", "h", "s"))


def failed(release: pl.DataFrame, **more) -> set[str]:
    train, heldout, _ = shop()
    audits = audit_release(train, heldout, release, "dp", **more)
    return set(audits.filter(~pl.col("passed"))["name"])


def test_the_clean_twin_of_every_leak_passes():
    assert failed(shop()[2]) == set()


@pytest.mark.planted_leak
def test_leak_14_one_percent_of_verbatim_histories_is_caught():
    train, _, release = shop()
    assert "exact_copies_of_histories" in failed(verbatim(train, release))


@pytest.mark.planted_leak
def test_leak_14_one_percent_of_verbatim_user_rows_is_caught():
    sides = [draw_users(SEED, 4_000, who) for who in ("r", "h", "s")]
    small = {"train": shop()[0][:0], "heldout": shop()[1][:0], "synthetic": shop()[2][:0]}
    clean = audit_release(**small, mode="dp", users=Sides(*sides))
    assert clean["passed"].all()
    leaky = Sides(sides[0], sides[1], verbatim(sides[0], sides[2], share=0.02))
    found = audit_release(**small, mode="dp", users=leaky)
    assert "exact_copies_of_user_rows" in set(found.filter(~pl.col("passed"))["name"])


@pytest.mark.planted_leak
def test_leak_15_rows_changed_to_please_distances_are_caught():
    train, _, release = shop()
    found = failed(gamed(train, release))
    assert "copies_of_k_of_n_items" in found
    assert "exact_copies_of_histories" not in found


@pytest.mark.planted_leak
def test_leak_15_user_rows_with_two_columns_changed_are_caught():
    train, heldout, made = (draw_users(SEED, 3_000, who) for who in ("r", "h", "s"))
    copied = train.sample(600, seed=3).with_columns(
        pl.col("age").shuffle(seed=1), pl.col("city").shuffle(seed=2)
    )
    nobody = Sides(*(table[:0] for table in shop()))
    found = audit_release(
        nobody.train,
        nobody.heldout,
        nobody.synthetic,
        "dp",
        users=Sides(train, heldout, pl.concat([made, copied])),
    )
    rows = {row["name"]: row for row in found.iter_rows(named=True)}
    assert not rows["copies_of_k_of_n_user_columns"]["passed"]


@pytest.mark.planted_leak
def test_leak_16_one_copied_outlier_is_caught():
    train, _, release = shop()
    found = failed(outlier(train, release))
    assert "copies_of_outliers" in found
    assert "exact_copies_of_histories" not in found


@pytest.mark.planted_leak
def test_leak_17_an_echoed_review_canary_is_caught():
    train, heldout, made = (draw_texts(SEED, 300, who) for who in ("r", "h", "s"))
    random = np.random.Generator(np.random.PCG64(1))
    canary = "my lamp code is " + "-".join(map(str, random.integers(10_000, size=4)))
    planted = pl.concat([train, pl.DataFrame({"text": [canary]})])
    echo = pl.concat([made, pl.DataFrame({"text": [f"Nice! {canary.upper()} thanks"]})])
    given = {"canary_texts": pl.Series([canary, "another 71 secret 35 text"])}
    clean = failed(shop()[2], texts=Sides(planted, heldout, made), **given)
    assert clean == set()
    found = failed(shop()[2], texts=Sides(planted, heldout, echo), **given)
    assert found == {"canary_texts_extracted"}


@pytest.mark.planted_leak
def test_leak_17_reviews_that_come_back_in_pieces_are_caught():
    train, heldout, made = (draw_texts(SEED, 1_000, who) for who in ("r", "h", "s"))
    pieces = train[:40].select(("so " + pl.col("text").str.slice(0, 140) + " end").alias("text"))
    assert failed(shop()[2], texts=Sides(train, heldout, made)) == set()
    found = failed(shop()[2], texts=Sides(train, heldout, pl.concat([made, pieces])))
    assert found == {"copies_of_text_ngrams"}


@pytest.mark.planted_leak
def test_leak_18_a_basket_that_one_person_alone_bought_is_caught():
    """One basket shows only in a long tail: here 5,000 people choose among 10,000 items."""
    train, heldout, release = (draw_events(SEED, 5_000, who, n_items=10_000) for who in "rhs")
    for made, expected in ((release, set()), (basket(train, release), {OUTLYING})):
        audits = audit_release(train, heldout, made, "dp")
        assert set(audits.filter(~pl.col("passed"))["name"]) == expected
