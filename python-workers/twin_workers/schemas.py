"""Checks values against the part of JSON Schema that the generated schemas use. Standard library only."""

import json
from functools import cache
from pathlib import Path
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
}


@cache
def schemas() -> dict[str, Any]:
    """`request`, `event`, `command`, `reply`, and under `jobs` the params, inputs and outputs of every job; made by scripts/generate.ts."""
    return json.loads(Path(__file__).with_name("schemas.json").read_text(encoding="utf-8"))


def problems(value: Any, schema: dict[str, Any], place: str) -> list[str]:
    """Everything that is wrong with a value, each with its place; keywords that are not known here say nothing."""
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        found = [problems(value, option, place) for option in options]
        return [] if [] in found else min(found, key=len)
    if "const" in schema and value != schema["const"]:
        return [f"{place}: expected {json.dumps(schema['const'])}, found {_shown(value)}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place}: expected one of {', '.join(map(str, schema['enum']))}, found {_shown(value)}"]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        return [f"{place}: expected {' or '.join(kinds)}, found {_shown(value)}"]
    if isinstance(value, dict):
        return _object_problems(value, schema, place)
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            return [f"{place}: expected at least {schema['minItems']} items, found {len(value)}"]
        items = schema.get("prefixItems") or [schema.get("items") or {}] * len(value)
        return [problem for index, item in enumerate(value[: len(items)]) for problem in problems(item, items[index], f"{place}[{index}]")]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _range_problems(value, schema, place)
    return []


def _object_problems(value: dict[str, Any], schema: dict[str, Any], place: str) -> list[str]:
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    found = [f"{place}.{name}: missing" for name in schema.get("required", []) if name not in value]
    for name, item in value.items():
        if name in properties:
            found += problems(item, properties[name], f"{place}.{name}")
        elif others is False:
            found.append(f"{place}.{name}: unknown")
        elif isinstance(others, dict):
            found += problems(item, others, f"{place}.{name}")
    return found


def _range_problems(value: float, schema: dict[str, Any], place: str) -> list[str]:
    rules = (
        ("minimum", "at least", value >= schema.get("minimum", value)),
        ("maximum", "at most", value <= schema.get("maximum", value)),
        ("exclusiveMinimum", "above", value > schema.get("exclusiveMinimum", float("-inf"))),
        ("exclusiveMaximum", "below", value < schema.get("exclusiveMaximum", float("inf"))),
    )
    return [
        f"{place}: expected {words} {schema[rule]}, found {_shown(value)}" for rule, words, holds in rules if rule in schema and not holds
    ]


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, _TYPES[kind])


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
