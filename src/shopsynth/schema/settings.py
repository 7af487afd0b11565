"""The base of every settings model: frozen, strict about unknown keys, with nearest names.

In: parsed TOML. Out: a validated model, or one error that lists every fault.
"""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from shopsynth.schema.errors import RecipeError, collect, nearest


class Settings(BaseModel):
    """A frozen block of a recipe. Each field's description feeds help, schema and docs."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    @classmethod
    def parse(cls, values: dict[str, Any], where: str) -> Self:
        """Validate parsed TOML and report every fault at once.

        Args:
            values: The block as ``tomllib`` gives it.
            where: The file or block named in the error.

        Raises:
            RecipeError: Listing each fault with its place; an unknown key names the nearest one.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            faults = [
                _fault(cls, dict(item))
                for item in error.errors(include_url=False, include_input=False)
            ]
            collect(where, faults, RecipeError)
            raise


def _fault(model: type[BaseModel], item: dict[str, Any]) -> str:
    place = [part for part in item["loc"] if not str(part).startswith("function-")]
    dotted = ".".join(str(part) for part in place)
    if item["type"] == "missing":
        return f"{dotted}: expected a value, got none; it has no default, so set it"
    if item["type"] != "extra_forbidden":
        # Pydantic puts this before what our own rules say.
        said = item["msg"].removeprefix("Value error, ")
        return f"{dotted or 'the recipe'}: {said}"
    known = _fields_at(model, place[:-1])
    return f"unknown key {dotted}; {nearest(str(place[-1]), known)}"


def _fields_at(model: type[BaseModel], place: list[Any]) -> list[str]:
    current = model
    for part in place:
        if isinstance(part, int):
            continue
        field = current.model_fields.get(str(part))
        inner = _model_in(field.annotation) if field is not None else None
        # A key below a free-form table, or the name of one entry of a dict of models.
        current = inner if inner is not None else current
    return list(current.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the settings model inside ``X``, ``X | None``, ``tuple[X, ...]`` or ``dict[str, X]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if (found := _model_in(inner)) is not None:
            return found
    return None
