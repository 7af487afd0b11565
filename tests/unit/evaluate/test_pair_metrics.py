"""Metrics of predicted labels: against definitions, and intervals against the plain bootstrap."""

import math

import numpy as np
import polars as pl
import pytest
from scipy.stats import mannwhitneyu

from shopsynth.evaluate import METRICS, Pairs, ProveSettings, register, score_units
from shopsynth.evaluate.bootstrap import resample_means
from shopsynth.schema import RANKING_COLUMNS, TRUTH_COLUMNS, InputError, Ranking

ALL = ("auroc", "auprc", "rmse", "f1")
_MANY = 2_000


def auroc(label: np.ndarray, prediction: np.ndarray) -> float:
    """Every positive against every negative; a tie counts a half."""
    ups, downs = prediction[label == 1], prediction[label == 0]
    apart = np.sign(np.subtract.outer(ups, downs))
    return float((apart + 1).mean() / 2)


def auprc(label: np.ndarray, prediction: np.ndarray) -> float:
    """Step by step down the thresholds."""
    area, recall_before = 0.0, 0.0
    for threshold in sorted(set(prediction.tolist()), reverse=True):
        said = prediction >= threshold
        recall = label[said].sum() / label.sum()
        area += (recall - recall_before) * label[said].mean()
        recall_before = recall
    return float(area)


def rmse(label: np.ndarray, prediction: np.ndarray) -> float:
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(label, prediction, strict=True)) / len(label))


def f1(label: np.ndarray, prediction: np.ndarray) -> float:
    said = prediction >= 0.5
    n_right = (said & (label == 1)).sum()
    if not n_right:
        return 0.0
    precision, recall = n_right / said.sum(), n_right / (label == 1).sum()
    return float(2 * precision * recall / (precision + recall))


OBVIOUS = {"auroc": auroc, "auprc": auprc, "rmse": rmse, "f1": f1}


def score(name: str, label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    return np.asarray(METRICS.get(name)().score(Pairs(label, prediction), 0))


def draw(
    generator: np.random.Generator, n: int, share: float, steps: int
) -> tuple[np.ndarray, ...]:
    """Labels and predictions with some skill, on a grid of ``steps`` values so that many tie."""
    label = (generator.random(n) < share).astype(float)
    label[:2] = 0, 1
    clear = 0.5 + 0.2 * (label - 0.5) + 0.2 * generator.standard_normal(n)
    return label, np.rint(clear * steps) / steps


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("seed", range(30))
def test_the_mean_is_the_metric(name, seed):
    generator = np.random.Generator(np.random.PCG64(seed))
    label, prediction = draw(
        generator, int(generator.integers(2, 60)), generator.uniform(0.05, 0.9), 2 + seed % 9
    )
    values = score(name, label, prediction)
    assert values.mean() == pytest.approx(OBVIOUS[name](label, prediction), abs=1e-12)


def test_auroc_is_the_statistic_of_mann_and_whitney():
    generator = np.random.Generator(np.random.PCG64(1))
    label, prediction = draw(generator, 500, 0.2, 10)
    ups, downs = prediction[label == 1], prediction[label == 0]
    expected = mannwhitneyu(ups, downs).statistic / (ups.size * downs.size)
    assert score("auroc", label, prediction).mean() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_values_are_the_derivative_by_the_units_weight(name):
    """A unit counted twice moves the metric as its value says, to first order."""
    generator = np.random.Generator(np.random.PCG64(6))
    label, prediction = draw(generator, 2_000, 0.3, 20)
    values, whole = score(name, label, prediction), OBVIOUS[name](label, prediction)
    moved = [
        OBVIOUS[name](np.append(label, label[u]), np.append(prediction, prediction[u])) - whole
        for u in range(60)
    ]
    expected = (values[:60] - whole) / label.size
    # The second order of one unit in 2,000 is a few thousandths of the first.
    assert np.array(moved) == pytest.approx(expected, abs=5e-3 * np.abs(expected).max())


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_the_interval_is_that_of_the_plain_bootstrap(name, share):
    """Width within 6 %, ends within 8 % of the width, of 2,000 pairs resampled and judged anew."""
    generator = np.random.Generator(np.random.PCG64(2))
    label, prediction = draw(generator, _MANY, share, 50)
    values = score(name, label, prediction)
    quick = np.quantile(
        resample_means(values[:, None], resamples=4_000, seed=1)[:, 0], [0.025, 0.975]
    )
    draws = (generator.integers(0, _MANY, _MANY) for _ in range(800))
    plain = np.quantile(
        [float(score(name, label[d], prediction[d]).mean()) for d in draws], [0.025, 0.975]
    )
    width = np.diff(plain)[0]
    assert np.diff(quick)[0] == pytest.approx(width, rel=0.06)
    assert quick == pytest.approx(plain, abs=0.08 * width)


@pytest.mark.parametrize("name", ALL)
def test_the_interval_of_a_paired_difference_is_that_of_the_plain_bootstrap(name):
    """Two models on the same pairs, the second a little better: what an uplift rests on."""
    generator = np.random.Generator(np.random.PCG64(9))
    label, first = draw(generator, _MANY, 0.3, 50)
    second = np.rint(
        50 * (first + 0.15 * (label - first) + 0.05 * generator.standard_normal(_MANY))
    )
    second /= 50
    difference = score(name, label, second) - score(name, label, first)
    quick = resample_means(difference[:, None], resamples=4_000, seed=1)[:, 0].std()
    plain = np.std(
        [
            score(name, label[d], second[d]).mean() - score(name, label[d], first[d]).mean()
            for d in (generator.integers(0, _MANY, _MANY) for _ in range(800))
        ]
    )
    assert quick == pytest.approx(plain, rel=0.08)


def test_perfect_and_hopeless_predictions():
    label = np.array([1.0, 0, 1, 0])
    for name, best in (("auroc", 1), ("auprc", 1), ("f1", 1), ("rmse", 0)):
        assert score(name, label, label).tolist() == [best] * 4
    assert score("auroc", label, 1 - label).mean() == 0
    assert score("f1", label, np.zeros(4)).tolist() == [0] * 4
    assert score("auroc", label, np.full(4, 0.3)).tolist() == [0.5] * 4
    assert score("auprc", label, np.full(4, 0.3)).mean() == pytest.approx(0.5)


# ---- through score_units -------------------------------------------------------------------------


def pairs_of(
    labels: list[float], predictions: list[float | None]
) -> tuple[Ranking, pl.DataFrame, pl.DataFrame]:
    ids = [f"p{n}" for n in range(len(labels))]
    truth = pl.DataFrame(
        [(pair, f"i{pair}", label) for pair, label in zip(ids, labels, strict=True)],
        schema=TRUTH_COLUMNS,
        orient="row",
    )
    ranking = pl.DataFrame(
        [
            (pair, f"i{pair}", value, 1.0)
            for pair, value in zip(ids, predictions, strict=True)
            if value is not None
        ],
        schema=RANKING_COLUMNS,
        orient="row",
    )
    everywhere = truth.select("unit_id", "item_id", pl.lit("all").alias("slice"))
    return Ranking(ranking), truth, everywhere


def test_worked_example_with_cutoff_0_and_the_threshold_of_the_call():
    ranking, truth, membership = pairs_of([1, 1, 0, 0], [0.75, 0.25, 0.5, 0.0])
    scored = score_units(ranking, truth, membership, ALL, [5, 10])
    assert scored["cutoff"].unique().to_list() == [0]
    assert scored["metric"].to_list() == [name for name in ALL for _ in range(4)]
    found = {name: scored.filter(metric=name)["value"].mean() for name in ALL}
    assert found == pytest.approx(
        {"auroc": 0.75, "auprc": 5 / 6, "f1": 0.5, "rmse": math.sqrt(0.875 / 4)}
    )
    lenient = score_units(ranking, truth, membership, ["f1"], [5], threshold=0.25)
    assert lenient["value"].mean() == pytest.approx(0.8)


def test_a_registered_claim_about_pairs_has_no_cutoff():
    plan = register(
        ProveSettings(),
        tasks={"click": ("auroc",)},
        headline="lightgbm",
        cutoffs=[10, 20],
        slices={"click": ("all",)},
    )
    assert [(each.name, each.cutoff) for each in plan] == [
        ("system auroc all", 0),
        ("lightgbm auroc all", 0),
    ]


def test_each_slice_is_judged_alone_and_left_out_where_it_is_undefined():
    ranking, truth, everywhere = pairs_of([1, 0, 1, 0, 0], [0.9, 0.8, 0.3, 0.4, 0.1])
    parts = {"first": ["p0", "p1", "p2"], "no_yes": ["p3", "p4"], "no_no": ["p0", "p2"]}
    membership = pl.concat(
        [
            everywhere,
            *(
                everywhere.filter(pl.col("unit_id").is_in(ids)).with_columns(
                    pl.lit(name).alias("slice")
                )
                for name, ids in parts.items()
            ),
        ]
    )
    scored = score_units(ranking, truth, membership, ALL, [10])
    slices = {name: set(scored.filter(metric=name)["slice"]) for name in ALL}
    assert slices == {
        "auroc": {"all", "first"},
        "auprc": {"all", "first", "no_no"},
        "f1": {"all", "first", "no_no"},
        "rmse": {"all", "first", "no_yes", "no_no"},
    }
    means = {
        (metric, slice_): value
        for metric, slice_, value in scored.group_by("metric", "slice")
        .agg(pl.col("value").mean())
        .iter_rows()
    }
    assert means["auroc", "first"] == pytest.approx(0.5)
    assert means["auroc", "all"] == pytest.approx(4 / 6)
    alone = score_units(ranking, truth, membership.filter(slice="first"), ALL, [10])
    assert alone.equals(scored.filter(slice="first"))


def test_a_metric_that_no_slice_defines_is_refused():
    ranking, truth, membership = pairs_of([1, 1], [0.5, 0.6])
    with pytest.raises(InputError, match=r"metric auroc: the labels of 2 pair"):
        score_units(ranking, truth, membership, ["auroc"], [10])
    ranking, truth, membership = pairs_of([0, 0], [0.5, 0.6])
    for name in ("auprc", "f1"):
        with pytest.raises(InputError, match=rf"metric {name}: the labels of 2 pair"):
            score_units(ranking, truth, membership, [name], [10])


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_missing_prediction_is_refused(value):
    ranking, truth, membership = pairs_of([1, 0], [0.5, value])
    with pytest.raises(InputError, match=r"finite prediction for each of 2 pair\(s\), got 1"):
        score_units(ranking, truth, membership, ["rmse"], [10])


def test_labels_that_are_not_yes_or_no_are_for_rmse_alone():
    ranking, truth, membership = pairs_of([3, 0, 1], [2.5, 0.5, 1.0])
    scored = score_units(ranking, truth, membership, ["rmse"], [10])
    assert scored["value"].mean() == pytest.approx(math.sqrt(0.5 / 3))
    for name in ("auroc", "auprc", "f1"):
        with pytest.raises(InputError, match=r"expected labels 0 or 1, got 1 other"):
            score_units(ranking, truth, membership, [name], [10])
    with pytest.raises(InputError, match="finite label"):
        score_units(ranking, truth.with_columns(grade=pl.lit(math.nan)), membership, ["rmse"], [10])


def test_a_unit_with_two_pairs_and_a_pair_predicted_twice_are_refused():
    ranking, truth, membership = pairs_of([1, 0], [0.5, 0.6])
    with pytest.raises(InputError, match="once in the ranking, got 1"):
        score_units(
            Ranking(pl.concat([ranking.frame, ranking.frame.head(1)])),
            truth,
            membership,
            ["rmse"],
            [10],
        )
    one = pl.lit("p0").alias("unit_id")
    with pytest.raises(InputError, match="asks each unit about one pair"):
        score_units(
            Ranking(ranking.frame.with_columns(one)),
            truth.with_columns(one),
            membership.with_columns(one),
            ["rmse"],
            [10],
        )
