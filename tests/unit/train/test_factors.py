"""ALS and BPR: what is solved, what is drawn, and what happens where they cannot work."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from shopsynth.schema import Dataset, Holdout, InputError, MissingExtraError, TrainingSet
from shopsynth.train import Ranker, make_ranker
from shopsynth.train.next_item import _factors
from shopsynth.train.next_item.bpr import _copies

N_ITEMS = 10
ITEMS = pl.DataFrame({"item_id": [f"i{n}" for n in range(N_ITEMS)]})


def halves(n_users: int, weight: float = 1.0) -> TrainingSet:
    """Even users buy four of items 0 to 4, odd ones of items 5 to 8; nobody buys item 9."""
    rng = np.random.Generator(np.random.PCG64(2))
    rows = [
        (f"u{u:02}", f"i{item}", place, weight)
        for u in range(n_users)
        for place, item in enumerate(rng.permutation(5 if u % 2 == 0 else 4)[:4] + 5 * (u % 2))
    ]
    events = pl.DataFrame(
        rows, schema=["user_id", "item_id", "position", "weight"], orient="row"
    ).with_columns(pl.lit("real").alias("origin"))
    return TrainingSet(Dataset(items=ITEMS, events=events), "real")


def history(*items: str) -> Dataset:
    events = pl.DataFrame(
        {"user_id": ["x"] * len(items), "item_id": list(items), "position": range(len(items))}
    )
    return Dataset(items=ITEMS, events=events)


def fitted(name: str, training: TrainingSet, seed: int = 0, **options: object) -> Ranker:
    no_questions = Holdout(training.data, pl.DataFrame(schema={
        "unit_id": pl.String, "item_id": pl.String, "grade": pl.Float64}))  # fmt: skip
    ranker = make_ranker("next_item", name, {"factors": 2} | options)
    return ranker.fit(training, no_questions, seed=seed)


def scores(ranker: Ranker, requests: Dataset) -> dict[str, float]:
    frame = ranker.rank(requests, k=99).frame
    return dict(frame.select("item_id", "score").iter_rows())


@pytest.fixture(scope="module", params=["als", "bpr"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_stranger_is_answered_from_the_history_alone(name: str) -> None:
    ranker = fitted(name, halves(40))
    got = scores(ranker, history("i1", "i2"))
    low, high = (max(got[f"i{n}"] for n in range(5, 9)), min(got[f"i{n}"] for n in range(5)))
    assert low < high
    assert got["i9"] == min(got.values()) < -1e30


def test_the_newest_moments_count_most(name: str) -> None:
    ranker = fitted(name, halves(40), decay=0.3)
    got = scores(ranker, history("i1", "i2", "i6", "i7"))
    assert max(got[f"i{n}"] for n in range(5)) < min(got[f"i{n}"] for n in range(5, 9))


def test_a_user_without_a_known_item_gets_one_tie(name: str) -> None:
    got = fitted(name, halves(20)).rank(history("elsewhere"), k=N_ITEMS).frame
    assert got["rank"].to_list() == [5.0] * 9 + [10.0]


def test_the_same_seed_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    for number, seed in enumerate((3, 3, 4)):
        (tmp_path / str(number)).mkdir()
        fitted(name, halves(30), seed).save(tmp_path / str(number))
    first, again, other = (
        (tmp_path / str(number) / "model.safetensors").read_bytes() for number in range(3)
    )
    assert first == again
    assert first != other


def test_als_solves_the_weighted_least_squares_of_a_user() -> None:
    """The closed form of the paper, with confidence 5 for the newest moment and 2.5 before."""
    ranker = fitted("als", halves(40), confidence=5.0, decay=0.5, regularisation=0.1)
    items = ranker.factors_.items.astype(np.float64)  # type: ignore[attr-defined]
    sure = np.ones(N_ITEMS)
    sure[[1, 2]] = [2.5, 5.0]
    wanted = np.where(sure > 1, sure, 0.0)
    left = items.T @ (sure[:, None] * items) + 0.1 * np.eye(2)
    expected = items @ np.linalg.solve(left, items.T @ wanted)
    got = scores(ranker, history("i1", "i2"))
    assert [got[f"i{n}"] for n in range(9)] == pytest.approx(expected[:9].tolist(), abs=1e-3)


def test_bpr_draws_entries_by_their_weight() -> None:
    pairs = sparse.csr_matrix(np.array([[2.0, 0.25, 0.0], [0.0, 1e-9, 1.5]], dtype=np.float32))
    rng = np.random.Generator(np.random.PCG64(0))
    drawn = [_copies(pairs, rng) for _ in range(400)]
    mean = np.mean([one.toarray() for one in drawn], axis=0)
    assert mean[0, 0] == 2.0
    assert mean[1, 1] == 0.0
    assert mean[0, 1] == pytest.approx(0.25, abs=0.08)
    assert mean[1, 2] == pytest.approx(1.5, abs=0.08)
    assert all(one.indptr[-1] == one.nnz == len(one.indices) for one in drawn)


def test_rows_of_almost_no_weight_leave_bpr_where_it_started() -> None:
    none = fitted("bpr", halves(10, weight=1e-9), epochs=5)
    one = fitted("bpr", halves(10, weight=1e-9), epochs=1)
    assert scores(none, history("i1")) == scores(one, history("i1"))


def test_a_descent_that_bursts_names_the_setting() -> None:
    with pytest.raises(InputError, match=r"bpr: .*lower learning_rate in \[train.options.bpr\]"):
        fitted("bpr", halves(20), learning_rate=1e30)


def test_a_missing_library_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(module: str, *rest: Any) -> Any:
        if module.startswith("implicit"):
            raise ModuleNotFoundError(module)
        return importlib.import_module(module, *rest)

    monkeypatch.setattr(_factors, "import_module", refuse)
    with pytest.raises(MissingExtraError, match=rf"{name}: .*shopsynth\[recommend\]"):
        fitted(name, halves(10))
