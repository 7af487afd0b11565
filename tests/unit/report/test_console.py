"""The closing table of the command line."""

import polars as pl

from shopsynth.report import console_rows
from shopsynth.schema import empty_evaluation_table


def test_one_line_an_arm_in_reading_order(make_evaluation, context, summarise):
    rows = console_rows(summarise(make_evaluation(), context), models=["sasrec"])
    assert [row.arm for row in rows] == [
        "Real data only", "Real + synthetic", "Synthetic only", "Real, trained as long",
        "Real, rows duplicated", "Real + random noise", "Real + shuffled synthetic",
    ]  # fmt: skip
    assert {row.model for row in rows} == {"SASRec"}


def test_scores_uplift_and_verdict(make_evaluation, context, summarise):
    real, combined, synthetic, *controls = console_rows(
        summarise(make_evaluation(0.062), context), models=["sasrec"]
    )
    assert real.score == "0.0503 [0.0483, 0.0523]"
    assert (real.uplift, real.verdict) == ("", "")
    assert combined.uplift == "+6.2\u202f% [+3.8\u202f%, +8.6\u202f%]"
    assert combined.verdict == "helps"
    assert synthetic.verdict == ""
    assert {row.verdict for row in controls} == {"beaten"}
    assert controls[0].uplift.startswith("+4.6")


def test_controls_that_are_not_beaten(make_evaluation, context, summarise):
    rows = console_rows(summarise(make_evaluation(0.005), context), models=["sasrec"])
    assert {row.verdict for row in rows[3:]} == {"not beaten"}


def test_too_few_runs_beat_no_control(make_evaluation, context, summarise):
    made = make_evaluation(0.062)
    few = made.uplift.with_columns(verdict=pl.lit("no effect shown"))
    rows = console_rows(summarise(make_evaluation(0.062, uplift=few), context), models=["sasrec"])
    assert {row.verdict for row in rows[3:]} == {"too few runs"}


def test_all_models_with_the_system_last(make_evaluation, context, summarise):
    models = [row.model for row in console_rows(summarise(make_evaluation(), context))]
    assert models[0] == "SASRec"
    assert models[-7:] == ["Best system"] * 7
    assert len(models) == 5 * 7


def test_a_missing_comparison_and_a_zero_base(make_evaluation, context, summarise):
    none = make_evaluation(uplift=empty_evaluation_table("uplift"))
    assert {row.verdict for row in console_rows(summarise(none, context))} == {""}
    flat = make_evaluation(0.0, verdict="no effect shown")
    combined = console_rows(summarise(flat, context), models=["sasrec"])[1]
    assert combined.uplift == "+0.0000 [−0.0012, +0.0012]"


def test_an_unmeasured_control_has_no_outcome(make_evaluation, context, summarise):
    blind = make_evaluation().uplift.with_columns(pl.lit(float("nan")).alias("low"))
    rows = console_rows(summarise(make_evaluation(uplift=blind), context), models=["sasrec"])
    assert {row.verdict for row in rows[3:]} == {""}


def test_the_oracle_is_a_ceiling_and_side_information_a_rival(
    make_evaluation, with_more_arms, context, summarise
):
    summary = summarise(with_more_arms(make_evaluation()), context)
    *_, side, oracle = console_rows(summary, models=["sasrec"])
    assert (side.arm, side.verdict) == ("Real + side information", "beaten")
    assert side.uplift.startswith("+5.1")
    assert (oracle.arm, oracle.verdict) == ("Real + more real rows", "ceiling")
    assert oracle.uplift.startswith("+10.0")


def test_of_an_error_the_lower_beats(make_evaluation, with_second_task, context, summarise):
    worse = summarise(with_second_task(make_evaluation(0.2)), context)
    rows = console_rows(worse, models=["item_knn"], metric="rmse", cutoff=None)
    assert {row.verdict for row in rows[3:]} == {"not beaten"}
    better = summarise(with_second_task(make_evaluation(-0.8)), context)
    rows = console_rows(better, models=["item_knn"], metric="rmse", cutoff=None)
    assert rows[3].verdict == "beaten"


def test_a_registered_comparison_has_the_interval_of_its_claim(
    make_evaluation, claims, context, summarise
):
    evaluation = make_evaluation()
    wide = claims(evaluation, low=-0.01, high=0.2)
    summary = summarise(make_evaluation(hypotheses=wide), context)
    combined = console_rows(summary, models=["sasrec"])[1]
    assert combined.uplift == "+6.2\u202f% [−1.0\u202f%, +20.0\u202f%]"
    unbounded = claims(evaluation, low=float("nan"))
    summary = summarise(make_evaluation(hypotheses=unbounded), context)
    told = console_rows(summary, models=["sasrec"])[1].uplift
    assert told == "+0.0031 [+0.0019, +0.0043]"
