"""Seeded facts, policy sets and contexts that meet often: names, digests, certificates and versions come from small pools."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from csv_gate.model.appcontrol import (
    KERNEL_SCENARIO,
    USER_SCENARIO,
    VERSION_MAX,
    AppControlPolicy,
    AppControlPolicySet,
    FileRule,
    FileRuleKind,
    Option,
    PolicyForm,
    PolicySignature,
    Signer,
    SignerUse,
    VersionBounds,
)
from csv_gate.model.context import AppControlContext, CodeMode, Mode
from csv_gate.model.facts import CertificateFacts, FactName, Facts, PageHashFacts, SignatureFacts, SignatureSource
from csv_gate.model.problems import ProblemCode
from tests.builders import appcontrol as ac
from tests.builders import facts as f

FILE_NAMES = ("app.dll", "APP.dll", "tool.exe", "ınfo.dll")
PRODUCTS = ("Suite", "suite", "Tools")
VERSIONS = ((0, 0, 0, 0), (1, 0, 0, 0), (2, 5, 0, 0), (9, 0, 0, 1))
PUBLISHERS = ("Contoso Ltd", "contoso ltd", "Fabrikam")
AUTHORITIES = ("Contoso CA", "Other CA")
ROOT_NUMBERS = (0x00, 0x04, 0x06, 0x07, 0x0A, 0x0C, 0x0E, 0x14)
EKUS = (f.CODE_SIGNING, f.WHQL, f.WINDOWS_COMPONENT, f.LIFETIME)
TIMES = (datetime(2024, 6, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC))
DIGESTS = tuple(
    f.hex_digest(text, algorithm) for text in ("image", "page", "flat", "padded", "nothing") for algorithm in ("sha1", "sha256")
)
SIGNATURE_PROBLEMS = (
    ProblemCode.CHAIN_AMBIGUOUS,
    ProblemCode.CHAIN_TOO_LONG,
    ProblemCode.CHAIN_ISSUER_NOT_CA,
    ProblemCode.CMS_NOT_DER,
    ProblemCode.CMS_SIGNER_VERSION,
    ProblemCode.WEAK_DIGEST,
    ProblemCode.CHAIN_INCOMPLETE,
    ProblemCode.CMS_CERTIFICATE_MALFORMED,
    ProblemCode.NESTED_DEEP,
    ProblemCode.NESTED_TOO_MANY,
    ProblemCode.CMS_UNSIGNED_ATTRIBUTE_UNKNOWN,
)
UNCERTAIN_GAPS = (
    FactName.DIGESTS,
    FactName.AUTHENTICODE,
    FactName.PAGE_HASH,
    FactName.VERSION,
    FactName.VERSION_NAMES,
    FactName.SIGNATURES,
    FactName.CATALOGS,
    FactName.PE,
    FactName.CONTENT,
)

HOSTED_FORMATS = ("powershell", "powershell", "vbscript", "msi", "wsf", "powershell_xml", "hta", "encoded_script", "python")


class Generator:
    """One stream of cases from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    # --- facts

    def certificate(self, *, is_plain: bool) -> CertificateFacts:
        pick = self.random.choice
        ekus = tuple(oid for oid in EKUS if self.chance(0.15)) if self.chance(0.3) else ()
        cert = f.certificate(pick(PUBLISHERS), issuer_cn=pick(AUTHORITIES), eku=(f.CODE_SIGNING, *ekus))
        if self.chance(0.04):
            other = pick(PUBLISHERS)
            cert = replace(cert, subject=f"CN={other}\\00,O=Two Names,{cert.subject}")
        if is_plain:
            return cert
        changes = pick(
            (
                {"eku": pick(((f.WHQL,), None))},
                {"key_algorithm": "ec"},
                {"signature_algorithm": "sha256_ecdsa"},
                {"subject_cn": None},
                {"eku": (f.TIME_STAMPING,)},
                {"key_bits": pick((1024, 8192))},
                {"not_after": datetime(2025, 1, 1, tzinfo=UTC), "eku": pick(((f.CODE_SIGNING, f.LIFETIME), (f.CODE_SIGNING,)))},
                {"not_before": datetime(2030, 1, 1, tzinfo=UTC)},
                {"key_usage_digital_signature": False},
                {"tbs_algorithm": pick(("sha1", None))},
            )
        )
        return replace(cert, **changes)

    def authority(self, name: str, *, is_plain: bool) -> CertificateFacts:
        issuer = "Contoso Root" if is_plain or self.chance(0.5) else "Microsoft Digital Media Authority 2005"
        cert = f.authority(name, issuer_cn=issuer)
        if is_plain:
            return cert
        changes = self.random.choice(
            (
                {"is_ca": None},
                {"tbs_algorithm": "sha1"},
                {"tbs_algorithm": "md5"},
                {"signature_algorithm": "rsassa_pss"},
                {"is_self_issued": True, "tbs_algorithm": "sha1"},
                {"is_self_issued": True, "is_ca": None},
                {"is_self_issued": True, "is_ca": False},
                {},
            )
        )
        return replace(cert, **changes)

    def signature(self) -> SignatureFacts:
        pick, chance = self.random.choice, self.chance
        leaf = self.certificate(is_plain=chance(0.8))
        root = pick(("06", "07", "0A", "0E", "04")) if chance(0.35) else None
        pages = PageHashFacts(algorithm=pick(("sha1", "sha256")), matches=chance(0.7)) if chance(0.15) else None
        return f.signature(
            leaf,
            self.authority(leaf.issuer_cn or "", is_plain=chance(0.75)),
            valid=chance(0.85),
            root=root,
            root_tbs={"sha256": f.hex_digest("top"), "md5": f.hex_digest("top", "md5")} if chance(0.3) else None,
            digest_algorithm=pick(("sha1", "sha384", "md5")) if chance(0.1) else "sha256",
            program_name=pick(("Contoso Ltd", "Driver Maker")) if chance(0.3) else None,
            stamp=f.timestamp(pick(TIMES), valid=chance(0.85), root=pick(("06", "06", "0A", None))) if chance(0.5) else None,
            page_hashes=pages,
            source=pick((SignatureSource.EMBEDDED, SignatureSource.CATALOG)),
            place="1" if chance(0.05) else "0",
            chain_known=chance(0.96),
            problems=[pick(SIGNATURE_PROBLEMS)] if chance(0.08) else [],
        )

    def facts(self) -> Facts:
        pick, chance = self.random.choice, self.chance
        resource = None
        if chance(0.85):
            resource = f.version(
                pick((*FILE_NAMES, None)),
                product_name=pick((*PRODUCTS, None)),
                internal_name=pick(FILE_NAMES),
                file_version=pick((*VERSIONS, None)),
            )
        taken = f.digests()
        if chance(0.1):
            taken = f.digests(
                padded_authenticode_sha1=f.hex_digest("padded", "sha1"), padded_authenticode_sha256=f.hex_digest("padded")
            )
        elif chance(0.07):
            taken = f.digests(
                authenticode_sha1=None,
                authenticode_sha256=None,
                page_sha1=None,
                page_sha256=None,
                sha1=f.hex_digest("flat", "sha1"),
            )
        is_driver = chance(0.3)
        return f.facts(
            *(self.signature() for _ in range(pick((0, 1, 1, 2)))),
            taken=taken,
            header=f.pe(is_driver=is_driver, imports_kernel=True if chance(0.05) else None, imports_read=chance(0.96)),
            resource=resource,
            gaps=[pick(UNCERTAIN_GAPS)] if chance(0.12) else [],
        )

    # --- policies

    def bounds(self, kind: FileRuleKind) -> VersionBounds:
        pick = self.random.choice
        if self.chance(0.05):
            return VersionBounds(minimum=1 << 48, maximum=VERSION_MAX)
        if self.chance(0.02):
            return VersionBounds(minimum=VERSION_MAX, maximum=pick((1 << 48, VERSION_MAX)))
        return ac.bounds(kind, pick((None, None, *VERSIONS)), pick((None, None, None, *VERSIONS)))

    def rule(self, kind: FileRuleKind, id: str) -> FileRule:
        pick, chance = self.random.choice, self.chance
        stored = self.bounds(kind)
        if chance(0.3):
            return ac.rule(kind, id, hash=pick(DIGESTS) if chance(0.97) else "00" * 48)
        if chance(0.12):
            return ac.rule(kind, id, path=pick(("C:\\App\\*", "D:\\*")), stored=stored)
        if chance(0.04):
            package = pick(("App_1", "Other_2"))
            version = 7 if chance(0.2) else None
            return ac.rule(kind, id, package=package, stored=ac.bounds(kind, None, None), package_version=version)
        name = pick((*FILE_NAMES, "*"))
        return ac.rule(
            kind,
            id,
            file_name=name if chance(0.7) else None,
            internal_name=pick(FILE_NAMES) if chance(0.1) else None,
            product_name=pick(PRODUCTS) if chance(0.4) else "*",
            stored=stored,
            app_ids=[pick(("excel.exe", "WORD.EXE"))] if chance(0.05) else [],
            hotpatch="x" if chance(0.02) and kind is FileRuleKind.ALLOW else None,
        )

    def signer(self, id: str, attributes: list[str]) -> Signer:
        pick, chance = self.random.choice, self.chance
        tbs = well_known = None
        if chance(0.35):
            well_known = pick(ROOT_NUMBERS)
        else:
            algorithm = "sha256" if chance(0.75) else pick(("sha1", "md5"))
            ca, leaf_issuer = pick(AUTHORITIES), pick(AUTHORITIES)
            tbs = pick(
                (
                    f.tbs(ca, "Contoso Root", algorithm),
                    f.tbs(ca, "Contoso Root", algorithm),
                    f.tbs(pick(PUBLISHERS), leaf_issuer, algorithm),
                    f.hex_digest("top", algorithm),
                )
            )
        ekus = [ac.eku(oid, is_except=chance(0.3)) for oid in EKUS if chance(0.3)] if chance(0.3) else []
        return ac.signer(
            id,
            tbs=tbs,
            well_known=well_known,
            publisher=pick(PUBLISHERS) if chance(0.25) else None,
            issuer=pick(AUTHORITIES) if chance(0.15) else None,
            oem_id=pick(("Contoso Ltd", "Driver Maker", "driver maker")) if chance(0.1) else None,
            ekus=ekus,
            attributes=[
                *self.random.sample(attributes, k=min(len(attributes), pick((1, 2)))),
                *(["GONE"] if chance(0.03) else []),
            ]
            if chance(0.35)
            else [],
            artifact_rules=["ID_ARTIFACT_X"] if chance(0.02) else [],
            after=pick(TIMES) if chance(0.1) else None,
        )

    def policy(self, name: str, number: int, *, is_supplemental: bool = False) -> AppControlPolicy:
        pick, chance = self.random.choice, self.chance
        deny_weight = pick((0, 0, 1, 2))
        rules = [self.rule(FileRuleKind.ALLOW, f"ID_ALLOW_{i}") for i in range(pick((0, 1, 2, 3)))]
        if chance(0.2):
            rules.append(ac.allow("ID_ALLOW_ALL", file_name="*"))
        rules += [self.rule(FileRuleKind.DENY, f"ID_DENY_{i}") for i in range(deny_weight)]
        loose = [self.rule(kind, f"ID_LOOSE_{kind}_{i}") for kind in FileRuleKind for i in range(2)]
        attributes = [rule.id for rule in loose if rule.kind is FileRuleKind.ATTRIBUTE]
        signers = [self.signer(f"ID_SIGNER_{i}", attributes) for i in range(pick((0, 1, 2, 3)))]
        denied = [one for one in signers if chance(0.3)]
        group = ac.group(
            rules,
            [self.use(one, FileRuleKind.DENY) for one in signers if one not in denied],
            [self.use(one, FileRuleKind.ALLOW) for one in denied],
        )
        test = ac.group([ac.allow()]) if chance(0.1) else None
        inherited = ["ID_SIGNINGSCENARIO_X"] if chance(0.02) else []
        minimum_hash = pick((0x800C, 0x8004, 0x800D)) if chance(0.1) else None
        scenarios = [
            ac.scenario(value, group, minimum_hash=minimum_hash, inherited=inherited, test=test)
            for value in (KERNEL_SCENARIO, USER_SCENARIO)
            if chance(0.96)
        ]
        return ac.policy(
            *rules,
            unreferenced=loose,
            signers=signers,
            scenarios=scenarios,
            options=self.options(is_supplemental=is_supplemental),
            name=name,
            number=number,
            form=PolicyForm.BINARY if chance(0.3) else PolicyForm.XML,
            signature=PolicySignature(valid=chance(0.7), subject=None, thumbprint_sha1=None) if chance(0.08) else None,
        )

    def use(self, signer: Signer, kind: FileRuleKind) -> SignerUse:
        exceptions = [f"ID_LOOSE_{kind}_{i}" for i in range(2) if self.chance(0.6)] if self.chance(0.3) else []
        return ac.use(signer.id, *exceptions, *(["GONE"] if self.chance(0.02) else []))

    def options(self, *, is_supplemental: bool) -> frozenset[Option]:
        likely = {
            Option.UMCI: 0.9,
            Option.UNSIGNED_POLICY: 0.93,
            Option.ALLOW_SUPPLEMENTAL_POLICIES: 0.7,
            Option.AUDIT_MODE: 0.15,
            Option.WHQL: 0.1,
            Option.EV_SIGNERS: 0.03,
            Option.DISABLED_FLIGHT_SIGNING: 0.2,
            Option.MANAGED_INSTALLER: 0.05,
            Option.INTELLIGENT_SECURITY_GRAPH: 0.05,
            Option.DISABLED_FILEPATH_PROTECTION: 0.3,
            Option.REVOKED_EXPIRED_AS_UNSIGNED: 0.3,
        }
        return frozenset(option for option, probability in likely.items() if self.chance(probability))

    def policy_set(self) -> AppControlPolicySet:
        count = self.random.choice((1, 1, 1, 2, 2))
        return ac.policy_set(
            *(self.policy(f"Base {i}", i + 1) for i in range(count)),
            supplementals=[
                self.policy("Supplemental", 20 + i, is_supplemental=True) for i in range(self.random.choice((0, 0, 1, 2)))
            ],
            uncertainties=["two bases have one id"] if self.chance(0.02) else [],
        )

    # --- context

    def context(self) -> AppControlContext:
        pick, chance = self.random.choice, self.chance
        maybe = (None, True, False)
        known_root = f.authority("Contoso CA", issuer_cn="Contoso Root").thumbprint_sha256
        return AppControlContext(
            evaluated_at=f.NOW,
            mode=Mode.ENFORCE if chance(0.2) else Mode.POLICY,
            code_mode=pick((CodeMode.KERNEL, CodeMode.USER)) if chance(0.1) else None,
            install_path=pick(("C:\\App\\a.dll", "E:\\a.dll")) if chance(0.7) else None,
            is_user_writable=pick(maybe),
            test_signing=chance(0.15),
            flight_signing=pick(maybe),
            whql_exempt=chance(0.2),
            driver_signing_satisfied=pick((None, True, True, True, False)),
            managed_installer=pick(maybe),
            isg_trusted=pick(maybe),
            calling_process=pick(("excel.exe", None)),
            package_family_name=pick(("App_1", None, "", "", "")),
            trusted_roots_sha256=frozenset({known_root}) if chance(0.3) else None,
            revoked_sha256=frozenset({f.certificate("Fabrikam", issuer_cn="Other CA").thumbprint_sha256})
            if chance(0.1)
            else frozenset(),
        )

    def hosted_case(self) -> tuple[Facts, AppControlPolicySet, AppControlContext]:
        """A script or an installer, and policies of which some have option 11."""
        pick, chance = self.random.choice, self.chance
        taken = f.digests(page_sha1=None, page_sha256=None, sha1=f.hex_digest("flat", "sha1"))
        facts = f.facts(
            *(self.signature() for _ in range(pick((0, 1, 1, 2)))),
            format=pick(HOSTED_FORMATS),
            taken=taken,
            resource=None,
            gaps=[pick((FactName.AUTHENTICODE, FactName.SIGNATURES, FactName.CATALOGS))] if chance(0.12) else [],
        )
        policies = self.policy_set()
        option = frozenset({Option.DISABLED_SCRIPT_ENFORCEMENT})
        bases = tuple(
            replace(entry, base=replace(entry.base, options=entry.base.options | option)) if chance(0.15) else entry
            for entry in policies.bases
        )
        root = f.authority(pick(AUTHORITIES), issuer_cn="Contoso Root").thumbprint_sha256
        context = replace(
            self.context(),
            os_build=pick((None, 14393, 22631)),
            machine_roots_sha256=frozenset({root}) if chance(0.5) else None,
        )
        return facts, replace(policies, bases=bases), context

    def case(self) -> tuple[Facts, AppControlPolicySet, AppControlContext]:
        return self.facts(), self.policy_set(), self.context()
