"""Guesses by company: as others made them, without what a history has, as sharp as asked."""

import numpy as np
import pytest

from shopsynth.generate._edits import take_users
from shopsynth.generate._histories import read_histories
from shopsynth.generate._repeats import Repeats
from shopsynth.generate.sequences.company import Company, Deck, OtherUsers, mass_of_codes
from shopsynth.generate.sequences.semantic_ids import SemanticIds

N_ITEMS = 12


@pytest.fixture
def shop(make_view):
    """Users with up to ten events among twelve items, some of them twice."""
    random = np.random.Generator(np.random.PCG64(8))
    histories = {
        f"u{user:02d}": [f"i{item:02d}" for item in random.integers(0, N_ITEMS, 1 + user % 10)]
        for user in range(40)
    }
    _, real = read_histories(make_view(histories), "test")
    return real, Repeats.fit(real, N_ITEMS).is_repeat


def test_a_user_is_guessed_as_if_they_had_not_been_counted(shop):
    """Oracle: count anew without the user, and guess as for a made history."""
    histories, is_repeat = shop
    others = OtherUsers.of(Company.fit(histories, is_repeat, N_ITEMS), histories, is_repeat)
    compared = 0
    for user in range(histories.n_users):
        rest = take_users(histories, np.setdiff1d(np.arange(histories.n_users), [user]))
        without = Company.fit(rest, Repeats.fit(rest, N_ITEMS).is_repeat, N_ITEMS)
        for event in range(histories.offsets[user] + 1, histories.offsets[user + 1]):
            seen = histories.item[histories.offsets[user] : event][::-1]
            expected = Deck(without, 1.0).guess(seen[None].astype(np.int64), 1.0).toarray()
            assert np.allclose(others.guess(np.array([event])).toarray(), expected, atol=1e-6)
            compared += 1
    assert compared > 100


def test_many_events_are_guessed_as_each_by_itself(shop):
    histories, is_repeat = shop
    others = OtherUsers.of(Company.fit(histories, is_repeat, N_ITEMS), histories, is_repeat)
    events = np.arange(histories.item.size)[::-1]
    together = others.guess(events).toarray()
    alone = np.vstack([others.guess(events[[place]]).toarray() for place in range(events.size)])
    assert np.allclose(together, alone)


def test_what_a_history_has_is_not_guessed(shop):
    histories, is_repeat = shop
    company = Deck(Company.fit(histories, is_repeat, N_ITEMS), 1.0)
    seen = np.array([[3, 1, 4, 0, 5, 9], [2, 6, 7, 8, 10, -1]])
    guess = company.guess(seen, 1.0).toarray()
    assert not guess[0, [3, 1, 4, 0, 5, 9]].any()
    assert not guess[1, [2, 6, 7, 8, 10]].any()
    assert np.allclose(guess.sum(axis=1), 1)


def test_nothing_is_guessed_for_who_has_nothing_and_after_unknown_items(make_view):
    _, histories = read_histories(make_view({"u": ["a", "b"], "v": ["c"]}), "test")
    company = Deck(Company.fit(histories, np.zeros(3, dtype=np.bool_), 3), 1.0)
    assert company.guess(np.empty((2, 0), dtype=np.int64), 1.0).nnz == 0
    assert company.guess(np.array([[2], [-1]]), 1.0).nnz == 0
    assert company.guess(np.array([[0]]), 1.0).toarray().tolist() == [[0, 1, 0]]


def test_sharper_guesses_favour_the_likely(shop):
    company = Deck(Company.fit(shop[0], shop[1], N_ITEMS), 1.0)
    seen = np.array([[3, 1]])
    plain, sharp = (company.guess(seen, power).toarray()[0] for power in (1.0, 3.0))
    assert sharp.max() > plain.max()
    assert np.argmax(sharp) == np.argmax(plain)
    assert np.isclose(sharp.sum(), 1)


def test_only_the_strongest_neighbours_are_kept(shop, monkeypatch):
    from shopsynth.generate.sequences import company as module

    full = Company.fit(shop[0], shop[1], N_ITEMS).counts.toarray()
    monkeypatch.setattr(module, "_NEIGHBOURS", 2)
    kept = Company.fit(shop[0], shop[1], N_ITEMS).counts.toarray()
    for row in range(N_ITEMS):
        best = np.sort(full[row])[::-1][:2]
        assert np.sort(kept[row])[::-1][:3].tolist() == [*best.tolist(), 0.0]


def test_masses_of_codes_are_sums_over_the_items_below(shop):
    histories, is_repeat = shop
    company = Company.fit(histories, is_repeat, N_ITEMS)
    random = np.random.Generator(np.random.PCG64(1))
    ids = SemanticIds.fit(random.standard_normal((N_ITEMS, 4)).astype(np.float32), seed=1)
    guess = Deck(company, 1.0).guess(np.array([[0], [5], [7]]), 1.0)
    dense = guess.toarray()
    node = np.zeros(3, dtype=np.int64)
    for level in range(ids.n_levels):
        mass = mass_of_codes(ids, guess, level, node)
        for row in range(3):
            below = ids.nodes[:, level - 1] == node[row] if level else np.full(N_ITEMS, True)
            for code in range(ids.sizes[level]):
                right = dense[row, below & (ids.codes[:, level] == code)].sum()
                assert np.isclose(mass[row, code], right)
        node = ids.nodes[[1, 2, 3], level]


def test_pairs_that_were_dealt_are_guessed_less_but_never_ruled_out(shop):
    company = Company.fit(shop[0], shop[1], N_ITEMS)
    deck, seen = Deck(company, 1.0), np.array([[0]])
    before = deck.guess(seen, 1.0).toarray()[0]
    likely = int(np.argmax(before))
    for _ in range(50):
        deck.take(seen, np.array([likely]))
    after = deck.guess(seen, 1.0).toarray()[0]
    assert 0 < after[likely] < 0.2 * before[likely]
    others = np.setdiff1d(np.flatnonzero(before), [likely])
    assert np.allclose(after[others] / after[others].sum(), before[others] / before[others].sum())


def test_a_sample_dealt_from_the_deck_has_the_pairs_of_the_real_histories(shop):
    """As many pairs as were counted, dealt one by one, come out as they were counted."""
    company = Company.fit(shop[0], shop[1], N_ITEMS)
    random = np.random.Generator(np.random.PCG64(3))
    deck, dealt = Deck(company, 20.0), np.zeros(N_ITEMS)
    real = company.counts.toarray()[0]
    for _ in range(round(20 * real.sum())):
        share = deck.guess(np.array([[0]]), 1.0).toarray()[0]
        item = random.choice(N_ITEMS, p=share / share.sum())
        deck.take(np.array([[0]]), np.array([item]))
        dealt[item] += 1
    # Independent draws would be off by a sixth of a likely pair's count, and more of the rest.
    assert np.abs(dealt - 20 * real).max() < 0.1 * 20 * real.max()
    deck.take(np.array([[-1], [2]]), np.array([3, -1]))
    assert np.isfinite(deck.guess(np.array([[2]]), 1.0).toarray()).all()
