from __future__ import annotations

import fnmatch

import pathspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from csv_gate.errors import ConfigError
from csv_gate.globs import Below, Glob, GlobIndex, GlobSet

NAMES = st.text(alphabet="abA.-\n", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
NAME_PATTERNS = st.one_of(
    st.just("**"), st.text(alphabet="abA*?.-", min_size=1, max_size=5), st.sampled_from(["[ab]", "[!a]", "x[a-c]*", "*[!.]"])
)
PATTERNS = st.builds(
    lambda names, head, tail: head + "/".join(names) + tail,
    st.lists(NAME_PATTERNS.filter(lambda name: name not in (".", "..")), min_size=1, max_size=4),
    st.sampled_from(["", "/"]),
    st.sampled_from(["", "/"]),
)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.dll", "a.dll", True),
        ("*.dll", "dist/x/a.dll", True),
        ("/*.dll", "dist/a.dll", False),
        ("dist/*.dll", "dist/a.dll", True),
        ("dist/*.dll", "out/dist/a.dll", False),
        ("dist/*", "dist/sub/a.dll", False),
        ("dist", "dist/sub/a.dll", True),
        ("dist/", "dist", False),
        ("dist/", "x/dist/a", True),
        ("/dist/", "x/dist/a", False),
        ("./dist/app", "dist/app/a.dll", True),
        ("dist/**", "dist/a/b", True),
        ("dist/**", "dist", False),
        ("**", "a", True),
        ("**/", "a", False),
        ("**/", "a/b", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "a/xb", False),
        ("**/bin/**/x.dll", "p/bin/q/x.dll", True),
        ("a/**/b/**/c/*.dll", "a/b/b/c/c/x.dll", True),
        ("?.dll", "/.dll", False),
        ("[!a].dll", "a.dll", False),
        ("[a-c]x", "bx", True),
        ("a[+-9]b", "a/b", False),
        (r"\*.dll", "*.dll", True),
        (r"\*.dll", "a.dll", False),
        (r"\!x", "!x", True),
        ("*", ".hidden", True),
        ("a*b*c", "aXbXbXc", True),
        ("a*b*c", "aXbXbX", False),
        ("x.msi!/*.dll", "x.msi!/a.dll", True),
        ("x.msi", "x.msi!/a.dll", False),
        ("DIST/*", "dist/a", False),
        ("line\nbreak", "line\nbreak", True),
        ("a$", "a$", True),
        ("a", "a\n", False),
    ],
)
def test_a_pattern_means_what_its_grammar_says(pattern: str, path: str, expected: bool) -> None:
    assert Glob(pattern).matches(path) is expected


def test_letter_case_counts_unless_told_otherwise() -> None:
    assert not Glob("Dist/[A-C]*.DLL").matches("dist/app.dll")
    assert Glob("Dist/[A-C]*.DLL", case_sensitive=False).matches("dist/app.dll")


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "!a",
        "a//b",
        "../a",
        "a/./b",
        "[ab",
        "[]",
        "[b-a]",
        "[[:alpha:]]",
        "dist\\app",
        "a\\",
        "a\0b",
        "x" * 1025,
        "/",
        "a[b/c]d",
    ],
)
def test_a_pattern_that_cannot_be_meant_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError):
        Glob(pattern)


@given(pattern=PATTERNS, path=PATHS)
@settings(max_examples=300, deadline=None)
@example(pattern="**/a*/**/b", path="ab/aa/b")
@example(pattern="a/**", path="a/b/c")
def test_with_gitignores_reach_it_agrees_with_pathspec(pattern: str, path: str) -> None:
    # Unlike git, pathspec lets `**/` at the end mean no folder at all, and it knows no name with a line end.
    assume("\n" not in path and not pattern.endswith("**/"))
    ours = Glob(pattern, below=Below.ALWAYS).matches(path)
    assert ours == pathspec.GitIgnoreSpec.from_lines([pattern]).match_file(path)


@given(pattern=st.text(alphabet="ab*?", min_size=1, max_size=8), name=NAMES)
@settings(max_examples=300, deadline=None)
def test_within_one_name_it_agrees_with_fnmatch(pattern: str, name: str) -> None:
    assume("**" not in pattern)
    assert Glob(pattern, below=Below.NEVER).matches(name) == fnmatch.fnmatchcase(name, pattern)


@given(pattern=PATTERNS, folder=PATHS, path=PATHS)
@settings(max_examples=300, deadline=None)
def test_a_covered_folder_has_nothing_in_it_that_is_not_meant(pattern: str, folder: str, path: str) -> None:
    glob = Glob(pattern)
    if glob.covers(folder):
        assert glob.matches(f"{folder}/{path}")


@given(pattern=PATTERNS, path=PATHS)
@settings(max_examples=200, deadline=None)
def test_its_own_grammar_never_reaches_farther_than_gitignores(pattern: str, path: str) -> None:
    if Glob(pattern).matches(path):
        assert Glob(pattern, below=Below.ALWAYS).matches(path)


@given(path=st.text(min_size=1, max_size=30), pattern=st.text(min_size=1, max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_text_compiles_or_is_refused(path: str, pattern: str) -> None:
    try:
        glob = Glob(pattern)
    except ConfigError:
        return
    assert glob.matches(path) in (True, False)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 200 + "b", "a" * 20_000),
        ("**/a/" * 100 + "b", "a/" * 10_000 + "c"),
        ("**/*a*a*a*/" * 20 + "b", "aaaaaaaa/" * 2_000 + "c"),
        ("?" * 500 + "*b", "a" * 20_000),
    ],
)
def test_a_pattern_made_to_backtrack_for_ever_ends(pattern: str, path: str) -> None:
    assert not Glob(pattern).matches(path)


def test_a_set_names_the_first_pattern_that_means_the_path() -> None:
    globs = GlobSet.of(["*.pdb", "obj/", "*.dll"])
    assert str(globs.first("obj/a.dll")) == "obj/"
    assert globs.first("a.exe") is None
    assert globs.covers("src/obj") == Glob("obj/")
    assert not GlobSet()
    assert not GlobSet().matches("a")


@given(patterns=st.lists(PATTERNS, max_size=8), path=PATHS, floating=st.sampled_from([None, True]))
@settings(max_examples=200, deadline=None)
def test_an_index_finds_what_trying_every_pattern_finds(patterns: list[str], path: str, floating: bool | None) -> None:
    globs = [Glob(pattern, floating=floating) for pattern in patterns]
    assert list(GlobIndex(globs).matching(path)) == [
        index for index in reversed(range(len(globs))) if globs[index].matches(path)
    ]


def test_an_index_keeps_patterns_that_ignore_letter_case_and_escapes() -> None:
    globs = [Glob("DIST/a", case_sensitive=False), Glob(r"/x\*y/z"), Glob(r"x\*y/*")]
    assert list(GlobIndex(globs).matching("dist/a")) == [0]
    assert list(GlobIndex(globs).matching("x*y/z")) == [2, 1]


@pytest.mark.parametrize(
    ("pattern", "folder", "answer"),
    [
        ("*.dll", "out/a.zip!", True),
        ("**/x", "out/a.zip!", True),
        ("out/**", "out/a.zip!", True),
        ("out/*/x.dll", "out/a.zip!", True),
        ("out/*.dll", "out/a.zip!", False),
        ("bin/**", "out/a.zip!", False),
        ("out/a.zip!/x", "out/a.zip!", True),
        ("out", "out/a.zip!", True),
        ("out/b/", "out/a.zip!", False),
    ],
)
def test_whether_a_pattern_may_mean_something_below_a_folder(pattern: str, folder: str, answer: bool) -> None:
    assert Glob(pattern).may_reach(folder) is answer
