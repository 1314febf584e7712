"""What pydantic found, told as an administrator would want to read it."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.problems import Problem, did_you_mean, dotted

Document = dict[str, Any]

_EXPECTED = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text in quotes",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "tuple_type": "must be a list",
    "path_type": "must be a path in quotes",
    "date_type": "must be a date, such as 2027-01-31",
    "date_parsing": "must be a date, such as 2027-01-31",
    "date_from_datetime_parsing": "must be a date, such as 2027-01-31",
}
_BOUNDS = {
    "greater_than": ("gt", "must be above {}"),
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than": ("lt", "must be below {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "too_short": ("min_length", "must have at least {} entries"),
    "string_too_long": ("max_length", "must have at most {} characters"),
    "string_too_short": ("min_length", "must have at least {} characters"),
}


def explain(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """One problem a key: a union's several complaints about one value are joined by "or"."""
    sentences: dict[str, list[str]] = {}
    for details in error.errors(include_url=False):
        key = dotted(*path_of(details, document))
        sentence = _sentence(details, document, model)
        if sentence not in sentences.setdefault(key, []):
            sentences[key].append(sentence)
    return [Problem(key, " or ".join(found)) for key, found in sentences.items()]


def path_of(details: ErrorDetails, document: Document) -> list[int | str]:
    """The part of pydantic's location that the document has: its names of union members go."""
    at: Any = document
    path: list[int | str] = []
    for part in details["loc"]:
        try:
            at = at[part]
        except (KeyError, IndexError, TypeError):
            if details["type"] == "missing":
                path.append(part)
            break
        path.append(part)
    return path


def _sentence(details: ErrorDetails, document: Document, model: type[BaseModel]) -> str:
    kind, given = details["type"], details["input"]
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        *path, word = path_of(details, document)
        return f"unknown setting{_suggestion(str(word), list(_fields(model, path)))}"
    if kind == "missing":
        return f"is required{_example(details)}"
    if kind in _EXPECTED:
        return f"{_EXPECTED[kind]}, not {_written(given)}"
    if kind in _BOUNDS:
        name, text = _BOUNDS[kind]
        return f"{text.format(context.get(name))}, not {_written(given)}"
    if kind in ("enum", "literal_error"):
        choices = str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        return f"must be one of {', '.join(choices)}, not {_written(given)}" + _close(
            given, choices
        )
    if kind == "value_error":
        return str(context["error"])
    return details["msg"][:1].lower() + details["msg"][1:]


def _suggestion(word: str, known: list[str]) -> str:
    hint = did_you_mean(word, known)
    return hint if "did you mean" in hint else "; take it out"


def _close(given: object, choices: list[str]) -> str:
    hint = did_you_mean(str(given), choices)
    return hint if "did you mean" in hint else ""


def _example(details: ErrorDetails) -> str:
    return f"; add {details['loc'][-1]} = …"


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict | list | tuple):
        return "a table" if isinstance(value, dict) else "a list"
    return str(value)


def _fields(model: type[BaseModel], path: list[int | str]) -> Iterator[str]:
    """Keys that the table at `path` knows, as they are written."""
    annotation: Any = model
    for part in path:
        annotation = _inside(annotation, part)
    for table in _models(annotation):
        for name, field in table.model_fields.items():
            yield field.alias or name


def _inside(annotation: Any, part: int | str) -> Any:
    """The type of what lies under `part` in a value of type `annotation`."""
    for table in _models(annotation):
        for name, field in table.model_fields.items():
            if part in (field.alias, name):
                return field.annotation
    for member in _members(annotation):
        if get_origin(member) in (dict, tuple):
            return get_args(member)[1 if get_origin(member) is dict else 0]
    return None


def _members(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    for member in _members(annotation):
        if isinstance(member, type) and issubclass(member, BaseModel):
            yield member
