"""Why a verdict is what it is: every sentence must follow from a fact of the made-up shop."""

import math
from dataclasses import replace

import polars as pl
import pytest

from shopsynth.report._explain_en import explain_en
from shopsynth.report._explain_zh import explain_zh
from shopsynth.report.case import Case, case_of
from shopsynth.report.sections import explain
from shopsynth.report.summary import parse_summary
from shopsynth.report.summary_parts import SummaryRegistration
from shopsynth.report.topics import Topic
from shopsynth.schema import empty_evaluation_table

TOPIC = Topic("next_item", "sasrec", "ndcg", 10)
ASKED, MEASURED, AGAINST, SURE, OPEN, CHANGE, NEXT = range(7)


@pytest.fixture
def make_case(make_evaluation, with_more_arms, claims, context, summarise, registration):
    """Facts of a shop with the given effect; any of them can be changed."""

    def make(effect=0.062, *, side=None, claim=None, look=None, main=None, verdict=None, **facts):
        evaluation = make_evaluation(effect, verdict=verdict)
        if side is not None:
            evaluation = with_more_arms(evaluation, side=side)
        if claim is not None:
            evaluation = replace(evaluation, hypotheses=claims(evaluation, **claim))
        told = parse_summary(summarise(evaluation, context))
        plan = None if look is False else SummaryRegistration(**{**registration, **(look or {})})
        case = case_of(evaluation, TOPIC, told.hypotheses, plan)
        assert case is not None
        return replace(case, main=replace(case.main, **(main or {})), **facts)

    return make


def answers(case: Case, question: int) -> tuple[str, str]:
    return explain_en(case)[question][1], explain_zh(case)[question][1]


def test_seven_questions_in_two_languages(make_case):
    case = make_case(claim={})
    english, chinese = explain_en(case), explain_zh(case)
    assert [question for question, _ in english] == [
        "What was asked", "What was measured", "Against what", "How sure it is",
        "What could still explain it", "What would change the verdict", "What to do next",
    ]  # fmt: skip
    assert len(chinese) == 7
    for pairs in (english, chinese):
        assert all(answer and "None" not in answer and "nan" not in answer for _, answer in pairs)
    assert all(answer.endswith(".") and "  " not in answer for _, answer in english)
    assert all(answer.endswith(("。", "？")) for _, answer in chinese)
    assert not any("\u202f" in answer for _, answer in chinese)


def test_a_registered_claim_is_told_with_goal_and_day(make_case):
    english, chinese = answers(make_case(claim={"goal": 0.05}), ASKED)
    assert "Is NDCG@10 of SASRec higher on real held-out questions" in english
    assert "registered as a primary hypothesis with a goal of +5.0\u202f% on 2026-11-29" in english
    assert "主要假设，目标是 +5.0%，在打开测试数据之前已于 2026-11-29 登记" in chinese
    english, chinese = answers(make_case(claim={"goal": 0.0}), ASKED)
    assert "goal" not in english
    assert "目标" not in chinese


@pytest.mark.parametrize(
    ("changes", "english", "chinese"),
    [
        ({}, "This was not registered as a hypothesis.", "没有事先登记为假设"),
        ({"claim": {}, "look": False}, "but no plan was registered.", "但计划没有登记"),
        (
            {"claim": {}, "look": {"exploratory": True, "look": 2, "reason": "read before."}},
            "exploratory: read before.", "探索性的（这批测试数据的全部或一部分此前已被读取过）",
        ),
        (
            {"claim": {}, "look": {"exploratory": True, "reason": "too late"}},
            "exploratory: too late.", "计划没有在读取测试数据之前登记好",
        ),
    ],
)  # fmt: skip
def test_what_was_not_registered_says_so(make_case, changes, english, chinese):
    told = answers(make_case(**changes), ASKED)
    assert english in told[0]
    assert chinese in told[1]


def test_an_error_is_asked_to_be_lower(make_case):
    case = make_case(topic=replace(TOPIC, metric="rmse", cutoff=None))
    assert "Is RMSE of SASRec lower" in answers(case, ASKED)[0]
    assert "RMSE 会不会更低" in answers(case, ASKED)[1]


def test_the_system_is_named_as_such(make_case):
    case = make_case(topic=replace(TOPIC, model="system"))
    assert "NDCG@10 of the best system" in answers(case, ASKED)[0]
    assert "，最佳系统在真实留出问题上" in answers(case, ASKED)[1]


def test_what_was_measured(make_case):
    english, chinese = answers(make_case(claim={"oracle_share": 0.52}), MEASURED)
    assert english.startswith("0.0534 with the synthetic data against 0.0503 without on 2\u202f210")
    assert "+6.2\u202f% (95\u202f% interval +3.8\u202f% to +8.6\u202f%)" in english
    assert "3 of 3 paired runs moved this way. That is 52.0\u202f% of what as many" in english
    assert "在 2,210 个测试问题上，加入合成数据得 0.0534，不加得 0.0503：+6.2%" in chinese
    assert "3 次成对运行中有 3 次方向一致。这相当于增加同样多真实数据所得提升的 52.0%" in chinese


def test_what_is_unknown_is_left_out_of_the_measurement(make_case):
    case = make_case(-0.08, claim={"oracle_share": 0.5}, main={"units": 0, "seeds": 0})
    english, chinese = answers(case, MEASURED)
    for word in ("questions", "paired", "extra real rows"):
        assert word not in english
    for word in ("测试问题", "成对运行", "同样多"):
        assert word not in chinese
    assert (
        "1 of 1 paired run moved" in answers(make_case(main={"seeds": 1, "seeds_agree": 1}), 1)[0]
    )


@pytest.mark.parametrize(
    ("changes", "english", "chinese"),
    [
        ({}, "Each of them is beaten.", "合成数据全部胜出"),
        ({"unbeaten": ("noise",)}, "Not clearly beaten: adding random noise.",
         "没有明显胜过的是：加入随机噪声"),
        ({"effect": 0.005}, "None of them is clearly beaten.", "没有明显胜过其中任何一种"),
        ({"controls": ()}, "no control was run.", "没有运行任何对照组"),
        ({"missing": ("noise",)}, "Planned, but without a result: adding random noise.",
         "计划里有、但没有结果的是：加入随机噪声"),
        ({"side": -0.02}, "Using the side information directly is beaten as well.", "也更好"),
        ({"side": 0.045}, "It does as well as using the side information directly, not better.",
         "与直接使用辅助信息相当，但不更好"),
        ({"side": 0.2}, "It is not shown to match using the side information directly.",
         "不能证明它比得上直接使用辅助信息"),
        ({}, "Using the side information directly was not compared.", "没有和直接使用辅助信息"),
    ],
)  # fmt: skip
def test_against_what(make_case, changes, english, chinese):
    told = answers(make_case(**changes), AGAINST)
    assert english in told[0]
    assert chinese in told[1]


def test_the_plans_word_on_side_information_and_controls_counts(make_case):
    claim = {"side_information": "not shown to match side information", "unbeaten": "noise, dice"}
    case = make_case(claim=claim)
    assert (case.side, case.unbeaten, case.missing) == ("short", ("noise",), ("dice",))
    matched = make_case(claim={"side_information": "not worse than side information"})
    assert matched.side == "matched"
    beyond = make_case(claim={"side_information": "beyond side information"})
    assert beyond.side == "beyond"


@pytest.mark.parametrize(
    ("effect", "english", "chinese"),
    [
        (0.062, "wholly on the side of a gain; p after Holm's correction is 0.0004", "改善一侧"),
        (-0.08, "wholly on the side of a loss", "变差一侧"),
        (0.005, "holds both gain and loss; p after Holm's correction is 0.41", "既包含改善"),
    ],
)
def test_how_sure_it_is(make_case, effect, english, chinese):
    told = answers(make_case(effect), SURE)
    assert english in told[0]
    assert chinese in told[1]


def test_power_and_other_architectures_belong_to_how_sure(make_case):
    english, chinese = answers(make_case(claim={"confirmed_by": "item_knn,gru4rec"}), SURE)
    assert "reliably shows is 3.4\u202f%; the measured change is not smaller." in english
    assert "Of the other architectures ItemKNN and GRU4Rec moved the same way." in english
    assert "最小变化是 3.4%，实际测到的变化不低于它。其他架构中，ItemKNN、GRU4Rec" in chinese
    english, chinese = answers(make_case(0.005, confirmed_by=()), SURE)
    assert english.endswith("the measured change is smaller.")
    assert chinese.endswith("实际测到的变化低于它。")
    assert "reliably" not in answers(make_case(main={"mde": math.nan}), SURE)[0]


def test_what_cannot_be_known_is_not_guessed(make_case):
    blind = make_case(0.01, main={"absolute_low": math.nan, "low": math.nan})
    english, chinese = answers(blind, SURE)
    assert english == "No interval could be computed, so nothing can be said."
    assert chinese == "算不出置信区间，因此什么也不能说。"
    assert "so that an interval exists" in answers(blind, CHANGE)[0]
    assert "at least three seeds" in answers(blind, NEXT)[0]
    assert "至少用三个随机种子" in answers(blind, NEXT)[1]
    assert "先让区间算得出来" in answers(blind, CHANGE)[1]


def test_a_model_that_no_row_changes_is_told_as_such(make_case):
    same = make_case(main={"absolute": 0.0, "relative": 0.0, "mde": 0.0})
    english = [answers(same, question)[0] for question in (SURE, OPEN, CHANGE, NEXT)]
    chinese = [answers(same, question)[1] for question in (SURE, OPEN, CHANGE, NEXT)]
    for told, word in zip(english, ("alike", "Nothing", "Another", "learns from"), strict=True):
        assert word in told
    for told, word in zip(chinese, ("都一样", "保持了原样", "换一个", "数据中学习"), strict=True):
        assert word in told
    assert not same.is_underpowered


DOUBTS = [
    ({"unbeaten": ("same_compute",)}, "More training", "多训练了一会儿"),
    ({"unbeaten": ("oversample",)}, "Re-weighting", "样本权重变了"),
    ({"unbeaten": ("noise",)}, "Any disturbance", "任何扰动都有用"),
    ({"unbeaten": ("broken_link",)}, "Popularity alone", "只是热门程度在起作用"),
    ({"unbeaten": ("dice",)}, "Dice, which is not clearly worse", "dice：效果并不明显更差"),
    ({"missing": ("noise",)}, "Adding random noise, for which there is no result",
     "没有结果的对照组：加入随机噪声"),
    ({"controls": ()}, "Everything that a control would rule out", "一个对照组也没有运行"),
    ({"side": 0.2}, "The side information, which might give as much", "辅助信息：不做合成"),
    ({"effect": 0.04}, "A weak model: the best system is not shown to gain", "模型本身偏弱"),
    ({"confirmed_by": ()}, "A quirk of one architecture: none moved the same way",
     "单一架构的特性：其他架构没有同向变化"),
    ({"confirmed_by": (), "other_models": ()}, "no other was compared", "没有和其他架构比过"),
    ({}, "The luck of only 3 runs", "运气：只有 3 次运行"),
    ({"main": {"seeds": 1}}, "The luck of a single run", "运气：只有 1 次运行"),
    ({"effect": 0.005}, "Chance: a change of this size", "偶然"),
    ({"effect": 0.005}, "too small a test", "测试规模不够"),
    ({"look": {"exploratory": True}, "claim": {}}, "choice after the fact", "事后挑选"),
    ({}, "choice after the fact", "事后挑选"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "english", "chinese"), DOUBTS)
def test_each_doubt_is_told_where_it_is_open(make_case, changes, english, chinese):
    told = answers(make_case(**changes), OPEN)
    assert english in told[0]
    assert chinese in told[1]


def test_no_doubt_is_told_where_none_is_open(make_case):
    firm = {"seeds": 15, "seeds_agree": 15}
    english, chinese = answers(make_case(claim={}, main=firm), OPEN)
    assert english == "Nothing that was tested."
    assert chinese == "在测试过的范围内没有别的解释。"
    english, chinese = answers(make_case(-0.08, claim={}, main=firm), OPEN)
    assert english == "Nothing that was tested: the loss is there in spite of the controls."
    assert "变差依然存在" in chinese


def test_more_runs_shrink_what_can_be_seen_by_the_root(make_case):
    case = make_case(0.012)
    assert case.mde_with(12) == pytest.approx(case.main.mde / 2)
    assert case.seeds_needed == math.ceil(3 * (case.main.mde / 0.012) ** 2)
    english, chinese = answers(case, CHANGE)
    assert "With 3 runs a change below 3.4\u202f% cannot be seen; 9 runs would show 1.9" in english
    assert "at best, because the noise between test questions stays" in english
    assert english.endswith("To show the measured +1.2\u202f% takes about 24 runs.")
    assert "运行 3 次，看不出小于 3.4% 的变化；运行 9 次，最好能看出 1.9%" in chinese
    assert chinese.endswith("要确认测到的 +1.2%，大约需要 24 次运行。")


def test_no_number_of_runs_is_promised_that_nobody_can_pay(make_case):
    english, chinese = answers(make_case(0.002), CHANGE)
    assert "No sensible number of runs would show the measured +0.2\u202f%." in english
    assert "再多运行几次也不现实" in chinese
    assert make_case(main={"relative": 0.0}).seeds_needed is None
    assert make_case(main={"relative": 0.0}).mde_with(3) == pytest.approx(0.0336)


def test_without_a_power_more_is_asked_for_and_no_number(make_case):
    case = make_case(0.005, main={"mde": math.nan})
    assert answers(case, CHANGE) == (
        "More runs or more test questions.",
        "增加运行次数或测试问题。",
    )
    one = make_case(0.005, main={"seeds": 1})
    assert answers(one, CHANGE)[0].startswith("With one run a change")


@pytest.mark.parametrize(
    ("changes", "english", "chinese"),
    [
        ({}, "A control that does as well", "有对照组做得一样好"),
        ({"effect": -0.08}, "with another generator or a smaller dose", "减少合成数据的用量"),
        ({"verdict": "no effect shown", "unbeaten": ("noise",)},
         "An interval above zero against adding random noise.", "与以下做法相比的区间也高于零"),
        ({"verdict": "no effect shown", "side": 0.2}, "no worse than the side information",
         "不比直接使用辅助信息差"),
        ({"verdict": "helps this model", "effect": 0.04}, "A gain of the best system as well.",
         "最佳系统也有提升"),
        ({"verdict": "helps this model", "confirmed_by": ()}, "A second architecture",
         "第二种架构也朝同一方向变化"),
        ({"verdict": "no effect shown", "claim": {"goal": 0.1}},
         "reaches the goal of +10.0\u202f%", "达到 +10.0% 的目标"),
        ({"verdict": "no effect shown"}, "With 3 runs a change below", "运行 3 次，看不出"),
    ],
)  # fmt: skip
def test_what_would_change_the_verdict(make_case, changes, english, chinese):
    told = answers(make_case(**changes), CHANGE)
    assert english in told[0]
    assert chinese in told[1]


@pytest.mark.parametrize(
    ("changes", "english", "chinese"),
    [
        ({"claim": {}}, "Take it to an A/B test", "A/B 测试"),
        ({}, "Register this claim and confirm it", "登记这个假设"),
        ({"effect": -0.08}, "Leave the synthetic data out", "不要给这个模型加合成数据"),
        ({"verdict": "no effect shown", "unbeaten": ("same_compute", "noise")},
         "Train on the real data until validation no longer improves", "训练到验证集不再提升"),
        ({"verdict": "no effect shown", "missing": ("noise",)}, "Run every control.",
         "把每个对照组都跑一遍"),
        ({"verdict": "no effect shown"}, "Run more seeds", "增加运行次数"),
        ({"effect": 0.005}, "Ask more test questions or run more seeds", "先增加测试问题"),
        ({"effect": 0.02, "main": {"mde": 0.01}}, "Try another generator or dose",
         "选别的生成方法或用量"),
        ({"effect": 0.005, "side": 0.2}, "Use the side information directly first",
         "先直接使用辅助信息"),
        ({"verdict": "helps this model", "effect": 0.04, "claim": {}},
         "Serve the best system without synthetic data", "上线不加合成数据的最佳系统"),
        ({"verdict": "helps this model", "claim": {}, "confirmed_by": ()},
         "Find out why no other architecture gains", "先弄清其他架构为什么没有提升"),
        ({"verdict": "helps this model", "claim": {}, "confirmed_by": (), "other_models": ()},
         "Add a second architecture to the menu.", "再加一种架构"),
    ],
)  # fmt: skip
def test_what_to_do_next(make_case, changes, english, chinese):
    told = answers(make_case(**changes), NEXT)
    assert english in told[0]
    assert chinese in told[1]


def test_only_another_architecture_confirms(make_evaluation):
    """A fusion that holds the model itself would confirm it with its own gain."""
    rows = make_evaluation().uplift
    fused = rows.filter(model="item_knn").with_columns(pl.lit("sasrec+item_knn").alias("model"))
    case = case_of(make_evaluation(uplift=pl.concat([rows, fused])), TOPIC)
    assert case is not None
    assert case.other_models == ("item_knn", "content_knn", "popularity")
    assert case.confirmed_by == case.other_models


def test_without_a_comparison_there_is_nothing_to_explain(make_evaluation, context, summarise):
    nothing = make_evaluation(uplift=empty_evaluation_table("uplift"))
    told = explain(nothing, TOPIC, parse_summary(summarise(nothing, context)))
    assert told.english[0][0] == told.chinese[0][0] == ""
    assert "nothing to explain" in told.english[0][1]
    assert "没有可以解释的结论" in told.chinese[0][1]
