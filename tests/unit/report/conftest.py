"""A made-up shop's results, realistic in size and shape; the test chooses the true effect."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from shopsynth.report import ReportContext, build_summary
from shopsynth.schema import EVALUATION_COLUMNS, TIMESTAMP, Evaluation, empty_evaluation_table

BASES = {
    "sasrec": 0.0503, "system": 0.0551, "item_knn": 0.0466, "content_knn": 0.0312,
    "popularity": 0.0055,
}  # fmt: skip
CONTROLS = {"same_compute": 0.25, "oversample": 0.1, "noise": -0.4, "broken_link": -0.7}
SLICES = {"all": 1.0, "warm": 1.12, "tail": 0.34, "cold": 0.0, "short": 0.8, "new": 0.61}
STAGES = ("ingest", "clean", "split", "privacy", "generate", "combine", "train", "evaluate")


def frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=EVALUATION_COLUMNS[name], orient="row")


def verdict_of(low: float, high: float) -> str:
    if low > 0:
        return "helps"
    return "harms" if high < 0 else "no effect shown"


def metric_rows(effect: float) -> list[dict[str, Any]]:
    gains = {"real": 0.0, "combined": effect, "synthetic": -0.45}
    gains |= {arm: share * abs(effect) for arm, share in CONTROLS.items()}
    rows = []
    for model, base in BASES.items():
        for arm, gain in gains.items():
            for slice_, scale in SLICES.items():
                for metric, factor in (("ndcg", 1.0), ("recall", 1.9), ("mrr", 0.8)):
                    if metric != "ndcg" and slice_ != "all":
                        continue
                    strength = gain * (1.0 if model == "sasrec" else 0.4)
                    value = base * scale * factor * (1 + strength)
                    rows.append(
                        {"task": "next_item", "model": model, "arm": arm, "metric": metric,
                         "cutoff": 10, "slice": slice_, "value": value, "low": 0.96 * value,
                         "high": 1.04 * value, "units": 2210, "seeds": 3}
                    )  # fmt: skip
    return rows


def uplift_rows(metrics: list[dict[str, Any]], verdict: str | None) -> list[dict[str, Any]]:
    mean = {
        (r["model"], r["arm"], r["slice"]): r["value"] for r in metrics if r["metric"] == "ndcg"
    }
    rows = []
    for model in BASES:
        for slice_ in SLICES:
            for against in ("real", *(CONTROLS if slice_ == "all" else ())):
                base = mean[model, against, slice_]
                absolute = mean[model, "combined", slice_] - base
                half = 0.024 * (base or 0.001) * (1 if slice_ == "all" else 2.5)
                low, high = absolute - half, absolute + half
                rows.append(
                    {"task": "next_item", "model": model, "metric": "ndcg", "cutoff": 10,
                     "slice": slice_, "arm": "combined", "against": against, "absolute": absolute,
                     "relative": absolute / base if base else float("nan"), "low": low,
                     "high": high, "p_holm": 0.0004 if low > 0 else 0.41, "mde": 1.4 * half,
                     "verdict": verdict or verdict_of(low, high),
                     "role": "primary" if slice_ == "all" else "exploratory", "seeds": 3,
                     "seeds_agree": 3}
                )  # fmt: skip
    return rows


def cloud(generator: np.random.Generator, n_points: int, spread: float) -> np.ndarray:
    middles = np.array([[0.0, 0.0], [2.4, 0.6], [-1.2, 2.1], [0.9, -1.9]])
    return middles[generator.integers(0, 4, n_points)] + generator.normal(0, spread, (n_points, 2))


def distribution_rows(generator: np.random.Generator) -> list[dict[str, Any]]:
    rows = []
    for origin, bend in (("real", 1.0), ("synthetic", 0.93)):
        ranks = np.unique(np.geomspace(1, 3800, 40).round())
        hours = np.exp(-((np.arange(24) - 12.5 * bend) ** 2) / 14) + 0.01
        lengths = np.exp(-0.35 * bend * np.arange(9))
        gaps = generator.dirichlet(np.full(6, 30.0))
        curves = {
            "popularity": [(r, f"{r:.0f}", 0.02 * r ** (-0.8 * bend)) for r in ranks],
            "history_length": [
                (i + 1.5, f"{i}-{i + 1}", s / lengths.sum()) for i, s in enumerate(lengths)
            ],
            "hour_of_day": [(h, f"{h:02d}:00", s / hours.sum()) for h, s in enumerate(hours)],
            "gap_days": list(
                zip(range(6), ["same moment", "under 1 h", "1 day", "2-3 days", "a week", "longer"],
                    gaps, strict=True)
            ),
        }  # fmt: skip
        for quantity, points in curves.items():
            rows += [
                {"quantity": quantity, "origin": origin, "position": float(position),
                 "label": label, "share": float(share)}
                for position, label, share in points
            ]  # fmt: skip
    return rows


def dose_rows() -> list[dict[str, Any]]:
    curve = {(0.0, 1.0): 0.052, (0.25, 1.0): 0.0531, (0.5, 1.0): 0.0547, (1.0, 1.0): 0.0541,
             (0.5, 0.5): 0.0543}  # fmt: skip
    return [
        {"task": "next_item", "model": "sasrec", "ratio": ratio, "weight": weight, "sources": "",
         "metric": "ndcg", "cutoff": 10, "value": value, "low": value - 0.0011,
         "high": value + 0.0011,
         "chosen": (ratio, weight) == (0.5, 1.0)}
        for (ratio, weight), value in curve.items()
    ]  # fmt: skip


def build_evaluation(effect: float, verdict: str | None, n_points: int) -> Evaluation:
    generator = np.random.Generator(np.random.PCG64(7))
    metrics = metric_rows(effect)
    places = {
        "real": cloud(generator, n_points // 2, 0.5),
        "synthetic": cloud(generator, n_points - n_points // 2, 0.6),
    }
    fidelity = {
        "item popularity: Jensen-Shannon divergence (0 is best)": (0.09, 0.06),
        "bought items that occur: share (1 is best)": (0.91, 0.95),
        "history length: Kolmogorov-Smirnov distance (0 is best)": (0.05, 0.02),
        "hour of day: total variation (0 is best)": (0.04, 0.03),
        "next-item pairs of later real histories that occur (1 is best; ceiling: in train)":
            (0.31, 0.44),
        "repeated items: difference of rates (0 is best)": (0.02, float("nan")),
    }  # fmt: skip
    audits = [
        ("exact_copies_of_histories", 0.41, 0.01, True, "cannot see fewer than 4 copies in 10 000"),
        ("copies_of_5_item_runs", 0.004, 0.01, False, "cannot see runs shorter than five"),
        ("distance_to_closest_record_share", 0.52, None, True, "a similarity, never a gate"),
    ]
    return Evaluation(
        metrics=frame("metrics", metrics),
        uplift=frame("uplift", uplift_rows(metrics, verdict)),
        hypotheses=empty_evaluation_table("hypotheses"),
        fidelity=frame(
            "fidelity",
            [
                {"table": "events", "metric": name, "value": value, "ceiling": ceiling}
                for name, (value, ceiling) in fidelity.items()
            ],
        ),
        audits=frame(
            "audits",
            [dict(zip(EVALUATION_COLUMNS["audits"], row, strict=True)) for row in audits],
        ),
        dose=frame("dose", dose_rows()),
        units=empty_evaluation_table("units"),
        embedding=frame(
            "embedding",
            [
                {"origin": origin, "x": float(x), "y": float(y)}
                for origin, points in places.items()
                for x, y in points
            ],
        ),
        distributions=frame("distributions", distribution_rows(generator)),
    )


def build_context() -> ReportContext:
    titles = ["WHITE HANGING HEART T-LIGHT HOLDER", "REGENCY CAKESTAND 3 TIER",
              "JUMBO BAG RED RETROSPOT", "PARTY BUNTING", "LUNCH BAG CARS BLUE", None]  # fmt: skip
    n = 18
    samples = pl.DataFrame(
        {
            "user_id": [f"synthetic-{i // 6:05d}" for i in range(n)],
            "item_id": [f"{22000 + i}" for i in range(n)],
            "title": [titles[(5 * i + i // 6) % len(titles)] for i in range(n)],
            "timestamp": pl.Series([1_300_000_000_000_000 + 86_400_000_000 * i for i in range(n)])
            .cast(pl.Datetime("us"))
            .dt.replace_time_zone("UTC")
            .cast(TIMESTAMP),
            "synthesizer": ["markov"] * 12 + ["substitute"] * 6,
        }
    )
    rejects = [("events", "return", 8905), ("events", "missing_user_id", 135080),
               ("events", "repeat", 5225), ("items", "duplicate_description", 647)]  # fmt: skip
    return ReportContext(
        title="Online Retail",
        created="2026-11-30T09:00:00Z",
        shop={"items": 3812, "users": 4339, "events": 387961},
        rejects=pl.DataFrame(rejects, schema=["table", "reason", "n"], orient="row"),
        split={"by": "time", "train": 310369, "validation": 38796, "test": 38796,
               "validation from": "2011-10-11", "test from": "2011-11-10"},
        privacy={"mode": "deidentify", "unit": "user", "epsilon": None, "delta": None,
                 "max_events_per_user": 256, "contact_tags": 0},
        generators=[
            {"name": "markov", "options": {"order": 3}, "users": 2000, "events": 120_000},
            {"name": "pseudo_session", "options": {}, "users": 800, "events": 35_000},
        ],
        dose={"ratio": 0.5, "weight": 1.0, "sources": {"markov": 0.3}},
        near_duplicates={"exact_duplicate_of_test": 2, "near_duplicate_of_test": 17},
        stages=[
            {"name": name, "wall_s": 1.5 * i**2 + 0.4, "cpu_s": 2.5 * i**2 + 0.5,
             "peak_rss_mb": 300.0 + 150 * i, "cached": name == "ingest"}
            for i, name in enumerate(STAGES)
        ],
        recipe='[privacy]\nmode = "deidentify"\n\n[train]\nheadline = "sasrec"\n',
        samples=samples,
        environment={"shopsynth": "0.1.0", "python": "3.11", "machine": "2 cores, 8 GB"},
        protocol={
            "ranking": "full catalogue, never sampled",
            "ties": "equal scores share their mean rank",
            "masking": "a customer's own history stays in the ranking: people buy again",
            "fitted on": "train only", "test input": "history up to the cut",
        },
    )  # fmt: skip


def more_arms(evaluation: Evaluation, *, side: float, oracle: float) -> dict[str, pl.DataFrame]:
    """Add side information and the oracle, whose gains over real rows are the arguments."""
    metrics, uplift = evaluation.metrics.to_dicts(), evaluation.uplift.to_dicts()
    for row in [row for row in metrics if row["arm"] == "real"]:
        for arm, gain in (("side_information", side), ("oracle", oracle)):
            value = row["value"] * (1 + gain)
            metrics.append({**row, "arm": arm, "value": value, "low": 0.96 * value,
                            "high": 1.04 * value})  # fmt: skip
    mean = {(r["model"], r["arm"]): r["value"] for r in metrics
            if r["metric"] == "ndcg" and r["slice"] == "all"}  # fmt: skip
    for row in [r for r in uplift if r["against"] == "real" and r["slice"] == "all"]:
        for arm, against in (("combined", "side_information"), ("combined", "oracle"),
                             ("oracle", "real")):  # fmt: skip
            base = mean[row["model"], against]
            absolute, half = mean[row["model"], arm] - base, 0.024 * base
            uplift.append({**row, "arm": arm, "against": against, "absolute": absolute,
                           "relative": absolute / base, "low": absolute - half,
                           "high": absolute + half, "role": "exploratory"})  # fmt: skip
    return {"metrics": frame("metrics", metrics), "uplift": frame("uplift", uplift)}


def claim_rows(evaluation: Evaluation, **changes: Any) -> list[dict[str, Any]]:
    """Claim superiority of SASRec and the best system, and no loss on warm items."""
    rows = []
    for model, slice_, kind in (("sasrec", "all", "superiority"), ("system", "all", "superiority"),
                                ("sasrec", "warm", "non_inferiority")):  # fmt: skip
        found = evaluation.uplift.filter(
            model=model, slice=slice_, arm="combined", against="real", task="next_item"
        ).row(0, named=True)
        base = found["absolute"] / found["relative"]
        rows.append(
            {"name": "", "role": "primary" if slice_ == "all" else "secondary", "kind": kind,
             "task": "next_item", "model": model, "metric": "ndcg", "cutoff": 10, "slice": slice_,
             "goal": 0.03, "margin": 0.01, "relative": found["relative"],
             "low": found["low"] / base, "high": found["high"] / base, "p_holm": found["p_holm"],
             "mde": found["mde"] / base, "unbeaten": "", "side_information": "",
             "confirmed_by": "item_knn", "oracle_share": float("nan"),
             "passed": found["verdict"] == "helps", "verdict": found["verdict"], **changes}
        )  # fmt: skip
    return rows


def second_task(evaluation: Evaluation) -> dict[str, pl.DataFrame]:
    """Add a task of pairs whose metric is an error and has no list length."""
    metrics = evaluation.metrics.filter(metric="ndcg", model="item_knn", slice="all")
    uplift = evaluation.uplift.filter(model="item_knn", slice="all")
    change = [pl.lit("rebuy").alias("task"), pl.lit("rmse").alias("metric"),
              pl.lit(None, pl.Int64).alias("cutoff")]  # fmt: skip
    return {
        "metrics": pl.concat([evaluation.metrics, metrics.with_columns(change)]),
        "uplift": pl.concat([evaluation.uplift, uplift.with_columns(change)]),
    }


REGISTRATION = {
    "plan_sha256": "5eed" * 16, "registered_at": "2026-11-29T08:00:00Z", "looks": 1, "look": 1,
    "exploratory": False, "reason": "",
}  # fmt: skip


def cost_rows() -> list[dict[str, Any]]:
    """Make the costs of every arm and model; SASRec on noise failed twice, on synthetic always."""
    failures = {("noise", "sasrec"): (2, "loss is not finite"),
                ("synthetic", "sasrec"): (3, "fewer than 100 histories")}  # fmt: skip
    return [
        {"task": "next_item", "arm": arm, "model": model, "fits": 3,
         "failed": failures.get((arm, model), (0, ""))[0], "trials": 8,
         "steps": 900 if model == "sasrec" else 0, "rows": 310_369 * 3,
         "cpu_s": (90.0 if model == "sasrec" else 4.0) * (1.4 if arm == "combined" else 1.0),
         "wall_s": 60.0 if model == "sasrec" else 3.0, "peak_rss_mb": 812.4,
         "reason": failures.get((arm, model), (0, ""))[1]}
        for model in ("sasrec", "item_knn")
        for arm in ("synthetic", "real", "combined", *CONTROLS)
    ]  # fmt: skip


def summary_of(
    evaluation: Evaluation,
    context: ReportContext,
    *,
    private: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, object]:
    keys = ("mode", "unit", "epsilon", "delta")
    return build_summary(
        evaluation,
        shop=context.shop,
        recipe_sha256="ab" * 32,
        privacy=private or {key: context.privacy[key] for key in keys},
        stages=context.stages,
        **more,
    )


@pytest.fixture
def make_evaluation() -> Callable[..., Evaluation]:
    """Build an evaluation in which combined data change every model by ``effect``."""

    def make(
        effect: float = 0.062, *, verdict: str | None = None, n_points: int = 600, **tables: Any
    ) -> Evaluation:
        return replace(build_evaluation(effect, verdict, n_points), **tables)

    return make


@pytest.fixture
def context() -> ReportContext:
    return build_context()


@pytest.fixture
def summarise() -> Callable[..., dict[str, object]]:
    return summary_of


@pytest.fixture
def claims() -> Callable[..., pl.DataFrame]:
    """Claims about an evaluation, with any column changed in all of them."""
    return lambda evaluation, **changes: frame("hypotheses", claim_rows(evaluation, **changes))


@pytest.fixture
def with_more_arms() -> Callable[..., Evaluation]:
    def make(evaluation: Evaluation, side: float = 0.01, oracle: float = 0.1) -> Evaluation:
        return replace(evaluation, **more_arms(evaluation, side=side, oracle=oracle))

    return make


@pytest.fixture
def with_second_task() -> Callable[[Evaluation], Evaluation]:
    return lambda evaluation: replace(evaluation, **second_task(evaluation))


@pytest.fixture
def registration() -> dict[str, object]:
    return dict(REGISTRATION)


@pytest.fixture
def costs() -> list[dict[str, Any]]:
    return cost_rows()
