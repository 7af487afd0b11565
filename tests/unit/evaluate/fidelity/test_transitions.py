"""Next-item pairs and what ItemKNN would propose, against pairs counted by hand."""

import math

import numpy as np
import pytest

from shopsynth.evaluate.fidelity import transitions
from shopsynth.evaluate.fidelity.transitions import item_knn_pairs, pair_codes, transition_rows
from shopsynth.evaluate.histories import Histories, shared_catalogue


def encode(events):
    return Histories.encode(events, shared_catalogue([events]))


def names(codes: np.ndarray, letters: str) -> set[str]:
    return {letters[code // len(letters)] + letters[code % len(letters)] for code in codes}


def test_itemknn_proposes_what_it_expects_most_often(make_events):
    """a and b have 12 buyers in common, b and c one: a is followed by b 12 times, always."""
    people = {f"u{i}": "a b" for i in range(12)} | {"v": "b c"}
    train = encode(make_events(people))
    assert names(item_knn_pairs(train, 99), "abc") == {"ab", "ba", "bc", "cb"}
    # b has 13 events, of which few are expected to go to c; the one of c goes to b.
    to_a, to_c = 12 / math.sqrt(12 * 13) * 12 / 22, 1 / math.sqrt(13) * 1 / 11
    assert 13 * to_c / (to_a + to_c) < 1
    assert names(item_knn_pairs(train, 2), "abc") == {"ab", "ba"}
    assert names(item_knn_pairs(train, 3), "abc") == {"ab", "ba", "cb"}
    assert item_knn_pairs(train, 0).size == 0


def test_an_item_follows_itself_only_where_people_do_that(make_events):
    once = encode(make_events({"u": "a b", "v": "a b"}))
    assert names(item_knn_pairs(once, 9), "ab") == {"ab", "ba"}
    again = encode(make_events({"u": "a a b", "v": "a b"}))
    assert names(item_knn_pairs(again, 9), "ab") == {"aa", "ab", "ba", "bb"}


def test_blocks_change_nothing(make_events, random_histories, monkeypatch):
    train = encode(make_events(random_histories(200, "u", 3)))
    whole = item_knn_pairs(train, 500)
    assert whole.size == 500
    assert (np.diff(whole) > 0).all()
    monkeypatch.setattr(transitions, "_PAIRS_AT_ONCE", 300)
    assert np.array_equal(item_knn_pairs(train, 500), whole)


def test_very_long_histories_count_by_their_newest_items(make_events, monkeypatch):
    monkeypatch.setattr(transitions, "_NEWEST", 2)
    train = encode(make_events({"u": "a b c", "v": "a b c"}))
    assert names(item_knn_pairs(train, 9), "abc") == {"bc", "cb"}


def test_the_rows_tell_train_and_itemknn_as_ceilings(make_events):
    tables = [make_events({"r": "a b c"}), make_events({"h": "a b a c"}), make_events({"m": "a b"})]
    catalogue = shared_catalogue(tables)
    train, later, made = (Histories.encode(table, catalogue) for table in tables)
    (_, value, ceiling), (_, again, proposed) = transition_rows(train, later, made)
    assert (value, ceiling) == pytest.approx((1 / 3, 1 / 3))
    assert again == value
    # One pair, as synthetic data has one; of equal expectations the first: a to b.
    assert proposed == pytest.approx(1 / 3)


def test_nothing_wanted_or_known_is_said_so(make_events):
    tables = [make_events({}), make_events({"h": "a"}), make_events({"m": "a b"})]
    catalogue = shared_catalogue(tables)
    rows = transition_rows(*(Histories.encode(table, catalogue) for table in tables))
    assert all(math.isnan(number) for _, *numbers in rows for number in numbers)
    one = encode(make_events({"u": "a b"}))
    nobody = Histories.encode(make_events({}), shared_catalogue([make_events({"u": "a b"})]))
    assert [row[1:] for row in transition_rows(nobody, one, nobody)] == [(0, 0), (0, 0)]
    assert pair_codes(nobody).size == 0
