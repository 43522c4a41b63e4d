"""`csv-gate.yaml`: found, read strictly, put together with what it extends, and resolved per artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csv_gate.config.loading import FILE_NAME, LoadedConfig, find_config, load_config
from csv_gate.config.model import Config, FailOn
from csv_gate.config.owning import has_owners, owner_index
from csv_gate.lazy import lazily

if TYPE_CHECKING:
    from csv_gate.config.effective import Setting, effective_settings
    from csv_gate.config.resolve import context_for, read_trusted_roots, trusted_root_files
    from csv_gate.config.targets import Engine, Target, TargetContext
else:
    __getattr__ = lazily(
        __name__,
        {
            "Engine": "targets",
            "Setting": "effective",
            "Target": "targets",
            "TargetContext": "targets",
            "context_for": "resolve",
            "effective_settings": "effective",
            "read_trusted_roots": "resolve",
            "trusted_root_files": "resolve",
        },
    )

__all__ = [
    "FILE_NAME",
    "Config",
    "Engine",
    "FailOn",
    "LoadedConfig",
    "Setting",
    "Target",
    "TargetContext",
    "context_for",
    "effective_settings",
    "find_config",
    "has_owners",
    "load_config",
    "owner_index",
    "read_trusted_roots",
    "trusted_root_files",
]
