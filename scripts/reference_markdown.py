"""Markdown from docstrings and rows.

In: docstrings in Google style, rows of cells. Out: Markdown text.
"""

import inspect
import re
from typing import Any


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Rows of cells to a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in lines
    )


def prose(text: str, *, joined: bool = True) -> str:
    """Docstring prose to Markdown: code marks, roles, and brackets outside of code."""
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", text).replace("``", "`")
    parts = text.split("`")
    parts[::2] = [part.replace("[", "\\[").replace("<", "&lt;") for part in parts[::2]]
    text = "`".join(parts)
    return " ".join(text.split()) if joined else text


def first_line(thing: Any) -> str:
    """First paragraph of a docstring, on one line."""
    return prose((inspect.getdoc(thing) or "").partition("\n\n")[0])


def docstring(text: str) -> str:
    """Google sections to Markdown: headings become bold, entries become a list."""
    lines = []
    for line in text.splitlines():
        if re.fullmatch(r"(Args|Returns|Raises|Example|Source):", line):
            lines += [f"**{line[:-1]}**", ""]
        elif match := re.match(r"    (\w+): (.*)", line):
            lines.append(f"- `{match[1]}`: {match[2]}")
        else:
            lines.append(line.strip() if not line.startswith("        ") else "  " + line.strip())
    return prose("\n".join(lines), joined=False)
