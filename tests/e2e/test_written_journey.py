"""Texts of items, adverts and dialogues from a recipe: made, looked at, released, paid once."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import polars as pl
import pytest

from fakes import fake_llm
from fakes.fake_llm import FakeLLM
from fakes.fake_writer import record_of, write_well
from shopsynth.generate.llm import read_spend
from shopsynth.pipeline import export, load_recipe, preview, run
from shopsynth.pipeline.stages.report import shared_draws
from shopsynth.schema import (
    FURTHER,
    InterruptedRunError,
    PrivacyError,
    RecipeError,
    WorkspaceError,
)

N_ITEMS = 12
LATENCY_S = 0.02

RECIPE = """
seed = 5
[shop.items]
path = "items.parquet"
[shop.events]
path = "events.parquet"
[privacy]
mode = "MODE"
[evaluate]
seeds = 2
[pipeline]
executor = "inline"
"""
METHOD = """
[[generate]]
synthesizer = "NAME"
[generate.options]
answers = "answers"
MORE
[generate.options.endpoint]
base_url = "URL"
model = "fake-writer"
concurrency = 2
ENDPOINT
"""
MORE = {
    "llm_adverts": 'audiences = ["families", "=students"]',
    "llm_dialogues": 'policies = "policies.toml"',
}
POLICIES = """
[[policies]]
intent = "return_item"
text = "Returns within 30 days."
slots = ["brand"]
[[policies]]
intent = "ask_size"
text = "Sizes are as told."
"""
DP = (
    "privacy.epsilon=2.0",
    "privacy.users=100",
    "privacy.source=mugs",
    "split.by=leave_one_out",
)
SCRIPT = """
    import sys
    from shopsynth.pipeline import run
    run(sys.argv[1], sys.argv[2], until="generate")
"""


def well_but_once(body):
    """Write well, but make a size up for one item."""
    if record_of(body)["title"].startswith("Mug 3 "):
        return json.dumps(
            {"title": "Mug", "description": "Holds 900 ml.", "selling_points": []}
            | {"headline": "900 ml", "text": "Now!"}
            | {"turns": [{"speaker": "agent", "text": "900 ml"}] * 2, "intent": "", "slots": []}
        )
    return write_well(body)


@pytest.fixture
def shop(tmp_path):
    """A folder with a small shop; ``shop(url)`` writes a recipe and returns its path."""
    items = pl.DataFrame(
        {
            "item_id": [f"i{n:02d}" for n in range(N_ITEMS)],
            "title": [f"Mug {n} of {('tea', 'coffee', 'milk')[n % 3]}" for n in range(N_ITEMS)],
            "brand": [("Acme", "Borea")[n % 2] for n in range(N_ITEMS)],
        }
    )
    events = pl.DataFrame(
        [
            (f"u{user}", f"i{(user + place) % N_ITEMS:02d}", user * 60 + place)
            for user in range(24)
            for place in range(5)
        ],
        schema=["user_id", "item_id", "timestamp"],
        orient="row",
    ).with_columns(
        timestamp=pl.datetime(2024, 1, 1, time_zone="UTC") + pl.duration(hours="timestamp")
    )
    items.write_parquet(tmp_path / "items.parquet")
    events.write_parquet(tmp_path / "events.parquet")
    (tmp_path / "policies.toml").write_text(POLICIES, encoding="utf-8")

    def write(url, names=("llm_item_texts", "llm_adverts", "llm_dialogues"), mode="public", **more):
        endpoint = "\n".join(f"{name} = {value}" for name, value in more.items())
        methods = [
            METHOD.replace("NAME", name)
            .replace("MORE", MORE.get(name, ""))
            .replace("URL", url)
            .replace("ENDPOINT", endpoint)
            for name in names
        ]
        file = tmp_path / "recipe.toml"
        file.write_text(RECIPE.replace("MODE", mode) + "".join(methods), encoding="utf-8")
        return file

    return write


def further_of(result):
    names = [ref.name.partition("/")[0] for ref in result.manifests["generate"].outputs]
    return set(names) - {"rejects"}


def test_written_texts_are_made_shown_and_released(shop, tmp_path):
    with FakeLLM(answer=well_but_once) as fake:
        recipe = load_recipe(shop(fake.base_url))
        shown = preview(recipe, rows=5)
        looked_at = set(fake.billed)
        result = run(recipe, tmp_path / "ws", until="generate")
        again = run(recipe, tmp_path / "ws", until="generate")
    assert set(shown) == {
        "llm_item_texts", "llm_item_texts: selling_points", "llm_adverts", "llm_dialogues",
        "llm_dialogues: dialogue_turns", "llm_dialogues: dialogue_slots",
        "llm_item_texts: rejects", "llm_adverts: rejects", "llm_dialogues: rejects",
    }  # fmt: skip
    assert shown["llm_adverts"].height == 5
    assert shown["llm_adverts: rejects"].rows() == [("number_not_in_record", 1)]
    assert "title" in shown["llm_adverts"].columns
    # What the look paid for, the run took from the disk; two seeds of judging ask once.
    assert looked_at < set(fake.billed)
    assert set(fake.billed.values()) == {1}
    assert again.cached >= {"generate"}
    assert further_of(result) == set(FURTHER)
    facts = result.manifests["generate"].facts
    assert facts["made"] == []
    assert {each["table"]: each["rows"] for each in facts["written"]} == {
        "item_texts": 12, "adverts": 12, "dialogues": 12,
    }  # fmt: skip
    assert all(each["rejected"].get("number_not_in_record") for each in facts["written"][:1])
    _rejects_are_kept(tmp_path / "ws", result)
    _leave(tmp_path)


def test_a_look_asks_what_the_run_asks_however_many_users_there_are(shop, tmp_path, monkeypatch):
    """Which searches are rare, and which enough people wrote, depends on every user."""
    monkeypatch.setattr(sys.modules["shopsynth.pipeline.preview"], "_MAX_USERS", 2)
    with FakeLLM(answer=write_well) as fake:
        file = shop(fake.base_url, names=("llm_paraphrases",))
        _add_searches(tmp_path, file)
        preview(load_recipe(file), rows=5)
        looked_at = set(fake.billed)
        run(load_recipe(file), tmp_path / "ws", until="generate")
    assert looked_at
    assert looked_at <= set(fake.billed)
    assert set(fake.billed.values()) == {1}


def _add_searches(folder, recipe):
    """Judged searches: one that everybody wrote, eight that three of 24 users wrote each."""
    ids = [f"q{n}" for n in range(N_ITEMS)]
    queries = pl.DataFrame({"query_id": ids, "text": [f"mug {n}" for n in range(N_ITEMS)]})
    judgments = queries.select(
        "query_id", item_id=pl.Series([f"i{n:02d}" for n in range(N_ITEMS)]), grade=pl.lit(3.0)
    )
    user = pl.col("user_id").str.slice(1).cast(pl.Int64)
    place = pl.int_range(pl.len()).over("user_id")
    events = pl.read_parquet(folder / "events.parquet").with_columns(
        query_id=pl.when(place == 0)
        .then(pl.lit("q0"))
        .when(place == 1)
        .then("q" + (1 + user % 8).cast(pl.String))
    )
    for name, frame in (("queries", queries), ("judgments", judgments), ("events", events)):
        frame.write_parquet(folder / f"{name}.parquet")
    told = "".join(f'[shop.{name}]\npath = "{name}.parquet"\n' for name in ("queries", "judgments"))
    recipe.write_text(
        recipe.read_text().replace("[privacy]", told + '[split]\nby = "query"\n[privacy]')
    )


def _rejects_are_kept(workspace, result):
    refs = [ref for ref in result.manifests["generate"].outputs if ref.name.startswith("rejects/")]
    assert refs
    rejects = pl.concat([pl.read_parquet(workspace / ref.key) for ref in refs])
    assert {"number_not_in_record"} <= set(rejects["reason"])
    assert rejects["record"].str.contains("900 ml").any()


def _leave(folder):
    export(folder / "ws", "parquet", folder / "out")
    tables = {name: pl.read_parquet(folder / "out" / f"{name}.parquet") for name in FURTHER}
    items = pl.read_parquet(folder / "out" / "items.parquet")
    for name, spec in FURTHER.items():
        for column, named in spec.references.items():
            known = (tables | {"items": items})[named][column]
            assert tables[name][column].is_in(known.implode()).all(), name
    assert set(tables["dialogues"]["synthesizer"]) == {"llm_dialogues"}
    label = json.loads((folder / "out" / "label.json").read_text())
    assert label["made"] == ["llm_item_texts", "llm_adverts", "llm_dialogues"]
    card = json.loads((folder / "out" / "croissant.json").read_text())
    assert {"dialogue_turns", "adverts"} <= {each["@id"] for each in card["recordSet"]}
    export(folder / "ws", "csv", folder / "csv")
    audiences = pl.read_csv(folder / "csv" / "adverts.csv")["audience"]
    assert set(audiences) == {"families", "'=students"}
    export(folder / "ws", "huggingface", folder / "hf")
    assert (folder / "hf" / "dialogue_turns" / "train-00000-of-00001.parquet").is_file()


WHOLE = (
    'train={tasks=["next_item"], models=["popularity"], headline="popularity"}',
    'evaluate={seeds=2, controls=["noise"], resamples=200}',
    "combine={doses=[0.5], weights=[1.0]}",
)


def test_they_walk_beside_a_whole_run_and_enter_no_arm(shop, tmp_path):
    with FakeLLM(answer=write_well) as fake:
        file = shop(fake.base_url)
        file.write_text(f'{file.read_text()}\n[[generate]]\nsynthesizer = "markov"\n')
        result = run(load_recipe(file, WHOLE), tmp_path / "ws")
    combined = result.manifests["combine"]
    methods = {each["synthesizer"] for each in combined.facts["dropped"]}
    assert methods == {"markov", "noise"}
    origins = {name for arm in combined.facts["arms"] for name in arm["rows"]}
    assert origins <= {"real", "markov", "noise"}
    assert not [ref for ref in combined.outputs if ref.name.partition("/")[0] in FURTHER]
    assert result.report is not None
    page = result.report.read_text(encoding="utf-8")
    for told in (
        "for families",
        "return_item (",
        "customer: Hello, it is about",
        "Mug 1 of coffee",
    ):
        assert told in page, told
    export(tmp_path / "ws", "parquet", tmp_path / "out")
    names = {path.stem for path in (tmp_path / "out").glob("*.parquet")}
    assert {"items", "events", *FURTHER} <= names
    label = json.loads((tmp_path / "out" / "label.json").read_text())
    assert set(label["made"]) == {"llm_item_texts", "llm_adverts", "llm_dialogues", "markov"}


@pytest.mark.parametrize("mode", ["public", "deidentify"])
def test_a_catalogue_is_enough(shop, tmp_path, monkeypatch, mode):
    monkeypatch.setenv("SHOPSYNTH_PSEUDONYM_KEY", "a key that only tests use")
    with FakeLLM(answer=write_well) as fake:
        file = shop(fake.base_url, names=("llm_item_texts",), mode=mode)
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace('[shop.events]\npath = "events.parquet"\n', ""))
        recipe = load_recipe(file)
        run(recipe, tmp_path / "ws", until="generate")
        shown = preview(recipe, rows=3)
    assert shown["llm_item_texts"].height == 3
    export(tmp_path / "ws", "sql", tmp_path / "out")
    with sqlite3.connect(tmp_path / "out" / "shop.sqlite") as shop_of:
        rows = shop_of.execute(
            "select count(*) from selling_points join item_texts using (text_id)"
            " join items using (item_id)"
        ).fetchone()
    shop_of.close()
    assert rows == (N_ITEMS,)
    with pytest.raises(RecipeError, match="no arm is mixed of"):
        run(recipe, tmp_path / "ws")


@pytest.mark.parametrize("each", [False, True])
def test_seeds_share_one_paid_draw_unless_told(shop, tmp_path, each):
    with FakeLLM(answer=write_well) as fake:
        more = ("generate.0.options.each_seed=true",) if each else ()
        recipe = load_recipe(shop(fake.base_url, names=("llm_queries",)), more)
        result = run(recipe, tmp_path / "ws", until="generate")
    generated = result.manifests["generate"]
    facts = generated.facts["made"]
    seeds = [made["seed"] for made in facts if made["synthesizer"] == "llm_queries"]
    assert len(seeds) == 2
    assert len(set(seeds)) == (2 if each else 1)
    assert shared_draws(generated) == (set() if each else {"llm_queries"})
    rows = [
        pl.read_parquet(tmp_path / "ws" / ref.key)
        for ref in generated.outputs
        if ref.name == "queries/llm_queries"
    ]
    assert rows[0].equals(rows[1]) != each
    assert set(fake.billed.values()) == {1}


def test_nothing_is_trained_on_them(shop, tmp_path):
    recipe = load_recipe(shop("http://localhost/v1"))
    with pytest.raises(RecipeError, match=r"no arm is mixed of; run it with shopsynth generate"):
        run(recipe, tmp_path / "ws")
    with pytest.raises(PrivacyError, match=r"llm_item_texts cannot run .* dp: .*markov"):
        run(load_recipe(shop("http://localhost/v1", mode="dp"), DP), tmp_path, until="generate")


def test_the_recipes_folder_holds_policies_and_a_changed_file_is_noticed(shop, tmp_path):
    with FakeLLM(answer=write_well) as fake:
        recipe = load_recipe(shop(fake.base_url, names=("llm_dialogues",)))
        run(recipe, tmp_path / "ws", until="generate")
        policies = tmp_path / "policies.toml"
        policies.write_text(POLICIES.replace("30 days", "14 days"), encoding="utf-8")
        second = run(recipe, tmp_path / "ws", until="generate")
    assert (tmp_path / "answers").is_dir()
    assert "generate" not in second.cached
    (ref,) = [r for r in second.manifests["generate"].outputs if r.name.startswith("dialogue_tu")]
    said = pl.read_parquet(tmp_path / "ws" / ref.key)["text"].str.join(" ").item()
    assert "14 days" in said
    assert "30 days" not in said


def test_killed_runs_go_on_and_repeat_no_answered_call(shop, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    source = str(Path(fake_llm.__file__).parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source}
    with FakeLLM(answer=write_well, latency_s=LATENCY_S, idempotent=True) as fake:
        recipe = shop(fake.base_url)
        command = [sys.executable, str(script), str(recipe), str(tmp_path / "ws")]
        for kill_after in (4, 20):
            child = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
            while sum(fake.billed.values()) < kill_after and child.poll() is None:
                time.sleep(0.005)
            assert child.poll() is None
            child.send_signal(signal.SIGKILL)
            child.wait()
        answered = read_spend(tmp_path / "answers").paid_calls
        n_sent = len(fake.bodies)
        subprocess.run(command, env=environment, check=True, timeout=300)
        n_all = len(fake.bodies)
    spend = read_spend(tmp_path / "answers")
    assert answered >= 18
    # No answer that was on the disk was asked for again: every later call brought a new one.
    assert spend.paid_calls == answered + n_all - n_sent == len(fake.billed)
    assert spend.uncertain_calls <= 4


@pytest.mark.parametrize(
    ("cap", "raised", "told"),
    [
        ({"token_budget": 5_500}, {"token_budget": 9_000_000}, "token_budget"),
        (
            {"budget": 0.0055, "input_price": 1.0, "output_price": 1.0},
            {"budget": 9.0, "input_price": 1.0, "output_price": 1.0},
            "budget",
        ),
    ],
)
def test_a_spent_budget_keeps_what_was_bought(shop, tmp_path, cap, raised, told):
    with FakeLLM(answer=write_well) as fake:
        with pytest.raises(InterruptedRunError, match=rf"raise {told} and run the same again"):
            run(load_recipe(shop(fake.base_url, **cap)), tmp_path / "ws", until="generate")
        bought = dict(fake.billed)
        assert bought
        with pytest.raises(WorkspaceError, match="expected a complete combine stage"):
            export(tmp_path / "ws", "parquet", tmp_path / "out")
        result = run(load_recipe(shop(fake.base_url, **raised)), tmp_path / "ws", until="generate")
    assert further_of(result) == set(FURTHER)
    assert len(fake.billed) > len(bought)
    assert set(fake.billed.values()) == {1}
