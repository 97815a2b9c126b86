"""schema.py - JSON against a schema: of JSON Schema, draft 7, what getopenrpcinfo makes use of.

Members must stand in the schema's order too, which JSON Schema does not ask for.
"""
import re

KINDS = {"object": dict, "array": list, "string": str, "number": (int, float), "integer": int,
         "boolean": bool, "null": type(None)}


def is_kind(value, kind):
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def faults(value, schema, path="answer"):
    """What is wrong with a value: a list of lines."""
    if "oneOf" in schema:
        each = [faults(value, one, path) for one in schema["oneOf"]]
        if sum(not found for found in each) == 1:
            return []
        return [f"{path}: {value!r:.60} is not one of {len(each)}: {min(each, key=len)}"]
    if "const" in schema and value is not schema["const"]:
        return [f"{path}: {value!r:.60} is not {schema['const']!r}"]
    kind = schema.get("type")
    if kind and not is_kind(value, kind):
        return [f"{path}: {value!r:.60} is no {kind}"]
    if kind == "object":
        return object_faults(value, schema, path)
    if kind == "array":
        return array_faults(value, schema, path)
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path}: {value!r} is none of {schema['enum']}"]
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return [f"{path}: {value!r:.60} is not like {schema['pattern']}"]
    return []


def object_faults(value, schema, path):
    named, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    found = [f"{path}: no {name}" for name in schema.get("required", []) if name not in value]
    order = [name for name in value if name in named]
    if order != [name for name in named if name in value]:
        found.append(f"{path}: the order of {order}")
    for name, member in value.items():
        inner = named.get(name, others)
        if inner is False:
            found.append(f"{path}: {name} is not told of")
        elif inner is not True:
            found += faults(member, inner, f"{path}.{name}")
    return found


def array_faults(value, schema, path):
    items = schema.get("items", {})
    if isinstance(items, dict):
        items = [items] * len(value)
    if len(items) != len(value):
        return [f"{path}: {len(value)} items instead of {len(items)}"]
    return [line for i, item in enumerate(value) for line in faults(item, items[i], f"{path}[{i}]")]
