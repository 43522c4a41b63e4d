"""One reporter per output format; a reporter renders a result and computes nothing.

Every reporter walks `result.artifacts` once or twice and keeps counters, never the artifacts: a result may be far larger than
memory. Whatever comes from an artifact goes through `escape`, in the dialect of the place it is printed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TextIO, cast

from csv_gate.errors import UsageError
from csv_gate.model.result import RunResult
from csv_gate.report.options import JunitDialect, Renderer, ReportOptions

__all__ = ["FORMATS", "JunitDialect", "ReportOptions", "render", "renderer"]

FORMATS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "text": ("text", "render_text"),
        "json": ("json_result", "render_json"),
        "jsonl": ("jsonl", "render_jsonl"),
        "junit": ("junit", "render_junit"),
        "sarif": ("sarif", "render_sarif"),
        "github": ("github", "render_github"),
        "azure": ("azure", "render_azure"),
        "gitlab": ("gitlab", "render_gitlab"),
        "markdown": ("markdown", "render_markdown"),
        "html": ("html", "render_html"),
    }
)
"""Format name -> (module of this package, function). A module is imported when its format is asked for."""


def renderer(format: str) -> Renderer:
    """The function that renders a format.

    Raises:
        UsageError: no such format.
    """
    if (entry := FORMATS.get(format)) is None:
        raise UsageError(f"there is no output format {format!r}", expected=", ".join(FORMATS))
    module, function = entry
    return cast(Renderer, getattr(import_module(f"{__name__}.{module}"), function))


def render(format: str, result: RunResult, out: TextIO, options: ReportOptions | None = None) -> None:
    """Write the result to `out` in a format. `out` takes Unicode; no lone surrogate is ever written.

    Raises:
        UsageError: no such format.
    """
    renderer(format)(result, out, options or ReportOptions())
