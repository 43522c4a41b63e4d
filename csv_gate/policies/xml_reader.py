"""SiPolicy XML to the policy model, whole newest schema, with line and column for every rule and every fault.

Strict where the compiler is: unknown elements and attributes, dangling references, duplicate ids, broken values are refused, for
a policy that is half understood gives false answers. Lenient where real files vary and the meaning is plain: id patterns, order of
sections, blanks, BOM and UTF-16, option texts with " (Default)"; each leniency is a line in the policy's `notes`.

Not judged here: whether the policy makes sense (lint does), and the files it would decide about (the engine does).

Source: the public `cipolicy.xsd`, and App Control docs, "Understand App Control policy rules and file rules".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Protocol, TypeVar

from csv_gate.errors import Place, PolicyError
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.appcontrol import (
    AppControlPolicy,
    ArtifactRule,
    Eku,
    FileRule,
    PolicyForm,
    PolicyKind,
    Scenario,
    Setting,
)
from csv_gate.policies import xml_grammar as grammar
from csv_gate.policies.notes import Notes
from csv_gate.policies.references import References, Target
from csv_gate.policies.xml_file_rules import artifact_rule, eku, file_rule, plain_rule
from csv_gate.policies.xml_header import Identity, app, info, macro, option, policy_identity, setting
from csv_gate.policies.xml_signers import UnboundSigner, plain_file_rule_ref, reference, scenario, signer
from csv_gate.policies.xml_tree import Element, read_tree
from csv_gate.policies.xml_values import number_value, version_value
from csv_gate.records import replace


class _Placed(Protocol):
    @property
    def place(self) -> Place: ...


T = TypeVar("T")
N = TypeVar("N", FileRule, Eku, ArtifactRule)


def read_xml(data: bytes, *, path: str, limits: Limits = DEFAULT_LIMITS) -> AppControlPolicy:
    """Read one SiPolicy. `data` is attacker-controlled.

    Raises:
        PolicyError: with line, what was found, what was expected and what to do.
    """
    return _XmlPolicy(data, path, limits).read()


class _XmlPolicy:
    """One reading: what is remembered until the whole text is seen."""

    def __init__(self, data: bytes, path: str, limits: Limits) -> None:
        self._data = data
        self._path = path
        self._limits = limits
        self._notes = Notes()
        self._references = References(path)

    def read(self) -> AppControlPolicy:
        notes, references = self._notes, self._references
        root = read_tree(
            self._data,
            path=self._path,
            limits=self._limits,
            convert={
                grammar.ALLOW: lambda element: file_rule(element, notes),
                grammar.DENY: lambda element: file_rule(element, notes),
                grammar.FILE_ATTRIB: lambda element: file_rule(element, notes),
                grammar.FILE_RULE: lambda element: file_rule(element, notes),
                grammar.EKU: lambda element: eku(element, notes),
                grammar.ARTIFACT_RULE: lambda element: artifact_rule(element, notes),
                grammar.SIGNER: lambda element: signer(element, references, notes),
                grammar.SCENARIO: lambda element: scenario(element, references, notes),
                grammar.FILE_RULE_REF: lambda element: reference(element, "RuleID", Target.RULE, references, notes),
                grammar.ARTIFACT_RULE_REF: lambda element: reference(
                    element, "RuleID", Target.ARTIFACT_RULE, references, notes
                ),
                grammar.SETTING: lambda element: setting(element, notes),
            },
            plain={
                grammar.ALLOW: partial(plain_rule, "Allow", self._path),
                grammar.DENY: partial(plain_rule, "Deny", self._path),
                grammar.FILE_ATTRIB: partial(plain_rule, "FileAttrib", self._path),
                grammar.FILE_RULE_REF: partial(plain_file_rule_ref, references),
            },
        )
        return self._policy(root)

    def _policy(self, root: Element) -> AppControlPolicy:
        rules = self._by_id(root, "FileRules", FileRule)
        ekus = self._by_id(root, "EKUs", Eku)
        artifact_rules = self._by_id(root, "ArtifactRules", ArtifactRule)
        unbound: dict[str, UnboundSigner] = {}
        for found in _values(root, "Signers", UnboundSigner):
            self._unique(unbound, found.signer_id, found.place, "Signers")
            unbound[found.signer_id] = found
        scenarios = self._scenarios(root)
        signer_lists = [
            tuple(reference(child, "SignerId", Target.SIGNER, self._references, self._notes) for child in _children(root, name))
            for name in ("UpdatePolicySigners", "CiSigners", "SupplementalPolicySigners")
        ]
        macros = self._macros(root)
        rules = {
            rule_id: rule if rule.app_ids_text is None else self._expanded(rule, rule.app_ids_text, macros)
            for rule_id, rule in rules.items()
        }
        self._references.resolve(
            rules,
            {
                Target.SIGNER: unbound.keys(),
                Target.EKU: ekus.keys(),
                Target.ARTIFACT_RULE: artifact_rules.keys(),
                Target.SCENARIO: {found.id for found in scenarios},
            },
        )
        self._check_hotpatches(rules)
        identity = policy_identity(root, self._notes)
        settings = tuple(_values(root, "Settings", Setting))
        hvci = root.child("HvciOptions")
        version = root.child("VersionEx")
        assert version is not None  # the schema table demands it
        return AppControlPolicy(
            path=self._path,
            sha256=hashlib.sha256(self._data).hexdigest(),
            form=PolicyForm.XML,
            kind=identity.kind,
            name=info(settings, "Name") or root.attributes.get("FriendlyName"),
            friendly_name=root.attributes.get("FriendlyName"),
            info_id=info(settings, "Id"),
            version=version_value(version, "VersionEx", version.text),
            platform_id=identity.platform_id,
            policy_type_id=identity.policy_type_id,
            policy_id=identity.policy_id,
            base_policy_id=identity.base_policy_id,
            has_policy_id=identity.has_policy_id,
            options=frozenset(option(child, self._notes) for child in _children(root, "Rules")),
            ekus=tuple(ekus.values()),
            file_rules=rules,
            signers={signer_id: found.bind(ekus) for signer_id, found in unbound.items()},
            scenarios=tuple(scenarios),
            artifact_rules=artifact_rules,
            update_signers=signer_lists[0],
            ci_signers=signer_lists[1],
            supplemental_signers=signer_lists[2],
            hvci_options=None if hvci is None else number_value(hvci, "HvciOptions", hvci.text, 0xFFFF_FFFF),
            settings=settings,
            macros=tuple(macros.items()),
            app_settings=tuple(app(child) for child in _children(root, "AppSettings")),
            notes=self._closing_notes(identity, scenarios),
        )

    def _by_id(self, root: Element, section: str, kind: type[N]) -> dict[str, N]:
        found: dict[str, N] = {}
        for value in _values(root, section, kind):
            if found.setdefault(value.id, value) is not value:
                self._unique(found, value.id, value.place, section)
        return found

    def _unique(self, known: Mapping[str, _Placed], identifier: str, place: Place, section: str) -> None:
        if identifier in known:
            raise PolicyError(
                f"the id {identifier[:120]} is given twice in {section}",
                place=place,
                got=f"{identifier[:120]} again",
                expected=f"an id of its own (line {known[identifier].place.line} has the first)",
                help="rename one of the two and its references",
            )

    def _scenarios(self, root: Element) -> list[Scenario]:
        scenarios: dict[str, Scenario] = {}
        values: dict[int, Scenario] = {}
        for found in _values(root, "SigningScenarios", Scenario):
            self._unique(scenarios, found.id, found.place, "SigningScenarios")
            if found.value in values:
                raise PolicyError(
                    f"two signing scenarios have the value {found.value}",
                    place=found.place,
                    got=f"{found.value} again",
                    expected=f"one scenario per value (line {values[found.value].place.line} has the first)",
                    help="merge the two",
                )
            scenarios[found.id] = values[found.value] = found
        return list(scenarios.values())

    def _macros(self, root: Element) -> dict[str, str]:
        macros: dict[str, str] = {}
        for child in _children(root, "Macros"):
            macro_id, value = macro(child, self._notes)
            if macro_id in macros:
                raise child.error(
                    f"the macro {macro_id[:60]} is given twice", got=f"{macro_id[:60]} again", expected="one value"
                )
            macros[macro_id] = value
        return macros

    def _expanded(self, rule: FileRule, text: str, macros: Mapping[str, str]) -> FileRule:
        from csv_gate.policies.app_ids import expand, macro_names  # few policies have any

        names = macro_names(text)
        if names is None:
            raise PolicyError(
                f"AppIDs of {rule.id} is neither a name nor macros",
                place=rule.place,
                got=repr(text[:60]),
                expected="$(Name)$(Name)… or a name that does not begin with $",
                help="a list is written as macros only",
            )
        for name in names:
            if name not in macros:
                raise PolicyError(
                    f"AppIDs of {rule.id} uses a macro that is not defined",
                    place=rule.place,
                    got=f"$({name[:60]})",
                    expected="the Id of a Macro of this policy",
                    help="define it under <Macros>",
                )
        return replace(rule, app_ids=expand(text, macros))

    def _check_hotpatches(self, rules: Mapping[str, FileRule]) -> None:
        for rule in rules.values():
            if (required := rule.require_hotpatch_id) is None:
                continue
            target = rules.get(required)
            if target is None or target.kind is not rule.kind or target is rule or target.require_hotpatch_id is not None:
                raise PolicyError(
                    f"RequireHotpatchID of {rule.id} does not refer to a hotpatch",
                    place=rule.place,
                    got=required[:120],
                    expected="the id of another Allow rule that requires none itself",
                    help="correct the reference",
                )

    def _closing_notes(self, identity: Identity, scenarios: list[Scenario]) -> tuple[str, ...]:
        if identity.kind is PolicyKind.APPID_TAGGING and any(found.value != 12 for found in scenarios):
            self._notes.add("an AppID tagging policy has a scenario other than 12")
        return self._notes.lines()


def _values(root: Element, section: str, kind: type[T]) -> list[T]:
    element = root.child(section)
    return [] if element is None else [value for _, value in element.children if isinstance(value, kind)]


def _children(root: Element, section: str) -> list[Element]:
    element = root.child(section)
    return [] if element is None else list(element.elements())
