"""The teacher of ordered classes: shares are kept, views teach each other, labels alone know less.

In: planted places of texts on a line. Out: guesses of their classes.
"""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
N_KNOWN, N_ALL = 40, 600


@pytest.fixture
def order(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("_order")


def _line(order, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Two views that each see the same line under noise of their own; classes 0 to 3 along it."""
    rng = np.random.Generator(np.random.PCG64(seed))
    place = rng.normal(size=N_ALL)
    classes = np.searchsorted([-1.0, 0.0, 1.0], place)
    seen = [
        np.outer(place, rng.normal(size=60)) + 6.0 * rng.normal(size=(N_ALL, 60)) for _ in range(2)
    ]
    return [order.kernel(each) for each in seen], classes


def test_every_class_gets_its_share_in_order(order):
    found = order.dealt(np.array([3.0, 1.0, 2.0, 0.0]), np.array([0.25, 0.5, 0.25]))
    assert found.tolist() == [2, 1, 1, 0]


def test_no_class_has_a_share_of_nothing(order):
    assert order.prior_of(np.array([0, 0, 2])).tolist() == [
        0.5,
        pytest.approx(1 / 6),
        pytest.approx(1 / 3),
    ]


def test_a_kernel_is_centred_and_of_size_one(order):
    found = order.kernel(np.random.Generator(np.random.PCG64(0)).normal(size=(30, 5)) + 7.0)
    assert np.allclose(found.sum(axis=0), 0.0, atol=1e-9)
    assert np.trace(found) == pytest.approx(30.0)


def test_unlabelled_texts_teach_more_than_labels_alone(order):
    gains = []
    for seed in range(5):
        views, classes = _line(order, seed)
        known, hidden = classes[:N_KNOWN], classes[N_KNOWN:]
        alone = order.order_scores(views, known, c=1.0, rounds=())[N_KNOWN:]
        before = np.mean(order.dealt(alone, order.prior_of(known)) == hidden)
        gains.append(np.mean(order.teach_order(views, known, c=1.0) == hidden) - before)
    assert np.mean(gains) > 0.02


def test_another_teacher_beside_the_views_is_heard(order):
    views, classes = _line(order, 7)
    known, hidden = classes[:N_KNOWN], classes[N_KNOWN:]
    plain = np.mean(order.teach_order(views, known, c=1.0) == hidden)
    helped = np.mean(order.teach_order(views, known, c=1.0, beside=hidden.astype(float)) == hidden)
    assert helped > plain + 0.05


def test_a_generative_model_tells_two_classes_by_their_words(order):
    texts = ["fine calm stay", "loud dirty room"] * 2 + ["calm calm fine", "dirty loud loud"] * 5
    found = order.two_hidden_classes(texts, np.array([0, 1, 0, 1]))
    assert np.sign(found).tolist() == [-1.0, 1.0] * 5
