"""The table of models that saw no real row, from the means of a run."""

import polars as pl

from shopsynth.evaluate import synthetic_utility
from shopsynth.schema import EVALUATION_COLUMNS


def means(*rows: tuple[str, str, str, str, int, str, float]) -> pl.DataFrame:
    columns = ["task", "model", "arm", "metric", "cutoff", "slice", "value"]
    told = pl.DataFrame(rows, schema=columns, orient="row")
    rest = {"low": 0.0, "high": 1.0, "units": 9, "seeds": 3}
    return told.with_columns(pl.lit(cell).alias(name) for name, cell in rest.items())


def table(metrics: pl.DataFrame) -> list[tuple[object, ...]]:
    found = synthetic_utility(
        metrics,
        {"next_item": "ndcg", "price": "rmse"},
        {"next_item": "events", "price": "items"},
        10,
        {"ndcg": "higher", "rmse": "lower"},
    )
    assert dict(found.schema) == EVALUATION_COLUMNS["fidelity"]
    return found.rows()


def test_each_model_stands_beside_itself_trained_on_real_rows():
    rows = table(
        means(
            ("next_item", "markov", "real", "ndcg", 10, "all", 0.2),
            ("next_item", "markov", "synthetic", "ndcg", 10, "all", 0.1),
            ("next_item", "markov", "combined", "ndcg", 10, "all", 0.3),
            ("next_item", "markov", "synthetic", "ndcg", 20, "all", 0.4),
            ("next_item", "markov", "synthetic", "recall", 10, "all", 0.5),
            ("next_item", "markov", "synthetic", "ndcg", 10, "tail", 0.6),
            ("next_item", "system", "real", "ndcg", 10, "all", 0.2),
            ("next_item", "system", "synthetic", "ndcg", 10, "all", 0.1),
            ("next_item", "hybrid", "synthetic", "ndcg", 10, "all", 0.7),
            ("price", "mean", "real", "rmse", 0, "all", 2.0),
            ("price", "mean", "synthetic", "rmse", 0, "all", 3.0),
        )
    )
    assert rows == [
        (
            "events",
            "markov trained on synthetic data alone: next_item ndcg@10 on real data (higher is "
            "better; ceiling: trained on real data)",
            0.1,
            0.2,
        ),
        (
            "items",
            "mean trained on synthetic data alone: price rmse on real data (lower is better; "
            "ceiling: trained on real data)",
            3.0,
            2.0,
        ),
    ]


def test_a_run_without_the_arm_has_no_such_rows():
    assert table(means(("next_item", "markov", "real", "ndcg", 10, "all", 0.2))) == []
