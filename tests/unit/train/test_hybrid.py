"""The hybrid of ItemKNN and content-KNN: equal to its parts at the ends, better where both know."""

import polars as pl
import pytest

from shopsynth.schema import Dataset, Holdout, InputError, RecipeError, TrainingSet
from shopsynth.train import Ranker, make_ranker

TITLES = pl.DataFrame(
    {
        "item_id": ["ale", "beer", "cup", "dish", "new-cup", "new-lamp"],
        "title": ["dark ale", "pale beer", "tea cup", "tea dish", "tea cup blue", "brass lamp"],
    }
)


def events(histories: list[str]) -> pl.DataFrame:
    rows = [
        (f"u{u:02}", item, place)
        for u, history in enumerate(histories)
        for place, item in enumerate(history.split())
    ]
    return pl.DataFrame(rows, schema=["user_id", "item_id", "position"], orient="row")


def training_set(histories: list[str], items: pl.DataFrame = TITLES) -> TrainingSet:
    weighted = events(histories).with_columns(
        pl.lit("real").alias("origin"), pl.lit(1.0).alias("weight")
    )
    return TrainingSet(Dataset(items=items, events=weighted), "real")


def asked(history: str, answer: str) -> Holdout:
    truth = pl.DataFrame({"unit_id": ["u00"], "item_id": [answer], "grade": [1.0]})
    return Holdout(Dataset(items=TITLES, events=events([history])), truth, exclude_seen=True)


# Ale goes with beer, and cups with dishes; nobody has bought the new items.
BASKETS = ["ale beer", "ale beer", "cup dish", "cup dish", "dish ale"]


def fitted(validation: Holdout, **options: object) -> Ranker:
    ranker = make_ranker("next_item", "hybrid", dict(options))
    return ranker.fit(training_set(BASKETS), validation, seed=0)


def listed(ranker: Ranker, history: str) -> list[str]:
    requests = Dataset(items=TITLES, events=events([history]))
    return ranker.rank(requests, k=6, exclude_seen=True).frame["item_id"].to_list()


@pytest.mark.parametrize(("weight", "part"), [(0.0, "item_knn"), (1.0, "content_knn")])
def test_at_its_ends_it_is_one_of_its_parts(weight: float, part: str) -> None:
    question = asked("ale", "beer")
    alone = make_ranker("next_item", part, {}).fit(training_set(BASKETS), question, seed=0)
    both = fitted(question, weights=[weight])
    for history in ("ale", "cup ale", "dish"):
        requests = Dataset(items=TITLES, events=events([history]))
        expected = alone.rank(requests, k=6).frame.drop("score")
        assert both.rank(requests, k=6).frame.drop("score").equals(expected)


def test_a_score_is_the_weighted_sum_in_deviations_of_its_user() -> None:
    requests = Dataset(items=TITLES, events=events(["cup"]))
    question = asked("ale", "beer")
    expected = pl.lit(0.0)
    frame = fitted(question, weights=[0.25]).rank(requests, k=6).frame
    for part, weight in (("item_knn", 0.75), ("content_knn", 0.25)):
        alone = make_ranker("next_item", part, {}).fit(training_set(BASKETS), question, seed=0)
        scores = alone.rank(requests, k=6).frame.select("item_id", pl.col("score").alias(part))
        frame = frame.join(scores, on="item_id", validate="1:1")
        expected += weight * pl.col(part) / pl.col(part).std(ddof=0)
    assert frame["score"].to_list() == pytest.approx(frame.select(expected).to_series().to_list())


@pytest.mark.parametrize(
    ("history", "answer", "weight"),
    [("ale", "beer", 0.0), ("cup", "new-cup", 1.0), ("cup dish", "new-cup", 1.0)],
)
def test_validation_chooses_what_finds_its_answers(
    history: str, answer: str, weight: float
) -> None:
    ranker = fitted(asked(history, answer), weights=[0.0, 1.0])
    assert ranker.weight_ == weight  # type: ignore[attr-defined]


def test_of_equally_good_weights_the_first_is_taken() -> None:
    for weights in ([0.2, 0.1, 0.3], [0.3, 0.2]):
        assert fitted(asked("cup", "dish"), weights=weights).weight_ == weights[0]  # type: ignore[attr-defined]


def test_cold_items_are_ranked_by_content_alone() -> None:
    """Ale and beer are next by history; of the items without events, the cup resembles a cup."""
    ranker = fitted(asked("cup", "dish"), weights=[0.1])
    assert listed(ranker, "cup")[:2] == ["dish", "new-cup"]
    assert listed(ranker, "ale")[0] == "beer"


def test_it_finds_what_neither_part_finds_alone() -> None:
    """Events leave a tie of dish and ale, content would take a cup that nobody bought."""
    histories = ["cup ale", "cup dish"]
    training = training_set(histories)
    question = asked("cup", "dish")
    first = {}
    for name in ("item_knn", "content_knn", "hybrid"):
        ranker = make_ranker("next_item", name, {}).fit(training, question, seed=0)
        first[name] = ranker.rank(question.requests, k=1, exclude_seen=True).frame.row(0)
    assert first["item_knn"][3] == 1.5
    assert first["content_knn"][1] == "new-cup"
    assert first["hybrid"][1] == "dish"
    assert first["hybrid"][3] == 1.0


def test_without_content_it_says_so() -> None:
    bare = TITLES.select("item_id")
    with pytest.raises(InputError, match=r"expected items with text.*leave the model out"):
        make_ranker("next_item", "hybrid", {}).fit(
            training_set(BASKETS, bare), asked("ale", "beer"), seed=0
        )


@pytest.mark.parametrize("weights", [[], [0.5, 1.1], [-0.1]])
def test_weights_are_shares(weights: list[float]) -> None:
    with pytest.raises(RecipeError, match="weights"):
        make_ranker("next_item", "hybrid", {"weights": weights})
