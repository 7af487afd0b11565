"""What pages say can be done can be done: code runs, commands and settings exist, links hold."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

# Words that promise more than any mode of this program gives (PRIVACY, §9 and §10).
FORBIDDEN = re.compile(r"anonym|匿名|GDPR[- ]compliant|risk-free", re.IGNORECASE)
# The name of a method, and of the block of settings that asks for it: no claim about any release.
NAMES = re.compile(r"k-anonymity|k-匿名|\[?privacy\.anonymity\]?|`anonymity`")
MACHINE_PATHS = re.compile(r"/(?:work|opt|tmp|root|home/\w+)/")
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def test_python_blocks_compile(code):
    for page, block in code("python"):
        ast.parse(block, filename=page)


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_a_python_block_runs_as_it_stands(page, code, root, tmp_path):
    shutil.copytree(root / "examples", tmp_path / "examples")
    (block,) = (text for where, text in code("python") if where == page)
    (tmp_path / "block.py").write_text(block, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "block.py"],
        cwd=tmp_path,
        env={**os.environ, "SHOPSYNTH_PSEUDONYM_KEY": "a key that only tests use"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "'train': " in done.stdout
    assert (tmp_path / "workspace" / "split" / "manifest.json").exists()


def test_the_english_and_the_chinese_block_are_the_same_code(code):
    blocks = {page: block for page, block in code("python") if page.startswith("README")}
    english, chinese = (ast.dump(ast.parse(block)) for block in blocks.values())
    assert english == chinese


def test_the_block_that_reads_a_workspace_by_hand_reads_it(code, tmp_path, monkeypatch):
    from fakes.shops import write_tiny_shop
    from shopsynth.pipeline import load_recipe, run

    recipe = load_recipe(write_tiny_shop(tmp_path), ('pipeline.executor = "inline"',))
    run(recipe, tmp_path / "workspace", until="clean")
    (block,) = (text for page, text in code("python") if page == "docs/workspace.md")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(block, "docs/workspace.md", "exec"), names)  # noqa: S102 - our own page
    assert names["events"].height == 532  # type: ignore[attr-defined]


def test_toml_blocks_are_toml_and_whole_recipes_are_accepted(code):
    from shopsynth.pipeline import make_recipe

    n_whole = 0
    for page, block in code("toml"):
        values = tomllib.loads(block)
        if page == "docs/recipe.md":
            make_recipe(values, base=Path(), where=page)
            n_whole += 1
    assert n_whole == 1


@pytest.mark.parametrize("page", ["docs/search.md", "docs/zh/search.md"])
def test_the_quick_form_of_a_search_run_fits_the_recipe_above_it(page, code, tmp_path):
    from shopsynth.pipeline import load_recipe
    from shopsynth.pipeline.checks import check_recipe

    recipe = next(block for where, block in code("toml") if where == page)
    (tmp_path / "recipe.toml").write_text(recipe, encoding="utf-8")
    command = next(block for where, block in code("sh") if where == page and "--set" in block)
    words = shlex.split(command)
    told = tuple(words[place + 1] for place, word in enumerate(words) if word == "--set")
    quick = load_recipe(tmp_path / "recipe.toml", told)
    check_recipe(quick, "report")
    assert len(told) == 6
    assert (quick.evaluate.seeds, quick.train.models) == (1, ("search_hybrid",))
    assert quick.train.options["search_hybrid"]["max_steps"] == 20


def test_blocks_of_a_recipe_name_settings_that_exist(code, reference):
    from shopsynth.schema import Settings

    def check(values: dict, model: type[Settings], where: str) -> None:
        for key, value in values.items():
            field = model.model_fields.get(key)
            assert field is not None, f"{where}: {key}"
            inner = reference.model_in(field.annotation)
            if inner is not None:
                for each in value if isinstance(value, list) else [value]:
                    check(each, inner, f"{where}: {key}")

    for page, block in code("toml"):
        values = tomllib.loads(block)
        if "project" not in values:  # A plug-in's pyproject.toml.
            check(values, reference.blocks()[""], page)


def test_commands_and_options_in_pages_exist(prose, code):
    import typer

    from shopsynth.cli.main import app

    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, group in list(commands.items()):  # A group's own words; without one it is the stage.
        words = getattr(group, "commands", {})
        commands |= {f"{name} {word}": command for word, command in words.items()}
        commands[name] = words.get("stage", group)
    options = {name: {o for p in c.params for o in p.opts} for name, c in commands.items()}
    call = re.compile(r"(?:\S*/)?shopsynth ([a-z]+)([^`]*)")
    lines = [(page, line) for page, block in code("sh") for line in block.splitlines()]
    lines += [(page, span) for page, text in prose.items() for span in INLINE.findall(text)]
    called = [(page, match) for page, line in lines if (match := call.match(line))]
    assert len(called) > 30
    for page, match in called:
        name, rest = match[1], match[2].partition("#")[0]
        word = f"{name} {rest.split()[0]}" if rest.split() else name
        name = word if word in options else name
        assert name in options, f"{page}: shopsynth {name}"
        for option in re.findall(r"(?<!\S)(--?[a-z]+)", rest):
            assert option in {*options[name], "--help"}, f"{page}: shopsynth {name} {option}"


def test_make_targets_in_pages_exist(prose, root):
    targets = set(re.findall(r"^([a-z0-9]+):", (root / "Makefile").read_text(), re.MULTILINE))
    for page, text in prose.items():
        for name in re.findall(r"(?:^|`)make ([a-z0-9]+)", text, re.MULTILINE):
            assert name in targets, f"{page}: make {name}"


def test_files_that_pages_name_exist(prose, root):
    pattern = re.compile(r"`((?:examples|benchmarks|scripts|docs)/[\w./-]+\.\w+)`")
    named = {(page, name) for page, text in prose.items() for name in pattern.findall(text)}
    assert len(named) > 5
    for page, name in named:
        assert (root / name).exists(), f"{page}: {name}"


def test_links_lead_somewhere(prose, root):
    n_seen = 0
    for page, text in prose.items():
        for target in LINK.findall(text):
            if "://" in target:
                continue
            n_seen += 1
            name, _, anchor = target.partition("#")
            file = (root / page).parent / name if name else root / page
            assert file.exists(), f"{page}: {target}"
            if anchor and file.suffix == ".md":
                assert anchor in _anchors(file.read_text(encoding="utf-8")), f"{page}: {target}"
    assert n_seen > 50


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", h).strip().lower().replace(" ", "-") for h in headings}


def test_no_page_promises_too_much_or_names_a_machine(prose, root):
    pages = {**prose, **{str(p): p.read_text() for p in (root / "examples").iterdir()}}
    for page, text in pages.items():
        assert not FORBIDDEN.search(NAMES.sub("", text)), page
        assert not MACHINE_PATHS.search(text), page


def test_no_word_that_the_program_prints_promises_too_much(root):
    rooms = root / "src" / "shopsynth"
    told = [*rooms.glob("report/*.py"), *rooms.glob("report/templates/*.jinja"),
            *rooms.glob("report/*.json"), *rooms.glob("pipeline/*.py"),
            *rooms.glob("cli/*.py")]  # fmt: skip
    assert len(told) > 40
    for path in told:
        text = NAMES.sub("", path.read_text(encoding="utf-8"))
        assert not FORBIDDEN.search(text), path.name


@pytest.mark.parametrize("claim", ["The data are anonymous.", "fully anonymised", "数据已匿名化"])
def test_a_claim_of_that_kind_would_be_found(claim):
    assert FORBIDDEN.search(NAMES.sub("", f"k-anonymity is one thing. {claim}"))


def test_both_front_pages_say_what_deidentify_does_not_give(prose):
    assert "No differential privacy. The data stay personal data" in prose["README.md"]
    assert "它不提供差分隐私；数据仍是个人信息" in prose["README.zh-CN.md"]


def test_the_front_page_shows_what_a_demo_says(prose, root):
    shown = prose["README.md"].partition("<!-- demo output -->")[2].partition("<!-- end demo")[0]
    for words in ("Real data only", "Real + synthetic", "Best system", "Verdict: ", "Report: "):
        assert words in shown


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("README.md", "README.zh-CN.md"),
        *(
            (f"docs/{name}.md", f"docs/zh/{name}.md")
            for name in ("index", "quickstart", "search", "your-shop")
        ),
    ],
)
def test_a_translation_has_the_parts_of_its_original(prose, english, chinese):
    def skeleton(text: str) -> dict[str, int]:
        text = re.sub(r"<!-- demo output -->.*?<!-- end demo output -->", "", text, flags=re.DOTALL)
        parts = {"headings": r"^#+ ", "fences": r"^```", "rows": r"^\|", "points": r"^(?:-|\d\.) "}
        return {name: len(re.findall(rule, text, re.MULTILINE)) for name, rule in parts.items()}

    assert skeleton(prose[english]) == skeleton(prose[chinese])


def test_the_site_builds_without_a_warning(root, tmp_path):
    zensical = Path(sys.executable).with_name("zensical")
    if not zensical.exists():
        pytest.skip("the extra docs is not installed")
    shutil.copytree(root / "docs", tmp_path / "docs")
    shutil.copy(root / "zensical.toml", tmp_path)
    command = [str(zensical), "build", "--clean", "--strict"]
    built = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    settings = tomllib.loads((root / "zensical.toml").read_text(encoding="utf-8"))
    listed = set(re.findall(r"'([\w/-]+)\.md'", str(settings["project"]["nav"])))
    pages = {str(p.relative_to(tmp_path / "docs"))[:-3] for p in (tmp_path / "docs").rglob("*.md")}
    assert listed == pages
    for page in pages:
        assert (tmp_path / "site" / f"{page}.html").exists(), page
