"""Reference pages say what the program says, and the program leaves nothing undescribed."""

import subprocess
import sys


def test_no_generated_part_is_stale(reference):
    pages = reference.pages()
    assert len(pages) >= 14
    stale = [str(path) for path, (now, wanted) in pages.items() if now != wanted]
    assert stale == [], "run: .venv/bin/python scripts/reference.py"


def test_every_kind_of_part_is_used_by_some_page(reference):
    used = {
        match["kind"]
        for _, (text, _) in reference.pages().items()
        for match in reference._REGION.finditer(text)
    }
    assert used == set(reference.KINDS)


def test_every_setting_option_command_and_field_is_described(reference):
    gaps, n_seen = reference.undocumented()
    assert gaps == []
    assert n_seen > 200


def test_an_undescribed_setting_is_found(reference, monkeypatch):
    from shopsynth.split import SplitSettings

    monkeypatch.setattr(SplitSettings.model_fields["test"], "description", None)
    assert reference.undocumented()[0] == ["[split] test"]


def test_an_undescribed_option_of_the_command_line_is_found(reference, monkeypatch):
    import typer

    program = typer.main.get_command(reference.app)
    preview = program.commands["preview"]  # type: ignore[attr-defined]
    option = next(p for p in preview.params if p.name == "rows")
    monkeypatch.setattr(option, "help", None)
    monkeypatch.setattr(typer.main, "get_command", lambda _: program)
    assert reference.undocumented()[0] == ["command preview, --rows"]


def test_every_block_of_a_recipe_has_its_table(reference, root):
    page = (root / "docs" / "recipe.md").read_text(encoding="utf-8")
    for name, model in reference.blocks().items():
        for field in model.model_fields:
            assert f"| `{field}` |" in page, f"[{name}] {field}"


def test_every_command_has_its_section(reference, root):
    import typer

    page = (root / "docs" / "cli.md").read_text(encoding="utf-8")
    commands = typer.main.get_command(reference.app).commands  # type: ignore[attr-defined]
    assert len(commands) >= 15
    for name, command in commands.items():
        section = page.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
        assert section, name
        for parameter in command.params:
            assert parameter.opts[0].removesuffix("...") in section or (
                parameter.metavar and parameter.metavar in section
            ), f"{name} {parameter.name}"


def test_the_script_says_which_page_is_stale(root):
    command = [sys.executable, str(root / "scripts" / "reference.py"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stdout + checked.stderr


def test_a_part_is_made_anew_and_the_rest_of_a_page_stays(reference):
    page = (
        "before\n<!-- generated: settings split -->\nstale words\n<!-- end generated -->\nafter\n"
    )
    made = reference.made_anew(page)
    assert made.startswith("before\n<!-- generated: settings split -->\n| setting |")
    assert made.endswith("|\n<!-- end generated -->\nafter\n")
    assert "stale words" not in made
    assert reference.made_anew(made) == made


def test_docstrings_become_markdown(reference):
    text = (
        "Do it.\n\nArgs:\n    path: A ``TOML`` [file].\n        Or more.\n\n"
        "Raises:\n    KeyError: Never."
    )
    assert reference.docstring(text) == (
        "Do it.\n\n**Args**\n\n- `path`: A `TOML` \\[file].\n  Or more.\n\n"
        "**Raises**\n\n- `KeyError`: Never."
    )
    assert (
        reference.table(("a", "b"), [("x|y", "1\n2")])
        == "| a | b |\n| --- | --- |\n| x\\|y | 1 2 |"
    )
