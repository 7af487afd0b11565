"""Every example runs as a reader would run it, is short, and says how to run it."""

import os
import re
import subprocess
import sys
import tomllib

import pytest

SAYS = {
    "01_quickstart.py": ("Online Retail (UCI)", "markov: 1 synthetic user", "pseudo_session"),
    "02_own_files.py": ("events from orders.csv", "Verdict: ", "real held-out data"),
    "03_add_a_synthesizer.py": ("synthetic-crossover-000000",),
    "04_one_room_alone.py": ("missing_user_id", "popularity: NDCG@10", "item_knn: NDCG@10"),
    "05_register_a_claim.py": (
        "primary: system ndcg@10 all, uplift above 0, +3.0 % aimed at",
        'with title = "Monday": the same plan',
        "with evaluate.seeds = 5: another plan",
    ),
}
MAX_LINES = 60


@pytest.fixture(scope="module")
def first_runs():
    """What each example printed when it first ran here."""
    return {}


def run(root, tmp_path, name):
    environment = {**os.environ, "PYTHONHASHSEED": "0", "POLARS_FMT_MAX_COLS": "12"}
    return subprocess.run(
        [sys.executable, "-W", "error", str(root / "examples" / name)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize("name", SAYS)
def test_an_example_runs_and_says_what_it_promises(root, tmp_path, name, first_runs):
    done = run(root, tmp_path, name)
    assert done.returncode == 0, done.stderr
    first_runs[name] = done.stdout
    for words in SAYS[name]:
        assert words in done.stdout
    assert list(tmp_path.iterdir()) == [], "an example cleans up behind itself"


def test_the_same_seed_gives_the_same_output(root, tmp_path, first_runs):
    name = "03_add_a_synthesizer.py"
    first = first_runs.get(name) or run(root, tmp_path, name).stdout
    assert run(root, tmp_path, name).stdout == first != ""


def test_every_example_is_tested_short_and_says_how_to_run_it(root):
    found = sorted(path.name for path in (root / "examples").glob("*.py"))
    assert found == sorted(SAYS)
    for name in found:
        text = (root / "examples" / name).read_text(encoding="utf-8")
        assert len(text.splitlines()) <= MAX_LINES, name
        assert f".venv/bin/python examples/{name}" in text, name
        assert re.search(r"\bIn: .*Out: ", text, re.DOTALL), name
        assert 'if __name__ == "__main__":' in text, name


def test_every_recipe_in_examples_is_accepted(root):
    from shopsynth.pipeline import load_recipe

    found = list((root / "examples").glob("*.toml"))
    assert found
    for path in found:
        assert tomllib.loads(path.read_text(encoding="utf-8"))
        assert load_recipe(path).sha256
