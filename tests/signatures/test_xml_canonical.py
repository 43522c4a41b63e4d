"""Canonical XML against lxml, whose canonicaliser is libxml2's."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_gate.errors import FormatError, LimitError
from csv_gate.signatures.xml_canonical import EXCLUSIVE, FORMS, INCLUSIVE, canonical
from csv_gate.signatures.xml_tree import read_document

etree = pytest.importorskip("lxml.etree")

NAMESPACES = ("", "urn:a", "urn:b")
PREFIXES = ("", "p", "q")
TEXT = st.text(st.sampled_from("ab <>&\"'\t\n\r\u00e4\u20ac\U0001f600"), max_size=6)


def _escaped(text: str) -> str:
    named = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
    return "".join(named.get(char, char) for char in text)


@st.composite
def documents(draw: st.DrawFn, depth: int = 0, scope: tuple[str, ...] = ("",)) -> str:
    """An element whose prefixes are all declared somewhere above, or at it."""
    declared = draw(st.dictionaries(st.sampled_from(PREFIXES), st.sampled_from(NAMESPACES), max_size=3))
    declared = {prefix: uri for prefix, uri in declared.items() if uri or not prefix}
    usable = tuple(sorted({*scope, *declared}))
    name = draw(st.sampled_from([f"{prefix}:e" if prefix else "e" for prefix in usable]))
    kinds = st.sampled_from(["x", "y", "Id", "xml:lang", "xml:space", *(f"{prefix}:z" for prefix in usable if prefix == "p")])
    values = st.sampled_from(["", "v", "a&b", "<\t\n\r\"'"])
    attributes = draw(st.dictionaries(kinds, values, max_size=3))
    attributes = {key: "preserve" if key == "xml:space" else value for key, value in attributes.items()}
    parts = [f'xmlns{":" if prefix else ""}{prefix}="{_escaped(uri)}"' for prefix, uri in declared.items()]
    parts += [f'{key}="{_escaped(value)}"' for key, value in attributes.items()]
    body = []
    for _ in range(draw(st.integers(0, 3)) if depth < 4 else 0):
        match draw(st.sampled_from(["element", "element", "text", "cdata", "comment", "instruction"])):
            case "element":
                body.append(draw(documents(depth=depth + 1, scope=usable)))
            case "text":
                body.append(_escaped(draw(TEXT)))
            case "cdata":
                body.append(f"<![CDATA[{draw(TEXT).replace(chr(13), '')}]]>")
            case "comment":
                body.append("<!-- c -->")
            case _:
                body.append(draw(st.sampled_from(["<?pi?>", "<?pi some data ?>"])))
    return f"<{' '.join([name, *parts])}>{''.join(body)}</{name}>"


@given(documents(), st.sampled_from(sorted(FORMS)), st.data())
def test_any_element_is_written_as_libxml2_writes_it(text: str, algorithm: str, data: st.DataObject) -> None:
    exclusive, comments = FORMS[algorithm]
    octets = text.encode()
    ours = list(read_document(octets).root.walk())
    theirs = [element for element in etree.fromstring(octets).iter() if isinstance(element.tag, str)]
    at = data.draw(st.integers(0, len(ours) - 1))
    prefixes = data.draw(st.sampled_from([(), ("p",), ("p", "q")])) if exclusive else ()
    out = io.BytesIO()
    etree.ElementTree(_copy(theirs[at], exclusive)).write_c14n(
        out, exclusive=exclusive, with_comments=comments, inclusive_ns_prefixes=list(prefixes) or None
    )
    assert canonical(ours[at], algorithm, prefixes=frozenset(prefixes)) == out.getvalue()


def _copy(element: Any, exclusive: bool) -> Any:
    """An inner element as a document of its own: lxml copies onto it what is declared above; the inclusive form wants `xml:` too."""
    copy = etree.fromstring(etree.tostring(element, with_tail=False))
    for above in () if exclusive else element.iterancestors():
        for key, value in above.attrib.items():
            if key.startswith("{http://www.w3.org/XML/1998/namespace}") and key not in copy.attrib:
                copy.set(key, value)
    return copy


def test_an_unused_declaration_is_kept_by_the_inclusive_form_alone() -> None:
    root = read_document(b'<a xmlns="urn:a" xmlns:u="urn:u"><b/></a>').root
    (inner,) = root.elements("b")
    assert canonical(inner) == b'<b xmlns="urn:a" xmlns:u="urn:u"></b>'
    assert canonical(inner, EXCLUSIVE) == b'<b xmlns="urn:a"></b>'
    assert canonical(inner, EXCLUSIVE, prefixes=frozenset({"u"})) == b'<b xmlns="urn:a" xmlns:u="urn:u"></b>'


def test_line_ends_and_attribute_order_do_not_matter() -> None:
    one = canonical(read_document(b"<?xml version='1.0'?>\n<a  b='1'\r\n a='2'>\r\n<c/></a >").root, INCLUSIVE)
    assert one == b'<a a="2" b="1">\n<c></c></a>'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<a>",
        "<a><b></a></b>",
        "<!DOCTYPE a><a/>",
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        "<a>&x;</a>",
        "<p:a/>",
        '<a p:b="1"/>',
        '<a xmlns:p=""/>',
        '<a xmlns:xml="urn:x"/>',
        '<a xmlns:xmlns="urn:x"/>',
        '<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>',
        '<a b="1" b="2"/>',
        '<?xml version="1.0" encoding="utf-7"?><a/>',
        "<a:b:c xmlns:a='u'/>",
    ],
)
def test_what_is_no_xml_with_namespaces_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        read_document(text.encode())


def test_depth_and_namespaces_are_bounded() -> None:
    with pytest.raises(LimitError):
        read_document(b"<a>" * 100_000)
    with pytest.raises(LimitError):
        read_document(("<a " + " ".join(f'xmlns:p{n}="u"' for n in range(200)) + "/>").encode())
