"""A second App Control evaluator: no indexes, no explanations, every rule compared with every fact, written from the rules as they are
published and sharing no code with the engine. It answers `allowed`, `denied`, `undecided`, `not_applicable`, with `+audited` where
only a logging policy objects.

`mutants` switches on one well-known misreading each, to show that the generated cases would tell it.
Truth is 0 (no), 1 (unknown), 2 (yes): all of is `min`, any of is `max`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from csv_gate.model.appcontrol import (
    AppControlPolicy,
    AppControlPolicySet,
    FileRule,
    Option,
    PolicyForm,
    RootKind,
    Scenario,
    Signer,
    SignerUse,
)
from csv_gate.model.context import AppControlContext, CodeMode, Mode
from csv_gate.model.facts import CertificateFacts, ChainEnd, ChainFacts, FactName, Facts, SignatureFacts, SignatureSource
from csv_gate.model.problems import ProblemCode

NO, MAYBE, YES = 0, 1, 2
TOP = 0xFFFF_FFFF_FFFF_FFFF
LIFETIME = "1.3.6.1.4.1.311.10.3.13"
CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
WHQL, ATTESTED, COMPONENT = "1.3.6.1.4.1.311.10.3.5", "1.3.6.1.4.1.311.10.3.5.1", "1.3.6.1.4.1.311.10.3.6"
DOUBTFUL = frozenset(
    {
        ProblemCode.CHAIN_AMBIGUOUS,
        ProblemCode.CHAIN_TOO_LONG,
        ProblemCode.CHAIN_ISSUER_NOT_CA,
        ProblemCode.CMS_NOT_DER,
        ProblemCode.CMS_SIGNER_VERSION,
        ProblemCode.CMS_CERTIFICATE_MALFORMED,
        ProblemCode.NESTED_DEEP,
        ProblemCode.WEAK_DIGEST,
        ProblemCode.CHAIN_INCOMPLETE,
    }
)
HIDING = frozenset(
    {
        ProblemCode.CHAIN_AMBIGUOUS,
        ProblemCode.CHAIN_TOO_LONG,
        ProblemCode.CHAIN_ISSUER_NOT_CA,
        ProblemCode.CMS_CERTIFICATE_MALFORMED,
        ProblemCode.NESTED_TOO_MANY,
    }
)
NAMES_OF_ROOTS = {
    3: "microsoft authenticode(tm) root authority",
    8: "microsoft code verification root",
    9: "microsoft test root authority",
    0x10: "microsoft ecc testing root certificate authority 2017",
    0x11: "microsoft ecc development root certificate authority 2018",
    0x12: "microsoft ecc product root certificate authority 2018",
    0x16: "microsoft identity verification root certificate authority 2020",
    4: "microsoft root authority",
    5: "microsoft root certificate authority",
    6: "microsoft root certificate authority 2010",
    7: "microsoft root certificate authority 2011",
    0x0A: "microsoft testing root certificate authority 2010",
    0x0E: "microsoft development root certificate authority 2014",
}

HOSTED = {"powershell", "powershell_xml", "vbscript", "jscript", "wsf", "msi", "msp", "mst", "hta", "encoded_script"}
SERVER_2016 = 14393

MUTANTS: Mapping[str, str] = {
    "ignores deny": "no deny rule and no denied signer counts",
    "deny minimum as a floor": "a deny rule with a minimum denies from that version on",
    "sha256 tbs everywhere": "a TBS value is compared with the SHA-256 of every certificate",
    "any eku": "one of a signer's EKUs suffices",
    "union of bases": "one base that allows suffices",
    "no exceptions": "exceptions of signers are ignored",
    "disk name": "FileName is compared with another name than OriginalFilename",
    "first signature only": "nested and catalog signatures are ignored",
    "attributes or": "one attribute of a rule suffices",
    "broken signatures allow": "a signature counts whether it holds or not",
    "page hash allows": "the first page's hash allows",
    "supplemental deny counts": "a supplemental can deny",
    "option 17 ignored": "supplementals count under any base",
    "case sensitive names": "names are compared with case",
    "issuer ignored": "CertIssuer is not compared",
    "publisher ignored": "CertPublisher is not compared",
    "no maximum": "maximum versions are ignored",
    "umci ignored": "user code is governed whatever option 0 says",
    "audit blocks": "audit mode is read as enforced",
    "wrong scenario": "drivers are judged by scenario 12",
    "file attributes ignored": "a signer's file attributes are not compared",
    "unreferenced rules count": "file rules need no reference from a scenario",
    "well-known ignored": "a well-known root matches any chain that ends in a known root",
    "oem id from the certificate": "CertOemID is compared with the leaf's common name",
    "lifetime ignored": "an expired certificate never matters",
    "unknown is no": "what is not known does not match",
    "problems ignored": "a signature that is valid counts whatever else was seen of it",
    "except ekus ignored": "a signer's excepted EKUs are not compared",
}


@dataclass(frozen=True)
class PlainEvaluator:
    facts: Facts
    context: AppControlContext
    mutants: frozenset[str] = frozenset()

    def mutant(self, name: str) -> bool:
        assert name in MUTANTS, name
        return name in self.mutants

    # --- the whole set

    def evaluate(self, policies: AppControlPolicySet) -> str:
        facts, context = self.facts, self.context
        if any(gap.what is FactName.CONTENT for gap in facts.gaps):
            return "undecided"
        if facts.format in HOSTED:
            return self.hosted(policies)
        if facts.format != "pe":
            return "not_applicable"
        if facts.pe is not None and facts.pe.is_efi:
            return "not_applicable"
        if facts.pe is None or any(gap.what is FactName.PE for gap in facts.gaps):
            return "undecided"
        if context.code_mode is not None:
            return self.judge(policies, kernel=context.code_mode is CodeMode.KERNEL)
        if facts.pe.is_driver and facts.pe.imports_kernel is not None:
            return self.judge(policies, kernel=not self.mutant("wrong scenario"))
        if facts.pe.imports_kernel is not False:
            both = {self.judge(policies, kernel=True), self.judge(policies, kernel=False)}
            return both.pop() if len(both) == 1 else "undecided"
        return self.judge(policies, kernel=False)

    def hosted(self, policies: AppControlPolicySet) -> str:
        """Scripts and installers: their host asks, where script enforcement is on."""
        build = self.context.os_build
        governing = [entry.base for entry in policies.bases if Option.UMCI in entry.base.options]
        lifted = [Option.DISABLED_SCRIPT_ENFORCEMENT in base.options for base in governing]
        if not governing or (all(lifted) and build not in (None, SERVER_2016)):
            return "not_applicable"
        if self.facts.format == "encoded_script":
            return "undecided"
        if self.facts.format == "hta":
            return "undecided" if any(lifted) and build != SERVER_2016 else "denied"
        return self.judge(policies, kernel=False)

    def asked(self, base: AppControlPolicy, decision: str) -> str:
        """What is left of a base's objection once it is asked whether a host heeds it."""
        if self.facts.format not in HOSTED or decision not in ("denied", "undecided"):
            return decision
        if Option.DISABLED_SCRIPT_ENFORCEMENT in base.options and self.context.os_build != SERVER_2016:
            return "undecided"
        return "undecided" if self.facts.format == "powershell_xml" else decision

    def judge(self, policies: AppControlPolicySet, *, kernel: bool) -> str:
        enforced: list[str] = []
        logging: list[str] = []
        ev_in_audit = False
        for entry in policies.bases:
            decision = self.asked(entry.base, self.base(entry.base, entry.supplementals, kernel=kernel))
            if kernel and Option.EV_SIGNERS in entry.base.options and Option.AUDIT_MODE in entry.base.options:
                ev_in_audit = ev_in_audit or self.context.mode is Mode.POLICY
            logs = Option.AUDIT_MODE in entry.base.options and self.context.mode is Mode.POLICY
            if decision != "not_applicable":
                (logging if logs and not self.mutant("audit blocks") else enforced).append(decision)
        if not enforced and not logging:
            return "not_applicable"
        if self.mutant("union of bases") and "allowed" in enforced:
            return "allowed"
        if "denied" in enforced:
            return "denied"
        if kernel:
            rule = self.driver_signing()
            if rule == NO:
                return "denied"
            if rule == MAYBE:
                return "undecided"
        if "undecided" in enforced:
            return "undecided"
        if ev_in_audit and not self.mutant("audit blocks"):
            return "undecided"
        if "denied" in logging:
            return "denied+audited"
        if "undecided" in logging:
            return "undecided+audited"
        return "undecided" if policies.uncertainties else "allowed"

    def base(self, base: AppControlPolicy, supplementals: Iterable[AppControlPolicy], *, kernel: bool) -> str:
        if not kernel and Option.UMCI not in base.options and not self.mutant("umci ignored"):
            return "not_applicable"
        number = 131 if kernel else 12
        members = [(base, YES)]
        members += [(one, counts) for one in supplementals if (counts := self.counts(base, one)) != NO]
        deny = self.side(base, base, number, kernel, denying=True)
        if self.mutant("supplemental deny counts"):
            deny = max([deny, *(self.side(one, base, number, kernel, denying=True) for one, _ in members)])
        allow = max(min(self.side(one, base, number, kernel, denying=False), counts) for one, counts in members)
        deny, allow = self.packages(members, deny, allow, kernel, number, base)
        if self.mutant("ignores deny"):
            deny = NO
        if deny == YES:
            return "denied"
        open_scenario = self.scenario_is_open(members, number, kernel)
        allow = max(allow, self.reputation(base, members, kernel), open_scenario)
        if allow == NO:
            return "denied"
        demands = self.demands(base) if kernel else YES
        if demands == NO:
            return "denied"
        spoiled = base.scenario(number) is None
        if kernel or Option.REVOKED_EXPIRED_AS_UNSIGNED not in base.options:
            hidden = any(gap.what in (FactName.SIGNATURES, FactName.CATALOGS) for gap in self.facts.gaps)
            hidden = hidden or any(one.valid and (one.chain is None or one.signer is None) for one in self.signatures())
            spoiled = spoiled or any(one.valid and self.is_void(one) for one in self.signatures())
            revocable = [one for one in self.signatures() if one.valid and self.context.revoked_sha256]
            spoiled = spoiled or any(self.has(one, HIDING) for one in revocable)
            spoiled = spoiled or (hidden and not self.mutant("unknown is no"))
        sure = deny == NO and allow == YES and demands == YES and not open_scenario and not spoiled
        return "allowed" if sure else "undecided"

    def counts(self, base: AppControlPolicy, supplemental: AppControlPolicy) -> int:
        if Option.ALLOW_SUPPLEMENTAL_POLICIES not in base.options and not self.mutant("option 17 ignored"):
            return NO
        if supplemental.signature is not None and not supplemental.signature.valid:
            return NO
        if base.signature is None and Option.UNSIGNED_POLICY in base.options:
            is_deployable = supplemental.signature is not None or Option.UNSIGNED_POLICY in supplemental.options
            return YES if is_deployable else MAYBE
        if supplemental.signature is None:
            return NO if supplemental.form is PolicyForm.BINARY else MAYBE
        return MAYBE

    def scenario_is_open(self, members: list[tuple[AppControlPolicy, int]], number: int, kernel: bool) -> int:
        if kernel and members[0][0].scenario(131) is None:
            return MAYBE
        for policy, _ in members:
            scenario = policy.scenario(number)
            if scenario is not None and scenario.inherited:
                return MAYBE
            if scenario is not None and self.context.test_signing:
                for group in (scenario.test, scenario.test_signing):
                    if group is not None and (group.allowed or group.denied or group.file_rules):
                        return MAYBE
        return NO

    def reputation(self, base: AppControlPolicy, members: list[tuple[AppControlPolicy, int]], kernel: bool) -> int:
        best = NO
        for option, told in (
            (Option.MANAGED_INSTALLER, self.context.managed_installer),
            (Option.INTELLIGENT_SECURITY_GRAPH, self.context.isg_trusted),
        ):
            if kernel or self.context.package_family_name or told is False:
                continue
            if any(option in policy.options for policy, _ in members):
                counts = told and option in base.options and self.facts.format not in HOSTED
                best = max(best, YES if counts else MAYBE)
        return best

    def packages(
        self,
        members: list[tuple[AppControlPolicy, int]],
        deny: int,
        allow: int,
        kernel: bool,
        number: int,
        base: AppControlPolicy,
    ) -> tuple[int, int]:
        package = self.context.package_family_name
        has_rules = any(
            r.package_family_name is not None and r.kind < 2 for policy, _ in members for r in policy.file_rules.values()
        )
        if kernel or not has_rules or package == "":
            return deny, allow
        by_package = max(
            min(self.side(one, base, number, kernel, denying=False, packages_only=True), counts) for one, counts in members
        )
        if package is None:
            return deny, max(by_package, min(allow, MAYBE))
        deny_by_package = self.side(base, base, number, kernel, denying=True, packages_only=True)
        return max(deny_by_package, min(deny, MAYBE)), by_package

    # --- one policy, one direction

    def side(
        self,
        policy: AppControlPolicy,
        base: AppControlPolicy,
        number: int,
        kernel: bool,
        *,
        denying: bool,
        packages_only: bool = False,
    ) -> int:
        scenario = policy.scenario(number)
        if scenario is None:
            return NO
        group = scenario.product
        wanted = 0 if denying else 1
        ids = policy.file_rules if self.mutant("unreferenced rules count") else group.file_rules
        rules = [policy.file_rules[id] for id in ids if id in policy.file_rules and policy.file_rules[id].kind == wanted]
        path_free = [Option.DISABLED_FILEPATH_PROTECTION in one.options for one in (policy, base)]
        free = YES if all(path_free) else MAYBE if any(path_free) else NO
        if packages_only:
            rules = [rule for rule in rules if rule.package_family_name is not None]
            return self.any_rule(rules, kernel, free, denying=denying)
        best = self.any_rule(rules, kernel, free, denying=denying)
        uses = group.denied if denying else group.allowed
        if any(id not in policy.file_rules for id in group.file_rules) or any(use.signer not in policy.signers for use in uses):
            best = max(best, MAYBE)
        known = [use for use in uses if use.signer in policy.signers]
        if known and any(gap.what in (FactName.SIGNATURES, FactName.CATALOGS) for gap in self.facts.gaps):
            best = max(best, self.maybe)
        if known and denying and any(self.has(one, HIDING) for one in self.signatures()):
            best = max(best, MAYBE)
        for use in known:
            for signature in self.signatures():
                best = max(best, self.signer(policy, base, scenario, use, signature, kernel, denying=denying))
        return best

    @property
    def maybe(self) -> int:
        return NO if self.mutant("unknown is no") else MAYBE

    def signatures(self) -> tuple[SignatureFacts, ...]:
        return self.facts.signatures[:1] if self.mutant("first signature only") else self.facts.signatures

    def has(self, signature: SignatureFacts, codes: frozenset[ProblemCode]) -> bool:
        return not self.mutant("problems ignored") and any(problem.code in codes for problem in signature.problems)

    # --- file rules

    def any_rule(self, rules: Iterable[FileRule], kernel: bool, free: int, *, denying: bool) -> int:
        rules = list(rules)
        hashes = {rule.hash for rule in rules if rule.hash is not None}
        best = self.hashes_match(hashes, denying=denying)
        for rule in rules:
            if rule.hash is None:
                best = max(best, self.rule_matches(rule, kernel, free, denying=denying))
        return best

    def hashes_match(self, hashes: set[bytes], *, denying: bool) -> int:
        digests = self.facts.digests
        gaps = {gap.what for gap in self.facts.gaps}
        if not hashes:
            return NO
        odd_sizes = any(len(value) not in (20, 32) for value in hashes)
        if digests is None:
            return self.maybe if any(len(value) in (20, 32) for value in hashes) else MAYBE
        image = self.listed(hashes, digests.authenticode_sha1, digests.authenticode_sha256)
        if self.facts.format in HOSTED:
            flat = self.listed(hashes, digests.sha1, digests.sha256)
            if image or flat:
                return YES if image and flat else MAYBE
            sizes = {len(value) for value in hashes}
            hidden = digests.authenticode_sha1 is None or digests.sha1 is None, digests.authenticode_sha256 is None
            if (20 in sizes and hidden[0]) or (32 in sizes and hidden[1]):
                return self.maybe
            return MAYBE if odd_sizes else NO
        padded = self.listed(hashes, digests.padded_authenticode_sha1, digests.padded_authenticode_sha256)
        page = self.listed(hashes, digests.page_sha1, digests.page_sha256)
        flat = self.listed(hashes, digests.sha1, digests.sha256)
        laid_out = digests.authenticode_sha1 is not None or digests.authenticode_sha256 is not None
        if not laid_out and FactName.AUTHENTICODE not in gaps:
            image, flat = flat, False
        two_digests = digests.padded_authenticode_sha1 is not None or digests.padded_authenticode_sha256 is not None
        whole = image and (padded or not two_digests)
        if denying:
            if page or whole:
                return YES
            if image or padded or flat:
                return MAYBE
        else:
            tables = [s.page_hashes for s in self.facts.signatures if s.page_hashes is not None]
            sound = {
                s.page_hashes.algorithm for s in self.facts.signatures if s.page_hashes and s.page_hashes.matches and s.valid
            }
            may_have_tables = bool(gaps & {FactName.SIGNATURES, FactName.CATALOGS})
            if page and self.mutant("page hash allows"):
                return YES
            if whole and (page or (not tables and not may_have_tables)):
                return YES
            if FactName.SIGNATURES in gaps:
                sound = set()
            if self.listed(hashes, digests.page_sha1 if "sha1" in sound else None, None):
                return YES
            if self.listed(hashes, None, digests.page_sha256 if "sha256" in sound else None):
                return YES
            if image or padded or page:
                return MAYBE
        if odd_sizes:
            return MAYBE
        if {FactName.AUTHENTICODE, FactName.PAGE_HASH} & gaps:
            return self.maybe
        return NO

    @staticmethod
    def listed(hashes: set[bytes], *values: str | None) -> bool:
        return any(value is not None and bytes.fromhex(value) in hashes for value in values)

    def rule_matches(self, rule: FileRule, kernel: bool, free: int, *, denying: bool) -> int:
        version = self.facts.version
        gaps = {gap.what for gap in self.facts.gaps}
        parts: list[int] = []
        pairs = [
            (rule.file_name, version.original_filename if version else None),
            (rule.internal_name, version.internal_name if version else None),
            (rule.file_description, version.file_description if version else None),
            (rule.product_name, version.product_name if version else None),
        ]
        if self.mutant("disk name") and rule.file_name is not None:
            pairs[0] = (rule.file_name, "renamed.dll")
        for wanted, value in pairs:
            if wanted is None:
                continue
            if wanted == "*":
                parts.append(YES)
            elif gaps & {FactName.VERSION, FactName.VERSION_NAMES}:
                parts.append(self.maybe)
            else:
                parts.append(NO if value is None else self.same(value, wanted))
        if self.mutant("attributes or") and parts:
            parts = [max(parts)]
        if rule.app_ids:
            caller = self.context.calling_process
            parts.append(MAYBE if caller is None else max(self.same(caller, one) for one in rule.app_ids))
        if rule.package_family_name is not None:
            parts.append(self.package(rule, denying=denying))
        else:
            parts.append(self.version_matches(rule, denying=denying))
        if rule.file_path is not None:
            parts.append(self.path(rule.file_path, kernel, free, denying=denying))
        if rule.require_hotpatch_id is not None:
            parts.append(MAYBE)
        return min(parts)

    def same(self, value: str, wanted: str) -> int:
        if value == wanted or (value.isascii() and wanted.isascii() and value.lower() == wanted.lower()):
            return NO if self.mutant("case sensitive names") and value != wanted else YES
        return MAYBE if value.upper().casefold() == wanted.upper().casefold() else NO

    def package(self, rule: FileRule, *, denying: bool) -> int:
        package = self.context.package_family_name
        if package is None:
            return MAYBE
        if package == "":
            return NO
        low, high = rule.versions.minimum, rule.versions.maximum
        plain = (low, high) in ((TOP, 0), (0, TOP)) if denying else (low, high) in ((0, 0), (0, TOP))
        return min(self.same(package, rule.package_family_name or ""), YES if plain and not rule.package_version else MAYBE)

    def version_matches(self, rule: FileRule, *, denying: bool) -> int:
        low, high = rule.versions.minimum, rule.versions.maximum
        if self.mutant("no maximum") and high not in (0, TOP):
            high = 0 if low else TOP
        if denying and (low, high) in ((TOP, 0), (0, TOP)):
            return YES
        if not denying and (low, high) in ((0, 0), (0, TOP)):
            return YES
        if any(gap.what is FactName.VERSION for gap in self.facts.gaps):
            return self.maybe
        parts = self.facts.version.file_version if self.facts.version else None
        number = 0
        for part in parts or (0, 0, 0, 0):
            number = number * 65536 + part
        if denying and parts is None:
            return MAYBE
        if denying and high and (low > high or low == TOP):
            return MAYBE
        if high != 0:
            inside = low <= number <= high
        elif not denying or self.mutant("deny minimum as a floor"):
            inside = number >= low
        elif low == 0 and number != 0:
            return MAYBE
        else:
            inside = number <= low
        if not inside:
            return NO
        return YES if parts is not None else MAYBE

    def path(self, pattern: str, kernel: bool, free: int, *, denying: bool) -> int:
        """Generated patterns have one star, at the end."""
        if kernel:
            return NO
        if self.context.install_path is None:
            return MAYBE
        assert pattern.endswith("*")
        if not self.context.install_path.lower().startswith(pattern[:-1].lower()):
            return NO
        if denying or free == YES or self.context.is_user_writable is False:
            return YES
        return MAYBE if self.context.is_user_writable is None else free

    # --- signers

    def signer(
        self,
        policy: AppControlPolicy,
        base: AppControlPolicy,
        scenario: Scenario,
        use: SignerUse,
        signature: SignatureFacts,
        kernel: bool,
        *,
        denying: bool,
    ) -> int:
        signer = policy.signers[use.signer]
        parts = [self.root(policy, signer, signature)]
        leaf = signature.signer
        if leaf is None:
            parts.append(self.maybe)
        else:
            if not self.mutant("publisher ignored"):
                parts.append(self.common_name(leaf.subject, leaf.subject_cn, signer.publisher, denying=denying))
            if not self.mutant("issuer ignored"):
                parts.append(self.common_name(leaf.issuer, leaf.issuer_cn, signer.issuer, denying=denying))
            programme = leaf.subject_cn if self.mutant("oem id from the certificate") else signature.program_name
            parts.append(self.same_cased(programme, signer.oem_id))
            parts.append(self.ekus(signer, leaf.eku or ()))
            parts.append(self.sign_time(signer, signature, denying=denying))
            parts.extend(self.file_attributes(policy, signer, kernel, denying=denying))
            parts.append(MAYBE if signer.artifact_rules else YES)
            parts.append(self.exceptions(policy, base, use, kernel, denying=denying))
        parts.append(self.usable_to_deny(signature) if denying else self.usable_to_allow(signature, scenario))
        artifact = scenario.artifact
        concerns_catalogs = bool(policy.artifact_rules) or (
            artifact is not None and bool(artifact.allowed or artifact.denied or artifact.file_rules)
        )
        if not denying and signature.source is SignatureSource.CATALOG and concerns_catalogs:
            parts.append(MAYBE)
        return min(parts)

    def root(self, policy: AppControlPolicy, signer: Signer, signature: SignatureFacts) -> int:
        chain, value = signature.chain, signer.root.value
        if chain is None:
            return self.maybe
        if signer.root.kind is RootKind.WELL_KNOWN:
            return self.well_known(policy, value[0], chain)
        wanted, best = value.hex(), NO
        for cert in chain.certificates:
            algorithm = "sha256" if self.mutant("sha256 tbs everywhere") else cert.tbs_algorithm
            if algorithm is None:
                best = max(best, self.maybe if wanted in cert.tbs.values() else NO)
            elif cert.tbs.get(algorithm) == wanted:
                best = max(best, MAYBE if "pss" in cert.signature_algorithm else YES)
        if wanted in chain.root_tbs.values():
            hashes = {"04": "md5", "05": "sha1", "06": "sha256", "07": "sha256", "0A": "sha256", "0E": "sha256"}
            if chain.end is ChainEnd.KNOWN_ROOT:
                best = max(best, YES if chain.root_tbs.get(hashes.get(chain.well_known_root or "", "")) == wanted else NO)
            else:
                best = max(best, MAYBE)
        return best

    def well_known(self, policy: AppControlPolicy, number: int, chain: ChainFacts) -> int:
        known = chain.end is ChainEnd.KNOWN_ROOT
        if self.mutant("well-known ignored"):
            return YES if known else NO
        if number == 0x0E and Option.DISABLED_FLIGHT_SIGNING in policy.options:
            return NO
        if number == 0x14:
            if self.context.trusted_roots_sha256 is None:
                return MAYBE
            if any(cert.thumbprint_sha256 in self.context.trusted_roots_sha256 for cert in chain.certificates):
                return YES
            return NO if chain.certificates[-1].is_self_issued else MAYBE
        if number in (0, 1, 2):
            return NO if known else MAYBE
        if known:
            same = int(chain.well_known_root or "0", 16) == number
            return (YES if number != 0x0A or self.context.test_signing else MAYBE) if same else NO
        name = (chain.certificates[-1].issuer_cn or "").lower()
        if number in NAMES_OF_ROOTS:
            return MAYBE if name == NAMES_OF_ROOTS[number] else NO
        return MAYBE if "microsoft" in name and name not in NAMES_OF_ROOTS.values() else NO

    def same_cased(self, value: str | None, wanted: str | None) -> int:
        if wanted is None:
            return YES
        if value is None:
            return NO
        return YES if value == wanted else MAYBE if value.upper().casefold() == wanted.upper().casefold() else NO

    def common_name(self, name: str, value: str | None, wanted: str | None, *, denying: bool) -> int:
        """Generated names that hold a second common name hold it with a NUL at its end."""
        if wanted is None:
            return YES
        if value is None:
            return MAYBE if denying else NO
        parts = [part.removeprefix("CN=") for part in name.split(",") if part.startswith("CN=")]
        if all(part == value for part in parts):
            return self.same_cased(value, wanted)
        return max(min(MAYBE, self.same_cased(part.removesuffix("\\00"), wanted)) for part in (value, *parts))

    def ekus(self, signer: Signer, held: tuple[str, ...]) -> int:
        wanted = [one.eku.oid in held for one in signer.ekus if not one.is_except]
        if not self.mutant("except ekus ignored") and any(one.eku.oid in held for one in signer.ekus if one.is_except):
            return NO
        enough = any(wanted) or not wanted if self.mutant("any eku") else all(wanted)
        return YES if enough else NO

    def sign_time(self, signer: Signer, signature: SignatureFacts, *, denying: bool) -> int:
        stamp, after = signature.timestamp, signer.sign_time_after
        if after is None:
            return YES
        if stamp is None:
            return MAYBE if denying else NO
        if not stamp.valid or stamp.time is None or stamp.time == after:
            return MAYBE
        result = YES if stamp.time > after else NO
        is_known = stamp.chain is not None and stamp.chain.well_known_root == "06"
        return result if is_known or (result == NO and not denying) else MAYBE

    def file_attributes(self, policy: AppControlPolicy, signer: Signer, kernel: bool, *, denying: bool) -> list[int]:
        if not signer.file_attributes or self.mutant("file attributes ignored"):
            return []
        rules = [policy.file_rules[id] for id in signer.file_attributes if id in policy.file_rules]
        missing = MAYBE if len(rules) < len(signer.file_attributes) else NO
        return [max(missing, self.any_rule(rules, kernel, NO, denying=denying))]

    def exceptions(
        self, policy: AppControlPolicy, base: AppControlPolicy, use: SignerUse, kernel: bool, *, denying: bool
    ) -> int:
        if not use.exceptions or self.mutant("no exceptions"):
            return YES
        rules = [policy.file_rules[id] for id in use.exceptions if id in policy.file_rules]
        missing = MAYBE if len(rules) < len(use.exceptions) else NO
        matched = max(missing, self.any_rule(rules, kernel, NO, denying=not denying))
        if matched and policy is not base:
            return MAYBE
        return YES - matched

    # --- signatures

    def is_void(self, signature: SignatureFacts) -> bool:
        certificates = signature.chain.certificates if signature.chain else ()
        if any(cert.thumbprint_sha256 in self.context.revoked_sha256 for cert in certificates):
            return True
        leaf = signature.signer
        if leaf is None or self.mutant("lifetime ignored"):
            return False
        return LIFETIME in (leaf.eku or ()) and self.context.evaluated_at > leaf.not_after

    def usable_to_allow(self, signature: SignatureFacts, scenario: Scenario | None) -> int:
        if not signature.valid and not self.mutant("broken signatures allow"):
            return NO
        if self.is_void(signature) or signature.digest_algorithm not in ("sha1", "sha256", "sha384", "sha512"):
            return NO
        minimum = (scenario.minimum_hash_algorithm if scenario else None) or 0x800C
        parts = [YES if signature.digest_algorithm == "sha256" and minimum <= 0x800C else MAYBE]
        parts.append(MAYBE if self.has(signature, DOUBTFUL) else YES)
        if signature.source is not SignatureSource.CATALOG and any(g.what is FactName.SIGNATURES for g in self.facts.gaps):
            parts.append(self.maybe)
        embedded = [one for one in self.facts.signatures if one.source is SignatureSource.EMBEDDED]
        parts += [MAYBE for one in embedded if one.place == "0" and not one.valid]
        parts.append(MAYBE if signature.source is not SignatureSource.CATALOG and signature.place == "1" else YES)
        chain, leaf = signature.chain, signature.signer
        if chain is None or leaf is None:
            return min(parts)
        if self.facts.format in HOSTED:
            parts.append(self.trusted_by_machine(signature, chain, leaf))
        top = chain.certificates[-1]
        for cert in chain.certificates:
            parts.append(MAYBE if "ecdsa" in cert.signature_algorithm else YES)
            parts.append(YES if cert.key_algorithm == "rsa" and 2048 <= (cert.key_bits or 0) <= 4096 else MAYBE)
            parts.append(MAYBE if cert.tbs_algorithm in ("md5", "sha1") and not (cert is top and cert.is_self_issued) else YES)
        for cert in chain.certificates[1:]:
            parts.append(YES if cert.is_ca or (cert is top and cert.is_self_issued and cert.is_ca is None) else MAYBE)
        ours = chain.end is ChainEnd.KNOWN_ROOT and chain.well_known_root is not None
        if not ours or not (leaf.eku is None or any(x == CODE_SIGNING or "1.3.6.1.4.1.311." in x for x in leaf.eku)):
            parts.append(MAYBE if leaf.eku is None or CODE_SIGNING not in leaf.eku else YES)
            parts.append(MAYBE if leaf.key_usage_digital_signature is False else YES)
        parts.append(MAYBE if leaf.not_before > self.context.evaluated_at else YES)
        if chain.well_known_root == "0A" and not self.context.test_signing:
            parts.append(NO)
        if chain.well_known_root == "0E":
            parts.append({True: YES, False: NO, None: MAYBE}[self.context.flight_signing])
        if signature.timestamp is not None and not signature.timestamp.valid:
            parts.append(MAYBE)
        return min(parts)

    def trusted_by_machine(self, signature: SignatureFacts, chain: ChainFacts, leaf: CertificateFacts) -> int:
        """What WinVerifyTrust asks for a host: a root in the machine's store, and dates."""
        if any(gap.what in (FactName.SIGNATURES, FactName.CATALOGS) for gap in self.facts.gaps):
            return MAYBE
        stamp = signature.timestamp
        if self.context.evaluated_at > leaf.not_after and not (
            stamp and stamp.valid and stamp.time and stamp.time <= leaf.not_after
        ):
            return MAYBE
        if chain.end is ChainEnd.KNOWN_ROOT and chain.well_known_root in ("04", "05", "06", "07"):
            return YES
        store = set(self.context.trusted_roots_sha256 or ()) | set(self.context.machine_roots_sha256 or ())
        issuers = [cert.thumbprint_sha256 for cert in chain.certificates[1:]]
        return YES if store & {*issuers, chain.root_sha256} else MAYBE

    def usable_to_deny(self, signature: SignatureFacts) -> int:
        if not signature.valid or self.is_void(signature) or self.has(signature, frozenset({ProblemCode.NESTED_DEEP})):
            return MAYBE
        chain = signature.chain
        if chain is not None and any(cert.key_algorithm == "ec" for cert in chain.certificates):
            return MAYBE
        is_test = chain is not None and chain.well_known_root == "0A"
        return MAYBE if is_test and not self.context.test_signing else YES

    # --- drivers

    def microsofts(self, *ekus: str) -> int:
        best = NO
        for signature in self.signatures():
            root = signature.chain.well_known_root if signature.chain else None
            if root in ("04", "05", "06", "07") and signature.signer and set(ekus) & set(signature.signer.eku or ()):
                best = max(best, self.usable_to_allow(signature, None))
        return best

    def driver_signing(self) -> int:
        told = self.context.driver_signing_satisfied
        if told is not None:
            return YES if told else NO
        return YES if self.microsofts(WHQL, ATTESTED, COMPONENT) == YES else MAYBE

    def demands(self, base: AppControlPolicy) -> int:
        result = YES
        if Option.WHQL in base.options and not self.context.whql_exempt:
            result = self.microsofts(WHQL)
            if result == NO and self.microsofts(COMPONENT, ATTESTED):
                result = MAYBE
            gaps = {gap.what for gap in self.facts.gaps} & {FactName.SIGNATURES, FactName.CATALOGS}
            if result == NO and (gaps or any(signature.chain is None for signature in self.signatures())):
                result = MAYBE
        return min(result, MAYBE) if Option.EV_SIGNERS in base.options else result


def plain_decision(facts: Facts, policies: AppControlPolicySet, context: AppControlContext, mutants: Iterable[str] = ()) -> str:
    """The decision as one word."""
    return PlainEvaluator(facts, context, frozenset(mutants)).evaluate(policies)
