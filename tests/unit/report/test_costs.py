"""What arms cost: sums are right, and what failed is as visible as what did not."""

import pytest

from shopsynth.report.costs import cost_figure, cost_table, left_out
from shopsynth.report.summary_parts import SummaryCost


@pytest.fixture
def rows(costs):
    return [SummaryCost(**row) for row in costs]


def test_arms_stand_in_reading_order_with_all_they_cost(rows):
    table = cost_table(rows)
    assert table.rows[0] == (
        "Real data only, SASRec", "✓ fitted", "3", "0", "8", "900", "931\u202f107", "1 min 30 s",
        "1 min 0 s", "812 MB",
    )  # fmt: skip
    assert table.rows[2][0] == "Real + synthetic, SASRec"
    assert len(table.rows) == len(rows) == 14


def test_failures_say_how_many_and_why(rows):
    told = {row[0]: row[1] for row in cost_table(rows).rows}
    assert told["Synthetic only, SASRec"] == "✕ left out: fewer than 100 histories"
    assert told["Real + random noise, SASRec"] == "✕ 2 of 3 failed: loss is not finite"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"fits": 0, "failed": 0, "reason": ""}, "✓ no fit of its own"),
        ({"fits": 0, "failed": 0, "reason": "no reserve"}, "✕ left out: no reserve"),
        ({"failed": 3, "reason": ""}, "✕ left out: no reason was told"),
        ({"failed": 1, "reason": ""}, "✕ 1 of 3 failed: no reason was told"),
        ({"reason": "took all there was"}, "✓ fitted; took all there was"),
    ],
)
def test_every_outcome_has_words(rows, change, told):
    assert cost_table([rows[1].model_copy(update=change)]).rows[0][1] == told


def test_unknown_costs_are_dashes_and_tasks_are_named_where_there_are_several(rows):
    unknown = rows[0].model_copy(update={"cpu_s": None, "wall_s": None, "peak_rss_mb": None})
    assert cost_table([unknown]).rows[0][-3:] == ("–", "–", "–")
    other = rows[1].model_copy(update={"task": "rebuy"})
    assert [row[0] for row in cost_table([other, rows[1]]).rows] == [
        "Rebuy: Real data only, SASRec", "Next item: Real data only, SASRec"
    ]  # fmt: skip
    figure = cost_figure([unknown])
    assert figure is not None
    assert figure.rows == (("Synthetic only (✕ 3 failed)", "0.0 s", "0.0 s"),)


def test_the_picture_sums_models_and_marks_arms_with_failures(rows):
    figure = cost_figure(rows)
    assert figure is not None
    data = figure.panels[0].data
    assert data["labels"][:3] == [
        "Real data only", "Real + synthetic", "Synthetic only (✕ 3 failed)"
    ]  # fmt: skip
    clock, cpu = data["series"]
    assert clock["values"][0] == 63.0
    assert cpu["values"][:2] == [94.0, pytest.approx(1.4 * 94)]
    assert "42 fits, 5 failed or left out" in figure.note
    assert cost_figure([]) is None


def test_arms_without_a_single_fit_are_known_by_task(rows):
    assert left_out(rows, "next_item") == {("synthetic", "sasrec"): "fewer than 100 histories"}
    assert left_out(rows, "rebuy") == {}
