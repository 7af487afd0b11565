"""The harness judged by shops of known truth: it finds what helps, and nothing where nothing can.

That equal arms are called different no more often than promised is tested in
``tests/unit/evaluate`` on 200 pairs of equal arms.
"""

import pytest

from fakes.planted import oracle_of_families, write_families, write_lottery
from shopsynth.pipeline import run

pytestmark = pytest.mark.filterwarnings("error")


def verdicts(path, workspace):
    summary = run(path, workspace).summary
    assert summary is not None
    return {
        row["name"].split(" ")[0]: row for row in summary["hypotheses"] if row["role"] == "primary"
    }


def test_what_must_help_is_found(tmp_path):
    """Synthetic rows drawn from the truth itself, in a shop that says nothing of its items."""
    menu = ("popularity", "item_knn", "als")
    with oracle_of_families():
        path = write_families(tmp_path, menu, synthesizer="oracle_of_families", titles=False)
        found = verdicts(path, tmp_path / "w")
    assert found["system"]["verdict"] == found["item_knn"]["verdict"] == "helps", found
    assert found["item_knn"]["low"] > 0.0
    assert found["item_knn"]["unbeaten"] == ""
    assert "als" in found["item_knn"]["confirmed_by"]


def test_what_the_text_itself_gives_is_told_as_such(tmp_path):
    """A teacher who reads titles helps as much, but nobody had to synthesize families."""
    path = write_families(tmp_path, ("popularity", "item_knn", "als"))
    found = verdicts(path, tmp_path / "w")["item_knn"]
    assert found["relative"] > 0.1
    assert found["unbeaten"] == ""
    assert found["side_information"] == "not shown to match side information", found
    assert found["verdict"] == "helps this model"
    assert not found["passed"]


def test_what_the_untrained_rival_gives_as_well_is_no_headline(tmp_path):
    """The same shop with content on the menu: no synthesis is needed to know families."""
    path = write_families(tmp_path, ("popularity", "item_knn", "als", "content_knn"))
    found = verdicts(path, tmp_path / "w")
    assert found["system"]["verdict"] == "no effect shown", found
    assert found["item_knn"]["relative"] > 0.1
    assert found["item_knn"]["verdict"] in ("helps this model", "no effect shown")


def test_where_nothing_can_help_the_harness_says_so(tmp_path):
    path = write_lottery(tmp_path, ("popularity", "item_knn", "als"))
    found = verdicts(path, tmp_path / "w")
    assert {row["verdict"] for row in found.values()}.isdisjoint({"helps", "helps this model"}), (
        found
    )
    assert not any(row["passed"] for row in found.values())
