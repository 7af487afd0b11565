"""The client against an endpoint that fails in every way we know of."""

import time
import traceback
from datetime import UTC, datetime

import pytest

from fakes import fake_llm
from fakes.clock import FakeClock
from fakes.fake_llm import MODEL, FakeLLM
from shopsynth.generate.llm.client import ChatClient, retry_after_s
from shopsynth.generate.llm.endpoint import EndpointSettings, FailedCall
from shopsynth.schema import EndpointError, RecipeError

PAYLOAD = {"model": MODEL, "messages": [{"role": "user", "content": "a mug"}], "max_tokens": 9}
SECRET = "sk-never-tell-this-to-anybody"


def sent(fault, **changes):
    with FakeLLM(faults=[fault] if fault else []) as fake:
        client = ChatClient(fake.settings(**changes), FakeClock())
        try:
            return client.send(PAYLOAD, "the-key"), fake
        finally:
            client.close()


def failure(fault, **changes):
    with pytest.raises(FailedCall) as caught:
        sent(fault, **changes)
    return caught.value


def test_an_answer_comes_with_what_was_billed():
    reply, fake = sent(None)
    assert reply.text == '{"queries": ["mug"]}'
    assert (reply.model, reply.finish, reply.input_tokens, reply.output_tokens) == (
        MODEL, "stop", 2, 2,
    )  # fmt: skip
    assert fake.headers[0]["Idempotency-Key"] == "the-key"
    assert fake.headers[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("fault", "reason", "again", "fatal", "paid"),
    [
        (fake_llm.status(429), "rate_limited", True, False, False),
        (fake_llm.status(500), "unavailable", True, False, False),
        (fake_llm.status(504), "unavailable", True, False, None),
        (fake_llm.status(400), "refused", False, False, False),
        (fake_llm.status(401), "refused", False, True, False),
        (fake_llm.status(404), "refused", False, True, False),
        (fake_llm.status(302, {"Location": "http://127.0.0.1:9/"}), "redirected", False, True, 0),
        (fake_llm.page, "not_an_api", False, True, None),
        (fake_llm.half_body, "broken_off", True, False, None),
        (fake_llm.half_json, "broken_off", True, False, None),
        (fake_llm.huge, "too_big", False, False, None),
        (fake_llm.status(200, body="[1]"), "not_an_api", False, True, None),
        (fake_llm.status(200, body='{"error": "none"}'), "not_an_api", False, True, None),
        (fake_llm.status(200, {"Content-Encoding": "gzip"}), "compressed", False, False, None),
    ],
)
def test_a_fault_says_whether_to_try_again_and_whether_it_may_be_billed(
    fault, reason, again, fatal, paid
):
    found = failure(fault)
    assert (found.reason, found.again, found.fatal) == (reason, again, fatal)
    assert found.paid == paid


def test_a_redirect_is_not_followed():
    with FakeLLM() as elsewhere:
        fault = fake_llm.status(307, {"Location": f"{elsewhere.base_url}/chat/completions"})
        assert "base_url" in failure(fault).detail
        assert not elsewhere.bodies


def test_an_endpoint_that_says_nothing_times_out():
    found = failure(fake_llm.hang(1.0), timeout_s=0.1)
    assert (found.reason, found.again, found.paid) == ("timed_out", True, None)


def test_an_endpoint_that_drips_times_out_too():
    clock = FakeClock()

    def drip(handler):
        handler.reply(200, b"{", {}, length=50)
        clock.sleep(11.0)
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.3)

    with FakeLLM(faults=[drip]) as fake:
        client = ChatClient(fake.settings(timeout_s=10.0), clock)
        with pytest.raises(FailedCall) as caught:
            client.send(PAYLOAD, "key")
        client.close()
    assert caught.value.reason in ("timed_out", "broken_off")
    assert caught.value.again


def test_nobody_listening_costs_nothing():
    with FakeLLM() as fake:
        settings = fake.settings()
    found = ChatClient(settings).send
    with pytest.raises(FailedCall) as caught:
        found(PAYLOAD, "key")
    assert (caught.value.reason, caught.value.paid) == ("unavailable", False)


def test_another_model_is_refused_by_name_and_its_price_is_told():
    found = failure(fake_llm.says("hello", model="cheap-model"))
    assert found.fatal
    assert "cheap-model" in found.detail
    assert found.paid.output_tokens == 1
    assert sent(fake_llm.says("x", model="cheap-model"), other_model="accept")[0].text == "x"
    assert sent(fake_llm.says("x", model="twin"), accepted_models=("twin",))[0].text == "x"
    assert "no name of a model" in failure(fake_llm.says("x", model="<script>")).detail


@pytest.mark.parametrize("name", ["fake-writer-2026-05-01", "fake-writer-20260501"])
def test_a_date_behind_the_name_is_the_same_model(name):
    assert sent(fake_llm.says("x", model=name))[0].model == name


def test_words_are_missing_when_a_model_declines():
    reply, _ = sent(fake_llm.says(None, finish="content_filter"))
    assert (reply.text, reply.finish) == ("", "content_filter")


def test_half_a_character_is_told_as_one_that_cannot_be_read():
    reply, _ = sent(fake_llm.says("a mug \ud83d", finish="stop\ud83d"))
    assert (reply.text, reply.finish) == ("a mug \ufffd", "stop\ufffd")
    reply, _ = sent(fake_llm.says("x", model="\ud83d"), other_model="accept")
    assert reply.model == "\ufffd"
    assert sent(fake_llm.says("a whole 😀"))[0].text == "a whole 😀"


@pytest.mark.parametrize("told", [10**30, -5, 5.0, True, "9"])
def test_tokens_that_cannot_be_are_no_bill(told):
    usage = {"prompt_tokens": told, "completion_tokens": 2}
    reply, _ = sent(fake_llm.says("a mug", usage=usage))
    assert (reply.input_tokens, reply.output_tokens) == (0, 0)


def test_an_error_is_told_by_its_code_and_never_by_its_words():
    body = '{"error": {"code": "context_length_exceeded", "message": "Ann Smith bought"}}'
    found = failure(fake_llm.status(400, body=body))
    assert "context_length_exceeded" in found.detail
    assert "Ann" not in str(found)
    assert failure(fake_llm.status(400, body='{"error": {"code": "Ann Smith"}}')).detail.endswith(
        "got status 400"
    )
    assert failure(fake_llm.status(400, body='["x"]')).reason == "refused"


def test_an_empty_account_is_no_rate_limit():
    body = '{"error": {"code": "insufficient_quota"}}'
    found = failure(fake_llm.status(429, body=body))
    assert (found.reason, found.fatal) == ("no_quota", True)


def test_the_key_is_sent_and_stands_nowhere_else(monkeypatch):
    monkeypatch.setenv("SHOP_LLM_KEY", SECRET)
    _, fake = sent(None, api_key_env="SHOP_LLM_KEY")
    assert fake.headers[0]["Authorization"] == f"Bearer {SECRET}"
    for fault in (fake_llm.status(401), fake_llm.page, fake_llm.half_body):
        try:
            sent(fault, api_key_env="SHOP_LLM_KEY")
        except FailedCall:
            assert SECRET not in traceback.format_exc()
    assert SECRET not in repr(fake.settings(api_key_env="SHOP_LLM_KEY"))


@pytest.mark.parametrize("value", ["", "   ", f"{SECRET}\nX-Evil: 1", "clé"])
def test_a_key_that_is_none_is_refused_without_telling_it(monkeypatch, value):
    monkeypatch.setenv("SHOP_LLM_KEY", value)
    with pytest.raises(EndpointError, match="SHOP_LLM_KEY") as caught:
        sent(None, api_key_env="SHOP_LLM_KEY")
    assert SECRET not in str(caught.value)


def test_retry_after_is_seconds_or_a_date():
    clock = FakeClock()
    soon = datetime.fromtimestamp(clock.unix_s() + 30, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    past = "Wed, 21 Oct 2015 07:28:00 -0000"
    told = [retry_after_s(value, clock) for value in ("7", "1.5", soon, past, "soon", None)]
    assert told == [7.0, 1.5, 30.0, 0.0, None, None]
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 +99999999999999", clock) is None


@pytest.mark.parametrize(
    "address",
    [
        "ftp://127.0.0.1/v1",
        "http://user:pw@127.0.0.1/v1",
        "http://127.0.0.1@evil.example/v1",
        "http://127.0.0.1\\@evil.example/v1",
        "https://evil.example/v1?key=1",
        "https://evil.example/v1",
        "https://api.example.evil.example/v1",
        "https://127.1/v1",
        "https://①27.0.0.1/v1",
    ],
)
def test_a_host_that_is_not_on_the_list_is_refused(address):
    values = {"base_url": address, "model": "m", "allowed_hosts": ["api.example"]}
    with pytest.raises(RecipeError) as caught:
        EndpointSettings.parse(values, "[llm]")
    assert "pw" not in str(caught.value)


def test_hosts_on_the_list_and_this_machine_may_be_asked():
    listed = EndpointSettings(
        base_url="https://API.example:8443/v1/", model="m", allowed_hosts=("api.example",)
    )
    assert (listed.host, listed.is_loopback, listed.is_scanned) == ("api.example", False, True)
    assert listed.base_url == "https://API.example:8443/v1"
    for own in ("http://localhost:1/v1", "http://127.0.0.9", "http://[::1]:8080/v1"):
        assert EndpointSettings(base_url=own, model="m").is_loopback


def test_plain_http_to_another_machine_must_be_wanted():
    values = {"base_url": "http://llm.shop/v1", "model": "m", "allowed_hosts": ["llm.shop"]}
    with pytest.raises(RecipeError, match="https"):
        EndpointSettings.parse(values, "[llm]")
    assert EndpointSettings.parse({**values, "allow_plain_http": True}, "[llm]").host == "llm.shop"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"api_key_env": SECRET}, "NAME"),
        ({"budget": 3.0}, "input_price"),
        ({"modle": "x"}, "model"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(changes, word):
    values = {"base_url": "http://localhost/v1", "model": "m", **changes}
    with pytest.raises(RecipeError, match=word) as caught:
        EndpointSettings.parse(values, "[llm]")
    assert SECRET not in str(caught.value)
