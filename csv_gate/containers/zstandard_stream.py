"""Zstandard (RFC 8878) by the standard library from Python 3.14 on, before that by the optional library `zstandard`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from csv_gate.containers.member import CHUNK_BYTES
from csv_gate.errors import ArtifactError
from csv_gate.limits import Limits

_PIECE_BYTES = 128
"""The library unpacks at once all that it is given. A block that repeats one byte has 4 bytes and gives 128 KiB (RFC 8878 section
3.1.1.2), so this much gives at most 4 MiB."""


class _Frame:
    """One frame, unpacked piece by piece: the library has no bound for its output, so the input is cut small."""

    def __init__(self, inner: Any, error: type[Exception]) -> None:
        self._inner = inner
        self._error = error
        self._input = b""
        self._output = bytearray()
        self.unused_data = b""

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof) and not self._output

    @property
    def needs_input(self) -> bool:
        return not self._input and not self._output

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        self._input += data
        while self._input and len(self._output) < CHUNK_BYTES and not self._inner.eof:
            piece, self._input = self._input[:_PIECE_BYTES], self._input[_PIECE_BYTES:]
            try:
                self._output += self._inner.decompress(piece)
            except self._error as error:
                raise ValueError(str(error)) from error
        if self._inner.eof:
            self.unused_data, self._input = bytes(self._inner.unused_data) + self._input, b""
        size = len(self._output) if max_length < 0 else max_length
        out = bytes(self._output[:size])
        del self._output[:size]
        return out


def open_stream(limits: Limits) -> _Frame:
    """A decompressor of one frame.

    Raises:
        ArtifactError: no library for it is installed.
    """
    if sys.version_info >= (3, 14):
        from compression import zstd

        window_log = limits.max_decompressor_bytes.bit_length() - 1
        options = {zstd.DecompressionParameter.window_log_max: window_log}
        make: Callable[[], Any] = lambda: zstd.ZstdDecompressor(options=options)  # noqa: E731
        return _Frame(make(), zstd.ZstdError)
    try:
        import zstandard
    except ImportError as error:
        raise ArtifactError(
            "Zstandard is not read: the library is not installed", help="pip install 'csv-gate[zstd]', or Python 3.14"
        ) from error
    inner = zstandard.ZstdDecompressor(max_window_size=limits.max_decompressor_bytes).decompressobj()
    return _Frame(inner, zstandard.ZstdError)
