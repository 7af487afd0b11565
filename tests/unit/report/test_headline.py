"""The verdict in words: the true effect of a made-up shop must be what the sentences say."""

import polars as pl
import pytest

from shopsynth.report import Headline, explain_verdict
from shopsynth.schema import empty_evaluation_table


def explain(evaluation) -> Headline:
    return explain_verdict(evaluation, "sasrec", "ndcg", 10)


def shift(evaluation, against: str, low: float, high: float, model: str = "sasrec"):
    """Move the interval of one comparison on all answers."""
    here = (pl.col("model") == model) & (pl.col("against") == against) & (pl.col("slice") == "all")
    return {
        "uplift": evaluation.uplift.with_columns(
            pl.when(here).then(pl.lit(low)).otherwise("low").alias("low"),
            pl.when(here).then(pl.lit(high)).otherwise("high").alias("high"),
        )
    }


def test_a_gain_that_beats_every_control(make_evaluation):
    headline = explain(make_evaluation(0.062))
    assert headline.verdict == "helps"
    assert "improved SASRec's NDCG@10" in headline.sentence_en
    assert "+6.2\u202f%" in headline.sentence_en
    assert "+3.8\u202f% to +8.6\u202f%" in headline.sentence_en
    assert "0.0503 → 0.0534" in headline.sentence_en
    assert "not explained by" in headline.sentence_en
    assert "duplicating real rows" in headline.sentence_en
    assert "提升 6.2%" in headline.sentence_zh
    assert "都不能解释" in headline.sentence_zh


def test_rows_are_the_model_its_controls_and_the_system(make_evaluation):
    rows = explain(make_evaluation()).rows
    assert [(row.model, row.against) for row in rows] == [
        ("sasrec", "real"), ("sasrec", "same_compute"), ("sasrec", "oversample"),
        ("sasrec", "noise"), ("sasrec", "broken_link"), ("system", "real"),
    ]  # fmt: skip
    assert rows[0].value_without == pytest.approx(0.0503)
    assert rows[0].relative == pytest.approx(0.062)
    assert rows[0].low == pytest.approx(0.062 - 0.024)


def test_the_best_system_is_always_told(make_evaluation):
    better = explain(make_evaluation(0.062))
    assert "is better than the best system without: +2.5" in better.sentence_en
    same = explain(make_evaluation(0.03))
    assert "is not shown to differ from the best without" in same.sentence_en
    assert "未显示差异" in same.sentence_zh
    worse = explain(make_evaluation(-0.2))
    assert "is worse than the best system without" in worse.sentence_en
    assert "不如" in worse.sentence_zh


@pytest.mark.parametrize(("effect", "side", "side_zh"), [(0.062, "better", "好于"),
                                                         (-0.2, "worse", "差于")])  # fmt: skip
def test_the_best_system_is_called_better_only_where_its_verdict_says_so(
    make_evaluation, effect, side, side_zh
):
    """One seed, or a control as good, leaves an interval off zero that is no finding."""
    headline = explain(make_evaluation(effect, verdict="no effect shown"))
    assert f"did {side} than the best system without, which is not" in headline.sentence_en
    assert "is better than" not in headline.sentence_en
    assert "is worse than" not in headline.sentence_en
    assert f"表现{side_zh}不使用时的最佳系统，但不足以认定效果" in headline.sentence_zh


def test_a_control_that_is_not_beaten_is_named(make_evaluation):
    evaluation = make_evaluation(0.062, verdict="no effect shown")
    rivalled = make_evaluation(
        0.062, verdict="no effect shown", **shift(evaluation, "noise", -0.001, 0.004)
    )
    headline = explain(rivalled)
    assert headline.verdict == "no effect shown"
    assert "could be explained by adding random noise" in headline.sentence_en
    assert "可能解释" in headline.sentence_zh
    assert "加入随机噪声" in headline.sentence_zh


def test_a_gain_never_hides_an_open_control(make_evaluation):
    evaluation = make_evaluation(0.062)
    headline = explain(make_evaluation(**shift(evaluation, "noise", -0.1, 0.1)))
    assert headline.verdict == "helps"
    assert "It could be explained by adding random noise" in headline.sentence_en
    assert "not explained by" not in headline.sentence_en


def test_no_effect_is_said_with_the_power_of_the_test(make_evaluation):
    headline = explain(make_evaluation(0.005))
    assert headline.verdict == "no effect shown"
    assert headline.sentence_en.startswith("No effect shown")
    assert "within chance; the test could have shown about ±3.4\u202f%" in headline.sentence_en
    assert headline.sentence_zh.startswith("未显示效果")
    assert "随机波动" in headline.sentence_zh


@pytest.mark.parametrize(("effect", "side", "side_zh"), [(0.05, "gain", "改善一侧"),
                                                         (-0.05, "loss", "变差一侧")])  # fmt: skip
def test_too_few_seeds_is_not_called_chance(make_evaluation, effect, side, side_zh):
    headline = explain(make_evaluation(effect, verdict="no effect shown"))
    assert f"lies on the side of a {side}" in headline.sentence_en
    assert ("control did not run" in headline.sentence_en) == (side == "gain")
    assert side_zh in headline.sentence_zh
    assert "chance" not in headline.sentence_en


def test_a_model_that_no_row_can_change_is_not_called_chance(make_evaluation):
    """Content-KNN learns nothing from events: a power of 0 would be nonsense."""
    evaluation = make_evaluation(0.0)
    same = evaluation.uplift.with_columns(
        pl.lit(0.0).alias(name) for name in ("absolute", "relative", "low", "high", "mde")
    )
    headline = explain(make_evaluation(0.0, uplift=same))
    assert "answers every question alike with and without them" in headline.sentence_en
    assert "回答都一样" in headline.sentence_zh
    assert "chance" not in headline.sentence_en


def test_harm_is_said_as_plainly_as_help(make_evaluation):
    headline = explain(make_evaluation(-0.08))
    assert headline.verdict == "harms"
    assert "made SASRec's NDCG@10 on real held-out data worse: −8.0" in headline.sentence_en
    assert "变差了 8.0%" in headline.sentence_zh
    assert "explained" not in headline.sentence_en


def test_without_controls_other_explanations_are_open(make_evaluation):
    evaluation = make_evaluation()
    alone = evaluation.uplift.filter(against="real").filter(pl.col("model") != "system")
    headline = explain(make_evaluation(uplift=alone))
    assert "No control was run" in headline.sentence_en
    assert "没有运行对照组" in headline.sentence_zh
    assert len(headline.rows) == 1


def test_without_a_comparison_nothing_is_claimed(make_evaluation):
    for tables in (
        {"uplift": empty_evaluation_table("uplift")},
        {name: empty_evaluation_table(name) for name in ("uplift", "metrics")},
    ):
        headline = explain(make_evaluation(**tables))
        assert headline.verdict == "no effect shown"
        assert "nothing can be claimed" in headline.sentence_en
        assert "不能得出任何结论" in headline.sentence_zh
        assert headline.rows == ()


def test_without_an_interval_none_is_invented(make_evaluation):
    evaluation = make_evaluation(0.01, verdict="no effect shown")
    blind = {
        "uplift": evaluation.uplift.with_columns(
            pl.lit(float("nan")).alias("low"), pl.lit(float("nan")).alias("high")
        )
    }
    headline = explain(make_evaluation(0.01, verdict="no effect shown", **blind))
    assert "no interval could be computed" in headline.sentence_en
    assert "无法计算区间" in headline.sentence_zh
    assert headline.rows[0].standing == "unknown"


def test_a_base_of_zero_falls_back_to_absolute_numbers(make_evaluation):
    evaluation = make_evaluation(0.06)
    zero = {
        "metrics": evaluation.metrics.with_columns(
            pl.when(pl.col("arm") == "real").then(0.0).otherwise("value").alias("value")
        ),
        "uplift": evaluation.uplift.with_columns(pl.lit(float("nan")).alias("relative")),
    }
    headline = explain(make_evaluation(0.06, **zero))
    assert "by +0.0030 (95\u202f% interval +0.0018 to +0.0042" in headline.sentence_en
    assert "95% 置信区间 +0.0018 至 +0.0042" in headline.sentence_zh


def test_the_system_as_headline_is_not_told_twice(make_evaluation):
    headline = explain_verdict(make_evaluation(), "system", "ndcg", 10)
    assert [row.against for row in headline.rows].count("real") == 1


def test_a_registered_comparison_has_the_interval_of_its_claim(make_evaluation, claims):
    wide = claims(make_evaluation(), low=-0.01, high=0.2)
    rows = explain(make_evaluation(hypotheses=wide)).rows
    assert (rows[0].low, rows[0].high) == (-0.01, 0.2)
    assert rows[1].high == pytest.approx(0.07, abs=0.001)
    unbounded = claims(make_evaluation(), low=float("nan"))
    headline = explain(make_evaluation(hypotheses=unbounded))
    assert "(95\u202f% interval +0.0019 to +0.0043" in headline.sentence_en
