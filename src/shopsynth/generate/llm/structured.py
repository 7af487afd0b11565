"""Answers of a form: the form as JSON schema for the endpoint, and the check of what comes back.

In: a Pydantic model, and a model's words. Out: an instance, or what is wrong with the words.
"""

import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shopsynth.generate.llm.templates import Message

A = TypeVar("A", bound=BaseModel)

_FENCE = re.compile(r"\s*```(?:json)?\s*(?P<inside>.*?)\s*```\s*", re.DOTALL | re.IGNORECASE)
_MOST_FAULTS = 5
_MOST_REPEATED = 4_000
"""Characters of a bad answer that are sent back: enough to mend it, too few to ruin anybody."""


class BadAnswerError(ValueError):
    """Words that are not of the form.

    Attributes:
        reason: ``no_json`` or ``wrong_schema``.
        detail: Places and kinds of the faults; never values.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def response_format(form: type[BaseModel], how: str) -> dict[str, Any] | None:
    """Tell an endpoint the form, as ``response_format`` wants it.

    Args:
        form: The model of an answer.
        how: ``json_schema``, ``json_object`` or ``off``.

    Returns:
        The value of the field, or ``None`` if it is not to be sent.
    """
    if how == "off":
        return None
    if how == "json_object":
        return {"type": "json_object"}
    schema = _strict(form.model_json_schema())
    return {
        "type": "json_schema",
        "json_schema": {"name": form.__name__, "strict": True, "schema": schema},
    }


def schema_in_words(form: type[BaseModel]) -> str:
    """Write the form for a model whose endpoint cannot be told it."""
    schema = json.dumps(_strict(form.model_json_schema()), ensure_ascii=False)
    return f"Answer with one JSON object of this JSON schema:\n{schema}"


def parse(text: str, form: type[A]) -> A:
    r"""Read an answer.

    Args:
        text: What the model wrote; one code fence around it is taken off.
        form: The model of an answer.

    Raises:
        BadAnswerError: If it is no JSON, or not of the form.

    Example:
        >>> class Pair(BaseModel):
        ...     left: int
        >>> parse('```json\n{"left": 3}\n```', Pair).left
        3
    """
    fenced = _FENCE.fullmatch(text)
    try:
        return form.model_validate_json(fenced["inside"] if fenced else text)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        if any(each["type"] == "json_invalid" for each in faults):
            raise BadAnswerError("no_json", "expected JSON, got text that is none") from None
        known = _names_in(form.model_json_schema())
        told = [f"{_place(each['loc'], known)}: {each['type']}" for each in faults]
        more = f" and {len(told) - _MOST_FAULTS} more" if len(told) > _MOST_FAULTS else ""
        raise BadAnswerError("wrong_schema", "; ".join(told[:_MOST_FAULTS]) + more) from None


def repair(
    messages: list[Message], text: str, fault: BadAnswerError, cut_off: bool
) -> list[Message]:
    """Ask once more, after an answer that is not of the form.

    Args:
        messages: The messages that were asked.
        text: The bad answer.
        fault: What is wrong with it.
        cut_off: Whether it ended because it was too long.
    """
    shorter = " It was cut off: be shorter." if cut_off else ""
    return [
        *messages,
        {"role": "assistant", "content": text[:_MOST_REPEATED]},
        {
            "role": "user",
            "content": f"That answer cannot be used ({fault.detail}).{shorter} Give the whole "
            "answer again, as JSON of the asked form only.",
        },
    ]


def _place(parts: tuple[int | str, ...], known: frozenset[str]) -> str:
    """Write a fault's place; a name that the model made up is its text, and stays out."""
    told = [str(part) if isinstance(part, int) or part in known else "?" for part in parts]
    return ".".join(told) or "the answer"


def _names_in(schema: Any) -> frozenset[str]:
    inner = schema.values() if isinstance(schema, dict) else schema
    if not isinstance(schema, dict | list):
        return frozenset()
    own = schema.get("properties", {}) if isinstance(schema, dict) else {}
    return frozenset(own).union(*(_names_in(each) for each in inner))


def _strict(schema: Any) -> Any:
    """Close every object and require all of its fields, as strict endpoints ask."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _strict(value) for name, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        closed |= {"additionalProperties": False, "required": list(schema["properties"])}
    return closed
