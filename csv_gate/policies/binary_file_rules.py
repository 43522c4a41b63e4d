"""The file rules of a compiled policy: their parts stand in six blocks and are put together at the end."""

from __future__ import annotations

from csv_gate.errors import Place
from csv_gate.model.appcontrol import FileRule, FileRuleKind, VersionBounds
from csv_gate.policies import binary_layout as layout
from csv_gate.policies.app_ids import MacroWriter
from csv_gate.policies.binary_cursor import Cursor
from csv_gate.policies.notes import Notes
from csv_gate.policies.references import Target
from csv_gate.policies.rule_shape import rule_fault
from csv_gate.policies.version_bounds import UNLIMITED

_KINDS = {
    Target.RULE: (FileRuleKind.ALLOW, FileRuleKind.DENY),
    Target.ALLOW: (FileRuleKind.ALLOW,),
    Target.DENY: (FileRuleKind.DENY,),
    Target.ATTRIBUTE: (FileRuleKind.ATTRIBUTE,),
}


class _Parts:
    """One rule while its blocks are read."""

    __slots__ = (
        "app_ids",
        "description",
        "digest",
        "file_name",
        "hotpatch",
        "internal_name",
        "kind",
        "maximum",
        "minimum",
        "package",
        "package_version",
        "path",
        "place",
        "product",
        "rule_id",
        "sequence",
    )

    def __init__(
        self, kind: FileRuleKind, rule_id: str, place: Place, file_name: str | None, minimum: int, digest: bytes
    ) -> None:
        self.kind = kind
        self.rule_id = rule_id
        self.place = place
        self.file_name = file_name
        self.minimum = minimum
        self.digest = digest
        self.maximum = 0
        self.app_ids: tuple[str, ...] = ()
        self.internal_name: str | None = None
        self.description: str | None = None
        self.product: str | None = None
        self.package: str | None = None
        self.package_version = 0
        self.path: str | None = None
        self.hotpatch: str | None = None
        self.sequence: tuple[int, int] | None = None


class BinaryFileRules:
    """Reads the rule block at once, the others when their turn comes."""

    def __init__(self, cursor: Cursor, count: int, ids: layout.InventedIds, notes: Notes) -> None:
        self._cursor = cursor
        self._notes = notes
        self._rules = [self._first_part(ids) for _ in range(count)]

    def _first_part(self, ids: layout.InventedIds) -> _Parts:
        cursor = self._cursor
        place = cursor.place()
        kind = FileRuleKind(cursor.index("file rule types (Deny, Allow, FileAttrib)", 3))
        file_name = cursor.string("FileName of a rule")
        minimum = cursor.u64("the minimum version of a rule")
        return _Parts(kind, ids.next(kind), place, file_name, minimum, cursor.blob("the hash of a rule"))

    def references(self, what: str, target: Target) -> tuple[str, ...]:
        """Ids of an index list.

        Raises:
            PolicyError: an index is too large, or its rule is of the wrong kind.
        """
        cursor, kinds = self._cursor, _KINDS[target]
        found = []
        for _ in range(cursor.count(what, 4)):
            start = cursor.position
            rule = self._rules[cursor.index(what, len(self._rules))]
            if rule.kind not in kinds:
                cursor.refuse(
                    f"{what}: an index points to a rule of the wrong kind",
                    got=rule.kind.name.capitalize(),
                    expected=str(target),
                    at=start,
                )
            found.append(rule.rule_id)
        return tuple(found)

    def read_versions(self) -> None:
        """Maximum version and AppIDs of each rule; the signing times that follow belong to signers."""
        cursor = self._cursor
        cursor.expect(3, "block 3 (maximum versions)")
        for rule in self._rules:
            rule.maximum = cursor.u64("the maximum version of a rule")
            if number := cursor.count("AppIDs", 8):
                rule.app_ids = tuple(cursor.string("an AppID") or "" for _ in range(number))

    def read_names(self) -> None:
        cursor = self._cursor
        cursor.expect(4, "block 4 (names)")
        for rule in self._rules:
            rule.internal_name = cursor.string("InternalName")
            rule.description = cursor.string("FileDescription")
            rule.product = cursor.string("ProductName")

    def read_packages(self) -> None:
        cursor = self._cursor
        cursor.expect(5, "block 5 (packages)")
        for rule in self._rules:
            rule.package = cursor.string("PackageFamilyName")
            rule.package_version = cursor.u64("PackageVersion")

    def read_paths(self) -> None:
        cursor = self._cursor
        cursor.expect(7, "block 7 (paths)")
        for rule in self._rules:
            rule.path = cursor.string("FilePath")

    def read_hotpatches(self) -> None:
        """Which Allow rule requires which other as its hotpatch."""
        cursor = self._cursor
        cursor.expect(9, "block 9 (hotpatches)")
        for _ in range(cursor.count("hotpatches", 16)):
            start = cursor.position
            base = self._rules[cursor.index("hotpatch bases", len(self._rules))]
            target = self._rules[cursor.index("hotpatch targets", len(self._rules))]
            sequence = cursor.u32("a hotpatch sequence"), cursor.u32("a hotpatch sequence")
            both_allow = base.kind is target.kind is FileRuleKind.ALLOW
            if (
                not both_allow
                or base is target
                or base.hotpatch
                or target.sequence not in (None, sequence)
                or sequence[0] > sequence[1]
            ):
                cursor.refuse(
                    "a hotpatch entry makes no sense",
                    got=f"{base.rule_id} requires {target.rule_id}, sequence {sequence[0]} to {sequence[1]}",
                    expected="two Allow rules, each required with one range",
                    at=start,
                )
            base.hotpatch = target.rule_id
            target.sequence = sequence

    def finished(self) -> tuple[dict[str, FileRule], tuple[tuple[str, str], ...]]:
        """The rules by id, and the macros that XML needs for their AppIDs.

        Raises:
            PolicyError: a rule that no compiler would have written.
        """
        macros = MacroWriter()
        rules = {}
        for parts in self._rules:
            rule = self._rule(parts, macros)
            if (fault := rule_fault(rule)) is not None:
                at = parts.place.offset or 0
                self._cursor.refuse_at(at, f"{fault.title}: {rule.id}", got=fault.got, expected=fault.expected)
            rules[rule.id] = rule
        for rule in rules.values():
            if rule.require_hotpatch_id and rules[rule.require_hotpatch_id].require_hotpatch_id:
                at = rule.place.offset or 0
                self._cursor.refuse_at(
                    at, "hotpatch rules form a chain", got=rule.id, expected="a hotpatch that requires none itself"
                )
        return rules, macros.macros()

    def _rule(self, parts: _Parts, macros: MacroWriter) -> FileRule:
        lowest, highest = parts.sequence or (0, layout.ANY_SEQUENCE)
        if parts.digest and (parts.minimum, parts.maximum) not in UNLIMITED:
            self._notes.add("rules by hash carry file versions, which mean nothing there", parts.rule_id)
        return FileRule(
            id=parts.rule_id,
            kind=parts.kind,
            place=parts.place,
            hash=parts.digest or None,
            file_name=parts.file_name,
            internal_name=parts.internal_name,
            file_description=parts.description,
            product_name=parts.product,
            package_family_name=parts.package,
            package_version=parts.package_version or None,
            file_path=parts.path,
            versions=VersionBounds(minimum=parts.minimum, maximum=parts.maximum),
            app_ids=parts.app_ids,
            app_ids_text=macros.text(parts.app_ids),
            require_hotpatch_id=parts.hotpatch,
            minimum_hotpatch_sequence=lowest or None,
            maximum_hotpatch_sequence=None if highest == layout.ANY_SEQUENCE else highest,
        )
