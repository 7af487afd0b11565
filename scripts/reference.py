"""Write the generated parts of the documentation from the program itself.

In: settings models, method registries, the command line, the schema of summary.json, results of
benchmarks. Out: every page below docs/ with its generated parts made anew. Such a part lies between

    <!-- generated: KIND ARGUMENT -->  and  <!-- end generated -->

    .venv/bin/python scripts/reference.py            write
    .venv/bin/python scripts/reference.py --check    write nothing; exit 1 and name stale pages
"""

import inspect
import json
import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from reference_markdown import docstring, first_line, prose, table
from reference_settings import blocks, fields, methods, model_in, options, recipe, settings

import shopsynth
from shopsynth.cli.main import app
from shopsynth.evaluate import METRICS
from shopsynth.pipeline import STAGES
from shopsynth.report import summary_schema
from shopsynth.schema import FURTHER, TABLES, Registry
from shopsynth.schema import errors as error_tree

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
RESULTS = ROOT / "benchmarks" / "results"

_REGION = re.compile(
    r"(<!-- generated: (?P<kind>[a-z_]+) ?(?P<argument>[\w./]*) -->\n).*?(<!-- end generated -->)",
    re.DOTALL,
)
_NOT_FOR = re.compile(r"\bNot for\b.*?(?=(?<=[.])\s|\Z)", re.DOTALL)
_OBJECT = re.compile(r"<(\w+) object at 0x[0-9a-f]+>")


# ---- methods, tables, stages, errors -------------------------------------------------------------


def methods_of(room: str) -> str:
    """Names of a room's methods, what each does and is not for, from their files' first lines."""
    rows = []
    for name, method in _registry(room):
        text = inspect.getdoc(sys.modules[method.__module__]) or ""
        limit = _NOT_FOR.search(text)
        limits = limit.group().removeprefix("Not for ").rstrip(".") if limit else ""
        what = _without_name(name, _NOT_FOR.sub("", text.partition("\n")[0]).strip())
        rows.append((f"`{name}`", prose(what), prose(limits)))
    if any(row[2] for row in rows):
        return table(("name", "what it does", "not for"), rows)
    return table(("name", "what it does"), [row[:2] for row in rows])


def _without_name(name: str, sentence: str) -> str:
    """Take ``name:`` off the front of a file's first line, however it is written there."""
    before, colon, after = sentence.partition(": ")
    squeezed = re.sub(r"[\W_]", "", before).lower()
    if colon and squeezed.endswith(name.replace("_", "")):
        return after[:1].upper() + after[1:]
    return sentence


def _registry(room: str) -> list[tuple[str, type[Any]]]:
    package = import_module(f"shopsynth.{room}")
    registry = next(
        value
        for value in vars(package).values()
        if isinstance(value, Registry) and value.room == room
    )
    return [(name, registry.get(name)) for name in registry.names()]


def tables(_: str) -> str:
    """The standard tables and their columns."""
    rows = [
        (
            f"`{name}`",
            ", ".join(f"**`{c}`**" if c in spec.required else f"`{c}`" for c in spec.columns),
            f"one of {', '.join(f'`{c}`' for c in spec.one_of)}" if spec.one_of else "",
        )
        for name, spec in TABLES.items()
    ]
    return table(("table", "columns, required ones bold", "and"), rows)


def further_tables(_: str) -> str:
    """The further tables, their columns and what they name."""
    rows = [
        (
            f"`{name}`",
            ", ".join(f"**`{c}`**" if c in spec.key else f"`{c}`" for c in spec.columns),
            ", ".join(f"`{c}` of `{named}`" for c, named in spec.references.items()),
        )
        for name, spec in FURTHER.items()
    ]
    return table(("table", "columns, those of the key bold", "names the"), rows)


def stages(_: str) -> str:
    """The stages, what each reads and whose code it depends on."""
    rows = [
        (
            f"[`{name}`]({name}.md)",
            ", ".join(f"`{each}`" for each in stage.needs) or "the sources",
            ", ".join(f"`{room}`" for room in stage.rooms if "." not in room),
        )
        for name, stage in STAGES.items()
    ]
    return table(("stage", "reads the outputs of", "runs again when code changes in"), rows)


def errors(_: str) -> str:
    """Every error class with its exit code."""
    found = [
        each
        for _, each in inspect.getmembers(error_tree, inspect.isclass)
        if issubclass(each, error_tree.ShopsynthError)
    ]
    rows = [
        (f"`{each.__name__}`", str(each.exit_code), first_line(each))
        for each in sorted(found, key=lambda each: (each.exit_code, each.__name__))
    ]
    return table(("error", "exit code", "meaning"), rows)


def python_api(package: str) -> str:
    """Signatures and docstrings of the public functions of a package."""
    module = import_module(package)
    parts = []
    for name in sorted(n for n in module.__all__ if inspect.isfunction(getattr(module, n))):
        function = getattr(module, name)
        text = inspect.cleandoc(function.__doc__ or "")
        head = re.sub(r"(?:\w+\.)+(\w+)", r"\1", f"{name}{inspect.signature(function)}")
        head = _OBJECT.sub(r"\1()", head)
        parts.append(f"### `{name}`\n\n```text\n{head}\n```\n\n{docstring(text)}")
    return "\n\n".join(parts)


def source(path: str) -> str:
    """A file of the repository, as code."""
    return f"```python\n{(ROOT / path).read_text(encoding='utf-8')}```"


# ---- the command line ----------------------------------------------------------------------------


def command_line(_: str) -> str:
    """Every command with its arguments, options and examples."""
    program = typer.main.get_command(app)
    parts = [f"## `shopsynth`\n\n{prose(program.help or '')}\n\n{_parameters(program)}"]
    for name, command in _commands(program).items():
        arguments = [p.metavar or p.name for p in command.params if not _is_option(p)]
        usage = " ".join(["shopsynth", name, "[OPTIONS]", *arguments])
        text, _, examples = (command.help or "").partition("Example")
        shown = [line.strip() for line in examples.splitlines() if line.startswith("    ")]
        code = "\n".join(line for line in shown if line)
        part = f"## `{name}`\n\n{prose(text.strip(), joined=False)}\n\n```text\n{usage}\n```\n\n"
        parts.append(f"{part}{_parameters(command)}\n\n```sh\n{code}\n```" if code else part)
    return "\n\n".join(parts)


def _commands(program: Any) -> dict[str, Any]:
    """Return every command by all of its words; a group stands before its own commands."""
    found = {}
    for name, command in program.commands.items():
        found[name] = command
        for word, inner in getattr(command, "commands", {}).items():
            found[f"{name} {word}"] = inner
    return found


def _parameters(command: Any) -> str:
    rows = []
    for each in command.params:
        names = each.opts if _is_option(each) else [each.metavar or each.name]
        value = "" if not _is_option(each) or each.is_flag else f" {each.metavar or 'VALUE'}"
        default = "required" if each.required else ""
        if not each.required and each.default not in (None, False, ()):
            default = f"`{each.default}`"
        rows.append((", ".join(f"`{n}{value}`" for n in names), default, prose(each.help or "")))
    return table(("argument or option", "default", "meaning"), rows)


def _is_option(parameter: Any) -> bool:
    return any(name.startswith("-") for name in parameter.opts)


# ---- summary and benchmarks ----------------------------------------------------------------------


def summary(_: str) -> str:
    """Every field of summary.json from its published schema."""
    schema = summary_schema()
    parts = [_schema_table(schema)]
    for name, part in schema["$defs"].items():
        heading = name.removeprefix("Summary").lower()
        parts.append(f"### `{heading}`\n\n{part['description']}\n\n{_schema_table(part)}")
    return "\n\n".join(parts)


def _schema_table(part: dict[str, Any]) -> str:
    rows = [
        (f"`{name}`", _schema_type(field), field.get("description", ""))
        for name, field in part["properties"].items()
    ]
    return table(("field", "type", "meaning"), rows)


def _schema_type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_schema_type(each) for each in field["anyOf"])
    if "const" in field:
        return f"always {field['const']}"
    if "enum" in field:
        return " or ".join(f'`"{value}"`' for value in field["enum"])
    if "$ref" in field:
        return f"`{field['$ref'].rpartition('/')[2].removeprefix('Summary').lower()}`"
    if field.get("type") == "array":
        return f"list of {_schema_type(field['items'])}"
    return str(field["type"])


def benchmarks(_: str) -> str:
    """Every committed result, passed or not."""
    found = [
        json.loads(file.read_text(encoding="utf-8")) for file in sorted(RESULTS.glob("*.json"))
    ]
    if not found:
        return "No result has been committed yet, so nothing is claimed."
    rows = [
        (
            each["name"],
            "passed" if each["passed"] else "**not reached**",
            str(each.get("reach", "")),
            f"{_number(each['value'])} [{_number(each['low'])}, {_number(each['high'])}] "
            f"{each.get('unit', '')}",
            str(each.get("seeds", "")),
            f"{_number(each.get('cpu_s'))} s",
        )
        for each in found
    ]
    parts = [table(("name", "result", "wanted", "value, 95 % interval", "seeds", "CPU"), rows)]
    for each in found:
        facts = [("data", each.get("data")), ("machine", each.get("machine"))]
        facts += [("date", each.get("date")), ("note", each.get("note"))]
        listing = "\n".join(f"- {name}: {value}" for name, value in facts if value)
        parts.append(f"### {each['name']}\n\n```sh\n{each['command']}\n```\n\n{listing}")
        if each.get("uplift"):
            parts.append(_uplift_table(each["uplift"]))
    return "\n\n".join(parts)


def _uplift_table(rows: list[dict[str, Any]]) -> str:
    """Draw every comparison behind a result, with controls that were not beaten as they are."""
    return table(
        ("model", "slice", "arm", "against", "relative", "difference, 95 % interval", "verdict"),
        [
            (
                row["model"],
                f"{row['metric']}@{row['cutoff']} {row['slice']}",
                row["arm"],
                row["against"],
                "–" if row["relative"] is None else f"{row['relative']:+.1%}",
                f"{row['absolute']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]",
                row["verdict"],
            )
            for row in rows
        ],
    )


def _number(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, int | float) else "–"


# ---- what is not documented ----------------------------------------------------------------------


def undocumented() -> tuple[list[str], int]:
    """Name every setting, option, method and summary field without a description; count all."""
    gaps, n_seen = [], 0
    models = {f"[{name}]": model for name, model in blocks().items()}
    models |= {f"options of {room} {name}": m.Options for room, name, m in methods()}
    for where, model in models.items():
        for name, field in model.model_fields.items():
            n_seen += 1
            inner = model_in(field.annotation)
            if not field.description and not (inner and first_line(inner)):
                gaps.append(f"{where} {name}")
    program = typer.main.get_command(app)
    for name, command in [("shopsynth", program), *_commands(program).items()]:
        n_seen += 1
        gaps += [] if command.help else [f"command {name}"]
        for each in command.params:
            n_seen += 1
            gaps += [] if each.help else [f"command {name}, {each.opts[0]}"]
    for room, name, method in methods():
        gaps += [] if first_line(method) else [f"{room} {name}"]
    for name in METRICS.names():
        gaps += [] if first_line(METRICS.get(name)) else [f"metric {name}"]
    schema = summary_schema()
    for name, part in [("summary", schema), *schema["$defs"].items()]:
        for field, facts in part["properties"].items():
            n_seen += 1
            gaps += [] if facts.get("description") else [f"{name}.{field}"]
    for name in shopsynth.__all__:
        n_seen += 1
        public = getattr(shopsynth, name)
        gaps += [] if name == "__version__" or first_line(public) else [f"shopsynth.{name}"]
    return gaps, n_seen


# ---- pages ---------------------------------------------------------------------------------------

KINDS: dict[str, Callable[[str], str]] = {
    "api": python_api,
    "benchmarks": benchmarks,
    "commands": command_line,
    "errors": errors,
    "fields": fields,
    "methods": methods_of,
    "options": options,
    "recipe": recipe,
    "source": source,
    "settings": settings,
    "stages": stages,
    "summary": summary,
    "tables": tables,
    "further_tables": further_tables,
}


def made_anew(text: str) -> str:
    """Return a page with all of its generated parts made anew."""
    return _REGION.sub(
        lambda m: f"{m[1]}{KINDS[m['kind']](m['argument'])}\n{m[4]}",
        text,
    )


def pages() -> dict[Path, tuple[str, str]]:
    """Every page with generated parts: its text as it is and as it should be."""
    found = {}
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if _REGION.search(text):
            found[path] = (text, made_anew(text))
    return found


def main() -> int:
    """Write the pages, or only say which are stale."""
    stale = [path for path, (now, wanted) in pages().items() if now != wanted]
    if "--check" in sys.argv:
        for path in stale:
            print(f"stale: {path.relative_to(ROOT)}; run: .venv/bin/python scripts/reference.py")
        return 1 if stale else 0
    for path, (_, wanted) in pages().items():
        path.write_text(wanted, encoding="utf-8", newline="\n")
    print(f"{len(stale)} pages changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
