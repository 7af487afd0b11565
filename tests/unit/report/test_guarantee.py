"""The guarantee: what is promised, what it cost, what an attack could reach, what stays open."""

import json
import re

import pytest

from shopsynth.report import render_html, render_markdown, render_shareable, write_report
from shopsynth.report.guarantee import (
    attack_auc,
    attack_hits,
    attack_table,
    gaussian_mu,
    guarantee,
    is_guaranteed,
    ledger_table,
    strength_of,
)
from shopsynth.report.numerals import rounded_up
from shopsynth.report.summary_parts import SummaryPrivacy

NEVER_CLAIMED = re.compile(r"(?i)\banonym(?:ous|ised|ized)\b|匿名")

PAID = [
    {"actor": "markov", "mechanism": "user_histogram: length", "kind": "gaussian",
     "noise_multiplier": 8.0, "count": 1, "sampling_rate": 1.0, "slack": 0.0, "epsilon": 0.71,
     "detail": {"clip": 1.0, "cells": 20}},
    {"actor": "gru", "mechanism": "dp_sgd", "kind": "poisson_gaussian", "noise_multiplier": 1.1,
     "count": 1500, "sampling_rate": 0.01, "slack": 0.0, "epsilon": 2.1, "detail": {}},
]  # fmt: skip

DP = {
    "mode": "dp", "unit": "user", "release": "5eed5eed5eed", "epsilon": 2.361, "delta": 1e-6,
    "mu": 0.5201, "naive_epsilon": 3.4, "mechanisms": PAID, "budget": "standard",
    "source_id": "shop-5eed", "source_epsilon": 2.5, "users_bound": 5000,
    "max_events_per_user": 256, "audits": [],
}  # fmt: skip


def privacy(**changes):
    return SummaryPrivacy.model_validate({**DP, **changes})


def test_the_sentence_names_unit_neighbours_bounds_figures_noise_and_draws():
    told = guarantee(privacy())
    for part in (
        "Release 5eed5eed5eed of source shop-5eed", "(ε = 2.37, δ = 1e-06)", "(μ = 0.521)",
        "adding or removing all contributions of one user", "key user_id, at most 256 events",
        "2 mechanisms", "upper bound", "Poisson", "public rate 0.01", "divisor is public",
        "discrete Gaussian", "operating system's entropy", "declared public or bought",
        "Tuning on these people's rows: none",
    ):  # fmt: skip
        assert part in told.english, part
    for part in ("5eed5eed5eed", "shop-5eed", "ε = 2.37", "δ = 1e-06", "μ = 0.521", "一名用户",
                 "最多 256 条", "2 个机制", "0.01", "泊松", "离散高斯", "上界"):  # fmt: skip
        assert part in told.chinese, part
    assert told.strength == "standard"
    assert len(told.unprotected_en) == len(told.unprotected_zh) == 9


def test_a_release_chosen_among_several_is_not_said_to_be_untuned():
    told = guarantee(privacy(other_plans=3))
    assert "cost ε = 2.5 together; its budget for life is standard" in told.english
    assert "3 other plans" in told.english
    assert "Tuning" not in told.english
    assert "合计 ε = 2.5" in told.chinese
    assert "3 个已付费的方案" in told.chinese


def test_a_source_without_a_bound_is_weak_whatever_one_release_costs():
    assert guarantee(privacy(epsilon=0.5, budget="weak")).strength == "weak"


def test_one_mechanism_without_draws_or_bounds_is_told_without_them():
    told = guarantee(
        privacy(mechanisms=PAID[:1], source_id=None, source_epsilon=None, max_events_per_user=None)
    )
    assert "1 mechanism," in told.english
    assert not re.search(r"Poisson|at most|of source", told.english)
    assert not re.search(r"泊松|最多|数据源", told.chinese)


def test_more_than_the_last_preset_is_called_weak():
    assert [strength_of(privacy(epsilon=e)) for e in (1.0, 1.01, 8.0, 8.01)] == [
        "strict", "standard", "relaxed", "weak",
    ]  # fmt: skip
    told = guarantee(privacy(epsilon=12.0))
    assert told.english.startswith("Weak (ε above 8, ")
    assert told.chinese.startswith("保护较弱")


@pytest.mark.parametrize("missing", [{"mechanisms": []}, {"mu": None}, {"epsilon": None}])
def test_a_mode_without_paid_mechanisms_or_a_bounded_sum_promises_nothing(missing):
    found = privacy(**missing)
    assert not is_guaranteed(found)
    told = guarantee(found)
    assert "No guarantee can be stated" in told.english
    assert "无法给出保证" in told.chinese
    assert attack_table(found).rows == ()
    assert told.strength == ""


@pytest.mark.parametrize(
    ("mode", "english", "chinese"),
    [
        ("deidentify", "no differential privacy, still personal data", "不是差分隐私"),
        ("public", "nothing was protected", "没有做任何保护"),
        ("unsafe_nonprivate", "do not share it", "不要对外提供"),
    ],
)
def test_other_modes_say_honestly_what_they_are(mode, english, chinese):
    told = guarantee(privacy(mode=mode))
    assert english in told.english
    assert chinese in told.chinese
    assert "ε" not in told.english + told.chinese


def test_the_attack_table_is_that_of_the_design():
    wanted = {0.5: (0.124, 0.535, 0.014, 0.0015), 1: (0.237, 0.566, 0.018, 0.0022),
              3: (0.648, 0.677, 0.047, 0.0073), 8: (1.53, 0.861, 0.21, 0.06)}  # fmt: skip
    for epsilon, (mu, auc, at_1, at_01) in wanted.items():
        found = gaussian_mu(epsilon, 1e-6)
        assert found == pytest.approx(mu, rel=5e-3)
        assert attack_auc(found) == pytest.approx(auc, abs=6e-4)
        assert attack_hits(found, 0.01) == pytest.approx(at_1, rel=0.04)
        assert attack_hits(found, 0.001) == pytest.approx(at_01, rel=0.05)
    table = attack_table(privacy())
    assert [row[0] for row in table.rows] == ["this release", "strict", "standard", "relaxed"]
    assert table.rows[2][1:] == ("3", "0.648", "0.677", "4.7 %", "0.73 %")


def test_the_ledger_lists_each_charge_then_the_whole_beside_the_plain_sum():
    table = ledger_table(privacy())
    assert table.rows[0] == (
        "markov: user_histogram: length", "discrete Gaussian", "8", "1", "all", "0.71",
    )  # fmt: skip
    assert table.rows[1][3:5] == ("1\u202f500", "0.01")
    assert [row[-1] for row in table.rows[2:]] == ["2.37", "3.4"]
    assert ledger_table(privacy(mechanisms=[])).rows == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.3601, "2.37"), (0.3, "0.3"), (1e-6, "1e-06"), (9.999, "10"), (0.0, "0"), (None, "–")],
)
def test_a_bound_is_never_rounded_down(value, text):
    assert rounded_up(value) == text


@pytest.fixture
def private_run(make_evaluation, context, summarise):
    """A run in mode dp with audits of both kinds, told as the pipeline tells it."""
    from dataclasses import replace

    import polars as pl

    evaluation = make_evaluation()
    canary = {"name": "canaries", "value": 0.4, "threshold": 1.0, "passed": True,
              "power": "cannot detect above 4.75"}  # fmt: skip
    audits = pl.concat([evaluation.audits, pl.DataFrame([canary], schema=evaluation.audits.schema)])
    facts = {key: value for key, value in DP.items() if key != "audits"}
    told = replace(context, privacy=facts, shareable=frozenset({"canaries"}), title="Shop <script>")
    evaluation = replace(evaluation, audits=audits.with_columns(passed=pl.lit(True)))
    return summarise(evaluation, told, private=facts), evaluation, told


def test_the_summary_states_the_guarantee_with_its_mechanisms(private_run):
    block = private_run[0]["privacy"]
    assert block["mu"] == DP["mu"]
    assert block["source_id"] == "shop-5eed"
    assert [charge["mechanism"] for charge in block["mechanisms"]] == [
        "user_histogram: length", "dp_sgd",
    ]  # fmt: skip
    assert "(ε = 2.37, δ = 1e-06)" in block["guarantee"]
    assert "差分隐私" in block["guarantee_zh"]


def test_the_controllers_page_says_so_and_shows_ledger_attacks_and_gaps(private_run):
    for text in (render_html(*private_run), render_markdown(*private_run).replace("\\", "")):
        for told in ("For the data's controller only", "仅供数据控制者", "shareable.html",
                     "(ε = 2.37, δ = 1e-06)", "Plain sum", "this release",
                     "several accounts", "拥有多个账号"):  # fmt: skip
            assert told.replace("'", "&#39;") in text or told in text, told
        assert not NEVER_CLAIMED.search(text)


def test_public_data_need_no_warning(make_evaluation, context, summarise):
    from dataclasses import replace

    told = replace(context, privacy={**context.privacy, "mode": "public"})
    evaluation = make_evaluation()
    page = render_html(summarise(evaluation, told), evaluation, told)
    assert "controller only" not in page


def test_the_shareable_page_holds_no_number_about_real_rows(private_run):
    summary, evaluation, context = private_run
    page = render_shareable(summary, context)
    body = page[page.index("<body>") :]
    assert "(ε = 2.37, δ = 1e-06)" in body
    assert "canaries" in body
    assert "cannot detect above 4.75" in body
    assert "Shop &lt;script&gt;" in body
    assert "<script" not in page
    for table, columns in (("uplift", ("relative", "low")), ("metrics", ("value",)),
                           ("fidelity", ("value", "ceiling"))):  # fmt: skip
        for column in columns:
            for value in getattr(evaluation, table)[column].drop_nulls().drop_nans():
                assert f"{value:.4f}".lstrip("-") not in body
    for count in context.shop.values():
        assert f"{count:,}".replace(",", "\u202f") not in body
        assert str(count) not in body
    assert "copies" not in body
    assert "distance to closest" not in body
    assert "WHITE HANGING HEART" not in body


def test_no_audit_is_shared_that_is_not_named_as_shareable(private_run):
    from dataclasses import replace

    summary, _, context = private_run
    page = render_shareable(summary, replace(context, shareable=frozenset()))
    assert "canaries" not in page
    assert "No audit that may be shared was run." in page


def test_a_release_that_an_audit_stops_has_no_papers(private_run, tmp_path):
    summary, evaluation, context = private_run
    summary["privacy"]["audits"][0]["passed"] = False
    write_report(summary, evaluation, context, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.md"]


def test_the_receipt_tells_programs_what_the_page_tells_people(private_run, tmp_path):
    summary, evaluation, context = private_run
    written = write_report(summary, evaluation, context, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "receipt.json", "report.html", "report.md", "shareable.html",
    ]  # fmt: skip
    found = json.loads(written["receipt"].read_text(encoding="utf-8"))
    assert found["version"] == 1
    assert found["guarantee"] == summary["privacy"]["guarantee"]
    assert found["strength"] == "standard"
    assert [audit["name"] for audit in found["audits"]] == ["canaries"]
    assert found["generators"] == ["markov", "pseudo_session"]
    assert len(found["not_protected"]) == 9
    assert not {"uplift", "fidelity", "metrics", "shop"} & set(found)
