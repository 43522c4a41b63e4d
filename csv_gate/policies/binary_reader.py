"""Compiled App Control policies (`.cip`, `.bin`, `SiPolicy.p7b` without its envelope) to the policy model.

The numbers are taken as they stand: where a compiled policy and the XML it came from could mean different things (absent
maxima, versions of Deny rules), the target enforces the compiled one. Ids and friendly names are not stored; ids are invented by
kind and position, `place` is the byte offset. Layout and its sources: `binary_layout`.

Refused: formats newer than known (what is not understood can't be judged), and anything that does not end exactly at its end tag.
Lost for writing back: the types of app settings (block 8), and times finer than a microsecond.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.appcontrol import (
    AppControlPolicy,
    CertRoot,
    Eku,
    EkuCondition,
    Option,
    PolicyForm,
    PolicyKind,
    PolicySignature,
    RootKind,
    Setting,
    Signer,
)
from csv_gate.model.guid import Guid
from csv_gate.policies import binary_layout as layout
from csv_gate.policies.binary_cursor import Cursor
from csv_gate.policies.binary_file_rules import BinaryFileRules
from csv_gate.policies.binary_scenarios import (
    read_artifact_groups,
    read_artifact_rules,
    read_scenarios,
)
from csv_gate.policies.binary_settings import read_app_settings, read_settings, settled_tags
from csv_gate.policies.notes import Notes
from csv_gate.policies.object_identifier import oid_from_value
from csv_gate.policies.references import Target
from csv_gate.policies.xml_header import info
from csv_gate.policies.xml_values import FILETIME_EPOCH
from csv_gate.records import replace

_LATEST = datetime.max.replace(tzinfo=FILETIME_EPOCH.tzinfo)


def read_binary(
    data: bytes,
    *,
    path: str,
    limits: Limits = DEFAULT_LIMITS,
    base: int = 0,
    sha256: str | None = None,
    signature: PolicySignature | None = None,
) -> AppControlPolicy:
    """Read one compiled policy without envelope. `data` is attacker-controlled.

    Args:
        base: where `data` begins in the file, for the offsets in messages.
        sha256: of the whole file, when there is an envelope around `data`.
        signature: what the envelope said.

    Raises:
        PolicyError: with offset, what was found and what was expected.
    """
    return _BinaryPolicy(Cursor(data, path=path, limits=limits, base=base), path).read(
        sha256 or hashlib.sha256(data).hexdigest(), signature
    )


class _BinaryPolicy:
    """One reading, block after block."""

    def __init__(self, cursor: Cursor, path: str) -> None:
        self._cursor = cursor
        self._path = path
        self._notes = Notes()
        self._ids = layout.InventedIds()
        self._ekus: list[Eku] = []
        self._signers: list[Signer] = []

    def read(self, sha256: str, signature: PolicySignature | None) -> AppControlPolicy:
        cursor, notes = self._cursor, self._notes
        format_version = self._format()
        header_id = cursor.guid("the policy id of the header")
        platform_id = cursor.guid("the platform id")
        word = cursor.u32("the option word")
        eku_count, rule_count, signer_count, scenario_count = self._counts()
        version = cursor.u64("VersionEx")
        cursor.expect(layout.HEADER_LENGTH, "the header length")
        if not word & layout.ALWAYS_BIT:
            notes.add("bit 31 of the option word is not set, as it is in every known policy")
        for _ in range(eku_count):
            self._read_eku()
        rules = BinaryFileRules(cursor, rule_count, self._ids, notes)
        for _ in range(signer_count):
            self._read_signer(rules)
        update, ci = (cursor.indexes(name, signer_count) for name in ("update policy signers", "CI signers"))
        signer_ids = [signer.id for signer in self._signers]
        scenarios = read_scenarios(cursor, scenario_count, signer_ids, rules)
        hvci = cursor.u32("the HVCI options")
        settings = read_settings(cursor)
        if format_version >= 3:
            rules.read_versions()
            self._read_sign_times()
        if format_version >= 4:
            rules.read_names()
        if format_version >= 5:
            rules.read_packages()
        policy_id = base_id = header_id
        supplemental: tuple[int, ...] = ()
        if format_version >= 6:
            cursor.expect(6, "block 6 (ids)")
            policy_id, base_id = cursor.guid("the policy id"), cursor.guid("the base policy id")
            supplemental = cursor.indexes("supplemental policy signers", signer_count)
        if format_version >= 7:
            rules.read_paths()
        apps = read_app_settings(cursor) if format_version >= 8 else ()
        if format_version >= 9:
            rules.read_hotpatches()
        artifact_rules = []
        if format_version >= 10:
            artifact_rules = read_artifact_rules(cursor, self._ids)
            self._read_artifact_references([rule.id for rule in artifact_rules])
            scenarios = read_artifact_groups(cursor, scenarios, signer_ids, rules, [rule.id for rule in artifact_rules])
        if format_version >= 11:
            self._read_eku_conditions()
        self._end(format_version)
        options, unknown = layout.options_of(word)
        if layout.has_setting(settings, layout.REMAPPING_SETTING):
            settings = layout.without_setting(settings, layout.REMAPPING_SETTING)
            options |= {Option.DISABLED_CERTIFICATE_REMAPPING}
        kind = self._kind(word, options, settings, policy_id, base_id)
        if kind is PolicyKind.APPID_TAGGING:
            settings = layout.without_setting(settings, layout.TAGGING_SETTING)
        scenarios, settings = settled_tags(scenarios, settings)
        file_rules, macros = rules.finished()
        return AppControlPolicy(
            path=self._path,
            sha256=sha256,
            form=PolicyForm.BINARY,
            kind=kind,
            name=info(settings, "Name"),
            friendly_name=None,
            info_id=info(settings, "Id"),
            version=version,
            platform_id=platform_id,
            policy_type_id=header_id if format_version < 6 or header_id != base_id else None,
            policy_id=policy_id,
            base_policy_id=base_id,
            has_policy_id=format_version >= 6,
            options=options,
            unknown_option_bits=unknown,
            ekus=tuple(self._ekus),
            file_rules=file_rules,
            signers={signer.id: signer for signer in self._signers},
            scenarios=tuple(scenarios),
            artifact_rules={rule.id: rule for rule in artifact_rules},
            update_signers=tuple(signer_ids[index] for index in update),
            ci_signers=tuple(signer_ids[index] for index in ci),
            supplemental_signers=tuple(signer_ids[index] for index in supplemental),
            hvci_options=hvci,
            settings=tuple(settings),
            macros=macros,
            app_settings=apps,
            format_version=format_version,
            signature=signature,
            notes=notes.lines(),
        )

    def _format(self) -> int:
        number = self._cursor.u32("the format number")
        if not layout.FIRST_FORMAT <= number <= layout.NEWEST_FORMAT:
            self._cursor.refuse(
                "the policy has a format that is not known",
                got=f"format {number}",
                expected=f"{layout.FIRST_FORMAT} to {layout.NEWEST_FORMAT}",
                at=0,
                help="if it is a newer one, update csv-gate, or give the policy's XML",
            )
        if number < layout.NATIVE_FORMAT:
            self._notes.add(f"format {number} is older than any that was checked against Windows' compiler")
        return number

    def _counts(self) -> list[int]:
        """Counts of the header, none larger than the file or the limits could hold."""
        counts = []
        for what, each in (("EKUs", 4), ("file rules", 24), ("signers", 40), ("signing scenarios", 48)):
            start = self._cursor.position
            number = self._cursor.u32(what)
            self._cursor.fits(number, what, each, start)
            counts.append(number)
        return counts

    def _read_eku(self) -> None:
        place = self._cursor.place()
        value = self._cursor.blob("an EKU")
        oid = oid_from_value(value)
        if oid is None:
            self._cursor.refuse(
                "an EKU is no encoded object identifier", got=value.hex()[:60], expected="01, length, identifier octets"
            )
        self._ekus.append(Eku(id=self._ids.next(Target.EKU), place=place, oid=oid, value=value))

    def _read_signer(self, rules: BinaryFileRules) -> None:
        cursor = self._cursor
        place, start = cursor.place(), cursor.position
        kind = cursor.u32("the root kind of a signer")
        if kind == RootKind.TBS:
            root = CertRoot(kind=RootKind.TBS, value=cursor.blob("the TBS hash of a signer"))
            if not root.value:
                cursor.refuse("a signer has an empty TBS hash", got="0 octets", expected="a digest", at=start)
        elif kind == RootKind.WELL_KNOWN:
            root = CertRoot(kind=RootKind.WELL_KNOWN, value=bytes((cursor.index("well-known roots", 0x100),)))
        else:
            cursor.refuse("a signer has a root of unknown kind", got=str(kind), expected="0 (TBS) or 1 (well-known)", at=start)
        ekus = cursor.indexes("EKUs of a signer", len(self._ekus))
        issuer, publisher, oem_id = (cursor.string(what) for what in ("CertIssuer", "CertPublisher", "CertOemID"))
        self._signers.append(
            Signer(
                id=self._ids.next(Target.SIGNER),
                place=place,
                root=root,
                ekus=tuple(EkuCondition(eku=self._ekus[index]) for index in ekus),
                issuer=issuer,
                publisher=publisher,
                oem_id=oem_id,
                file_attributes=rules.references("file attributes of a signer", Target.ATTRIBUTE),
            )
        )

    def _read_sign_times(self) -> None:
        cursor = self._cursor
        for index, signer in enumerate(self._signers):
            start = cursor.position
            ticks = cursor.i64("SignTimeAfter of a signer")
            if ticks == 0:
                continue
            if not 0 < ticks // 10 <= (_LATEST - FILETIME_EPOCH) // timedelta(microseconds=1):
                cursor.refuse(
                    "SignTimeAfter is no date", got=str(ticks), expected="100 ns since 1601, up to the year 9999", at=start
                )
            if ticks % 10:
                self._notes.add("times are finer than a microsecond; the rest is dropped")
            moment = FILETIME_EPOCH + timedelta(microseconds=ticks // 10)
            self._signers[index] = replace(signer, sign_time_after=moment)

    def _read_artifact_references(self, rule_ids: list[str]) -> None:
        for index in self._each_signer("artifact rules"):
            found = self._cursor.indexes("artifact rules of a signer", len(rule_ids))
            self._signers[index] = replace(self._signers[index], artifact_rules=tuple(rule_ids[number] for number in found))

    def _read_eku_conditions(self) -> None:
        self._cursor.expect(11, "block 11 (EKU conditions)")
        for index in self._each_signer("EKU conditions"):
            found = self._cursor.indexes("excepted EKUs", len(self._ekus))
            conditions = tuple(EkuCondition(eku=self._ekus[number], is_except=True) for number in found)
            self._signers[index] = replace(self._signers[index], ekus=(*self._signers[index].ekus, *conditions))

    def _each_signer(self, what: str) -> Iterator[int]:
        """The signers of a counted list that may name each only once."""
        cursor = self._cursor
        seen: set[int] = set()
        for _ in range(cursor.count(f"signers with {what}", 8)):
            start = cursor.position
            index = cursor.index("signers", len(self._signers))
            if index in seen:
                cursor.refuse(f"a signer has {what} twice", got=f"signer {index} again", expected="each signer once", at=start)
            seen.add(index)
            yield index

    def _end(self, format_version: int) -> None:
        cursor = self._cursor
        cursor.expect(format_version + 1, "the end tag")
        if cursor.position != cursor.size:
            cursor.refuse(
                "bytes follow the end tag", got=f"{cursor.size - cursor.position} bytes", expected="the end of the policy"
            )

    def _kind(
        self, word: int, options: frozenset[Option], settings: list[Setting], policy_id: Guid, base_id: Guid
    ) -> PolicyKind:
        is_supplemental = bool(word & layout.SUPPLEMENTAL_BIT)
        if layout.has_setting(settings, layout.TAGGING_SETTING):
            if options >= layout.TAGGING_OPTIONS and not is_supplemental:
                return PolicyKind.APPID_TAGGING
            self._notes.add("the tagging setting stands without the options of a tagging policy: read as an ordinary policy")
        if is_supplemental != (policy_id != base_id):
            self._notes.add("the supplemental bit and the ids of the policy disagree")
        return PolicyKind.SUPPLEMENTAL if is_supplemental else PolicyKind.BASE
