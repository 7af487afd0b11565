"""Mode dp from outside: a run spends what its recipe says, and nothing spends it twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from fakes.shops import write_tiny_shop

RECIPE = """
title = "Tiny private shop"
seed = 3

[shop.items]
path = "items.csv"

[shop.events]
path = "events.csv"
encoding = "utf-8"
delimiter = ","
header = true
date_format = "%Y-%m-%dT%H:%M:%S"

[split]
validation_from = 2026-01-25T00:00:00Z
test_from = 2026-02-05T00:00:00Z

[privacy]
mode = "dp"
epsilon = 2.5
users = 100
max_events_per_user = 32
source = "tiny shop"

[[generate]]
synthesizer = "markov"
options = { period_start = 2026-01-01T00:00:00Z, period_end = 2026-01-25T00:00:00Z }

[combine]
doses = [0.5]

[train]
models = ["popularity", "item_knn"]
headline = "item_knn"

[evaluate]
seeds = 2
min_seeds_for_verdict = 2
resamples = 200
cutoffs = [5]

[pipeline]
workers = 2
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    pytest.importorskip("opendp")
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    write_tiny_shop(tmp_path, RECIPE)
    return tmp_path


def command(*arguments):
    return [str(Path(sys.executable).with_name("shopsynth")), *map(str, arguments)]


def shopsynth(*arguments):
    return subprocess.run(
        command(*arguments), check=False, capture_output=True, text=True, timeout=240
    )


def ledger(shop):
    told = shopsynth("privacy", "ledger", shop / "recipe.toml", "--json")
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def generate(shop, workspace, *settings):
    sets = [argument for setting in settings for argument in ("--set", setting)]
    return shopsynth("generate", shop / "recipe.toml", "--workspace", shop / workspace, *sets)


@pytest.mark.slow
def test_a_run_pays_once_and_tells_what_it_promises(shop):
    recipe, workspace = shop / "recipe.toml", shop / "w"
    ran = shopsynth("run", recipe, "--workspace", workspace, "--json")
    assert ran.returncode == 0, ran.stderr
    privacy = json.loads((workspace / "summary.json").read_text())["privacy"]
    assert 2.4 < privacy["epsilon"] <= 2.5
    assert privacy["naive_epsilon"] > 1.25 * privacy["epsilon"]
    assert {charge["actor"] for charge in privacy["mechanisms"]} == {"markov"}
    assert "not protected" in (workspace / "report" / "shareable.html").read_text().lower()
    (entry,) = ledger(shop)["entries"]
    assert entry["status"] == "committed"

    again = shopsynth("run", recipe, "--workspace", workspace)
    assert again.returncode == 0, again.stderr
    assert len(ledger(shop)["entries"]) == 1

    exported = shopsynth(
        "export", "--workspace", workspace, "--to", "parquet", "--output", shop / "out"
    )
    assert exported.returncode == 0, exported.stderr
    rows = pl.read_parquet(shop / "out" / "events.parquet")
    real = pl.read_csv(shop / "events.csv")
    assert not set(rows["user_id"]) & set(real["user_id"])
    assert (
        privacy["guarantee"]
        in json.loads((shop / "out" / "croissant.json").read_text())["description"]
    )

    manifest = json.loads((workspace / "evaluate" / "manifest.json").read_text())
    (audits,) = (ref["key"] for ref in manifest["outputs"] if ref["name"] == "audits")
    found = pl.read_parquet(workspace / audits).with_columns(passed=pl.lit(False))
    found.write_parquet(workspace / audits)
    stopped = shopsynth("export", "--workspace", workspace, "--to", "csv", "--output", shop / "no")
    assert stopped.returncode == 3
    assert "must not be released" in stopped.stderr
    assert not (shop / "no").exists()


@pytest.mark.slow
def test_rows_that_no_audit_passed_do_not_leave(shop):
    assert shopsynth("combine", shop / "recipe.toml", "--workspace", shop / "w").returncode == 0
    refused = shopsynth(
        "export", "--workspace", shop / "w", "--to", "csv", "--output", shop / "out"
    )
    assert refused.returncode == 2, refused.stderr
    assert "expected audits of these rows" in refused.stderr
    assert not (shop / "out").exists()


@pytest.mark.slow
def test_another_workspace_name_or_day_is_no_new_budget(shop):
    assert generate(shop, "w").returncode == 0
    before = ledger(shop)["entries"]
    for workspace, settings, said in (
        ("second", (), "budget"),
        ("titled", ("title='other'",), "budget"),
        ("renamed", ("privacy.source='a new name'",), "a new name is no new budget"),
    ):
        refused = generate(shop, workspace, *settings)
        assert refused.returncode == 3, (workspace, refused.stderr)
        assert said in refused.stderr
    assert ledger(shop)["entries"] == before

    # A refresh: new rows of the same source.
    events = pl.read_csv(shop / "events.csv")
    pl.concat([events, events.head(5).with_columns(user_id=pl.lit("newcomer"))]).write_csv(
        shop / "events.csv"
    )
    refreshed = generate(shop, "refreshed")
    assert refreshed.returncode == 3, refreshed.stderr
    cheaper = generate(shop, "cheaper", "privacy.epsilon=0.2", "privacy.bound='bought'")
    assert cheaper.returncode == 0, cheaper.stderr
    entries = ledger(shop)["entries"]
    assert [len(entry["charges"]) for entry in entries][1] == 1
    assert len(entries) == 3


@pytest.mark.slow
def test_a_run_killed_between_reserve_and_commit_has_spent(shop):
    workspace = shop / "w"
    state = shop / "state" / "shopsynth" / "ledger"
    started = subprocess.Popen(
        command("generate", shop / "recipe.toml", "--workspace", workspace, "--set",
                "generate.0.size=90"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and started.poll() is None:
        if any('"reserved"' in path.read_text() for path in state.glob("*.jsonl")):
            break
        time.sleep(0.002)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    told = ledger(shop)
    (entry,) = told["entries"]
    assert entry["status"] in ("reserved", "committed")
    assert told["epsilon"] > 2.4
    again = generate(shop, "w", "generate.0.size=90")
    assert again.returncode == 3, again.stderr
    assert len(ledger(shop)["entries"]) == 1


def test_a_preview_or_a_sample_of_a_method_without_a_mechanism_spends_nothing(shop):
    preview = shopsynth("preview", shop / "recipe.toml")
    assert preview.returncode == 3
    assert "preview" in preview.stderr
    other = generate(shop, "w", "generate.0.synthesizer='teacher'", "generate.0.options={}")
    assert other.returncode == 3
    assert "teacher cannot run in privacy mode dp" in other.stderr
    assert not (shop / "state").exists()
