"""The roots of a run: the known ones, and those given by hand."""

from __future__ import annotations

from functools import lru_cache

from csv_gate.errors import ConfigError, FormatError
from csv_gate.signatures import Roots


@lru_cache(maxsize=4)
def roots_with(given: tuple[bytes, ...]) -> Roots:
    """The roots that chains may end in. One object for equal input, since chains are remembered per object.

    Raises:
        ConfigError: one of the given is not a certificate.
    """
    if not given:
        return Roots.known()
    try:
        return Roots.known().with_given(given)
    except FormatError as error:
        raise ConfigError(f"a given root certificate cannot be used: {error}", expected="an X.509 certificate") from error
