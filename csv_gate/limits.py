"""Every bound on attacker-controlled input, in one place, each with its reason.

Parsers take a `Limits` and raise `LimitError` naming the field that was reached.
"""

from __future__ import annotations

from csv_gate.records import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one run. The defaults hold for ordinary builds; raise one only for a reason."""

    max_artifact_bytes: int = 4 * 1024 * MIB - 1
    """Offsets in PE headers are 32 bits wide, so a larger file cannot carry a signature."""
    max_certificate_table_bytes: int = 16 * MIB
    """The largest certificate table among 192 real files has 70 KB; page hashes of a 1 GB image add about 9 MB."""
    max_certificate_table_entries: int = 16
    """Real files have one or two (several UEFI signatures)."""
    max_nested_signatures: int = 16
    """All signatures reached from one table entry. Real files have at most two."""
    max_asn1_depth: int = 48
    """A signature with a time stamp in a nested signature stays below 40."""
    max_asn1_nodes: int = 200_000
    """Elements visited in one structure."""
    max_certificates: int = 64
    """In one SignedData. Real ones have at most 9."""
    max_chain_length: int = 12
    """Certificates in one chain, leaf included."""
    max_timestamps: int = 8
    """Counter-signatures looked at in one signature."""
    max_sections: int = 96
    """The Windows loader refuses an image with more (PE format, NumberOfSections)."""
    max_resource_bytes: int = 1 * MIB
    """Of one version resource; its own length field has 16 bits."""
    max_resource_entries: int = 4096
    """Directory entries visited while looking for the version resource."""
    max_text_characters: int = 4096
    """Of one string taken from an artifact (names, programme name)."""
    max_catalog_bytes: int = 64 * MIB
    """The largest catalogs of Windows itself have about 8 MB."""
    max_catalog_members: int = 500_000
    max_script_bytes: int = 32 * MIB
    """Larger text is no script that anybody signs; the digest needs the text twice in memory."""
    max_script_block_characters: int = 1 * MIB
    """Of one signature block; real ones have at most 60,000."""
    max_script_markers: int = 64
    """Lines of a script that look like markers of a signature block."""
    max_compound_sectors: int = 8 * 1024 * 1024
    """Sectors of one compound file: 4 GiB in the smaller sector size."""
    max_compound_entries: int = 65_536
    """Directory entries of one compound file; large installer packages have some hundred."""
    max_elf_notes: int = 256
    """Notes looked at in one ELF file."""
    max_policy_bytes: int = 64 * MIB
    """The largest public policies have below 1 MB."""
    max_policy_elements: int = 2_000_000
    max_policy_depth: int = 32
    max_walk_depth: int = 128
    """Folders below a given path."""

    # Containers. All but the per-member bounds count over everything that is reached from one file of the build output.
    max_container_depth: int = 8
    """Containers in containers. A bundle of packages with an installer in them has four."""
    max_container_members: int = 65_536
    """What ZIP can hold without its 64-bit form, at every level together."""
    max_container_bytes: int = 16 * 1024 * MIB
    """Bytes unpacked, at every level."""
    max_container_ratio: int = 250
    """Bytes unpacked for one byte packed, of one member. Deflate can do 1032, real programs stay below 20."""
    max_container_total_ratio: int = 100
    """Bytes unpacked for one byte of the outer file, of all members at every level together. It bounds the work that a file can ask for
    by its size; whole packages of text stay below 20, at one level."""
    container_ratio_floor_bytes: int = 16 * MIB
    """Up to here a ratio does no harm: a small file of zeros is no bomb."""
    max_container_seconds: int = 120
    """Spent on one file of the build output."""
    max_member_bytes: int = 2 * 1024 * MIB
    max_member_name_bytes: int = 8 * KIB
    """A path on Windows has at most 32,767 characters, on Linux 4,096 bytes."""
    max_member_memory_bytes: int = 32 * MIB
    """Members held in memory at one time, at every level together; what is beyond goes to an unnamed temporary file."""
    max_decompressor_bytes: int = 80 * MIB
    """Window of a decompressor. `xz -9` asks for 65 MB."""
    max_installer_table_bytes: int = 32 * MIB
    """One table of an installer package, or its pool of strings. The largest packages have about 4 MB of strings."""
    max_package_bytes: int = 8 * 1024 * MIB
    """Bytes unpacked to compare them with the signature of one package; beside that, `max_container_ratio` holds for all of them."""
    max_package_text_bytes: int = 16 * MIB
    """Of one list or manifest in a package; the largest real ones (block maps of games) have a few MB."""

    # OpenPGP
    max_openpgp_signatures: int = 16
    """In one signature file or member; each costs one pass over the content. Repositories have up to four while they change keys."""
    max_openpgp_packets: int = 1_000_000
    """Of one file of keys. The keyring of a large distribution has some 100,000."""
    max_openpgp_signature_bytes: int = 1 * MIB
    """Of one block of signatures, packed or armored. One signature has at most some kilobytes."""
    max_openpgp_armor_bytes: int = 64 * MIB
    """Of one armored file of keys, or of a clear-signed text with its signature."""
    max_openpgp_self_signatures: int = 512
    """Of one key: what its owner signed of it. Busy keys have some dozens."""
    max_rpm_header_bytes: int = 64 * MIB
    """Of one header of an RPM package. That of a kernel has about 1 MB; rpm itself takes up to 256 MiB."""

    max_detached_bytes: int = 16 * MIB
    """Of one file with a detached signature. One that holds its content (`.p7m`) is as large as the content."""
    max_detached_files: int = 16
    """Files with signatures beside one file."""


DEFAULT_LIMITS = Limits()
