import pytest

from csv_gate.formats.pe_layout import PeLayout, read_layout
from csv_gate.formats.version_resource import VersionReading, read_version
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.facts import FactName, VersionFacts
from csv_gate.model.problems import ProblemCode
from tests.builders.pe import pe
from tests.builders.version_resource import STRINGS, resource_tree, version_info

RSRC_RVA = 0x2000


def _read(data: bytes, limits: Limits = DEFAULT_LIMITS) -> VersionReading:
    layout = read_layout(memoryview(data), limits)
    assert isinstance(layout, PeLayout)
    return read_version(memoryview(data), layout, limits)


def _facts(**resource: object) -> VersionFacts:
    reading = _read(pe(versions={0x409: version_info(**resource)}))  # type: ignore[arg-type]
    assert reading.gaps == ()
    assert reading.facts is not None
    return reading.facts


def test_version_and_names_are_read() -> None:
    assert _facts() == VersionFacts(
        original_filename="app.exe",
        internal_name="app",
        file_description="An application",
        product_name="Product",
        file_version=(1, 2, 3, 4),
    )


def test_an_image_without_version_resource_has_no_version_and_no_gap() -> None:
    assert _read(pe()) == VersionReading()


def test_nothing_is_trimmed() -> None:
    facts = _facts(tables={"040904b0": {"OriginalFilename": "rtkio64.sys ", "ProductName": ""}})
    assert facts.original_filename == "rtkio64.sys "
    assert facts.product_name == ""
    assert facts.internal_name is None


def test_table_keys_and_names_do_not_mind_case() -> None:
    assert _facts(tables={"040904B0": {"originalfilename": "x"}}).original_filename == "x"


@pytest.mark.parametrize(
    ("tables", "name"),
    [
        ({"040904b0": "first", "040904e4": "second"}, "first"),
        ({"040904e4": "fallback", "04070409": "other"}, "fallback"),
        ({"04070411": "other", "040904b0": "translation"}, "translation"),
    ],
)
def test_the_first_translation_chooses_the_table(tables: dict[str, str], name: str) -> None:
    resource = {key: {"ProductName": text} for key, text in tables.items()}
    assert _facts(tables=resource, translations=[(0x409, 0x4B0), (0x407, 0x411)]).product_name == name


def test_code_page_04e4_comes_before_04b0_in_the_fallback() -> None:
    tables = {"040904b0": {"ProductName": "b0"}, "040904e4": {"ProductName": "e4"}}
    assert _facts(tables=tables, translations=[(0x409, 0)]).product_name == "e4"


@pytest.mark.parametrize("translations", [None, [(0x407, 0x4B0)], []])
def test_names_are_unknown_where_no_table_fits(translations: list[tuple[int, int]] | None) -> None:
    reading = _read(pe(versions={0: version_info(translations=translations)}))
    assert reading.facts == VersionFacts(file_version=(1, 2, 3, 4))
    assert [gap.what for gap in reading.gaps] == [FactName.VERSION_NAMES]
    assert [problem.code for problem in reading.problems] == [ProblemCode.VERSION_LANGUAGE_UNSPECIFIED]


def test_no_string_tables_at_all_means_no_names() -> None:
    reading = _read(pe(versions={0: version_info(tables={}, translations=None)}))
    assert reading == VersionReading(facts=VersionFacts(file_version=(1, 2, 3, 4)))


def test_the_neutral_resource_wins_over_others() -> None:
    neutral = version_info(tables={"040904b0": {"ProductName": "neutral"}})
    reading = _read(pe(versions={0x409: version_info(), 0: neutral, 0x407: version_info()}))
    assert reading.facts is not None
    assert reading.facts.product_name == "neutral"


def test_equal_resources_in_several_languages_are_no_riddle() -> None:
    assert _read(pe(versions={0x409: version_info(), 0x407: version_info()})).gaps == ()


def test_resources_that_differ_leave_the_names_unknown() -> None:
    other = version_info(tables={"040904b0": {**STRINGS, "ProductName": "Produkt"}})
    reading = _read(pe(versions={0x409: version_info(), 0x407: other}))
    assert reading.facts == VersionFacts(file_version=(1, 2, 3, 4))
    assert [gap.what for gap in reading.gaps] == [FactName.VERSION_NAMES]


def test_resources_that_differ_in_version_leave_it_unknown_too() -> None:
    reading = _read(pe(versions={0x409: version_info(), 0x407: version_info(file_version=(9, 9, 9, 9))}))
    assert reading.facts is None
    assert {gap.what for gap in reading.gaps} == {FactName.VERSION, FactName.VERSION_NAMES}


@pytest.mark.parametrize(
    "data",
    [
        pe(versions={0: version_info(root_key="VS_VERSION")}),
        pe(versions={0: version_info(signature=0)}),
        pe(versions={0: version_info(root_length=0xFFFF)}),
        pe(versions={0: version_info(root_length=4)}),
        pe(versions={0: b"\x10\x00"}),
        pe(resources=resource_tree({0: version_info()}, RSRC_RVA, loop=True)),
        pe(resources=resource_tree({0: version_info()}, 0x0100_0000)),
        pe(resources=resource_tree({0: version_info()}, RSRC_RVA, leaf_size=0x7FFF_FFFF)),
        pe(resources=b"\0" * 12 + b"\xff\xff\xff\xff"),
    ],
)
def test_a_broken_resource_is_a_gap(data: bytes) -> None:
    reading = _read(data)
    assert reading.facts is None
    assert [problem.code for problem in reading.problems] == [ProblemCode.VERSION_MALFORMED]
    assert [gap.what for gap in reading.gaps] == [FactName.VERSION]


def test_a_name_beyond_the_limit_is_unknown() -> None:
    reading = _read(pe(versions={0: version_info()}), Limits(max_text_characters=5))
    assert [gap.what for gap in reading.gaps] == [FactName.VERSION_NAMES]


def test_text_that_is_no_unicode_survives() -> None:
    assert _facts(tables={"040904b0": {"ProductName": "a\ud800b"}}).product_name == "a\ud800b"


@pytest.mark.parametrize(
    "tree",
    [
        resource_tree({0: version_info()}, RSRC_RVA, id=2),
        resource_tree({0: version_info(), 1: version_info(file_version=(9, 9, 9, 9))}, RSRC_RVA, language=0),
    ],
    ids=["another id", "one language twice"],
)
def test_version_resources_that_readers_may_find_or_not_leave_the_version_unknown(tree: bytes) -> None:
    reading = _read(pe(resources=tree))
    assert reading.facts is None
    assert [gap.what for gap in reading.gaps] == [FactName.VERSION]
