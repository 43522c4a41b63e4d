"""csv-gate: will the target run what this build ships?

For programs: `csv_gate.check`, `csv_gate.evaluate` and the other names of `csv_gate.api`, loaded when they are first asked for.
"""

__version__ = "0.1.0"

_API = frozenset(
    {
        "AppControlContext",
        "Artifact",
        "ArtifactError",
        "ArtifactResult",
        "CodeMode",
        "CompiledPolicySet",
        "ConfigError",
        "Decision",
        "Facts",
        "Finding",
        "GateError",
        "Level",
        "Limits",
        "Mode",
        "NoArtifactsError",
        "PolicyError",
        "RuleLevel",
        "SpooledResult",
        "Suggestion",
        "UsageError",
        "Verdict",
        "check",
        "evaluate",
        "extract_facts",
        "load_policies",
        "suggest",
    }
)
"""`csv_gate.api.__all__`, written down so that nothing is loaded to know it."""


def __getattr__(name: str) -> object:
    """The names of `csv_gate.api`, late: starting the command line must not load them."""
    if name in _API:
        from importlib import import_module

        return getattr(import_module("csv_gate.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_API})
