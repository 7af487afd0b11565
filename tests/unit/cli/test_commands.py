"""Every command from inside: what it prints, what it writes, which code it ends with."""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

import pytest

from fakes.shops import write_tiny_shop
from shopsynth.cli.main import main
from shopsynth.pipeline import make_recipe

INLINE = ("--set", 'pipeline.executor="inline"')


@pytest.fixture
def call(monkeypatch, capsys):
    """Call the program; return its exit code, standard output and standard error."""
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["shopsynth", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capsys.readouterr()
        return caught.value.code, out, err

    return run


@pytest.fixture
def shop(tmp_path):
    return write_tiny_shop(tmp_path)


def test_help_has_every_command_and_an_example_each(call):
    code, out, _ = call("--help")
    assert code == 0
    for word in ("init", "run", "preview", "prove", "export", "doctor", "ingest", "report"):
        assert word in out
        _, told, _ = call(word, "--help")
        assert f"shopsynth {word}" in told
    assert call("--version")[1].startswith("shopsynth 0.")


def test_init_writes_a_recipe_that_loads_and_does_not_overwrite(call, shop, tmp_path):
    output = tmp_path / "new.toml"
    code, out, err = call("init", tmp_path / "events.csv", tmp_path / "items.csv", "-o", output)
    assert code == 0, err
    assert "shopsynth run" in out
    text = output.read_text()
    recipe = make_recipe(tomllib.loads(text), base=tmp_path)
    assert set(recipe.shop.sources()) == {"items", "events"}
    assert recipe.shop.sources()["events"].path == "events.csv"
    assert "#" in text
    code, _, err = call("init", tmp_path / "events.csv", "-o", output)
    assert code == 2
    assert "exists already" in err
    code, out, _ = call("init", tmp_path / "events.csv", "-o", output, "--force", "--json")
    assert json.loads(out)["notes"]


def test_a_run_from_an_inferred_recipe_ends_with_a_verdict(call, shop, tmp_path):
    recipe = tmp_path / "inferred.toml"
    assert call("init", tmp_path, "-o", recipe)[0] == 0
    small = [
        "--set", 'train.models=["item_knn"]', "--set", 'train.headline="item_knn"',
        "--set", "evaluate.seeds=1", "--set", "evaluate.resamples=100",
        "--set", "combine.doses=[1.0]", "--set", "combine.weight=1.0",
    ]  # fmt: skip
    code, out, err = call("run", recipe, "-w", tmp_path / "w", *INLINE, *small)
    assert code == 0, err
    assert "Verdict:" in out
    assert "report.html" in out


def test_a_plan_is_printed_without_reading_the_shop(call, shop, tmp_path):
    (tmp_path / "events.csv").unlink()
    code, out, err = call("prove", shop, "--plan", "--set", "evaluate.seeds=5")
    assert code == 0, err
    assert "system ndcg@5 all" in out
    assert "Seeds: 5" in out
    code, told, _ = call("prove", shop, "--plan", "--json", "--set", "evaluate.seeds=5")
    plan = json.loads(told)
    assert f"Plan: {plan['plan_sha256']}" in out
    assert plan["plan"]["hypotheses"][0]["role"] == "primary"
    assert not (tmp_path / "workspace").exists()
    code, _, err = call("prove", shop, "--plan", "--set", "prove.margins=1")
    assert (code, "did you mean 'margin'" in err) == (2, True)


def test_prove_tells_the_look_and_the_verdict_of_every_hypothesis(call, shop, tmp_path):
    small = [
        *INLINE, "--set", 'train.models=["item_knn"]', "--set", "evaluate.resamples=100",
        "--set", "combine.doses=[1.0]", "--set", "combine.weight=1.0",
        "--set", 'prove.hypotheses=[{name = "more for the tail", slice = "tail"}]',
    ]  # fmt: skip
    code, out, err = call("prove", shop, "-w", tmp_path / "w", *small)
    assert code == 0, err
    assert "Registration: confirmatory, look 1 of 1" in out
    assert "more for the tail" in out
    code, out, _ = call("prove", shop, "-w", tmp_path / "w", *small, "--json")
    told = json.loads(out)
    assert (told["registration"]["look"], told["registration"]["exploratory"]) == (1, False)
    assert [each["name"] for each in told["hypotheses"]] == ["more for the tail"]
    code, out, _ = call("run", shop, "-w", tmp_path / "w", *small, "--set", "prove.margin=0.05")
    assert "Registration: EXPLORATORY, look 2 of 2" in out
    assert "more for the tail" not in out, "run tells the headline, prove every claim"


def test_stage_words_stop_where_they_say(call, shop, tmp_path):
    code, out, err = call("split", shop, "-w", tmp_path / "w", *INLINE)
    assert code == 0, err
    assert "split" in out
    assert "privacy" not in out
    code, out, _ = call("privacy", shop, "-w", tmp_path / "w", *INLINE, "--json")
    facts = json.loads(out)
    assert facts["privacy"]["receipt"]["mode"] == "deidentify"
    code, out, _ = call("split", shop, "-w", tmp_path / "w", *INLINE)
    assert "cached" in out


def test_preview_shows_ten_rows_of_every_method(call, shop):
    code, out, err = call("preview", shop, "--json", *INLINE)
    assert code == 0, err
    shown = json.loads(out)
    assert set(shown) == {"markov", "substitute"}
    assert all(len(rows) == 10 for rows in shown.values())
    assert "title" in shown["markov"][0]
    assert not any(row["user_id"].startswith("u0") for row in shown["substitute"])
    code, out, _ = call("preview", shop, "--rows", "3", *INLINE)
    assert "synthetic-" in out


@pytest.fixture
def combined(call, shop, tmp_path):
    code, _, err = call("combine", shop, "-w", tmp_path / "w", *INLINE, "--quiet")
    assert code == 0, err
    return tmp_path / "w"


def test_export_formats(call, combined, tmp_path):
    expected = {
        "parquet": "events.parquet",
        "csv": "events.csv",
        "huggingface": "README.md",
        "recbole": "recbole.inter",
        "sql": "shop.sqlite",
    }
    for to, name in expected.items():
        code, out, err = call("export", "-w", combined, "--to", to, "-o", tmp_path / to)
        assert code == 0, err
        assert (tmp_path / to / name).stat().st_size > 0
        label = json.loads((tmp_path / to / "label.json").read_text())
        assert "still personal data" in label["notice"]
        assert label["AIGC"]["Label"] == "1"
        assert "label.json" in out
        card = json.loads((tmp_path / to / "croissant.json").read_text())
        files = {file["contentUrl"]: file["sha256"] for file in card["distribution"]}
        made = {p.relative_to(tmp_path / to).as_posix() for p in (tmp_path / to).rglob("*.*")}
        assert set(files) == made - {"croissant.json"}
        for name, sha256 in files.items():
            assert hashlib.sha256((tmp_path / to / name).read_bytes()).hexdigest() == sha256
        sets = {each["name"]: each for each in card["recordSet"]}
        assert set(sets) == (set() if to == "sql" else {"items", "events"})
        assert "still personal data" in card["description"]
        assert {each["name"] for each in card["prov:wasGeneratedBy"]} == {"markov", "substitute"}
    header = (tmp_path / "recbole" / "recbole.inter").read_text().splitlines()[0]
    assert header == "user_id:token\titem_id:token\ttimestamp:float"
    code, _, err = call("export", "-w", combined, "--to", "sql", "-o", tmp_path / "sql")
    assert (code, "exists already" in err) == (2, True)
    code, _, err = call("export", "-w", combined, "--to", "beir", "-o", tmp_path / "beir")
    assert (code, "queries and judgments" in err) == (2, True)
    code, _, err = call("export", "-w", combined, "--to", "parqet", "-o", tmp_path / "x")
    assert (code, "did you mean 'parquet'" in err) == (2, True)
    code, out, _ = call("export", "-w", combined, "--to", "csv", "-o", tmp_path / "c", "--json")
    assert [Path(file).name for file in json.loads(out)["files"]] == [
        "items.csv", "events.csv", "label.json", "croissant.json",
    ]  # fmt: skip


def test_export_refuses_rows_older_than_the_protection_of_their_label(call, combined, shop):
    code, _, err = call(
        "privacy", shop, "-w", combined, *INLINE, "--quiet", "--set", 'privacy.mode="public"'
    )
    assert code == 0, err
    code, _, err = call("export", "-w", combined, "--to", "csv", "-o", combined.parent / "x")
    assert (code, "expected stages of one run" in err) == (2, True)
    assert not (combined.parent / "x").exists()


def test_export_into_a_file_says_so(call, combined, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = call("export", "-w", combined, "--to", "csv", "-o", tmp_path / "file")
    assert (code, "choose another --output" in err) == (2, True)


def test_what_the_system_refuses_is_told_without_a_traceback(call, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "/closed/recipe.toml")

    monkeypatch.setattr("shopsynth.pipeline.run", refuse)
    code, _, err = call("run", "/closed/recipe.toml")
    assert (code, "/closed/recipe.toml: Permission denied" in err) == (2, True)


def test_export_before_combine_says_what_to_run(call, tmp_path):
    code, _, err = call("export", "-w", tmp_path / "none", "--to", "csv", "-o", tmp_path / "x")
    assert code == 2
    assert "shopsynth run" in err


def test_doctor_tells_versions_and_devices(call):
    code, out, _ = call("doctor", "--json")
    found = {each["name"]: each for each in json.loads(out)}
    assert code == 0
    assert found["python"]["ok"] is True
    assert found["device"]["detail"]
    assert "shopsynth doctor" in call("doctor")[1]


def test_errors_are_json_when_asked(call, tmp_path):
    code, out, err = call("run", tmp_path / "none.toml", "--json")
    assert code == 2
    assert json.loads(out)["error"] == "RecipeError"
    assert err == ""
    code, out, _ = call("run", "--json", "--no-such-option")
    assert (code, json.loads(out)["error"]) == (2, "Usage")
    assert call("run", "--no-such-option")[0] == 2
    assert call("--log-level", "loud", "doctor")[0] == 2


def test_dp_mode_is_refused_with_the_reason(call, shop, tmp_path):
    dp = [
        "--set",
        'privacy.mode="dp"',
        "--set",
        "privacy.epsilon=3.0",
        "--set",
        "privacy.users=100",
        "--set",
        'split.by="leave_one_out"',
        "--set",
        'privacy.source="the shop"',
        "--set",
        'shop.events.encoding="utf-8"',
        "--set",
        'shop.events.delimiter=","',
        "--set",
        "shop.events.header=true",
        "--set",
        'shop.events.date_format="%Y-%m-%dT%H:%M:%S"',
    ]
    code, _, err = call("run", shop, "-w", tmp_path / "w", *INLINE, *dp)
    assert code == 3
    assert "cannot run in privacy mode dp" in err
