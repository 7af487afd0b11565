"""user_histogram: the right counts, one bounded vector a user, a domain that no row can grow."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.noise import NoNoise, SeededNoise
from shopsynth.privacy.mechanisms import MECHANISMS
from shopsynth.privacy.mechanisms.features import (
    FEATURES,
    Amount,
    FirstGroup,
    GroupBigram,
    HistoryLength,
    Item,
    Rebuy,
    WordBigram,
)
from shopsynth.privacy.mechanisms.time_features import (
    FirstTime,
    GapWithin,
    HourOfDay,
    SessionGap,
    SessionOpening,
)
from shopsynth.privacy.mechanisms.user_histogram import UserHistogram
from shopsynth.privacy.mechanisms.walks import PublicGroups
from shopsynth.schema import Dataset, PrivacyError

START = datetime(2024, 1, 1, tzinfo=UTC)
END = START + timedelta(days=100)
HOUR = 3_600_000_000
GROUPS = PublicGroups(pl.Series(["a", "b", "c", "d"]), np.array([0, 0, 1, 2], np.int32), 3)
PERIOD = (int(START.timestamp() * 1e6), int(END.timestamp() * 1e6))
ALL = (
    HistoryLength((1, 2, 4)),
    FirstGroup(GROUPS),
    GroupBigram(GROUPS),
    Item(GROUPS),
    Rebuy(GROUPS, (1, 2)),
    WordBigram("event_type", ("view_item", "purchase")),
    Amount("quantity", (1.0, 2.0, 5.0)),
    FirstTime(PERIOD, 10, (1, 3)),
    SessionOpening((1, 2)),
    SessionGap(PERIOD[1], (0, HOUR, 24 * HOUR), (0.0, 0.5), (1, 3)),
    GapWithin((0, 1, HOUR)),
    HourOfDay(),
)


def rows_of(histories, **columns):
    """``{user: "a b c"}`` as events an hour apart, all of one session unless told."""
    rows = [
        (user, item, START + timedelta(hours=place))
        for user, items in histories.items()
        for place, item in enumerate(items.split())
    ]
    events = pl.DataFrame(
        rows,
        schema={
            "user_id": pl.String,
            "item_id": pl.String,
            "timestamp": pl.Datetime("us", "UTC"),
        },
        orient="row",
    )
    given = {name: pl.Series(values, strict=False) for name, values in columns.items()}
    return Dataset(
        items=pl.DataFrame({"item_id": ["a", "b", "c", "d"]}), events=events.with_columns(**given)
    )


def counts(feature, rows, clip=1e3):
    exact = UserHistogram(feature, 1.0, clip).answer(rows, NoNoise())
    return exact.round(6).tolist()


SHOP = rows_of(
    {"u": "a b c a d", "v": "d zz"},
    session_id=["1", "1", "2", "2", "3", "4", "4"],
    event_type=["view_item", "purchase", "view_item", "odd", None, "purchase", "purchase"],
    quantity=[1.0, 2.0, 7.0, -1.0, None, 1.5, float("nan")],
)
COUNTED = {
    "history length": [0, 1, 1],
    "group at the start": [1, 0, 1],
    "group bigram": [1, 1, 1, 1, 0, 0, 0, 0, 1],
    "item": [2, 1, 1, 2, 1],
    "coming back to an item": [2, 0, 0, 1],
    "event_type bigram": [0, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0],
    "quantity": [2, 1, 1, 3],
    "time of the first event": [1] + [0] * 9 + [1] + [0] * 9,
    "opening of sessions": [3, 0, 0, 2],
    "way between sessions": [0, 0, 0, 0, 0, 2, 0, 0],
    "gap within a session": [0, 0, 3],
    "hour of day": [2, 0, 1, 0, 1] + [0] * 19,
}


@pytest.mark.parametrize("feature", ALL, ids=lambda feature: feature.name)
class TestEveryFeature:
    def test_it_counts_what_people_did(self, feature):
        made = counts(feature, SHOP)
        assert len(made) == feature.n_cells
        assert made == COUNTED[feature.name]

    def test_the_order_of_rows_does_not_matter(self, feature):
        shuffled = SHOP.with_tables(
            events=SHOP.need("events").sample(fraction=1.0, shuffle=True, seed=1)
        )
        assert counts(feature, shuffled) == counts(feature, SHOP)

    def test_nobody_is_no_error(self, feature):
        nobody = SHOP.with_tables(events=SHOP.need("events").clear())
        assert counts(feature, nobody) == [0.0] * feature.n_cells

    def test_it_belongs_to_the_closed_set(self, feature):
        assert type(feature) in FEATURES
        assert UserHistogram in MECHANISMS


def test_the_tests_know_every_feature():
    assert {type(feature) for feature in ALL} == FEATURES


@given(
    histories=st.lists(st.lists(st.sampled_from("abcdz"), min_size=1, max_size=12), max_size=6),
    extra=st.lists(st.sampled_from("abcdz"), min_size=1, max_size=30),
    clip=st.floats(0.1, 20),
    feature=st.sampled_from([f for f in ALL if f.name not in ("event_type bigram", "quantity")]),
)
@settings(max_examples=150, deadline=None)
def test_one_user_moves_the_answer_by_the_clip_at_most(histories, extra, clip, feature):
    known = {f"u{n}": " ".join(items) for n, items in enumerate(histories)}
    asked = UserHistogram(feature, 1.0, clip)
    without = asked.answer(rows_of(known), NoNoise())
    with_one = asked.answer(rows_of(known | {"one": " ".join(extra)}), NoNoise())
    assert without.shape == with_one.shape
    assert np.linalg.norm(with_one - without) <= clip * (1 + 1e-9)


def test_a_heavy_user_is_shortened_and_the_others_are_not():
    rows = rows_of({"heavy": "a " * 101, "light": "c d"})
    made = UserHistogram(GroupBigram(GROUPS), 1.0, 4.0).answer(rows, NoNoise())
    assert made[0] == pytest.approx(4.0)
    assert made[1 * 3 + 2] == pytest.approx(1.0)


def test_noise_has_the_scale_that_is_charged():
    asked = UserHistogram(
        Item(
            PublicGroups(pl.Series([f"{i:05d}" for i in range(4000)]), np.zeros(4000, np.int32), 1)
        ),
        2.5,
        4.0,
    )
    made = asked.answer(rows_of({"u": "a"}), SeededNoise(3))
    assert made[:-1].std() == pytest.approx(10.0, rel=0.05)
    charge = asked.charge()
    assert (charge.kind, charge.noise_multiplier) == ("gaussian", 2.5)
    assert charge.detail == {"clip": 4.0, "cells": 4001}
    assert 0 < charge.slack < 1e-10


@pytest.mark.planted_leak
def test_leak_07_a_domain_that_a_rare_category_grows_is_caught():
    """Ask neighbours: with a domain taken from rows the one user shows in the answer's size."""

    def grown(rows):
        """The fault: groups of what was bought, not of the declared catalogue."""
        ids = rows.need("events")["item_id"].unique().sort()
        return PublicGroups(ids, np.arange(ids.len(), dtype=np.int32), ids.len() + 1)

    def cells_differ(domain):
        crowd = rows_of({f"u{n}": "a b c" for n in range(50)})
        with_one = rows_of({f"u{n}": "a b c" for n in range(50)} | {"one": "a d"})
        answers = [
            UserHistogram(GroupBigram(domain(rows)), 5.0, 4.0).answer(rows, SeededNoise(1))
            for rows in (crowd, with_one)
        ]
        return answers[0].shape != answers[1].shape

    assert cells_differ(grown)
    assert not cells_differ(lambda _rows: GROUPS)


@dataclass(frozen=True)
class Sly(Item):
    """A feature of a caller: it could keep what it sees."""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"feature": Sly(GROUPS)}, "expected a feature of shopsynth.privacy, got Sly"),
        ({"noise_multiplier": 0.0}, "finite noise_multiplier above 0, got 0"),
        ({"noise_multiplier": float("nan")}, "noise_multiplier above 0, got nan"),
        ({"clip": -1.0}, "finite clip above 0"),
    ],
)
def test_what_cannot_be_proven_is_refused(change, told):
    sound = UserHistogram(Item(GROUPS), 1.0, 1.0)
    with pytest.raises(PrivacyError, match=told):
        replace(sound, **change)


@pytest.mark.parametrize(
    ("ids", "group"), [(["b", "a"], [0, 0]), (["a", "a"], [0, 0]), (["a", "b"], [0, 5])]
)
def test_a_grouping_that_is_none_is_refused(ids, group):
    with pytest.raises(PrivacyError, match="distinct, sorted item ids"):
        PublicGroups(pl.Series(ids), np.array(group, np.int32), 2)


def test_positions_order_a_shop_without_times():
    rows = Dataset(
        items=pl.DataFrame({"item_id": ["a"]}),
        events=pl.DataFrame({"user_id": ["u", "u"], "item_id": ["c", "a"], "position": [1, 0]}),
    )
    assert counts(GroupBigram(GROUPS), rows)[0 * 3 + 1] == 1
