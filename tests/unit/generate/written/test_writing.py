"""The body of all writing: paid once, killed and resumed, bad endpoints, previews, rejects."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import polars as pl
import pytest

from fakes import fake_llm
from fakes.fake_llm import FakeLLM, says, status
from fakes.fake_writer import write_well
from fakes.listening import RecordingProgress
from shopsynth.generate import make_synthesizer
from shopsynth.generate.llm import PREVIEW, read_spend
from shopsynth.generate.written import WritingOptions
from shopsynth.schema import REJECT_COLUMNS, EndpointError, InterruptedRunError

SCRIPT = """
    import sys
    import polars as pl
    from shopsynth.generate import make_synthesizer
    from shopsynth.privacy import PrivateView
    from shopsynth.schema import Dataset

    url, answers = sys.argv[1:]
    items = pl.DataFrame({"item_id": [f"i{n:02d}" for n in range(40)],
                          "title": [f"red mug number {n}" for n in range(40)]})
    view = PrivateView(Dataset(items=items), mode="public", fingerprint="f" * 64,
                       max_events_per_user=8)
    options = {"endpoint": {"base_url": url, "model": "fake-writer", "concurrency": 2},
               "answers": answers}
    made = make_synthesizer("llm_reviews", options).fit(view, seed=1).sample(40, seed=2)
    print(made.data.reviews.write_csv())
"""


def method_of(options, name="llm_reviews", **more):
    return make_synthesizer(name, {**options, **more})


def test_a_killed_run_goes_on_and_pays_no_answer_twice(tmp_path):
    """Killed three times in the middle; in the end as many bills as an unkilled run has."""
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    source = str(Path(fake_llm.__file__).parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source}
    with FakeLLM(answer=write_well, latency_s=0.02) as fake:
        command = [sys.executable, str(script), fake.base_url, str(tmp_path / "answers")]
        for kill_after in (5, 15, 25):
            child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
            while sum(fake.billed.values()) < kill_after and child.poll() is None:
                time.sleep(0.01)
            assert child.poll() is None
            child.send_signal(signal.SIGKILL)
            child.wait()
        done = subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True, timeout=120
        )
        again = subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True, timeout=120
        )
    assert done.stdout == again.stdout
    assert len(done.stdout.splitlines()) >= 41
    # A call on the wire at a kill may be billed again: two threads, three kills.
    assert len(fake.billed) <= sum(fake.billed.values()) <= len(fake.billed) + 6
    spend = read_spend(tmp_path / "answers")
    assert spend.paid_calls + spend.uncertain_calls >= 40
    assert spend.served_calls >= 40


def test_a_preview_is_ten_requests_that_the_sample_does_not_pay_again(view_of, served, items):
    many = pl.concat([items.with_columns(item_id=pl.col("item_id") + f"-{n}") for n in range(4)])
    with served() as (fake, options):
        method = method_of(options).fit(view_of(many), seed=1)
        ten = method.preview(seed=7)
        assert sum(fake.billed.values()) == PREVIEW
        assert method.written_.n_asked == PREVIEW
        whole = method.sample(15, seed=7)
    assert sum(fake.billed.values()) == len(fake.billed) >= 15
    first = ten.data.need("reviews")["text"].to_list()
    assert whole.data.need("reviews")["text"].to_list()[: len(first)] == first


def test_each_seed_is_paid_anew_and_each_sample_once(view_of, served):
    with served() as (fake, options):
        method = method_of(options).fit(view_of(), seed=1)
        first, again = method.sample(5, seed=1), method.sample(5, seed=1)
        paid = sum(fake.billed.values())
        other = method.sample(5, seed=2)
    assert first.data.need("reviews").equals(again.data.need("reviews"))
    assert not first.data.need("reviews").equals(other.data.need("reviews"))
    assert sum(fake.billed.values()) == 2 * paid


def test_what_is_rejected_is_asked_of_others_until_enough(view_of, served, reasons):
    """Every second answer is about another size; three requests a text bound what that costs."""

    def answer(record, body):
        if "300 ml" in record["title"]:
            return {"searches": [f"mug 7{body['seed'] % 10} ml"]}
        return None

    with served(answer) as (fake, options):
        method = method_of(options, "llm_queries", per_item=1).fit(view_of(), seed=1)
        made = method.sample(12, seed=2)
    assert made.data.need("queries").height >= 9
    assert 6 < method.written_.n_asked <= 36
    assert len(fake.bodies) == method.written_.n_asked
    assert reasons(method.written_.rejects)["number_not_in_record"] >= 1


def test_rejects_travel_with_what_was_made(view_of, served):
    with served(lambda record, body: {"searches": ["mug 7 ml"]}) as (_, options):
        method = method_of(options, "llm_queries", tries=1).fit(view_of(), seed=1)
        rejects = method.sample(3, seed=5).rejects
    assert rejects.equals(method.written_.rejects)
    assert rejects.columns == list(REJECT_COLUMNS)
    assert set(rejects["table"]) == {"llm_queries"}
    assert json.loads(rejects["record"][0])["text"] == "mug 7 ml"


def test_equal_texts_are_written_once(view_of, served, reasons):
    with served(lambda record, body: {"searches": ["MUG", "mug!"]}) as (_, options):
        view = view_of(pl.DataFrame({"item_id": ["a"], "title": ["mug"]}))
        method = method_of(options, "llm_queries", per_item=2, tries=2).fit(view, seed=1)
        assert method.sample(2, seed=5).data.need("queries")["text"].to_list() == ["MUG"]
    assert reasons(method.written_.rejects) == {"repeats": 3}


ASKING = ("llm_reviews", "llm_item_texts", "llm_adverts", "llm_dialogues")
MORE = {"llm_dialogues": {"policies": [{"intent": "ask_size", "text": "Sizes are as told."}]}}
BAD = {"max_retries": 0, "stop_after": 1, "concurrency": 1, "timeout_s": 0.2, "max_wait_s": 0.5}


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize(
    ("always", "error", "told"),
    [
        (fake_llm.hang(0.5), InterruptedRunError, "run the same again"),
        (status(429), InterruptedRunError, "run the same again"),
        (status(429, {"Retry-After": "3600"}), InterruptedRunError, "in a row|asks to wait"),
        (status(503), InterruptedRunError, "run the same again"),
        (fake_llm.page, EndpointError, "HTML|page|JSON"),
        (fake_llm.half_json, InterruptedRunError, "expected a JSON body"),
        (says("{}", model="fake-writer-mini"), EndpointError, "model"),
        (status(401), EndpointError, "key|401"),
    ],
)
def test_an_endpoint_that_is_not_what_was_agreed_ends_the_run(
    view_of, served, always, error, told, name
):
    with served(always=always, endpoint=BAD) as (_, options):
        method = method_of(options, name, **MORE.get(name, {})).fit(view_of(), seed=1)
        with pytest.raises(error, match=told):
            method.sample(3, seed=1)


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Here is your review: great!", "no_json"),
        ('{"title": "Fine", "text": "The mug', "no_json"),
        ('{"headline": "Fine"}', "wrong_schema"),
        ('{"title": "", "text": "x", "mentions": []}', "wrong_schema"),
    ],
)
def test_answers_of_no_use_keep_their_reason(view_of, served, reasons, words, reason, name):
    with served(lambda record, body: words) as (fake, options):
        method = method_of(options, name, tries=1, **MORE.get(name, {})).fit(view_of(), seed=1)
        made = method.sample(3, seed=1)
    assert made.need(method.table).is_empty()
    assert reasons(method.written_.rejects) == {reason: 3}
    assert len(fake.bodies) == 6
    assert "Fine" not in method.written_.rejects["record"].str.join("").item()


def test_the_budget_holds(view_of, served):
    priced = {"input_price": 1.0, "output_price": 1.0, "budget": 0.004, "concurrency": 1}
    with served(endpoint=priced) as (fake, options):
        method = method_of(options).fit(view_of(), seed=1)
        with pytest.raises(InterruptedRunError, match="raise budget"):
            method.sample(500, seed=1)
        assert 0 < read_spend(Path(options["answers"])).money <= 0.004
    assert fake.billed


def test_a_key_is_named_by_its_variable_alone(view_of, served, monkeypatch):
    monkeypatch.setenv("WRITER_KEY", "secret-of-mine")
    with served(endpoint={"api_key_env": "WRITER_KEY"}) as (fake, options):
        method = method_of(options).fit(view_of(), seed=1)
        made = method.sample(1, seed=1)
    assert fake.headers[0]["Authorization"] == "Bearer secret-of-mine"
    assert "secret-of-mine" not in str(method.options) + made.config_sha256


def test_progress_is_told(view_of, served):
    heard = RecordingProgress()
    with served() as (_, options):
        method = method_of(options).fit(view_of(), seed=1, progress=heard)
        method.sample(4, seed=1, progress=heard)
    assert heard.steps == sum(total or 0 for _, total in heard.started) >= 5


def test_answers_lie_in_the_users_state_folder_unless_told(monkeypatch, tmp_path):
    endpoint = {"base_url": "http://localhost/v1", "model": "m"}
    options = WritingOptions.parse({"endpoint": endpoint}, "here")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert options.folder == tmp_path / "shopsynth" / "answers"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert options.folder == Path.home() / ".local" / "state" / "shopsynth" / "answers"
    told = WritingOptions.parse({"endpoint": endpoint, "answers": "~/x"}, "here")
    assert told.folder == Path.home() / "x"


def test_an_endpoint_of_your_own_is_asked_instead(view_of, tmp_path):
    from shopsynth.generate.llm import EndpointSettings, Reply

    settings = EndpointSettings(base_url="http://localhost/v1", model="parrot")

    class Parrot:
        def __init__(self):
            self.settings = settings

        def send(self, payload, key):
            text = '{"title": "Mug", "description": "A mug.", "selling_points": []}'
            return Reply(text, "parrot", "stop", 9, 9)

        def close(self):
            raise AssertionError("an endpoint of the caller's is the caller's to close")

    options = {"endpoint": settings.model_dump(), "answers": str(tmp_path)}
    method = method_of(options, "llm_item_texts").fit(view_of(), seed=1)
    method.endpoint = Parrot()
    assert method.sample(1, seed=1).need("item_texts")["title"].to_list() == ["Mug"]
    assert method.preview(seed=1).need("item_texts")["title"].to_list() == ["Mug"]
