"""ELF files: header facts, and the signature behind a kernel module."""

from __future__ import annotations

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.facts import ElfFacts, Facts
from csv_gate.model.problems import ProblemCode as Code
from tests.builders.elf import MARKER, elf, module_signature, signed_module, trailer
from tests.builders.signing import codes, publisher


def read(data: bytes) -> Facts:
    return extract(data, ExtractionSettings())


def header(data: bytes) -> ElfFacts:
    facts = read(data)
    assert facts.elf is not None
    return facts.elf


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_type_machine_build_id_and_interpreter_are_read(bits: int, order: str) -> None:
    facts = header(elf(bits=bits, order=order, type=2, machine=183, build_id=b"\xab" * 20, interpreter=b"/lib/ld.so"))
    assert (facts.type, facts.machine, facts.bits) == ("executable", "arm64", bits)
    assert (facts.build_id, facts.interpreter) == ("ab" * 20, "/lib/ld.so")
    assert facts.module_signature is None


def test_an_unknown_machine_is_its_number() -> None:
    assert header(elf(machine=0x1234)).machine == "0x1234"


def test_a_signed_module_tells_signer_and_digest_and_nothing_is_verified() -> None:
    facts = read(signed_module(publisher(), elf(type=1)))
    assert facts.elf is not None
    module = facts.elf.module_signature
    assert module is not None
    assert module.is_well_formed
    assert module.digest_algorithm == "sha256"
    assert module.signer is not None
    assert "serial" in module.signer
    assert facts.signatures == ()
    assert facts.problems == ()


def test_bytes_behind_the_marker_hide_the_signature() -> None:
    facts = read(signed_module(publisher(), elf(type=1)) + b"\0")
    assert facts.elf is not None
    assert facts.elf.module_signature is None
    assert codes(facts.problems) == {Code.MODULE_SIGNATURE_NOT_LAST}


def test_two_signatures_are_told() -> None:
    facts = read(signed_module(publisher(), signed_module(publisher(), elf(type=1))))
    assert codes(facts.problems) == {Code.MODULE_SIGNATURES_SEVERAL}


@pytest.mark.parametrize(
    "tail",
    [
        trailer(0xFFFFFFFF),
        trailer(0),
        trailer(10, kind=1),
        trailer(10, algorithm=1),
        b"short",
        trailer(10),
    ],
    ids=["a size past the file", "no size", "another kind", "fields that must be zero", "cut", "no message"],
)
def test_a_trailer_that_lies_is_malformed(tail: bytes) -> None:
    facts = read(elf(type=1) + b"\x30\x08message " + tail + MARKER)
    assert codes(facts.problems) == {Code.MODULE_SIGNATURE_MALFORMED}
    assert facts.elf is not None
    assert facts.elf.module_signature is not None
    assert not facts.elf.module_signature.is_well_formed


def test_bytes_between_message_and_trailer_are_malformed() -> None:
    module = elf(type=1)
    message = module_signature(publisher(), module) + b"more"
    facts = read(module + message + trailer(len(message)) + MARKER)
    assert codes(facts.problems) == {Code.MODULE_SIGNATURE_MALFORMED}


def test_a_cut_header_is_malformed() -> None:
    facts = read(elf()[:40])
    assert facts.elf is None
    assert codes(facts.problems) == {Code.ELF_MALFORMED}
