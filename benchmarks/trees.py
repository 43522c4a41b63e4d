"""The trees that runs are measured on, made once under a folder: same sizes, names, layouts and policy each time, throw-away keys.

- `ordinary`: PE images of 100 to 500 KB, no two alike; three of five are signed and time-stamped by one of three publishers, a tenth of
  those twice; the others are listed by hash, but for one in fifty.
- `product`: the build output of a large product: as `ordinary`, five times as many, nine of ten signed, one in a thousand
  blocked, a policy of its own.
- `large`: PE images of 5 to 24 MB, 1 GiB and more in all, half of them signed.
- `many`: PE images of 3 KB, a hundred of them over and over: what a file costs beside its bytes.
- `nocode`: files that no target judges.
"""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.places import Trees
from csv_gate.model.appcontrol import FileRule
from csv_gate.policies import write_xml
from tests.builders import appcontrol, ca, cms, pe, signing
from tests.builders.signed_pe import covered, padded, signed_pe
from tests.builders.version_resource import version_info

GENERATION = "6"
"""Changes when the trees do."""
SEED = 20261124
PER_FOLDER = 100
POOL_BYTES = 32 * 1024 * 1024


def trees(root: Path, *, ordinary: int, product: int, large: int, nocode: int, many: int) -> Trees:
    """The trees, made where they do not stand already."""
    found = Trees.below(root)
    stamp = f"{GENERATION} {ordinary} {product} {large} {nocode} {many}"
    marker = root / "made"
    if marker.is_file() and marker.read_text(encoding="utf-8") == stamp:
        return found
    shutil.rmtree(root, ignore_errors=True)
    chance = random.Random(SEED)
    pool = chance.randbytes(POOL_BYTES)
    listed: list[FileRule] = []
    of_product: list[FileRule] = []
    for folder, images in (
        (found.ordinary, _images(chance, pool, ordinary, 100_000, 500_000, listed)),
        (found.large, _images(chance, pool, large, 5_000_000, 24_000_000, listed)),
        (found.product, _images(chance, pool, product, 100_000, 500_000, of_product, signed_of_ten=9, unlisted_of=1000)),
    ):
        for number, data in enumerate(images):
            _write(folder, number, ".dll", data)
    alike = list(_images(chance, pool, 100, 2_000, 4_000, listed))
    for number in range(many):
        _write(found.many, number, ".dll", alike[number % len(alike)])
    for number in range(nocode):
        text = f'{{"number": {number}}}\n'.encode() + b"# filler\n" * chance.randrange(100, 2000)
        _write(found.nocode, number, ".json", text)
    signer = appcontrol.signer(tbs=_tbs(signing.authority().certificate), publisher=None)
    found.policy.write_bytes(write_xml(appcontrol.policy(*listed, signers=[signer])))
    found.product_policy.write_bytes(write_xml(appcontrol.policy(*of_product, signers=[signer])))
    found.authority.write_bytes(_pem(ca.root().certificate))
    found.stamper.write_bytes(_pem(signing.time_authority().chain[-1]))
    marker.write_text(stamp, encoding="utf-8")
    return found


def _write(folder: Path, number: int, suffix: str, data: bytes) -> None:
    place = folder / f"part{number // PER_FOLDER:03}"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"file{number:05}{suffix}").write_bytes(data)


def _images(
    chance: random.Random,
    pool: bytes,
    count: int,
    least: int,
    most: int,
    listed: list[FileRule],
    signed_of_ten: int = 6,
    unlisted_of: int = 50,
) -> Iterator[bytes]:
    """Images; the unsigned ones are added to those `listed`, but for one of so many."""
    publishers = [
        signing.authority().issue(f"Test Publisher {number}", serial=0x1001 + number, key_label=f"leaf{number}")
        for number in range(3)
    ]
    for number in range(count):
        size, at = chance.randrange(least, most), chance.randrange(POOL_BYTES - most)
        code = number.to_bytes(8, "little") + pool[at : at + size - 8]
        strings = {"OriginalFilename": f"file{number}.dll", "InternalName": f"file{number}", "ProductName": "Benchmark"}
        version = version_info(file_version=(1, number % 100, 2, 3), tables={"040904b0": {**strings, "FileDescription": "x"}})
        image = pe.pe(code=code, is_dll=True, imports=("kernel32.dll",), versions={0x0409: version})
        if number * 7 % 10 < signed_of_ten:
            stamps = (cms.Stamp(signing.time_authority()),)
            publisher = publishers[number % 3]
            nested: tuple[bytes, ...] = ()
            if number % 50 == 0:
                hashed = hashlib.sha256(covered(padded(image))).digest()
                nested = (cms.authenticode(publishers[1], hashed, stamps=stamps),)
            yield signed_pe(image, publisher, stamps=stamps, nested=nested)
            continue
        if number % unlisted_of != 7:
            image = padded(image)
            listed.append(appcontrol.allow(f"ID_ALLOW_{len(listed)}", hash=hashlib.sha256(covered(image)).hexdigest()))
        yield image


def _tbs(certificate: bytes) -> str:
    from csv_gate.signatures.certificate import read_certificate

    return read_certificate(certificate).facts.tbs["sha256"]


def _pem(certificate: bytes) -> bytes:
    import ssl

    return ssl.DER_cert_to_PEM_cert(certificate).encode()
