"""Tables of the recipe's settings and of the methods' options.

In: frozen Pydantic models. Out: Markdown tables, each field with its type, default and description.
"""

import json
import types
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib import import_module
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from reference_markdown import first_line, prose, table

from shopsynth.generate import SYNTHESIZERS
from shopsynth.pipeline import Recipe
from shopsynth.schema import Settings
from shopsynth.train import TASKS, rankers

_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_PLAIN_TYPES = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime: "date and time",
}


def blocks() -> dict[str, type[Settings]]:
    """Every block of a recipe by its TOML heading, the top level first."""
    found: dict[str, type[Settings]] = {"": Recipe}
    for name, field in Recipe.model_fields.items():
        inner = model_in(field.annotation)
        if inner is not None:
            found[name] = inner
    found["shop.items"] = model_in(found["shop"].model_fields["items"].annotation) or Settings
    joined = model_in(found["shop.items"].model_fields["joins"].annotation)
    found["shop.items.joins"] = joined or Settings
    claimed = model_in(found["prove"].model_fields["hypotheses"].annotation)
    found["prove.hypotheses"] = claimed or Settings
    alike = model_in(found["privacy"].model_fields["anonymity"].annotation)
    found["privacy.anonymity"] = alike or Settings
    return found


def methods() -> Iterator[tuple[str, str, type[Any]]]:
    """Every method that has options: its room, its name, its class."""
    for name in SYNTHESIZERS.names():
        yield "generate", name, SYNTHESIZERS.get(name)
    for task in TASKS.names():
        for name in rankers(task).names():
            yield f"train.{task}", name, rankers(task).get(name)


def settings(block: str) -> str:
    """Table of one block's settings."""
    return _settings_table(blocks()[block])


def recipe(_: str) -> str:
    """All blocks and all options, one table each."""
    parts = []
    for name, model in blocks().items():
        heading = f"`[{name}]`" if name else "Top level"
        if name in ("generate", "prove.hypotheses"):
            heading = f"`[[{name}]]`"
        elif name == "shop.items.joins":
            heading = "`joins` of a table"
        elif name == "shop.items":
            heading = "`[shop.items]`, `[shop.events]` and every other table"
        parts.append(f"## {heading}\n\n{first_line(model)}\n\n{_settings_table(model)}")
    for room, name, method in methods():
        if method.Options.model_fields:
            place = "`options` of its `[[generate]]` block"
            if room != "generate":
                place = f"`[train.options.{name}]`"
            text = _settings_table(method.Options)
            parts.append(f"## Options of `{name}`\n\nIn {place}.\n\n{text}")
    return "\n\n".join(parts)


def options(room: str) -> str:
    """Options of every method of a room, a heading and a table each."""
    return "\n\n".join(
        f"### `{name}`\n\n{_settings_table(method.Options)}"
        for where, name, method in methods()
        if where == room and method.Options.model_fields
    )


def fields(name: str) -> str:
    """Table of a settings model that is no block of a recipe, by its full name."""
    module, _, model = name.rpartition(".")
    return _settings_table(getattr(import_module(module), model))


def _settings_table(model: type[BaseModel]) -> str:
    rows = []
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        if inner is not None and not field.description:
            rows.append((f"`{name}`", "block", "", first_line(inner)))
            continue
        kind = _type_words(field.annotation) + _bounds(field.metadata)
        rows.append((f"`{name}`", kind, _default(field), prose(field.description or "")))
    return table(("setting", "type", "default", "meaning"), rows)


def _type_words(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in _PLAIN_TYPES:
        return _PLAIN_TYPES[annotation]
    if origin is Annotated:
        return _type_words(inner[0]) + _bounds(inner[1].metadata)
    if origin is Literal:
        return " or ".join(f'`"{value}"`' for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(_type_words(each) for each in inner if each is not types.NoneType)
    if origin is tuple:
        return f"list of {_type_words(inner[0])}"
    if origin is dict:
        return "table"
    return "block"


def _bounds(rules: Iterable[Any]) -> str:
    found = [
        f"{sign} {getattr(rule, word):,}"
        for rule in rules
        for word, sign in _BOUNDS.items()
        if getattr(rule, word, None) is not None
    ]
    return f", {', '.join(found)}" if found else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) or (value and isinstance(value, tuple | list)):
        plain = [v for v in value if not isinstance(v, BaseModel)]
        shown = json.dumps(plain) if plain else ""
    elif value is None or value in ((), {}):
        return "none"
    else:
        shown = json.dumps(value)
    return f"`{shown}`" if shown else "one `markov` block"


def model_in(annotation: Any) -> type[Settings] | None:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    return next((m for each in get_args(annotation) if (m := model_in(each))), None)
