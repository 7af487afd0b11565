"""Batches: paid once, in order, within the budget; stopped where going on is of no use."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from pydantic import BaseModel, Field

from fakes import fake_llm
from fakes.clock import FakeClock
from fakes.fake_llm import FakeLLM, says, status
from fakes.listening import RecordingProgress
from shopsynth.generate.llm import (
    PREVIEW,
    Question,
    Reply,
    Request,
    Template,
    ask_all,
    read_spend,
)
from shopsynth.generate.llm.amounts import Amount, Limit
from shopsynth.generate.llm.cache import AnswerStore
from shopsynth.schema import EndpointError, InterruptedRunError, WorkspaceError

PRICES = {"input_price": 1.0, "output_price": 2.0}


class Queries(BaseModel):
    queries: list[str] = Field(min_length=1)


QUESTION = Question(Template("queries", "Write queries.", {"title": 100}), Queries, max_tokens=20)


def mugs(n):
    return [Request(f"item-{i}", {"title": f"mug number {i}"}) for i in range(n)]


def echo(body):
    """Answer with the title that was asked about."""
    record = json.loads(body["messages"][1]["content"].splitlines()[1])
    return json.dumps({"queries": [record["title"]]})


def asked(fake, folder, n=1, **changes):
    settings = fake.settings(**changes)
    return ask_all(mugs(n), QUESTION, settings, folder, clock=FakeClock())


def test_answers_come_in_the_order_they_were_asked_and_only_so_many_at_once(tmp_path):
    progress = RecordingProgress()
    with FakeLLM(echo, latency_s=0.01) as fake:
        found = ask_all(
            mugs(40), QUESTION, fake.settings(concurrency=3), tmp_path, progress=progress
        )
    assert [r.name for r in found.results] == [f"item-{i}" for i in range(40)]
    assert [r.answer and r.answer.queries for r in found.results] == [
        [f"mug number {i}"] for i in range(40)
    ]
    assert 2 <= fake.most_at_once <= 3
    assert found.rejects.is_empty()
    assert found.spend.paid_calls == 40


def test_a_second_run_asks_nothing_and_says_the_same(tmp_path):
    with FakeLLM(echo) as fake:
        first = asked(fake, tmp_path, 12, **PRICES)
    with FakeLLM(echo) as elsewhere:
        second = asked(elsewhere, tmp_path, 12, **PRICES)
    assert second.results == first.results
    assert not elsewhere.bodies
    assert second.spend.served_calls == 12
    assert second.spend.money == first.spend.money > 0
    assert read_spend(tmp_path) == second.spend


def test_a_preview_of_ten_is_not_paid_again(tmp_path):
    with FakeLLM(echo) as fake:
        preview = ask_all(mugs(15), QUESTION, fake.settings(), tmp_path, first=PREVIEW)
        whole = ask_all(mugs(15), QUESTION, fake.settings(), tmp_path)
    assert len(preview.results) == 10
    assert whole.results[:10] == preview.results
    assert len(fake.bodies) == 15


def test_the_same_request_twice_is_asked_once_and_a_variant_is_another(tmp_path):
    record = {"title": "mug"}
    twins = [Request("a", record), Request("b", record), Request("c", record, variant=1)]
    with FakeLLM(echo, latency_s=0.02) as fake:
        found = ask_all(
            twins, Question(QUESTION.template, Queries, seed=7), fake.settings(), tmp_path
        )
    assert [r.name for r in found.results if r.answer] == ["a", "b", "c"]
    assert sorted(body["seed"] for body in fake.bodies) == [7, 8]


def test_tokens_and_money_add_up(tmp_path):
    with FakeLLM(faults=[says('{"queries": ["a b c"]}', model="fake-writer")]) as fake:
        spend = asked(fake, tmp_path, 1, **PRICES).spend
        n_input = sum(len(m["content"].split()) for m in fake.bodies[0]["messages"])
    assert (spend.input_tokens, spend.output_tokens) == (n_input, 4)
    assert spend.money == pytest.approx((n_input * 1.0 + 4 * 2.0) / 1e6)


@pytest.mark.parametrize("usage", [{}, {"prompt_tokens": 10**30, "completion_tokens": 2}])
def test_an_odd_answer_is_kept_and_paid_once(tmp_path, usage):
    with FakeLLM(always=says('{"queries": ["mug \ud83d"]}', usage=usage)) as fake:
        for _ in range(2):
            found = asked(fake, tmp_path)
    assert found.results[0].answer == Queries(queries=["mug \ufffd"])
    assert sum(fake.billed.values()) == found.spend.paid_calls == 1


def test_an_answer_without_a_bill_counts_at_the_most_it_may_cost(tmp_path):
    def silent(handler):
        handler.bill('{"queries": ["mug"]}', usage=None)

    with FakeLLM(always=silent) as fake:
        assert asked(fake, tmp_path, 1, **PRICES).spend.money > 300 / 1e6


@pytest.mark.parametrize(
    "faults",
    [
        [status(429), status(503), status(500)],
        [fake_llm.half_body, fake_llm.half_json],
        [status(429, {"Retry-After": "20"})],
    ],
)
def test_a_fault_that_passes_is_waited_for(tmp_path, faults):
    clock = FakeClock()
    with FakeLLM(faults=faults) as fake:
        found = ask_all(mugs(1), QUESTION, fake.settings(), tmp_path, clock=clock)
    assert found.results[0].answer == Queries(queries=["mug"])
    assert len(fake.bodies) == len(faults) + 1
    assert len({each["Idempotency-Key"] for each in fake.headers}) == 1
    assert sum(clock.slept_s) >= (20 if len(faults) == 1 else 0.25 * len(faults))
    billed = faults[0] is fake_llm.half_body
    assert (found.spend.uncertain_calls, found.spend.unpaid_calls) == (
        (2, 0) if billed else (0, len(faults))
    )


def test_429_for_ever_ends_the_batch_and_says_how_to_go_on(tmp_path):
    with FakeLLM(echo, always=status(429)) as fake:
        with pytest.raises(InterruptedRunError, match=r"429.*run the same again"):
            asked(fake, tmp_path, 50, stop_after=3, max_retries=2, concurrency=2)
        # Three requests of three tries each, and at most what the other thread began meanwhile.
        assert 9 <= len(fake.bodies) <= 12
        fake.always = None
        assert asked(fake, tmp_path, 50).rejects.is_empty()


def test_a_wait_of_hours_is_not_slept(tmp_path):
    clock = FakeClock()
    always = status(429, {"Retry-After": "7200"})
    with FakeLLM(always=always) as fake, pytest.raises(InterruptedRunError, match="7,200 s"):
        ask_all(mugs(3), QUESTION, fake.settings(), tmp_path, clock=clock)
    assert sum(clock.slept_s) < 60


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (status(401), "the key"),
        (status(301, {"Location": "http://evil.example/"}), "redirect"),
        (fake_llm.page, "HTML"),
        (says("x", model="cheap"), "expected fake-writer, got cheap"),
    ],
)
def test_what_no_retry_mends_ends_the_batch_at_once(tmp_path, fault, word):
    with FakeLLM(always=fault) as fake, pytest.raises(EndpointError, match=word):
        asked(fake, tmp_path, 50, concurrency=2)
    assert len(fake.bodies) <= 4


def test_answers_of_another_model_are_paid_but_not_kept(tmp_path):
    with FakeLLM(faults=[says('{"queries": ["bad"]}', model="cheap")]) as fake:
        with pytest.raises(EndpointError):
            asked(fake, tmp_path, 1, **PRICES)
        assert read_spend(tmp_path).paid_calls == 1
        assert asked(fake, tmp_path, 1).results[0].answer == Queries(queries=["mug"])


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ([says('{"queries": ["mu')] * 2, "no_json"),
        ([says('{"words": 1}')] * 2, "wrong_schema"),
        ([says('{"queries": ["mu', finish="length")] * 2, "cut_off"),
        ([says(None)], "declined"),
        ([says("no", finish="content_filter")], "declined"),
        ([fake_llm.huge], "too_big"),
        ([status(400)], "refused"),
    ],
)
def test_a_request_without_a_usable_answer_keeps_its_reason_and_others_go_on(
    tmp_path, faults, reason
):
    with FakeLLM(echo, faults=faults) as fake:
        found = asked(fake, tmp_path, 4, concurrency=1)
    assert [r.reason for r in found.results] == [reason, "", "", ""]
    assert found.rejects.select("name", "reason").rows() == [("item-0", reason)]
    assert found.results[0].detail


def test_a_bad_answer_is_asked_again_once_and_neither_is_paid_twice(tmp_path):
    with FakeLLM(echo, faults=[says("half a"), says('{"queries": ["mended"]}')]) as fake:
        found = asked(fake, tmp_path, 1)
        again = asked(fake, tmp_path, 1)
        assert len(fake.bodies) == 2
        assert "half a" in fake.bodies[1]["messages"][2]["content"]
        assert found.results == again.results
        assert found.results[0].answer == Queries(queries=["mended"])


def test_a_batch_stops_before_it_breaks_its_budget(tmp_path):
    with FakeLLM(echo) as fake:
        one = asked(fake, tmp_path / "one", 1, **PRICES).spend.money
        budget = 40 * one
        fake.billed.clear()
        with pytest.raises(InterruptedRunError, match="raise budget"):
            ask_all(mugs(99), QUESTION, fake.settings(budget=budget, **PRICES), tmp_path / "all")
        spend = read_spend(tmp_path / "all")
        # The bound counts a token a byte: what is left would not surely pay for one more call.
        assert budget - 20 * one < spend.money <= budget
        assert asked(fake, tmp_path / "all", 99, budget=2.0, **PRICES).rejects.is_empty()
    assert max(fake.billed.values()) == 1


def test_personal_data_do_not_leave_unless_the_host_is_this_machine(tmp_path):
    record = {"title": "gift, call 13912345678"}
    requests = [Request("a", record), Request("b", {"title": "mug"})]
    with FakeLLM(echo) as fake:
        kept = ask_all(requests, QUESTION, fake.settings(scan_loopback=True), tmp_path)
        assert [r.reason for r in kept.results] == ["personal_data", ""]
        assert "PHONE" in kept.results[0].detail
        assert "139" not in str(kept) + json.dumps(fake.bodies)
        tagged = fake.settings(scan_loopback=True, personal_data="replace")
        found = ask_all(requests, QUESTION, tagged, tmp_path)
        assert found.results[0].answer == Queries(queries=["gift, call <PHONE>"])
        assert "139" not in json.dumps(fake.bodies)
        ask_all(requests, QUESTION, fake.settings(), tmp_path)
        assert "139" in json.dumps(fake.bodies)


def test_a_number_may_be_somebodys_telephone(tmp_path):
    question = Question(Template("q", "Write.", {"title": 50, "phone": 0}), Queries)
    request = Request("a", {"title": "mug", "phone": 13912345678})
    with FakeLLM(echo) as fake:
        for how, bodies in (("reject", 0), ("replace", 1)):
            settings = fake.settings(scan_loopback=True, personal_data=how)
            ask_all([request], question, settings, tmp_path)
            assert len(fake.bodies) == bodies
        assert "139" not in json.dumps(fake.bodies)


def test_an_empty_record_is_not_asked_about(tmp_path):
    requests = [Request("a", {"title": " "}), Request("b", {"title": "mug"})]
    with FakeLLM(echo) as fake:
        found = ask_all(requests, QUESTION, fake.settings(), tmp_path)
        assert ask_all([], QUESTION, fake.settings(), tmp_path).results == ()
    assert [r.reason for r in found.results] == ["empty", ""]
    assert len(fake.bodies) == 1


@pytest.mark.parametrize("how", ["json_schema", "json_object", "off"])
def test_the_form_is_always_told_in_some_way(tmp_path, how):
    with FakeLLM(echo) as fake:
        changes = {"structured": how, "limit_word": "max_completion_tokens"}
        assert asked(fake, tmp_path, 1, **changes).rejects.is_empty()
    body = fake.bodies[0]
    assert body["max_completion_tokens"] == 20
    assert ("response_format" in body) == (how != "off")
    assert ('"queries"' in body["messages"][0]["content"]) == (how != "json_schema")


def test_a_fault_of_an_endpoint_that_nobody_foresaw_ends_the_batch(tmp_path):
    class Broken:
        def __init__(self, settings):
            self.settings = settings

        def send(self, payload, key):
            raise ZeroDivisionError

        def close(self):
            raise AssertionError("who made it closes it")

    with FakeLLM() as fake:
        broken = Broken(fake.settings(**PRICES))
    with pytest.raises(ZeroDivisionError):
        ask_all(mugs(9), QUESTION, broken, tmp_path)
    assert read_spend(tmp_path).uncertain_calls >= 1


def test_a_batch_stops_before_it_breaks_its_budget_of_tokens(tmp_path):
    with FakeLLM(echo) as fake:
        with pytest.raises(InterruptedRunError, match=r"within 5,000 tokens.*raise token_budget"):
            ask_all(mugs(99), QUESTION, fake.settings(token_budget=5_000), tmp_path)
        spend = read_spend(tmp_path)
        assert 2_000 < spend.input_tokens + spend.output_tokens <= 5_000
        assert asked(fake, tmp_path, 99, token_budget=10**7).rejects.is_empty()
        assert set(fake.billed.values()) == {1}


def test_a_call_whose_end_nobody_saw_counts_at_its_most_tokens(tmp_path):
    with AnswerStore(tmp_path) as store:
        for key in ("a", "b"):
            store.claim(key)
            store.hold(key, Amount(5, 9), Limit())
        store.settle_failed("a", billed=True)
        store.release("b")
        assert (store.counts().spent, store.counts().tokens) == (10, 18)
        store.claim("c")
        assert store.hold("c", Amount(1, 2), Limit(tokens=19)) == "spent"
        assert store.hold("c", Amount(1, 2), Limit(tokens=20)) == "send"
        store.claim("d")
        assert store.hold("d", Amount(1, 1), Limit(tokens=20)) == "wait"


def test_answers_of_an_older_file_are_kept(tmp_path):
    """Version 1 knew no tokens on the wire; what it paid for is not asked again."""
    with AnswerStore(tmp_path) as store:
        store.claim("k")
        store.hold("k", Amount(5, 9), Limit())
        store.settle_paid("k", Reply("words", "m", "stop", 4, 3), Amount(3, 7))
    old = sqlite3.connect(tmp_path / "answers.sqlite")
    old.execute("alter table claims drop column tokens")
    old.execute("delete from counters where name = 'tokens'")
    old.execute("pragma user_version = 1")
    old.commit()
    old.close()
    with AnswerStore(tmp_path) as store:
        assert store.answer("k") is not None
        assert store.counts().tokens == 7
        assert store.claim("other") == "ours"


def test_two_processes_do_not_ask_the_same(tmp_path):
    with AnswerStore(tmp_path) as ours, AnswerStore(tmp_path) as theirs:
        assert ours.claim("k") == "ours"
        assert ours.claim("k") == "theirs", "another thread of this process"
        theirs.bury_dead()
        assert theirs.claim("k") == "theirs"
        ours.hold("k", Amount(5, 9), Limit())
        ours.settle_paid("k", Reply("words", "m", "stop", 1, 1), Amount(3, 2))
        ours.release("k")
        stored = theirs.answer("k")
        assert stored is not None
        assert stored.text == "words"
        assert theirs.claim("k") == "theirs"
        assert theirs.claim("other") == "ours"


def test_who_waits_for_another_takes_its_answer_or_its_place(tmp_path):
    with FakeLLM(echo, latency_s=0.3) as fake:
        threads = [
            threading.Thread(target=ask_all, args=(mugs(3), QUESTION, fake.settings(), tmp_path))
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(fake.bodies) == 3
    assert read_spend(tmp_path).paid_calls == 3


WORKER = """
    import sys
    sys.path.insert(0, "tests")
    from pathlib import Path
    from pydantic import BaseModel
    from shopsynth.generate.llm import *
    class Queries(BaseModel):
        queries: list[str]
    question = Question(Template("q", "Write.", {"title": 100}), Queries, max_tokens=20)
    mugs = [Request(str(i), {"title": f"mug {i}"}) for i in range(60)]
    endpoint = EndpointSettings(base_url=sys.argv[1], model="fake-writer", input_price=1.0)
    found = ask_all(mugs, question, endpoint, Path(sys.argv[2]))
    sys.stdout.write(str(sum(r.answer is not None for r in found.results)))
"""


def test_a_killed_run_pays_for_no_kept_answer_twice(tmp_path):
    program = [sys.executable, "-c", textwrap.dedent(WORKER)]
    with FakeLLM(latency_s=0.05) as fake:
        command = [*program, fake.base_url, str(tmp_path)]
        flying = 0
        for wanted in (10, 25):
            worker = subprocess.Popen(command)
            while len(fake.bodies) < wanted:
                time.sleep(0.005)
                assert worker.poll() is None
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
            with AnswerStore(tmp_path) as store:
                flying = store.counts().uncertain
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "60"
    spend = read_spend(tmp_path)
    assert spend.paid_calls == 60
    assert spend.uncertain_calls == flying <= 8
    # Whatever was billed twice was on the wire when its asker died.
    assert sum(fake.billed.values()) - 60 <= flying
    assert len(fake.billed) == 60


def test_a_file_that_is_no_store_is_told(tmp_path):
    (tmp_path / "answers.sqlite").write_text("these are no answers, and not SQLite either " * 99)
    with pytest.raises(WorkspaceError, match="expected an SQLite file"):
        AnswerStore(tmp_path)
    with pytest.raises(WorkspaceError, match="no such file"):
        read_spend(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="a folder to write to"):
        AnswerStore(tmp_path / "file" / "below")


def test_a_store_of_another_version_is_left_alone(tmp_path):
    AnswerStore(tmp_path).close()
    other = sqlite3.connect(tmp_path / "answers.sqlite")
    other.execute("pragma user_version = 9")
    other.close()
    with pytest.raises(WorkspaceError, match="version 2, got 9"):
        AnswerStore(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_answers_are_for_their_owner_alone(tmp_path):
    with FakeLLM() as fake:
        asked(fake, tmp_path)
    assert (tmp_path / "answers.sqlite").stat().st_mode & 0o077 == 0
    assert not list((tmp_path / "owners").iterdir())
