from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_gate.formats.packages.app_publisher import family_name, publisher_id, read_publisher, read_subject
from csv_gate.signatures.names import escape

MICROSOFT = "O=Microsoft Corporation, L=Redmond, S=Washington, C=US"


@pytest.mark.parametrize(
    ("publisher", "known"),
    [
        (f"CN=Microsoft Corporation, {MICROSOFT}", "8wekyb3d8bbwe"),
        (f"CN=Microsoft Windows, {MICROSOFT}", "cw5n1h2txyewy"),
    ],
)
def test_the_ids_of_known_publishers_come_out(publisher: str, known: str) -> None:
    assert publisher_id(publisher) == known


def test_a_family_name_is_name_and_publisher() -> None:
    publisher = f"CN=Microsoft Corporation, {MICROSOFT}"
    assert family_name("Microsoft.WindowsTerminal", publisher) == "Microsoft.WindowsTerminal_8wekyb3d8bbwe"


@pytest.mark.parametrize("name", ["", "ab", "a" * 51, "Contoso_App", "Contoso App", "../evil", "Contoso\n"])
def test_a_name_that_the_schema_forbids_makes_no_family(name: str) -> None:
    assert family_name(name, "CN=Contoso") is None


@pytest.mark.parametrize(
    ("manifest", "certificate"),
    [
        ("CN=Contoso", "CN=Contoso"),
        ("CN=Contoso, O=Contoso Ltd, S=Washington, C=US", "CN=Contoso,O=Contoso Ltd,ST=Washington,C=US"),
        ('CN="Contoso, Inc.", C=US', "CN=Contoso\\, Inc.,C=US"),
        ('CN="The ""Best"" Co"', 'CN=The \\"Best\\" Co'),
        ("CN=a=b", None),
        ('CN="a=b"', "CN=a=b"),
        ("SERIALNUMBER=1234, PostalCode=98052, E=a@b.example", "2.5.4.5=1234,2.5.4.17=98052,1.2.840.113549.1.9.1=a@b.example"),
        ("OID.1.3.6.1.4.1.311.60.2.1.3=US, CN=x", "1.3.6.1.4.1.311.60.2.1.3=US,CN=x"),
        ("CN=,C=US", "CN=,C=US"),
    ],
)
def test_a_publisher_and_a_subject_that_mean_the_same_are_equal(manifest: str, certificate: str | None) -> None:
    expected = None if certificate is None else read_subject(certificate)
    assert read_publisher(manifest) == expected
    assert certificate is None or expected is not None


@pytest.mark.parametrize(
    ("manifest", "certificate"),
    [
        ("CN=Contoso", "CN=contoso"),
        ("C=US, CN=Contoso", "CN=Contoso,C=US"),
        ("CN=Contoso", "CN=Contoso,C=US"),
        ("CN=Contoso, C=US", "CN=Contoso\\, C=US"),
        ("O=Contoso", "CN=Contoso"),
    ],
)
def test_another_order_case_or_part_is_another_publisher(manifest: str, certificate: str) -> None:
    assert read_publisher(manifest) != read_subject(certificate)


@pytest.mark.parametrize("text", ["", "Contoso", "CN", "=x", "XY=1", "CN=a+OU=b", 'CN="open', "CN=a,", "CN=a;O=b", 'CN="a"b'])
def test_what_is_no_publisher_equals_none(text: str) -> None:
    assert read_publisher(text) is None


VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.lists(st.tuples(st.sampled_from(["CN", "O", "OU", "L", "ST", "C"]), VALUES), min_size=1, max_size=5))
def test_every_subject_can_be_written_as_a_publisher(parts: list[tuple[str, str]]) -> None:
    subject = ",".join(f"{kind}={escape(value)}" for kind, value in parts)
    manifest = ", ".join(f'{"S" if kind == "ST" else kind}="{value.replace(chr(34), chr(34) * 2)}"' for kind, value in parts)
    assert read_publisher(manifest) == read_subject(subject)
    assert [value for _, value in read_subject(subject) or ()] == [value for _, value in parts]
