"""The page in a real browser: charts are drawn, nothing complains, hostile text does nothing."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from shopsynth.report import write_report

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">"

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        BROWSER is None, reason="NO BROWSER: install chromium to see whether the charts are drawn"
    ),
]


def open_page(page: Path, profile: Path, *options: str) -> tuple[str, list[str]]:
    """Return the page's DOM after its scripts ran, and what the browser's console said."""
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--enable-logging=stderr", "--v=0", f"--user-data-dir={profile}",
        "--virtual-time-budget=5000", *options, "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.fixture
def page(make_evaluation, with_more_arms, with_second_task, claims, context, summarise,
         registration, costs, tmp_path) -> Path:  # fmt: skip
    """Two tasks, all arms, a plan whose reasons are hostile."""
    hostile = replace(context, samples=context.samples.with_columns(pl.lit(HOSTILE).alias("title")))
    evaluation = with_second_task(with_more_arms(make_evaluation()))
    evaluation = replace(
        evaluation,
        hypotheses=claims(evaluation),
        uplift=evaluation.uplift.with_columns(pl.col("slice").replace("tail", HOSTILE)),
        metrics=evaluation.metrics.with_columns(pl.col("slice").replace("tail", HOSTILE)),
    )
    costs[0]["reason"] = HOSTILE
    plan = {**registration, "exploratory": True, "reason": HOSTILE}
    summary = summarise(evaluation, hostile, registration=plan, costs=costs)
    return write_report(summary, evaluation, hostile, tmp_path)["html"]


@pytest.mark.parametrize("window", ["1280,2000", "500,2000"])
def test_every_chart_is_drawn_and_nothing_complains(page, tmp_path, window):
    dom, said = open_page(page, tmp_path / "profile", f"--window-size={window}")
    assert said == []
    charts = re.findall(r'<div class="chart" id="([a-z]+(?:-task1)?-\d)"', dom)
    assert len(charts) == 17
    assert f'data-charts="{len(charts)}"' in dom
    for chart in charts:
        drawn = dom.split(f'id="{chart}"', 1)[1].split('<div class="chart"', 1)[0]
        assert drawn.count("<path") >= 5, chart


def test_hostile_titles_do_nothing(page, tmp_path):
    dom, _ = open_page(page, tmp_path / "profile")
    shown = re.sub(r"<script>.*?</script>", "", dom, flags=re.DOTALL)
    assert "<title>owned" not in shown
    assert "<img" not in shown
    assert "&lt;img src=x onerror=" in shown


def test_dark_mode_draws_other_colours(page, tmp_path):
    light, _ = open_page(page, tmp_path / "a", "--blink-settings=preferredColorScheme=1")
    dark, said = open_page(page, tmp_path / "b", "--blink-settings=preferredColorScheme=0")
    assert said == []
    drawn = "\n".join(re.findall(r"<svg.*?</svg>", light, flags=re.DOTALL))
    redrawn = "\n".join(re.findall(r"<svg.*?</svg>", dark, flags=re.DOTALL))
    assert "#0072b2" in drawn
    assert "#0072b2" not in redrawn
    assert "#56b4e9" in redrawn


def test_without_scripts_every_number_is_still_there(page, tmp_path):
    html = page.read_text(encoding="utf-8")
    silent = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    plain = tmp_path / "silent.html"
    plain.write_text(silent, encoding="utf-8")
    dom, _ = open_page(plain, tmp_path / "profile")
    assert "<svg" not in dom
    assert dom.count("<table") >= 15
    assert "Scripts are off" in dom
