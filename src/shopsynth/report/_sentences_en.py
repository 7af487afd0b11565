"""The paragraph of the verdict in English, and its figures in words.

In: the headline comparison, its controls and the best system's comparison. Out: plain sentences.
"""

from collections.abc import Sequence

from shopsynth.report.comparisons import NO_EFFECT, Comparison
from shopsynth.report.labels import CONTROLS_EN, label, metric_label, model_label
from shopsynth.report.numerals import is_number, percent, score, signed


def english(
    main: Comparison,
    controls: Sequence[Comparison],
    system: Comparison | None,
    *,
    metric: str,
    cutoff: int | None,
) -> str:
    """Write the English paragraph.

    Args:
        main: The headline model, combined against real.
        controls: The headline model, combined against each control.
        system: The best system with against the best without, where it was compared.
        metric: Metric name.
        cutoff: Its list length.
    """
    model, name = model_label(main.model), metric_label(metric, cutoff)
    where = f"{model}'s {name} on real held-out data"
    facts = f"({range_en(main)}; {score(main.value_without)} → {score(main.value_with)})"
    if main.verdict == "harms":
        parts = [f"Adding the synthetic data made {where} worse: {amount_en(main)} {facts}."]
    elif main.verdict == NO_EFFECT and main.standing == "better":
        parts = [
            f"With the synthetic data {where} changed for the better, {amount_en(main)} {facts}, "
            "but that is not shown to be their doing.",
            _why_not_en(main, controls),
        ]
    elif main.verdict == NO_EFFECT:
        parts = [
            f"No effect shown: with the synthetic data {where} changed by {amount_en(main)} "
            f"{facts}.",
            _why_not_en(main, controls),
        ]
    else:
        parts = [
            f"Adding the synthetic data improved {where} by {amount_en(main)} {facts}.",
            _controls_en(controls),
        ]
    return " ".join(part for part in [*parts, _system_en(system)] if part)


def amount_en(item: Comparison) -> str:
    """Write the change, relative where that exists."""
    return percent(item.relative) if is_number(item.relative) else signed(item.absolute)


def range_en(item: Comparison) -> str:
    """Write the 95 % interval of the change."""
    if is_number(item.low) and is_number(item.high):
        return f"95\N{NARROW NO-BREAK SPACE}% interval {percent(item.low)} to {percent(item.high)}"
    if item.standing == "unknown":
        return "no interval could be computed"
    low, high = signed(item.absolute_low), signed(item.absolute_high)
    return f"95\N{NARROW NO-BREAK SPACE}% interval {low} to {high}"


def _controls_en(controls: Sequence[Comparison]) -> str:
    if not controls:
        return "No control was run, so other explanations are open."
    rivals = [item for item in controls if item.standing != "better"]
    if not rivals:
        beaten = join_en([label(CONTROLS_EN, item.against) for item in controls], "or")
        return f"The gain is not explained by {beaten}: the synthetic data beat each of them."
    names = join_en([label(CONTROLS_EN, item.against) for item in rivals], "or")
    return f"It could be explained by {names}, which the synthetic data do not clearly beat."


def _why_not_en(main: Comparison, controls: Sequence[Comparison]) -> str:
    if main.standing == "better" and any(item.standing != "better" for item in controls):
        return _controls_en(controls)
    if main.standing == "better":
        return (
            "The interval lies on the side of a gain, but seeds are too few, tests too many or a "
            "control did not run, so it is not called an effect."
        )
    if main.standing == "worse":
        return (
            "The interval lies on the side of a loss, but seeds are too few or tests too many to "
            "call it an effect."
        )
    if main.standing == "unknown":
        return ""
    if main.mde == 0:
        return "The model answers every question alike with and without them."
    power = f"; the test could have shown about ±{percent(main.mde, sign=False)} or more"
    return f"That is within chance{power if is_number(main.mde) else ''}."


def _system_en(system: Comparison | None) -> str:
    if system is None:
        return ""
    tail = f"{amount_en(system)} ({range_en(system)})"
    if system.standing in ("better", "worse") and system.verdict == NO_EFFECT:
        side = "better" if system.standing == "better" else "worse"
        claim = (
            f"The best system with synthetic data did {side} than the best system without, "
            "which is not called an effect"
        )
    elif system.standing == "better":
        claim = "The best system with synthetic data is better than the best system without"
    elif system.standing == "worse":
        claim = "The best system with synthetic data is worse than the best system without"
    else:
        claim = "The best system with synthetic data is not shown to differ from the best without"
    return f"{claim}: {tail}."


def join_en(words: Sequence[str], last: str) -> str:
    """Join words by commas, the last by another word."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
