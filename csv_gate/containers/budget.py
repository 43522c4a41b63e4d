"""What one file of the build output may cost: one budget for everything that is reached from it, at every level.

Ratios multiply from level to level, so a bound for each member alone would let a small file unpack to petabytes. The budget counts
all bytes that any decompressor gives, and compares them with the size of the outer file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn

from csv_gate.errors import LimitError
from csv_gate.limits import Limits


class Budget:
    """The running account. `clock` gives seconds from any start, as `time.monotonic` does."""

    def __init__(self, limits: Limits, outer_bytes: int, clock: Callable[[], float]) -> None:
        self.limits = limits
        self.held_bytes = 0
        """Members that are in memory now."""
        self.exhausted: LimitError | None = None
        """Set once a bound of the whole was reached: from then on nothing more is read."""
        self._clock = clock
        self._ends = clock() + limits.max_container_seconds
        self.members = 0
        """That were looked at."""
        self.unpacked_bytes = 0
        """By any decompressor, or copied."""
        ratio = limits.max_container_total_ratio * outer_bytes
        self._ratio_bytes = max(limits.container_ratio_floor_bytes * 4, ratio)

    def spend(self, unpacked: int) -> None:
        """Account for bytes that were unpacked or copied.

        Raises:
            LimitError: a bound of the whole is reached, now or before.
        """
        if self.exhausted is not None:
            raise self.exhausted
        self.unpacked_bytes += unpacked
        limits = self.limits
        if self.unpacked_bytes > self._ratio_bytes:
            self._exhaust(
                "the container unpacks to far more than its size (max_container_total_ratio)",
                f"at most {limits.max_container_total_ratio} : 1",
            )
        if self.unpacked_bytes > limits.max_container_bytes:
            self._exhaust(
                "the container unpacks to too much (max_container_bytes)", f"at most {limits.max_container_bytes} bytes"
            )
        if self._clock() > self._ends:
            self._exhaust(
                "unpacking the container takes too long (max_container_seconds)", f"at most {limits.max_container_seconds} s"
            )

    def spend_member(self) -> None:
        """Account for one more member.

        Raises:
            LimitError: as `spend`.
        """
        self.members += 1
        if self.members > self.limits.max_container_members:
            self._exhaust_members()
        self.spend(0)

    def spend_members(self, listed: int) -> None:
        """Account for members that a container lists, before anything is made of them.

        Raises:
            LimitError: as `spend`.
        """
        if self.members + listed > self.limits.max_container_members:
            self._exhaust_members()
        self.spend(0)

    def check_ratio(self, unpacked: int, packed: int) -> None:
        """Of one member or stream, as far as it was read or as it declares itself.

        Raises:
            LimitError: it unpacks to far more than its size.
        """
        limits = self.limits
        if unpacked > limits.container_ratio_floor_bytes and unpacked > limits.max_container_ratio * max(1, packed):
            raise LimitError(
                "it unpacks to far more than its size (max_container_ratio)",
                got=f"{unpacked} bytes out of {packed}",
                expected=f"at most {limits.max_container_ratio} : 1",
            )

    def check_name(self, size: int) -> None:
        """Raises LimitError for a name that is too long."""
        if size > self.limits.max_member_name_bytes:
            raise LimitError(
                "a member's name is too long (max_member_name_bytes)",
                got=f"{size} bytes",
                expected=f"at most {self.limits.max_member_name_bytes}",
            )

    def metered(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The same chunks, each accounted for."""
        for chunk in chunks:
            self.spend(len(chunk))
            yield chunk

    def _exhaust_members(self) -> NoReturn:
        most = self.limits.max_container_members
        self._exhaust("the container has too many members (max_container_members)", f"at most {most}")

    def _exhaust(self, title: str, expected: str) -> NoReturn:
        self.exhausted = LimitError(title, expected=expected)
        raise self.exhausted
