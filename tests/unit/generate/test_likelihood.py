"""The confidence filter: what people do scores high, what one source says for itself does not."""

import numpy as np
import pytest

from shopsynth.generate._augmentation import fit_likelihood
from shopsynth.generate._draws import DrawTable
from shopsynth.generate._edits import take_users
from shopsynth.generate._histories import Histories, read_histories
from shopsynth.generate._likelihood import Likelihood, most_confident
from shopsynth.schema import SILENT


def histories_of(*users):
    lengths = [len(items) for items in users]
    n = sum(lengths)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    opens = np.zeros(n, dtype=np.bool_)
    opens[offsets[:-1]] = True
    return Histories(
        item=np.concatenate(users).astype(np.int32),
        time=np.arange(n),
        opens=opens,
        row=np.arange(n),
        offsets=offsets,
    )


NO_NEIGHBOURS = DrawTable.of(np.array([], dtype=int), np.array([], dtype=int), np.array([]), 5)


def test_a_step_scores_as_the_formula_says():
    real = histories_of([0, 1], [0, 1], [0, 2], [3, 4])
    likelihood = Likelihood.fit(real, NO_NEIGHBOURS, 5)
    # From 0 three steps went to two items; 1 is two of eight events.
    expected = np.log((2 + 2 * (2 / 8)) / (3 + 2) / np.sqrt(2 / 8))
    made, source = histories_of([3, 0, 1]), histories_of([3])
    unseen = np.log(1 / (1 + 1) * (3 / 8) / np.sqrt(3 / 8))
    assert likelihood.of_new_steps(made, source) == pytest.approx([(expected + unseen) / 2])


def test_neighbours_speak_where_nobody_took_the_step():
    real = histories_of([0, 1], [2, 1], [3, 4], [4, 3])
    neighbours = DrawTable.of(np.array([0]), np.array([2]), np.array([0.7]), 5)
    likelihood = Likelihood.fit(real, neighbours, 5)
    near, far = (
        likelihood.of_new_steps(histories_of([0, item]), histories_of([0]))[0] for item in (2, 4)
    )
    assert near > far


def test_only_new_steps_count_and_nothing_new_is_certain():
    real = histories_of([0, 1, 2], [0, 1], [3, 4])
    likelihood = Likelihood.fit(real, NO_NEIGHBOURS, 5)
    source = take_users(real, np.array([0, 0]))
    made = histories_of([0, 1], [0, 3, 1, 2])
    scores = likelihood.of_new_steps(made, source)
    assert scores[0] == np.inf
    alone = likelihood.of_new_steps(histories_of([0, 3, 1]), histories_of([0]))
    assert scores[1] == pytest.approx(alone[0])


def test_a_source_does_not_confirm_its_own_pairs(make_view):
    histories = {f"u{n}": ["a", "b", "c"] for n in range(3)} | {"z": ["x", "y", "q"], "w": ["q"]}
    form, real = read_histories(make_view(histories), "test")
    _, likelihood = fit_likelihood(form, real, SILENT)
    place = {name: number for number, name in enumerate(form.item_ids.to_list())}
    own = take_users(real, np.array([real.n_users - 1, 0]))
    assert own.lengths.tolist() == [3, 3]
    strangers = histories_of([place["x"]], [place["a"]])
    made = histories_of([place["x"], place["q"]], [place["a"], place["c"]])
    lonely, shared = (
        likelihood.of_new_steps(made, strangers) - likelihood.of_new_steps(made, own)
    ).tolist()
    # Only one person had x and q, three had a and c; x has the neighbours y, by 1, and q.
    share, popular = np.sqrt(0.5) / (1 + np.sqrt(0.5)), 0.8 * 2 / 13
    assert lonely == pytest.approx(np.log((0.2 * share + popular) / popular), abs=1e-5)
    assert 0 < shared < lonely


def test_whole_histories_need_others_too():
    real = histories_of([0, 1], [0, 1], [2, 3], [4])
    scores = Likelihood.fit(real, NO_NEIGHBOURS, 5).of_whole(real)
    # Without its own step, nobody went from 2 to 3: only the popularity of 3 is left.
    assert scores[2] == pytest.approx(np.log(np.sqrt(1 / 7)))
    assert scores[0] == scores[1] > scores[2]
    assert scores[3] == np.inf


def test_real_histories_beat_the_same_items_at_random():
    random = np.random.Generator(np.random.PCG64(4))
    walks = [(start + np.arange(6)) % 20 for start in random.integers(0, 20, 300)]
    real = histories_of(*walks)
    likelihood = Likelihood.fit(
        real, DrawTable.of(np.array([0]), np.array([1]), np.array([1.0]), 20), 20
    )
    chance = histories_of(*[random.permutation(20)[:6] for _ in range(300)])
    assert likelihood.of_whole(real).min() > np.quantile(likelihood.of_whole(chance), 0.95)


def test_steps_to_the_same_item_are_not_scored():
    real = histories_of([0, 0, 0, 1], [1, 1])
    likelihood = Likelihood.fit(real, NO_NEIGHBOURS, 5)
    assert likelihood.steps.tolist() == [1]
    assert likelihood.of_whole(real)[1] == np.inf


def test_the_best_are_kept_of_short_and_long_alike():
    scores = np.concatenate((np.arange(10.0), 100 + np.arange(20.0)))
    lengths = np.repeat([2, 9], [10, 20])
    kept = most_confident(scores, lengths, 15)
    assert kept.tolist() == [*range(5, 10), *range(20, 30)]


def test_of_equal_scores_the_first_are_kept():
    assert most_confident(np.zeros(6), np.full(6, 3), 4).tolist() == [0, 1, 2, 3]
