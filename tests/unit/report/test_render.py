"""The page and its Markdown twin: complete, offline, inert against hostile text, the same twice."""

import base64
import hashlib
import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest

from shopsynth.report import render_html, render_markdown, write_report
from shopsynth.schema import EVALUATION_COLUMNS, Evaluation, SchemaError, empty_evaluation_table

HOSTILE = '</script><img src=x onerror="document.title=1"><b>&amp;| [a](http://x.example)`'


class Page(HTMLParser):
    """Tags, attributes, scripts and text of a page, as a browser's parser sees them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._in_script = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
            self._in_script = True

    def handle_endtag(self, tag):
        if tag == "script":
            self._in_script = False

    def handle_data(self, data):
        if self._in_script:
            attributes, before = self.scripts.pop()
            self.scripts.append((attributes, before + data))
        else:
            self.text += data

    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.tags if "id" in attributes]

    def chart_data(self) -> dict:
        return json.loads(next(text for kind, text in self.scripts if "type" in kind))


def render(evaluation: Evaluation, context, summarise, **changes) -> str:
    context = replace(context, **changes)
    return render_html(summarise(evaluation, context), evaluation, context)


@pytest.fixture
def whole(make_evaluation, with_more_arms, with_second_task, claims, context, summarise,
          registration, costs):  # fmt: skip
    """A run with everything a plan brings, in two tasks: its summary, evaluation and context."""

    def make(effect=0.062, **look):
        evaluation = with_second_task(with_more_arms(make_evaluation(effect), side=0.045))
        evaluation = replace(evaluation, hypotheses=claims(evaluation))
        plan = {**registration, **look}
        summary = summarise(evaluation, context, registration=plan, costs=costs)
        return summary, evaluation, context

    return make


def test_the_claim_comes_first_then_why_then_the_proof(whole):
    html = render_html(*whole())
    places = [html.index(f'id="{name}"') for name in ("verdict", "claim", "explained", "proof")]
    assert places == sorted(places)
    text = Page(html).text
    for told in (
        "Confirmatory", "验证性", "Plan 5eed5eed5eed", "✓ passed", "not asked",
        "What could still explain it", "还有哪些可能的解释", "Take it to an A/B test",
        "○ matched, which is enough", "Every arm, by its own value", "Slice by slice",
        "What each arm cost", "✕ left out: fewer than 100 histories",
    ):  # fmt: skip
        assert told in text, told


def test_an_exploratory_look_is_visible_in_words_on_page_and_in_markdown(whole):
    run = whole(exploratory=True, look=2, looks=2, reason="the test part was read before")
    for text in (render_html(*run), render_markdown(*run)):
        assert text.count("EXPLORATORY") >= 3
        assert "the test part was read before" in text
        assert "这批测试数据的全部或一部分此前已被读取过" in text
        assert "The claims were fixed before" not in text


def test_every_task_has_its_own_verdict_pictures_and_tables(whole):
    page = Page(render_html(*whole(-0.2)))
    assert len(page.ids()) == len(set(page.ids()))
    wanted = {"verdict", "verdict-task1", "uplift", "uplift-task1", "arms", "arms-task1", "fits"}
    assert wanted <= set(page.ids())
    assert "slices-task1" not in page.ids()
    assert set(page.chart_data()) <= set(page.ids())
    assert page.chart_data()["uplift-task1-0"]["rows"][0] == {"label": "ItemKNN"}
    for told in ("Next item", "Rebuy", "ItemKNN's RMSE", "Lower is better", "Higher is better"):
        assert told in page.text
    markdown = render_markdown(*whole(-0.2))
    assert "## Next item: Synthetic data harms / 合成数据有害" in markdown
    assert "## Rebuy: Synthetic data harms / 合成数据有害" in markdown


def test_tables_have_headers_and_badges_have_text(whole):
    html = render_html(*whole())
    tables = re.findall(r"<table>.*?</table>", html, flags=re.DOTALL)
    assert len(tables) > 15
    assert all('<th scope="col">' in table for table in tables)
    badges = re.findall(r'class="badge[^>]*>(.*?)</', html)
    assert len(badges) >= 4
    assert all(badge.strip() for badge in badges)


def test_a_run_without_a_plan_says_that_nothing_is_confirmed(make_evaluation, context, summarise):
    evaluation = make_evaluation()
    summary = summarise(evaluation, context)
    for text in (
        Page(render_html(summary, evaluation, context)).text,
        render_markdown(summary, evaluation, context),
    ):
        assert "Not registered" in text
        assert "No hypothesis was told, so every comparison below is exploratory." in text
        assert "This was not registered as a hypothesis." in text


def test_a_task_that_only_has_means_is_told_without_a_verdict_of_its_own(
    make_evaluation, with_second_task, context, summarise
):
    evaluation = with_second_task(make_evaluation())
    evaluation = replace(evaluation, uplift=evaluation.uplift.filter(task="next_item"))
    page = Page(render_html(summarise(evaluation, context), evaluation, context))
    assert "arms-task1" in page.ids()
    assert "uplift-task1" not in page.ids()
    assert "there is nothing to explain" in page.text
    other = replace(context, headline_model="als")
    assert "Next item" in render_markdown(summarise(evaluation, other), evaluation, other)


def hostile_evaluation(make_evaluation) -> Evaluation:
    good = make_evaluation()
    return replace(
        good,
        uplift=good.uplift.with_columns(pl.col("slice").replace("tail", HOSTILE)),
        metrics=good.metrics.with_columns(
            pl.col("slice").replace("tail", HOSTILE), pl.col("model").replace("popularity", HOSTILE)
        ),
        audits=good.audits.with_columns(pl.lit(HOSTILE).alias("power")),
        fidelity=good.fidelity.with_columns(pl.lit(HOSTILE).alias("metric")),
        distributions=good.distributions.with_columns(pl.lit(HOSTILE).alias("label")),
    )


def hostile_changes(context) -> dict:
    return {
        "title": HOSTILE,
        "recipe": HOSTILE,
        "samples": context.samples.with_columns(
            pl.lit(HOSTILE).alias("title"), pl.lit(HOSTILE).alias("synthesizer")
        ),
        "rejects": pl.DataFrame({"table": ["events"], "reason": [HOSTILE], "n": [3]}),
        "generators": [{"name": HOSTILE, "options": {HOSTILE: HOSTILE}, "users": 1, "events": 2}],
        "split": {HOSTILE: HOSTILE},
        "protocol": {HOSTILE: HOSTILE},
        "near_duplicates": {HOSTILE: 3},
    }


def test_every_section_and_every_chart_is_there(make_evaluation, context, summarise):
    page = Page(render(make_evaluation(), context, summarise))
    wanted = {"verdict", "proof", "data", "privacy", "method", "run", "uplift", "slices", "dose",
              "embedding", "distributions", "fidelity", "rejects", "costs"}  # fmt: skip
    assert wanted <= set(page.ids())
    assert len(page.ids()) == len(set(page.ids()))
    charts = page.chart_data()
    assert set(charts) <= set(page.ids())
    assert len(charts) == 14
    assert {chart["kind"] for chart in charts.values()} == {
        "forest", "values", "dose", "scatter", "lines", "dumbbell", "bars"
    }  # fmt: skip


def test_the_page_tells_the_run(make_evaluation, context, summarise):
    page = Page(render(make_evaluation(), context, summarise))
    for told in (
        "Synthetic data helps", "合成数据有效", "0.0503 → 0.0534", "387\u202f961",
        "no differential privacy, still personal data", "WHITE HANGING HEART",
        "near duplicate of test 17", "equal scores share their mean rank", "310\u202f369",
        "cannot see runs shorter than five", 'mode = "deidentify"', "2 cores, 8 GB", "order = 3",
    ):  # fmt: skip
        assert told in page.text, told


def test_the_policy_allows_the_pages_own_scripts_and_nothing_else(
    make_evaluation, context, summarise
):
    page = Page(render(make_evaluation(), context, summarise))
    policy = next(
        str(attributes["content"])
        for _, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    run = [text for kind, text in page.scripts if "type" not in kind]
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in run
    ]
    assert len(run) == 2
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == hashes


def test_nothing_is_loaded_from_anywhere(make_evaluation, context, summarise):
    page = Page(render(make_evaluation(), context, summarise))
    links = [
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "action", "data", "poster", "srcset")
    ]
    assert links
    assert [link for link in links if not re.match(r"#|data:,$", link or "")] == []


def test_hostile_text_of_a_plan_stays_text(whole):
    summary, evaluation, context = whole(exploratory=True, reason=HOSTILE, plan_sha256=HOSTILE)
    summary["hypotheses"][0] |= {"name": HOSTILE, "unbeaten": HOSTILE, "confirmed_by": HOSTILE}
    summary["costs"][0] |= {"arm": HOSTILE, "model": HOSTILE, "reason": HOSTILE}
    page = Page(render_html(summary, evaluation, context))
    assert {tag for tag, _ in page.tags}.isdisjoint({"img", "b:x", "iframe"})
    assert len(page.scripts) == 3
    assert page.text.count(HOSTILE) > 5
    markdown = render_markdown(summary, evaluation, context)
    assert not re.search(r"(?<!\\)<(?!br)", markdown)
    assert not re.search(r"(?<!\\)\]\(", markdown)


def test_hostile_text_stays_text(make_evaluation, context, summarise):
    evaluation = hostile_evaluation(make_evaluation)
    page = Page(render(evaluation, context, summarise, **hostile_changes(context)))
    tags = {tag for tag, _ in page.tags}
    assert tags.isdisjoint({"img", "iframe", "object", "svg", "a:x"})
    assert len(page.scripts) == 3
    names = {name for _, attributes in page.tags for name in attributes}
    assert not any(name.startswith("on") for name in names)
    assert page.text.count(HOSTILE) > 20
    labels = [row["label"] for row in page.chart_data()["slices-0"]["rows"]]
    assert any("onerror" in label for label in labels)


def test_hostile_text_stays_text_in_markdown(make_evaluation, context, summarise):
    evaluation = hostile_evaluation(make_evaluation)
    hostile = replace(context, **hostile_changes(context))
    text = render_markdown(summarise(evaluation, hostile), evaluation, hostile)
    assert "\\<img src=x onerror" in text
    assert not re.search(r"(?<!\\)<(?!br)", text)
    assert not re.search(r"(?<!\\)\]\(", text)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) > 100
    assert all(line.endswith(" |") or line.endswith("|") for line in rows)


def test_markdown_tells_the_same(make_evaluation, context, summarise):
    evaluation = make_evaluation(-0.08)
    text = render_markdown(summarise(evaluation, context), evaluation, context)
    assert text.startswith("# Online Retail\n")
    assert "## Synthetic data harms / 合成数据有害" in text
    assert "| Real \\+ synthetic | 0.0463 \\[0.0444, 0.0481\\] |" in text
    assert "no differential privacy, still personal data" in text
    assert "1. WHITE HANGING HEART" in text
    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert len(tables) >= 10
    for table in tables:
        pipes = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(pipes) == 1, table


@pytest.mark.parametrize("effect", [0.062, 0.005, -0.08])
def test_every_verdict_has_its_own_sign_and_look(make_evaluation, context, summarise, effect):
    html = render(make_evaluation(effect), context, summarise)
    word, sign = {0.062: ("helps", "✓"), 0.005: ("no-effect-shown", "○"),
                  -0.08: ("harms", "✕")}[effect]  # fmt: skip
    assert f'class="card verdict v-{word}"' in html
    assert f'aria-hidden="true">{sign}<' in html
    assert f".v-{word}" in html


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("public", "nothing was protected"),
        ("deidentify", "no differential privacy, still personal data"),
        ("dp", "No guarantee can be stated"),
        ("unsafe_nonprivate", "learned from raw rows"),
    ],
)
def test_each_privacy_mode_is_named_for_what_it_is(
    make_evaluation, context, summarise, mode, sentence
):
    spent = {"epsilon": 3.0, "delta": 1e-6} if mode == "dp" else {}
    privacy = {**context.privacy, "mode": mode, **spent}
    changed = replace(context, privacy=privacy)
    evaluation = make_evaluation()
    summary = summarise(evaluation, changed)
    for text in (
        render_html(summary, evaluation, changed),
        render_markdown(summary, evaluation, changed),
    ):
        assert sentence in text
        assert "anonym" not in re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL).lower()


def test_a_dose_tells_what_was_wanted_where_there_were_too_few_rows(
    make_evaluation, context, summarise
):
    fewer = replace(context, dose={**context.dose, "ratio": 0.275, "wanted": 0.5})
    evaluation = make_evaluation()
    for told, wanted in ((context, False), (fewer, True)):
        text = Page(render_html(summarise(evaluation, told), evaluation, told)).text
        assert ("ratio 0.275" in text) == wanted
        assert ("the recipe asks for ratio 0.5" in text) == wanted


def test_a_run_that_measured_nothing_still_gives_a_page(context, summarise):
    nothing = Evaluation(**{name: empty_evaluation_table(name) for name in EVALUATION_COLUMNS})
    bare = replace(
        context,
        rejects=context.rejects.clear(),
        samples=context.samples.clear().select("user_id", "item_id", "title"),
        generators=[], near_duplicates={}, dose={}, stages=[], protocol={}, split={},
        environment={},
    )  # fmt: skip
    summary = summarise(nothing, bare)
    page = Page(render_html(summary, nothing, bare))
    assert "nothing can be claimed" in page.text
    assert "No audit was run." in page.text
    assert "The filters dropped none." in page.text
    assert page.chart_data() == {}
    assert "nothing can be claimed" in render_markdown(summary, nothing, bare)


def test_samples_need_neither_time_nor_title(make_evaluation, context, summarise):
    samples = pl.DataFrame(
        {"user_id": ["u"], "item_id": ["84029G"], "title": [None]},
        schema_overrides={"title": pl.String},
    )
    page = Page(render(make_evaluation(), context, summarise, samples=samples))
    assert "84029G" in page.text
    assert ("time", {}) not in page.tags


def test_the_page_is_small_quick_and_the_same_twice(make_evaluation, context, summarise):
    evaluation = make_evaluation(n_points=2000)
    started = time.perf_counter()
    html = render(evaluation, context, summarise)
    assert time.perf_counter() - started < 2
    assert len(html.encode()) <= 1_600_000
    assert html == render(evaluation, context, summarise)


def test_all_files_are_written_whole(make_evaluation, context, summarise, tmp_path):
    evaluation = make_evaluation()
    summary = summarise(evaluation, context)
    (tmp_path / "report.html").write_text("of an earlier run")
    paths = write_report(summary, evaluation, context, tmp_path)
    names = ["receipt.json", "report.html", "report.md", "shareable.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert paths["html"].read_bytes() == render_html(summary, evaluation, context).encode()
    assert paths["markdown"].read_text(encoding="utf-8").startswith("# Online Retail")


def test_a_summary_that_breaks_the_contract_is_refused(make_evaluation, context):
    with pytest.raises(SchemaError, match=r"summary\.json"):
        render_html({"version": 1}, make_evaluation(), context)


def test_facts_of_every_kind_are_written(make_evaluation, context, summarise):
    facts = {"by time": True, "none": None, "share": 0.125, "cuts": ["a", "b"],
             "n": {"warm_items": 5}, "nothing": []}  # fmt: skip
    text = Page(render(make_evaluation(), context, summarise, split=facts)).text
    for told in ("yes", "–", "0.125", "a, b", "warm items 5"):
        assert told in text


def test_a_control_that_too_few_runs_beat_is_not_called_beaten(make_evaluation, context, summarise):
    few = make_evaluation(0.062).uplift.with_columns(verdict=pl.lit("no effect shown"))
    page = Page(render(make_evaluation(0.062, uplift=few), context, summarise))
    assert "○ too few runs to say" in page.text
    assert "✓ beaten" not in page.text
