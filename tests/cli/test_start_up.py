"""What a cheap command imports: counts are stable where clocks are not."""

import subprocess
import sys

import pytest

PROBE = """
import sys
before = set(sys.modules)
from csv_gate.cli.main import main
code = main(sys.argv[1:])
print("MODULES", " ".join(sorted(set(sys.modules) - before)))
"""
HEAVY = (
    "cryptography",
    "yaml",
    "lief",
    "pefile",
    "asn1crypto",
    "jsonschema",
    "xml",
    "multiprocessing",
    "concurrent",
    "csv_gate.gate",
)


def modules(*arguments: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.rpartition("MODULES ")[2].split()


@pytest.mark.parametrize(
    ("arguments", "most"),
    [(("--help",), 60), (("--version",), 60), (("check", "--help"), 140), (("explain", "CSV101"), 140)],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_cheap_command_imports_little_and_nothing_heavy(arguments: tuple[str, ...], most: int) -> None:
    found = modules(*arguments)
    assert not [name for name in found if name in HEAVY or name.startswith(tuple(f"{heavy}." for heavy in HEAVY))]
    assert len(found) <= most, found
