"""The claims of a plan: each with what it asked, what came of it, and whether it can confirm."""

from dataclasses import replace

import pytest

from shopsynth.report.claims import claims_table, registration_note
from shopsynth.report.summary import parse_summary
from shopsynth.report.summary_parts import SummaryRegistration


@pytest.fixture
def table(make_evaluation, claims, context, summarise):
    def make(effect=0.062, **changes):
        evaluation = make_evaluation(effect)
        evaluation = replace(evaluation, hypotheses=claims(evaluation, **changes))
        told = claims_table(parse_summary(summarise(evaluation, context)).hypotheses)
        return [dict(zip(told.columns, row, strict=True)) for row in told.rows]

    return make


def test_primary_claims_come_first_with_everything_that_was_asked(table):
    first, system, warm = table(goal=0.05, oracle_share=0.52)
    assert first == {
        "Claim": "SASRec, NDCG@10: better than real data alone, by +5.0\u202f% or more",
        "Role": "Primary",
        "Result": "✓ passed",
        "Verdict": "helps",
        "Measured, 95 % interval": "+6.2\u202f% [+3.8\u202f%, +8.6\u202f%]",
        "Detectable": "3.4\u202f%",
        "p (Holm)": "0.0004",
        "Controls not beaten": "none",
        "Side information": "not compared",
        "Moves the same way": "ItemKNN",
        "Of oracle's gain": "52.0\u202f%",
    }
    assert system["Claim"].startswith("Best system, NDCG@10: better")
    assert warm["Role"] == "Secondary"
    assert warm["Claim"] == (
        "SASRec, NDCG@10, warm items: no more than 1.0\u202f% worse than real data alone"
    )
    assert warm["Controls not beaten"] == warm["Side information"].replace("compared", "asked")


def test_a_claim_of_no_loss_asks_for_no_controls(table):
    warm = table(unbeaten="noise", side_information="beyond side information")[-1]
    names = ("Controls not beaten", "Side information", "Moves the same way")
    assert {warm[name] for name in names} == {"not asked"}


def test_a_failed_claim_is_told_in_full(table):
    row = table(
        0.005, unbeaten="noise, same_compute", side_information="not shown to match side "
        "information", confirmed_by="", relative=float("nan"), p_holm=float("nan"),
    )[0]  # fmt: skip
    assert row["Result"] == "✕ failed"
    assert row["Verdict"] == "no effect shown"
    assert row["Controls not beaten"] == "random noise, as much training"
    assert row["Side information"] == "not shown to match side information"
    assert row["Moves the same way"] == "none"
    assert row["Of oracle's gain"] == "not measured"
    assert row["Measured, 95 % interval"] == "no relative change"
    assert row["p (Holm)"] == "–"


def test_an_interval_without_bound_is_not_drawn_as_one(table):
    row = table(high=float("nan"))[0]
    assert row["Measured, 95 % interval"] == "+6.2\u202f%, interval without bound"


def test_the_plans_own_name_and_several_tasks(table, make_evaluation, claims, context, summarise):
    assert table(name="the main claim", goal=0.0)[0]["Claim"] == (
        "the main claim (SASRec, NDCG@10): better than real data alone"
    )
    assert table(name="next_item sasrec ndcg@10 all")[0]["Claim"].startswith(
        "SASRec, NDCG@10: better"
    )
    evaluation = make_evaluation()
    rows = claims(evaluation)
    both = rows.vstack(rows.with_columns(task=rows["task"].str.replace("next_item", "rebuy")))
    summary = parse_summary(summarise(replace(evaluation, hypotheses=both), context))
    names = [row[0] for row in claims_table(summary.hypotheses).rows]
    assert names[0].startswith("Next item, SASRec")
    assert names[2].startswith("Rebuy, SASRec")
    assert claims_table(()).rows == ()


def test_a_first_look_under_a_registered_plan_confirms(registration):
    note = registration_note(SummaryRegistration(**registration))
    assert (note.kind, note.badge_en, note.badge_zh) == ("confirmatory", "Confirmatory", "验证性")
    assert "Plan 5eed5eed5eed, registered 2026-11-29T08:00:00Z; look 1 of 1" in note.text_en
    assert "第 1 次（共 1 次）读取测试数据" in note.text_zh


def test_a_second_look_is_exploratory_and_says_why(registration):
    second = {"exploratory": True, "look": 2, "looks": 3, "reason": "another plan came first."}
    note = registration_note(SummaryRegistration(**{**registration, **second}))
    assert (note.kind, note.badge_en) == ("exploratory", "EXPLORATORY")
    assert "look 2 of 3 at test data. Why: another plan came first. Read" in note.text_en
    assert "原因：这批测试数据的全部或一部分此前已被读取过" in note.text_zh


def test_a_later_look_at_other_test_data_still_confirms(registration):
    note = registration_note(SummaryRegistration(**{**registration, "look": 2, "looks": 2}))
    assert note.kind == "confirmatory"
    assert note.text_en.endswith("Earlier looks were at other test data.")
    assert note.text_zh.endswith("之前读取的是另外的测试数据。")


def test_a_look_without_a_plan_names_none(registration):
    nobody = {"plan_sha256": "", "registered_at": "", "exploratory": True, "reason": "read before"}
    note = registration_note(SummaryRegistration(**{**registration, **nobody}))
    assert note.text_en.startswith("No plan; look 1 of 1 at test data. Why: read before.")
    assert note.text_zh.startswith("没有计划；第 1 次")
    assert "读取测试数据时还没有登记计划" in note.text_zh


def test_without_a_plan_nothing_is_confirmed():
    note = registration_note(None)
    assert note.kind == "unregistered"
    assert "nothing on this page is a confirmation" in note.text_en
    assert "不能算作确认" in note.text_zh
