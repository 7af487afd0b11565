"""``shopsynth doctor``: what is installed and found.

In: this machine. Out: one line a finding; exit code 2 if something needed is not fine.
"""

import typer

from shopsynth.cli.display import AsJson, print_json, print_table

_MARKS = {True: "ok", False: "PROBLEM", None: "absent"}


def doctor(as_json: AsJson = False) -> None:
    """Say what is installed, which devices and models are found, and what to do about gaps.

    Example:
        shopsynth doctor --json
    """
    from shopsynth.pipeline import examine

    findings = examine()
    if as_json:
        print_json([{"name": each.name, "ok": each.ok, "detail": each.detail} for each in findings])
    else:
        rows = [[each.name, _MARKS[each.ok], each.detail] for each in findings]
        print_table("shopsynth doctor", ["what", "state", "found"], rows)
    if any(each.ok is False for each in findings):
        raise typer.Exit(2)
