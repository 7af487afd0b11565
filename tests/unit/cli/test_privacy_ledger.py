"""The words under ``shopsynth privacy``: the stage keeps its own, the ledger is told and raised."""

import json
import sys
from pathlib import Path

import pytest

from shopsynth.cli.main import main
from shopsynth.privacy.charges import Charge
from shopsynth.privacy.ledger import Ledger, ledger_folder
from shopsynth.privacy.settings import Budget

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", KEY)

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["shopsynth", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def begun(folder: Path | None = None, budget: Budget = "strict") -> Ledger:
    ledger = Ledger.open(
        folder or ledger_folder(), source="shop", key=KEY.encode(), budget=budget, delta=1e-6
    )
    name = ledger.reserve(
        [Charge("lengths", "gaussian", 10.0)],
        fingerprint="data",
        run_epsilon=1.0,
        run_delta=1e-6,
        actor="markov",
    )
    ledger.commit(name)
    return ledger


def test_the_ledger_of_a_source_is_printed(call):
    ledger = begun()
    code, out, _ = call("privacy", "ledger", "--source", "shop")
    assert code == 0
    assert ledger.source in out
    assert all(word in out for word in ("lengths", "markov", "committed", "0.1"))
    assert "Budget for life: strict; mu 0.21" in out


def test_the_ledger_of_a_source_as_json(call, tmp_path):
    begun(tmp_path / "own")
    code, out, _ = call(
        "privacy", "ledger", "--source", "shop", "--ledger", tmp_path / "own", "--json"
    )
    told = json.loads(out)
    assert (code, told["budget"], told["folder"]) == (0, "strict", str(tmp_path / "own"))
    assert told["entries"][0]["charges"][0]["noise_multiplier"] == 10.0
    assert told["mu"] == pytest.approx(0.1)


def test_a_recipe_names_its_source(call, tmp_path):
    begun()
    recipe = tmp_path / "recipe.toml"
    code, _, err = call("privacy", "ledger", _recipe(recipe, "another"))
    assert (code, "expected a record of this source" in err) == (2, True)
    assert call("privacy", "ledger", _recipe(recipe, "shop"))[0] == 0


def _recipe(path: Path, source: str) -> Path:
    path.write_text(
        '[shop]\nitems = {path = "items.csv"}\nevents = {path = "events.csv"}\n'
        f'[privacy]\nsource = "{source}"\nepsilon = 1.0\nusers = 100\n'
    )
    return path


def test_a_budget_is_raised_and_weak_is_named_so(call):
    begun()
    assert call("privacy", "budget", "--source", "shop", "--raise", "relaxed")[0] == 0
    code, out, _ = call("privacy", "budget", "--source", "shop", "--raise", "weak")
    assert (code, "Budget for life: weak; no bound" in " ".join(out.split())) == (0, True)
    code, _, err = call("privacy", "budget", "--source", "shop", "--raise", "strict")
    assert (code, "larger budget than weak" in err) == (3, True)
    code, _, err = call("privacy", "budget", "--source", "shop", "--raise", "relaxd")
    assert (code, "did you mean 'relaxed'" in err) == (2, True)


def test_whoever_raises_a_budget_may_have_no_name(call, monkeypatch):
    def nameless():
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nameless)
    begun()
    code, out, err = call("privacy", "budget", "--source", "shop", "--raise", "relaxed")
    assert (code, err) == (0, "")
    assert "Budget for life: relaxed" in out


def test_a_broken_record_ends_with_three(call):
    ledger = begun()
    record = ledger.folder / f"{ledger.source}.jsonl"
    record.write_text(record.read_text().replace("10.0", "90.0"))
    code, _, err = call("privacy", "ledger", "--source", "shop")
    assert (code, "was edited" in err) == (3, True)


def test_a_recipe_or_a_source_is_needed_and_not_both(call, tmp_path):
    code, _, err = call("privacy", "ledger")
    assert (code, "got neither" in err) == (2, True)
    code, _, err = call("privacy", "ledger", tmp_path / "r.toml", "--source", "shop")
    assert (code, "got both" in err) == (2, True)


def test_a_recipe_after_privacy_still_runs_the_stage(call, tmp_path):
    for words in (["privacy"], ["privacy", "stage"], ["privacy", "--quiet"]):
        code, _, err = call(*words, tmp_path / "none.toml")
        assert code == 2
        assert "none.toml" in err
    code, out, _ = call("privacy", "--help")
    assert code == 0
    assert all(word in out for word in ("stage", "ledger", "budget"))
