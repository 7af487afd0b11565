"""Figures: the chart data and the tables beside them hold the numbers of the evaluation."""

import json
from dataclasses import replace

import polars as pl
import pytest

from shopsynth.report.comparisons import comparisons
from shopsynth.report.figures import (
    Figure,
    dose_figure,
    fidelity_figure,
    reject_figure,
    stage_figure,
    utility_figure,
)
from shopsynth.report.forest import arms_figure, slice_figure, uplift_figure
from shopsynth.report.pictures import distribution_figure, embedding_figure
from shopsynth.report.topics import Topic
from shopsynth.schema import EVALUATION_COLUMNS, TRAINED_ALONE, empty_evaluation_table


def shown(figure: Figure | None) -> Figure:
    assert figure is not None
    return figure


TOPIC = Topic("next_item", "sasrec", "ndcg", 10)


def compared(evaluation):
    return comparisons(evaluation, task="next_item", metric="ndcg", cutoff=10)


def test_the_forest_starts_with_the_headline_model_then_the_system(make_evaluation):
    figure = shown(uplift_figure(compared(make_evaluation()), replace(TOPIC, model="item_knn")))
    rows = figure.panels[0].data["rows"]
    heads = [row["label"] for row in rows if "mid" not in row]
    assert heads[:2] == ["ItemKNN", "Best system"]
    assert len(heads) == 5
    assert len(rows) == 5 * (1 + 5)
    assert len(figure.rows) == 5 * 5


def test_forest_rows_hold_relative_change_and_interval(make_evaluation):
    figure = shown(uplift_figure(compared(make_evaluation(0.062)), TOPIC))
    head, real, *controls = figure.panels[0].data["rows"][:6]
    assert head == {"label": "SASRec"}
    assert real["main"] is True
    assert real["mid"] == pytest.approx(0.062)
    assert (real["low"], real["high"]) == (pytest.approx(0.038), pytest.approx(0.086))
    assert [row["main"] for row in controls] == [False] * 4
    assert [row["label"] for row in controls] == [
        "✓ vs as much training", "✓ vs duplicated rows", "✓ vs random noise",
        "✓ vs shuffled items",
    ]  # fmt: skip
    assert all(row["clear"] for row in controls)
    assert figure.rows[0][:3] == (
        "SASRec, vs real data only", "+6.2\u202f%", "+3.8\u202f% to +8.6\u202f%"
    )  # fmt: skip


def test_failures_are_drawn_as_successes_are(make_evaluation):
    data = shown(uplift_figure(compared(make_evaluation(0.01)), TOPIC)).panels[0].data
    rows = [row for row in data["rows"] if "mid" in row]
    assert len(rows) == 25
    assert {row["label"][0] for row in rows if not row["clear"]} == {"○"}
    lost = shown(uplift_figure(compared(make_evaluation(-0.2)), TOPIC)).panels[0].data["rows"]
    assert [row["label"] for row in lost if row.get("main")] == ["✕ vs real data only"] * 5


def test_the_oracle_is_a_ceiling_and_side_information_a_row(make_evaluation, with_more_arms):
    evaluation = with_more_arms(make_evaluation())
    ceilings = comparisons(evaluation, task="next_item", metric="ndcg", cutoff=10, arm="oracle")
    data = shown(uplift_figure(compared(evaluation), TOPIC, ceilings)).panels[0].data
    first = data["rows"][1:9]
    assert [row["label"] for row in first[-3:]] == [
        "✓ vs side information", "✕ vs more real rows", "✓ ceiling: more real rows"
    ]  # fmt: skip
    assert [row["ceiling"] for row in first] == [False] * 7 + [True]
    assert first[-1]["mid"] == pytest.approx(0.1)
    assert first[-1]["main"] is False


def test_for_an_error_less_is_better(make_evaluation):
    worse = [replace(item, metric="rmse") for item in compared(make_evaluation(0.062))]
    figure = shown(uplift_figure(worse, TOPIC))
    assert figure.panels[0].data["rows"][1]["label"] == "✕ vs real data only"
    assert figure.marks.startswith("Left of the zero line is better")


def test_every_arm_of_every_model_has_its_value(make_evaluation, with_more_arms):
    figure = shown(arms_figure(with_more_arms(make_evaluation()), TOPIC))
    rows = figure.panels[0].data["rows"]
    assert [row["label"] for row in rows if "arm" not in row][:2] == ["SASRec", "Best system"]
    first = rows[1:10]
    assert [row["arm"] for row in first] == [
        "real", "combined", "synthetic", "same_compute", "oversample", "noise", "broken_link",
        "side_information", "oracle",
    ]  # fmt: skip
    assert {row["base"] for row in first} == {0.0503}
    assert first[2]["mid"] == pytest.approx(0.0503 * 0.55)
    assert len(figure.rows) == 5 * 9
    assert figure.rows[0][3] == "2\u202f210"


def test_an_arm_left_out_keeps_its_row_with_the_reason(make_evaluation):
    reasons = {("oracle", "sasrec"): "no reserve", ("real", "als"): "not installed"}
    figure = shown(arms_figure(make_evaluation(), TOPIC, reasons))
    rows = figure.panels[0].data["rows"]
    assert {"label": "Real + more real rows", "arm": "oracle", "mid": None,
            "text": "✕ no reserve"} in rows  # fmt: skip
    assert rows[-2]["label"] == "ALS"
    assert figure.rows[-1] == (
        "ALS, Real data only", "–", "–", "–", "–", "✕ left out: not installed"
    )  # fmt: skip


def test_a_value_without_an_interval_is_drawn_alone(make_evaluation):
    metrics = make_evaluation().metrics.with_columns(
        pl.lit(float("nan")).alias("low"), pl.col("arm").replace("real", "my_arm")
    )
    figure = shown(arms_figure(make_evaluation(metrics=metrics), TOPIC))
    rows = [row for row in figure.panels[0].data["rows"] if "arm" in row]
    assert {row["low"] for row in rows} == {None}
    assert {row["base"] for row in rows} == {None}
    assert rows[6]["label"] == "my arm"
    assert arms_figure(make_evaluation(), replace(TOPIC, metric="map")) is None


def test_one_wild_row_is_cut_at_the_edge_and_marked(make_evaluation):
    wild = [
        replace(item, low=-9.0, high=9.0) if item.model == "popularity" else item
        for item in compared(make_evaluation())
    ]
    data = shown(uplift_figure(wild, TOPIC)).panels[0].data
    assert data["max"] < 1
    last = data["rows"][-1]
    assert (last["cut_low"], last["cut_high"]) == (True, True)
    assert data["min"] <= last["low"] < last["high"] <= data["max"]
    assert not any(row.get("cut_high") for row in data["rows"][:10])


def test_slices_without_a_base_keep_their_row_and_show_the_zero(make_evaluation):
    figure = shown(slice_figure(compared(make_evaluation()), TOPIC))
    rows = figure.panels[0].data["rows"]
    cold = rows.index({"label": "Cold items"}) + 1
    assert rows[cold] == {"label": "○ SASRec", "mid": None, "text": "0.0000 → 0.0000"}
    assert any(row[0].startswith("Cold items, SASRec") for row in figure.rows)


def test_nothing_to_compare_gives_no_forest(make_evaluation):
    assert uplift_figure([], TOPIC) is None
    only_all = [item for item in compared(make_evaluation()) if item.slice == "all"]
    assert slice_figure(only_all, TOPIC) is None


def test_a_forest_of_unmeasured_rows_has_an_axis_all_the_same(make_evaluation):
    blind = [
        replace(item, low=float("nan"), high=float("nan"), absolute_low=float("nan"))
        for item in compared(make_evaluation())
    ]
    data = shown(uplift_figure(blind, TOPIC)).panels[0].data
    drawn = [row for row in data["rows"] if "mid" in row]
    assert len(drawn) == 25
    assert {(row["mid"], row["text"]) for row in drawn} == {(None, "not measured")}
    assert data["min"] < 0 < data["max"]


def test_the_dose_curve_marks_one_choice(make_evaluation):
    figure = shown(dose_figure(make_evaluation(), TOPIC))
    series = figure.panels[0].data["series"]
    assert [line["name"] for line in series] == ["weight 0.5", "weight 1"]
    assert [point[0] for point in series[1]["points"]] == [0.0, 0.25, 0.5, 1.0]
    chosen = [point for line in series for point in line["points"] if point[4]]
    assert chosen == [[0.5, 0.0547, pytest.approx(0.0536), pytest.approx(0.0558), True]]
    assert "Chosen: 0.5 synthetic rows per real row" in figure.note


def test_a_dose_curve_without_choice_says_so(make_evaluation):
    open_ = make_evaluation().dose.with_columns(pl.lit(value=False).alias("chosen"))
    figure = shown(dose_figure(make_evaluation(dose=open_), TOPIC))
    assert "No dose was chosen" in figure.note
    assert dose_figure(make_evaluation(), replace(TOPIC, model="popularity")) is None


def test_stages_keep_their_order_and_say_what_was_cached(context):
    figure = shown(stage_figure(context.stages))
    data = figure.panels[0].data
    assert data["labels"][:2] == ["ingest (cached)", "clean"]
    assert [series["name"] for series in data["series"]] == ["clock", "CPU"]
    assert data["series"][0]["values"][1] == 1.9
    assert figure.rows[-1] == ("evaluate", "1 min 14 s", "2 min 3 s", "1\u202f350 MB")
    assert stage_figure([]) is None


def test_rejects_are_counted_by_falling_number(context):
    figure = shown(reject_figure(context.rejects))
    assert figure.rows[0] == ("missing user id (events)", "135\u202f080", "90.1\u202f%")
    values = figure.panels[0].data["series"][0]["values"]
    assert values == sorted(values, reverse=True)
    assert reject_figure(context.rejects.clear()) is None


def test_fidelity_keeps_measures_without_a_ceiling(make_evaluation):
    figure = shown(fidelity_figure(make_evaluation()))
    rows = figure.panels[0].data["rows"]
    assert rows[0] == {"label": "item popularity (0 is best)", "value": 0.09, "ceiling": 0.06}
    assert rows[-1]["ceiling"] is None
    assert rows[4]["label"] == "next-item pairs of later real histories that occur (1 is best)"
    assert figure.rows[-1][-1] == "–"
    empty = make_evaluation(fidelity=empty_evaluation_table("fidelity"))
    assert fidelity_figure(empty) is None


def test_models_that_saw_no_real_row_have_a_figure_of_their_own(make_evaluation):
    asked = f"{TRAINED_ALONE}: next_item ndcg@10 on real data (higher is better; ceiling: x)"
    rows = [
        ("events", "real histories told from others: AUC (0.5 is best)", 0.71, 0.5),
        ("events", "events out of an order: count (0 is best)", 12_000.0, 0.0),
        ("events", f"item_knn {asked}", 0.04, 0.05),
        ("events", f"markov {asked}", 0.03, 0.0),
    ]
    evaluation = make_evaluation(
        fidelity=pl.DataFrame(rows, schema=EVALUATION_COLUMNS["fidelity"], orient="row")
    )
    alike = shown(fidelity_figure(evaluation))
    assert [row[0][:6] for row in alike.rows] == ["real h", "events"]
    drawn = alike.panels[0].data["rows"]
    assert [row["label"] for row in drawn] == ["real histories told from others (0.5 is best)"]
    figure = shown(utility_figure(evaluation))
    assert figure.rows == (
        ("item knn", "next item ndcg@10 on real data", "0.0400", "0.0500", "80.0\u202f%"),
        ("markov", "next item ndcg@10 on real data", "0.0300", "0.0000", "–"),
    )
    assert figure.panels[0].data["rows"][0] == {"label": "item knn", "value": 0.04, "ceiling": 0.05}
    assert utility_figure(make_evaluation()) is None


def test_clouds_share_their_axes_and_lose_no_point(make_evaluation):
    evaluation = make_evaluation(n_points=601)
    figure = shown(embedding_figure(evaluation))
    real, synthetic, both = (panel.data for panel in figure.panels)
    assert real["x"] == synthetic["x"] == both["x"]
    assert real["y"] == both["y"]
    assert len(real["series"][0]["points"]) == 300
    assert len(synthetic["series"][0]["points"]) == 301
    assert [series["name"] for series in both["series"]] == ["real", "synthetic"]
    xs = [point[0] for series in both["series"] for point in series["points"]]
    assert real["x"][0] < min(xs) < max(xs) < real["x"][1]


def test_places_that_are_no_numbers_are_not_drawn(make_evaluation):
    places = make_evaluation(n_points=20).embedding
    broken = places.with_columns(
        pl.when(pl.int_range(pl.len()) == 0).then(float("nan")).otherwise("x").alias("x")
    )
    data = shown(embedding_figure(make_evaluation(embedding=broken))).panels[0].data
    assert len(data["series"][0]["points"]) == 9
    assert embedding_figure(make_evaluation(embedding=broken.filter(origin="real"))) is None


def test_popularity_is_drawn_on_logarithmic_axes_and_hours_by_name(make_evaluation):
    figure = shown(distribution_figure(make_evaluation()))
    data = {panel.title: panel.data for panel in figure.panels}
    assert list(data)[:2] == ["Item popularity", "Events per user"]
    assert data["Item popularity"]["log_x"] is True
    assert data["Item popularity"]["labels"] is None
    hours = data["Hour of the day"]
    assert hours["labels"][:2] == ["00:00", "01:00"]
    assert hours["log_x"] is False
    assert hours["x"] == "hour (UTC)"
    assert [point[0] for point in hours["series"][0]["points"]] == list(range(24))
    assert sum(point[1] for point in hours["series"][0]["points"]) == pytest.approx(1, abs=1e-3)


def test_an_unknown_quantity_and_a_missing_side_are_drawn_too(make_evaluation):
    rows = [("basket_size", "real", 1.0, None, 0.4), ("basket_size", "real", 2.0, None, 0.6),
            ("basket_size", "synthetic", 2.0, None, 1.0)]  # fmt: skip
    table = pl.DataFrame(rows, schema=make_evaluation().distributions.schema, orient="row")
    figure = shown(distribution_figure(make_evaluation(distributions=table)))
    assert figure.panels[0].title == "Basket size"
    assert figure.panels[0].data["series"][1]["points"] == [[2.0, 1.0]]
    assert figure.rows[0] == ("Basket size", "1", "40.0\u202f%", "–")
    empty = make_evaluation(distributions=empty_evaluation_table("distributions"))
    assert distribution_figure(empty) is None


def test_all_chart_data_are_json(make_evaluation, context):
    evaluation = make_evaluation()
    figures = [
        uplift_figure(compared(evaluation), TOPIC),
        slice_figure(compared(evaluation), TOPIC),
        arms_figure(evaluation, TOPIC, {("oracle", "sasrec"): "no reserve"}),
        dose_figure(evaluation, TOPIC),
        fidelity_figure(evaluation),
        embedding_figure(evaluation),
        distribution_figure(evaluation),
        stage_figure(context.stages),
        reject_figure(context.rejects),
    ]
    assert all(json.dumps(p.data, allow_nan=False) for f in figures for p in shown(f).panels)
    assert all(shown(f).alt and shown(f).note for f in figures)
    assert all(len(shown(f).columns) == len(shown(f).rows[0]) for f in figures)
