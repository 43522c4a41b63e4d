"""`csv-gate.yaml`: found, read strictly, put together with what it extends, and resolved per artifact."""

from __future__ import annotations

from csv_gate.config.effective import Setting, effective
from csv_gate.config.loading import FILE_NAME, LoadedConfig, find_config, load_config
from csv_gate.config.model import Config, FailOn
from csv_gate.config.owning import owner_index
from csv_gate.config.resolve import context_for, read_trusted_roots, trusted_root_files
from csv_gate.config.targets import Engine, Target, TargetContext

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
    "effective",
    "find_config",
    "load_config",
    "owner_index",
    "read_trusted_roots",
    "trusted_root_files",
]
