from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from csv_gate.errors import ConfigError
from csv_gate.owners import CodeOwners, Dialect, read_codeowners


def github(*lines: str) -> CodeOwners:
    return read_codeowners("\n".join(lines).encode(), "CODEOWNERS", Dialect.GITHUB)


def gitlab(*lines: str) -> CodeOwners:
    return read_codeowners("\n".join(lines).encode(), "CODEOWNERS", Dialect.GITLAB)


FILES = (
    "README.md",
    "a.js",
    "Makefile",
    "docs/index.md",
    "docs/guide/start.md",
    "docs/guide/deep/x.js",
    "src/docs/note.md",
    "build/logs/today.log",
    "logs/a.log",
    "apps/github/main.cs",
    "apps/readme.txt",
    "lib/apps/x.cs",
    "with space/a b.txt",
    ".hidden/x",
    "foo1/bar",
    "x/foo2/bar/baz",
)


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "*.js",
        "/*.js",
        "docs/",
        "/docs/",
        "docs",
        "/docs",
        "/build/logs/",
        "**/logs",
        "logs",
        "apps/github",
        "/apps/github",
        "apps/",
        "/docs/**/*.md",
        "docs/**",
        "**/docs/**",
        "/docs/*.md",
        "foo?",
        "foo*",
        "**/foo*/bar",
        "**",
        "/**/x",
        "**/",
        "docs/**/",
        "with\\ space/",
        "Readme.md",
        "/foo*/bar",
    ],
)
def test_github_patterns_mean_what_git_check_ignore_says(tmp_path: Path, pattern: str) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(pattern + "\n")
    command = ["git", "-C", str(tmp_path), "-c", "core.quotePath=false", "check-ignore", "--no-index", "--stdin"]
    done = subprocess.run(command, input="\n".join(FILES), capture_output=True, text=True, check=False)
    owned = {path for path in FILES if github(f"{pattern} @o").owners_of(path)}
    assert owned == set(done.stdout.splitlines())


def test_github_differs_from_git_in_a_lone_star_behind_a_folder() -> None:
    owners = github("docs/* @o")
    assert owners.owners_of("docs/index.md") == ("@o",)
    assert owners.owners_of("docs/guide/start.md") == ()


def test_the_last_line_that_matches_wins_and_is_named() -> None:
    owners = github("* @all", "", "# comment", "*.js @js @org/web", "/vendor/*.js dev@example.com")
    assert owners.owners_of("x.py") == ("@all",)
    assert owners.owners_of("a/x.js") == ("@js", "@org/web")
    assert owners.owners_of("vendor/x.js") == ("dev@example.com",)
    assert [str(rule.place) for rule in owners.matching("a/x.js")] == ["CODEOWNERS:4"]


def test_a_line_without_owners_takes_the_owner_away() -> None:
    owners = github("/apps/ @o", "/apps/github")
    assert owners.owners_of("apps/x") == ("@o",)
    assert owners.owners_of("apps/github/x") == ()
    assert owners.matching("apps/github/x")


def test_github_takes_a_comment_behind_the_owners() -> None:
    assert github("*.js @js # not @me").owners_of("a.js") == ("@js",)


@pytest.mark.parametrize("line", ["!*.js @x", "[ab].js @x", r"\#file @x", "*.js nobody", "*.js @a@b@c", "a//b @x"])
def test_github_skips_a_line_that_it_does_not_understand(line: str) -> None:
    owners = github("* @all", line)
    assert owners.owners_of("a.js") == ("@all",)
    assert [error.place.line for error in owners.skipped if error.place] == [2]


GITLAB_EXAMPLE = (
    "* @admin",
    "[README Owners]",
    "README.md @user1 @user2",
    "internal/README.md @user4",
    "[README other owners]",
    "README.md @user3",
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("README.md", ("@admin", "@user1", "@user2", "@user3")),
        ("internal/README.md", ("@admin", "@user4", "@user3")),
        ("lib/internal/README.md", ("@admin", "@user4", "@user3")),
        ("main.c", ("@admin",)),
    ],
)
def test_gitlab_adds_up_the_sections(path: str, expected: tuple[str, ...]) -> None:
    assert gitlab(*GITLAB_EXAMPLE).owners_of(path) == expected


def test_gitlab_gives_a_sections_default_owners_to_lines_without_their_own() -> None:
    owners = gitlab("^[Database][2] @db @agarcia", "model/db/", "config/setup.md @docs # and @ops")
    assert owners.owners_of("model/db/x/y") == ("@db", "@agarcia")
    assert owners.owners_of("config/setup.md") == ("@docs", "@ops")
    section = owners.matching("model/db/x")[0].section
    assert (section.name, section.is_optional, section.approvals) == ("Database", True, 2)


def test_gitlab_joins_sections_of_one_name_in_any_letter_case() -> None:
    owners = gitlab("[Docs]", "*.md @a", "[Ruby]", "*.rb @r", "[DOCS]", "README.md @b")
    assert owners.owners_of("README.md") == ("@b",)
    assert owners.owners_of("x.md") == ("@a",)


def test_gitlab_exclusions_hold_in_their_section_and_cannot_be_taken_back() -> None:
    owners = gitlab(
        "* @default", "!*.rb", "/special/*.rb @ruby", "[Ruby]", "*.rb @team", "!/config/**/*.rb", "/config/routes.rb @ops"
    )
    assert owners.owners_of("special/x.rb") == ("@team",)
    assert owners.owners_of("config/routes.rb") == ()
    assert owners.owners_of("x.py") == ("@default",)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/docs/", "docs/a/b.md", True),
        ("/docs", "docs/a.md", False),
        ("docs", "x/docs", True),
        ("/docs/*", "docs/a/b.md", False),
        ("/docs/**", "docs/a/b.md", False),
        ("/docs/**/*.md", "docs/b.md", True),
        ("/docs/*spec*", "docs/qa_specs.rb", True),
        ("lib/", "x/lib/y", True),
        ("*", ".gitignore", True),
        (r"\#file", "#file", True),
        (r"path\ with\ spaces/", "path with spaces/x", True),
        ("[ab].txt", "x/a.txt", True),
        ("@@maintainer", "x", False),
    ],
)
def test_gitlab_patterns(pattern: str, path: str, expected: bool) -> None:
    assert bool(gitlab(f"{pattern} @@maintainer").owners_of(path)) is expected


def test_gitlab_tells_of_a_header_that_is_not_closed() -> None:
    assert len(gitlab("[Docs", "*.md @a").skipped) == 1


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (".github/CODEOWNERS", "[Docs]\n* @a", Dialect.GITHUB),
        (".gitlab/CODEOWNERS", "* @a", Dialect.GITLAB),
        ("CODEOWNERS", "* @a", Dialect.GITHUB),
        ("docs/CODEOWNERS", "* @a\n^[Docs][2] @b", Dialect.GITLAB),
    ],
)
def test_the_grammar_is_recognised(path: str, text: str, expected: Dialect) -> None:
    assert read_codeowners(text.encode(), path).dialect is expected


def test_a_file_that_github_would_not_read_is_refused() -> None:
    with pytest.raises(ConfigError, match="too large"):
        read_codeowners(b"#" * 3_000_001, "CODEOWNERS")
    with pytest.raises(ConfigError, match="too many lines"):
        read_codeowners(b"\n" * 200_000, "CODEOWNERS")


def test_bytes_that_are_no_text_are_not_the_end() -> None:
    owners = read_codeowners(b"\xff\xfe @a\r\n*.js @b\r\n", "CODEOWNERS")
    assert owners.owners_of("x.js") == ("@b",)
