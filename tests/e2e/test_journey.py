"""The whole journey from outside: two files in, a verdict out; killed anywhere, same bytes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fakes.shops import write_tiny_shop
from shopsynth.report import parse_summary

STAGES = (
    "ingest", "clean", "split", "privacy", "generate", "combine", "train", "evaluate", "report",
)  # fmt: skip
KEY = {"SHOPSYNTH_PSEUDONYM_KEY": "a key that only tests use"}


def shopsynth(*arguments, **options):
    """Run the installed program in its own process, as a user does."""
    command = [str(Path(sys.executable).with_name("shopsynth")), *map(str, arguments)]
    environment = {**os.environ, **KEY, **options.pop("env", {})}
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
        env=environment,
        **options,
    )


def stage_bytes(workspace):
    """Hash of every output of every stage, as the manifests tell them."""
    found = {}
    for stage in STAGES[:-1]:  # The report tells times, which are never the same twice.
        manifest = json.loads((workspace / stage / "manifest.json").read_text())
        found[stage] = [(ref["name"], ref["label"], ref["sha256"]) for ref in manifest["outputs"]]
        for ref in manifest["outputs"]:
            assert (workspace / ref["key"]).stat().st_size == ref["size_bytes"]
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    recipe = write_tiny_shop(folder)
    result = shopsynth("run", recipe, "--workspace", folder / "w")
    assert result.returncode == 0, result.stderr
    return folder, recipe, result


@pytest.mark.slow
def test_a_run_ends_with_a_table_a_verdict_and_a_report(finished):
    folder, _, result = finished
    assert "Verdict:" in result.stdout
    assert "combined" in result.stdout.lower()
    assert "no differential privacy, still personal data" in result.stdout
    assert str(folder / "w" / "report" / "report.html") in result.stdout.replace("\n", "")
    assert (folder / "w" / "report" / "report.html").stat().st_size > 10_000
    assert (folder / "w" / "report" / "report.md").read_text().startswith("#")
    assert result.stderr == ""  # No terminal: no bars.


@pytest.mark.slow
def test_the_summary_keeps_its_contract(finished):
    folder, _, _ = finished
    summary = json.loads((folder / "w" / "summary.json").read_text())
    parse_summary(summary)
    assert summary["version"] == 1
    assert {"items", "users", "events"} <= set(summary["shop"])
    arms = {row["arm"] for row in summary["metrics"]}
    assert arms == {
        "real", "combined", "synthetic", "same_compute", "oversample", "noise", "broken_link",
        "side_information",
    }  # fmt: skip
    against = {row["against"] for row in summary["uplift"] if row["arm"] == "combined"}
    assert against == arms - {"combined", "synthetic"}
    assert [stage["name"] for stage in summary["stages"]] == list(STAGES)
    assert all(row["low"] <= row["value"] <= row["high"] for row in summary["metrics"])


@pytest.mark.slow
def test_the_report_tells_the_registered_claims_and_why_they_ended_so(finished):
    folder, _, _ = finished
    summary = parse_summary(json.loads((folder / "w" / "summary.json").read_text()))
    assert summary.registration is not None
    assert (summary.registration.look, summary.registration.exploratory) == (1, False)
    assert {row.model for row in summary.hypotheses if row.role == "primary"} == {
        "item_knn", "system"
    }  # fmt: skip
    assert {row.role for row in summary.uplift} == {"primary", "secondary", "exploratory"}
    page = (folder / "w" / "report" / "report.html").read_text()
    markdown = (folder / "w" / "report" / "report.md").read_text()
    for told in ("Confirmatory", "验证性", summary.registration.plan_sha256[:12],
                 "What would change the verdict", "怎样会改变结论"):  # fmt: skip
        assert told in page
        assert told in markdown


@pytest.mark.slow
def test_a_second_run_does_nothing_and_says_so(finished):
    folder, recipe, _ = finished
    before = stage_bytes(folder / "w")
    result = shopsynth("run", recipe, "--workspace", folder / "w", "--json")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert all(stage["cached"] for stage in summary["stages"])
    assert stage_bytes(folder / "w") == before


@pytest.mark.slow
def test_killed_in_every_stage_it_ends_with_the_same_bytes(finished, tmp_path):
    folder, recipe, _ = finished
    workspace = tmp_path / "w"
    killed = []
    for stage in STAGES:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("shopsynth")), "run", recipe, "-w", workspace],
            env={**os.environ, **KEY},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 120
        while not (workspace / stage).exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed.append(stage)
        process.wait()
        time.sleep(0.8)  # Longer than the workers' watchdog, so that none of them writes on.
    assert len(killed) >= len(STAGES) - 1
    last = shopsynth("run", recipe, "--workspace", workspace)
    assert last.returncode == 0, last.stderr
    assert stage_bytes(workspace) == stage_bytes(folder / "w")
    assert list((workspace / ".scratch").iterdir()) == []
    # However often it was killed, the test part was looked at once.
    told = json.loads((workspace / "summary.json").read_text())["registration"]
    assert (told["look"], told["looks"], told["exploratory"]) == (1, 1, False)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_with_code_4_and_the_next_run_goes_on(tmp_path, number):
    recipe = write_tiny_shop(tmp_path)
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("shopsynth")), "run", recipe, "-w", tmp_path / "w"],
        env={**os.environ, **KEY},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (tmp_path / "w" / "generate").exists():
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT) if number == signal.SIGINT else process.terminate()
    for _ in range(500):  # Whoever is impatient asks again, while it stops.
        time.sleep(0.005)
        if process.poll() is None:
            process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 4
    assert "Run the same command again" in stderr
    assert "Traceback" not in stderr
    result = shopsynth("generate", recipe, "-w", tmp_path / "w", "--json")
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_two_runs_in_one_workspace(finished):
    folder, recipe, _ = finished
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("shopsynth")), "run", recipe, "-w", folder / "two",
        ],
        env={**os.environ, **KEY},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    while not (folder / "two" / "ingest").exists():
        time.sleep(0.02)
    second = shopsynth("run", recipe, "--workspace", folder / "two")
    process.kill()
    process.wait()
    assert second.returncode == 2
    assert "another run is using it" in second.stderr


@pytest.mark.slow
def test_a_changed_source_is_read_again_and_an_unchanged_one_is_not(tmp_path):
    recipe = write_tiny_shop(tmp_path)
    first = shopsynth("split", recipe, "-w", tmp_path / "w", "--json")
    assert first.returncode == 0, first.stderr
    events = (tmp_path / "events.csv").read_text().splitlines()
    (tmp_path / "events.csv").write_text("\n".join(events[:-5]) + "\n")
    again = shopsynth("split", recipe, "-w", tmp_path / "w", "--json")
    rows = [json.loads(r.stdout)["ingest"]["rows"]["events"] for r in (first, again)]
    assert rows[0] == rows[1] + 5


@pytest.mark.slow
def test_a_full_disk_is_named_and_nothing_is_lost(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        recipe = write_tiny_shop(tmp_path / "shop", n_users=2000, n_items=500)
        result = shopsynth("run", recipe, "--workspace", disk / "w")
        assert result.returncode == 2, result.stdout
        assert "disk is full" in result.stderr
        assert "Finished work is kept" in result.stderr
        assert "Traceback" not in result.stderr
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_read_only_workspace_is_named(tmp_path):
    recipe = write_tiny_shop(tmp_path)
    result = shopsynth("run", recipe, "--workspace", "/proc/shopsynth")
    assert result.returncode == 2
    assert "expected a writable folder" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_fail_under_is_a_gate(finished):
    folder, recipe, _ = finished
    result = shopsynth("run", recipe, "-w", folder / "w", "--fail-under", "9.0", "--quiet")
    assert result.returncode == 3
    assert "evaluate.fail_under" in result.stderr
    assert (folder / "w" / "summary.json").exists()
