"""Pages made from the code, as Markdown."""

from __future__ import annotations

import html
import inspect
import io
import json
import re
from collections.abc import Iterator
from importlib import import_module, resources
from typing import Any

from csv_gate.cli.main import VERBS, run
from csv_gate.model.checks import CHECKS, page

API = (
    "csv_gate.testing",
    "csv_gate.gate",
    "csv_gate.formats",
    "csv_gate.policies",
    "csv_gate.engine",
    "csv_gate.attesting",
    "csv_gate.report",
    "csv_gate.model.result",
    "csv_gate.model.verdict",
    "csv_gate.errors",
)
FAMILIES = {
    "CSV1": "Signatures and files",
    "CSV2": "App Control",
    "CSV3": "Containers and scripts",
    "CSV4": "Requirements",
    "CSV6": "Policies",
    "CSV8": "Could not be decided",
    "CSV9": "The gate's own hygiene",
}


def check_page(check_id: str) -> str:
    """One check: what, why, how to mend."""
    found = page(check_id)
    return (
        f"# {found.check.id} {found.check.slug}\n\n{found.check.title}. Level: **{found.check.level.value}**.\n\n"
        f"## What\n\n{found.what}\n\n## Why\n\n{found.why}\n\n## How to mend\n\n{found.mend}\n"
    )


def check_index() -> str:
    """All checks by family."""
    lines = ["# Checks", "", "What csv-gate can find. `csv-gate explain CSV201` shows the same pages in a terminal."]
    family = ""
    for check in sorted(CHECKS.values(), key=lambda one: one.id):
        if check.id[:4] != family:
            family = check.id[:4]
            lines += ["", f"## {FAMILIES.get(family, family)}", "", "| check | | level |", "| --- | --- | --- |"]
        lines.append(f"| [{check.id}]({check.id}.md) | {check.title} | {check.level.value} |")
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """What `--help` of every command prints."""
    parts = ["# Commands\n"]
    for arguments in (("--help",), *((verb, "--help") for verb in VERBS)):
        out = io.StringIO()
        run(arguments, out, io.StringIO(), {})
        title = f"csv-gate {arguments[0]}" if len(arguments) > 1 else "csv-gate"
        parts.append(f"## {title}\n\n```text\n{out.getvalue().rstrip()}\n```\n")
    return "\n".join(parts)


def schema_page(name: str, title: str) -> str:
    """A table for each type of a written file."""
    schema = json.loads((resources.files("csv_gate") / "schemas" / name).read_text("utf-8"))
    parts = [
        f"# {title}\n\nThe keys of `{schema['title']}`. `csv-gate config schema` prints the schema for editors.\n",
        *_table(schema),
    ]
    for kind, definition in schema.get("$defs", {}).items():
        parts += [f"\n## {kind}\n", definition.get("description", ""), *_table(definition)]
    return "\n".join(part for part in parts if part) + "\n"


def _table(schema: dict[str, Any]) -> Iterator[str]:
    if not schema.get("properties"):
        yield f"\n{_kind(schema)}\n"
        return
    yield "\n| key | kind | |\n| --- | --- | --- |"
    required = set(schema.get("required", ()))
    for key, about in schema["properties"].items():
        told = " ".join(about.get("description", "").split()).replace("|", "\\|")
        default = f" Default: `{json.dumps(about['default'])}`." if "default" in about else ""
        needed = " **Needed.**" if key in required else ""
        yield f"| `{key}` | {_kind(about)} | {told}{default}{needed} |"


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            kinds = [_kind(one) for one in schema[several] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"names, each with {_kind(schema['additionalProperties'])}"
    named = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "mapping"}
    kind = str(schema.get("type", ""))
    return named.get(kind, kind or "anything")


def api_page() -> str:
    """What other programs may call, from the docstrings."""
    parts = ["# API\n\nFrom Python. Every function raises only what `csv_gate.errors` has.\n"]
    for name in API:
        module = import_module(name)
        parts.append(f"## {name}\n\n{_doc(module)}\n")
        for public in _public(module):
            parts.append(_member(public, getattr(module, public)))
    return "\n".join(parts)


def _public(module: Any) -> list[str]:
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__ and callable(value)
    ]


def _member(name: str, value: Any) -> str:
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return f"### {name}\n\nA value of type `{type(value).__name__}`.\n"
    try:
        signature = f"{name}{inspect.signature(value)}"
    except ValueError:
        signature = name
    return f"### {name}\n\n```python\n{signature}\n```\n\n{_doc(value)}\n"


def _doc(value: Any) -> str:
    """A docstring as Markdown: escaped where it could be read as HTML or as a link, with its `Raises:` as a list."""
    text = inspect.getdoc(value) or ""
    if inspect.isclass(value) and text.startswith(f"{value.__name__}("):  # made up by dataclass
        text = ""
    parts = re.split(r"(`[^`]*`)", text)
    text = "".join(part if part.startswith("`") else html.escape(part, quote=False).replace("[", "\\[") for part in parts)
    return re.sub(
        r"^Raises:\n((?: {4}.*\n?)+)",
        lambda found: "Raises:\n\n" + re.sub(r"(?m)^ {4}(\S)", r"- \1", found[1]),
        text,
        flags=re.M,
    )
