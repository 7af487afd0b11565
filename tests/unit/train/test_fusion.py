"""Fusion: equal to its parts at the ends, better where each part knows what the other does not."""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

from shopsynth.schema import (
    RANKING_COLUMNS,
    Dataset,
    Holdout,
    InputError,
    Ranking,
    RecipeError,
    Settings,
    SourceError,
)
from shopsynth.train import Fusion, fused_names

Row = tuple[str, str, float]


class Told:
    """A fitted model whose scores are given; ties share their mean rank, as every model's do."""

    Options: ClassVar[type[Settings]] = Settings

    def __init__(self, rows: list[Row], steps: int = 0, asked: list[Any] | None = None) -> None:
        self.steps_ = steps
        self.asked = asked if asked is not None else []
        schema = pl.Schema({"unit_id": pl.String(), "item_id": pl.String(), "score": pl.Float32()})
        self._frame = pl.DataFrame(rows, schema=schema, orient="row")

    def rank(self, requests: Dataset, *, k: int, exclude_seen: bool = False) -> Ranking:
        self.asked.append((k, exclude_seen))
        units = requests.need("events").select(pl.col("user_id").unique().alias("unit_id"))
        ranked = (
            self._frame.join(units, on="unit_id", how="semi")
            .sort("unit_id", -pl.col("score"), maintain_order=True)
            .with_columns((-pl.col("score")).rank("average").over("unit_id").alias("rank"))
        )
        listed = ranked.group_by("unit_id", maintain_order=True).head(k)
        return Ranking(listed.select(list(RANKING_COLUMNS)))

    def fit(self, *args: Any, **kwargs: Any) -> "Told":
        return self

    def save(self, folder: Path) -> None: ...

    @classmethod
    def load(cls, folder: Path) -> "Told":
        return cls([])


def requests_of(units: list[str], items: str) -> Dataset:
    events = pl.DataFrame({"user_id": units, "item_id": [items[0]] * len(units), "position": 0})
    return Dataset(
        items=pl.DataFrame({"item_id": [*items]}),
        events=events.with_columns(pl.col("position").cast(pl.Int64)),
    )


def holdout(answers: dict[str, str], items: str = "abcdef") -> Holdout:
    truth = pl.DataFrame(
        {"unit_id": [*answers], "item_id": [*answers.values()], "grade": [1.0] * len(answers)}
    )
    return Holdout(requests_of([*answers], items), truth)


def reciprocal_rank(of: Holdout) -> Callable[[Ranking], float]:
    """Score a ranking by the mean of one over the answer's rank."""

    def score(ranking: Ranking) -> float:
        found = ranking.frame.join(of.truth, on=["unit_id", "item_id"], how="inner")
        return float((1.0 / found["rank"]).sum()) / of.truth.height

    return score


def listed(unit: str, items: str) -> list[Row]:
    return [(unit, item, float(len(items) - place)) for place, item in enumerate(items)]


@pytest.fixture
def halves() -> tuple[Told, Told, Holdout]:
    """Of ten users each model ranks the answer first for five, and fourth for the others."""
    answers = {f"u{n}": "d" for n in range(10)}
    early, late = "dabcef", "abcdef"
    one = [row for n in range(10) for row in listed(f"u{n}", early if n < 5 else late)]
    two = [row for n in range(10) for row in listed(f"u{n}", "efadcb" if n < 5 else early)]
    return Told(one), Told(two), holdout(answers)


def test_names_of_a_fusion() -> None:
    assert fused_names("a+b+c") == ("a", "b", "c")
    for wrong in ("a+", "+", "a+a", ""):
        with pytest.raises(RecipeError, match="expected different models joined by"):
            fused_names(wrong)


def test_it_beats_both_parts_where_each_knows_what_the_other_does_not(
    halves: tuple[Told, Told, Holdout],
) -> None:
    one, two, asked = halves
    score = reciprocal_rank(asked)
    fusion = Fusion({"one": one, "two": two}).choose(asked, score)
    assert 0 < fusion.weights_["one"] < 1
    assert sum(fusion.weights_.values()) == pytest.approx(1)
    together = score(fusion.rank(asked.requests, k=6))
    assert together > max(score(part.rank(asked.requests, k=6)) for part in (one, two))


@pytest.mark.parametrize(("good", "other"), [("one", "two"), ("two", "one")])
def test_it_falls_back_to_the_part_that_is_best_alone(good: str, other: str) -> None:
    asked = holdout({"u": "a", "v": "a"})
    knows = Told([*listed("u", "abc"), *listed("v", "abc")])
    fools = Told([*listed("u", "cba"), *listed("v", "bca")])
    parts = {"one": knows if good == "one" else fools, "two": knows if good == "two" else fools}
    fusion = Fusion(parts).choose(asked, reciprocal_rank(asked))
    assert fusion.weights_ == {good: 1.0, other: 0.0}
    alone = knows.rank(asked.requests, k=2).frame
    fools.asked.clear()
    assert fusion.rank(asked.requests, k=2).frame.equals(alone)
    assert fools.asked == []


def test_of_equally_good_choices_the_first_part_wins() -> None:
    asked = holdout({"u": "b"})
    same = listed("u", "abc")
    fusion = Fusion({"x": Told(same), "y": Told(same), "z": Told(same)})
    assert fusion.choose(asked, reciprocal_rank(asked)).weights_ == {"x": 1.0, "y": 0.0, "z": 0.0}


def slow_fusion(
    lists: list[pl.DataFrame], weights: list[float], constant: float, k: int
) -> dict[tuple[str, str], float]:
    """Compute the mean rank of every listed item, one at a time."""
    gains: dict[str, dict[str, float]] = {}
    for frame, weight in zip(lists, weights, strict=True):
        for unit, item, _, rank in frame.iter_rows():
            of_unit = gains.setdefault(unit, {})
            of_unit[item] = of_unit.get(item, 0.0) + weight / (constant + rank)
    return {
        (unit, item): statistics.fmean(
            [n + 1 for n, other in enumerate(sorted(of_unit.values(), reverse=True))
             if abs(other - gain) < 1e-9]
        )
        for unit, of_unit in gains.items()
        for item, gain in of_unit.items()
    }  # fmt: skip


def test_it_is_the_sum_of_weighted_reciprocal_ranks() -> None:
    rng = np.random.Generator(np.random.PCG64(0))
    units, items = [f"u{n}" for n in range(20)], "abcdefghij"
    requests = requests_of(units, items)

    def draw(n_listed: int) -> Told:
        # Few different scores, so that there are ties.
        return Told(
            [(u, items[i], float(rng.integers(4))) for u in units
             for i in rng.permutation(10)[:n_listed]]
        )  # fmt: skip

    parts = {"a": draw(10), "b": draw(6), "c": draw(4)}
    fusion = Fusion(parts)
    fusion.weights_, fusion.constant_ = {"a": 0.5, "b": 0.2, "c": 0.3}, 7.0
    frame = fusion.rank(requests, k=10).frame
    lists = [part.rank(requests, k=10).frame for part in parts.values()]
    expected = slow_fusion(lists, [0.5, 0.2, 0.3], 7.0, 10)
    found = {(unit, item): rank for unit, item, _, rank in frame.iter_rows()}
    assert found == pytest.approx(expected)
    assert any(rank % 1 for rank in found.values())
    assert frame["unit_id"].is_sorted()
    assert frame.select((pl.col("rank").diff().over("unit_id") >= 0).all()).item()
    assert fusion.rank(requests, k=3).frame.equals(
        frame.group_by("unit_id", maintain_order=True).head(3)
    )


def test_items_tied_with_items_beyond_the_list_are_not_listed() -> None:
    """400 items tie for places 2 to 401: which of them are among 200 says nothing about them."""
    catalogue = [f"i{n:03d}" for n in range(401)]
    requests = Dataset(
        items=pl.DataFrame({"item_id": catalogue}),
        events=pl.DataFrame({"user_id": ["u"], "item_id": ["i000"], "position": [0]}),
    )
    flat = Told([("u", "i000", 1.0), *(("u", item, 0.0) for item in catalogue[1:])])
    sure = Told([("u", item, float(-n)) for n, item in enumerate(catalogue[391:])])
    fusion = Fusion({"flat": flat, "sure": sure})
    fusion.weights_, fusion.constant_ = {"flat": 0.5, "sure": 0.5}, 20.0
    ranked = fusion.rank(requests, k=300).frame
    assert set(ranked["item_id"]) == {"i000", *catalogue[391:]}
    assert ranked["item_id"].to_list()[1:] == catalogue[391:]


def test_predictions_of_pairs_are_averaged() -> None:
    """One item a unit has no rank to speak of; its scores are probabilities and are weighed."""
    one = Told([("p1", "a", 0.8), ("p2", "a", 0.2), ("p3", "b", 0.0)])
    two = Told([("p1", "a", 0.4), ("p2", "a", 0.6), ("p3", "b", 0.0)])
    truth = pl.DataFrame({"unit_id": ["p1"], "item_id": ["a"], "grade": [1.0]})
    asked = Holdout(requests_of(["p1", "p2", "p3"], "ab"), truth)

    def nearness(ranking: Ranking) -> float:
        given = dict(ranking.frame.select("unit_id", "score").iter_rows())
        return -abs(given["p1"] - 0.6) - abs(given["p2"] - 0.4)

    fusion = Fusion({"one": one, "two": two}).choose(asked, nearness)
    assert fusion.weights_ == {"one": 0.5, "two": 0.5}
    frame = fusion.rank(asked.requests, k=1).frame
    assert frame["score"].to_list() == pytest.approx([0.6, 0.4, 0.0])
    assert frame["rank"].to_list() == [1.0, 1.0, 1.0]


def test_the_own_history_is_left_out_by_the_parts(halves: tuple[Told, Told, Holdout]) -> None:
    one, two, asked = halves
    fusion = Fusion({"one": one, "two": two}).choose(asked, reciprocal_rank(asked))
    one.asked.clear()
    fusion.rank(asked.requests, k=500, exclude_seen=True)
    assert one.asked == [(500, True)]


def test_it_does_not_matter_in_which_order_units_come(halves: tuple[Told, Told, Holdout]) -> None:
    one, two, asked = halves
    score = reciprocal_rank(asked)
    fusion = Fusion({"one": one, "two": two}).choose(asked, score)
    turned = asked.requests.with_tables(events=asked.requests.need("events").reverse())
    assert fusion.rank(turned, k=6).frame.equals(fusion.rank(asked.requests, k=6).frame)


def test_no_units_are_no_rows(halves: tuple[Told, Told, Holdout]) -> None:
    one, two, asked = halves
    fusion = Fusion({"one": one, "two": two}).choose(asked, reciprocal_rank(asked))
    nobody = asked.requests.with_tables(events=asked.requests.need("events").clear())
    assert fusion.rank(nobody, k=6).frame.is_empty()


def test_steps_are_those_of_all_parts_and_one_part_is_none() -> None:
    assert Fusion({"a": Told([], steps=3), "b": Told([], steps=4)}).steps_ == 7
    with pytest.raises(InputError, match="expected two or more fitted models, got 1"):
        Fusion({"a": Told([])})


def test_weights_are_kept_and_belong_to_their_parts(
    halves: tuple[Told, Told, Holdout], tmp_path: Path
) -> None:
    one, two, asked = halves
    fusion = Fusion({"one": one, "two": two}).choose(asked, reciprocal_rank(asked))
    fusion.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["fusion.json"]
    again = Fusion.load(tmp_path, {"one": one, "two": two})
    assert (again.weights_, again.constant_) == (fusion.weights_, fusion.constant_)
    assert again.rank(asked.requests, k=6).frame.equals(fusion.rank(asked.requests, k=6).frame)
    with pytest.raises(SourceError, match="the parts two, one, got version 1 and one, two"):
        Fusion.load(tmp_path, {"two": two, "one": one})


@pytest.mark.parametrize("text", [None, "", "[]", '{"version": 1}'])
def test_damaged_weights_are_refused(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "fusion.json").write_text(text)
    with pytest.raises(SourceError, match="expected the weights of a fusion"):
        Fusion.load(tmp_path, {"a": Told([]), "b": Told([])})
