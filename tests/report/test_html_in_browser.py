"""The page in a browser that has no network: it runs without an error, fits phone and desktop, and answers to keys and searches."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from csv_gate.model.result import Finding
from csv_gate.model.verdict import Level
from csv_gate.report import ReportOptions, render
from tests.builders.results import BuiltResult, allowed, artifact, denied, green_run, red_run, result

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("needs Chromium", allow_module_level=True)
SWITCHES = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PHONE, DESKTOP = 390, 1280


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield started
        started.close()


class Shown:
    """A page that is open, and everything that it complained about or asked the network for."""

    def __init__(self, browser: Any, path: Path, width: int, *, dark: bool = False) -> None:
        self.complaints: list[str] = []
        scheme = "dark" if dark else "light"
        self.context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme, offline=True)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)
        self.page.goto(path.as_uri())

    def _asked(self, request: Any) -> None:
        if not request.url.startswith("file:"):
            self.complaints.append(request.url)

    def photograph(self, name: str) -> bytes:
        """The whole page as PNG; also kept in the folder that `CSV_GATE_PICTURES` names, for people."""
        picture = bytes(self.page.screenshot(full_page=True))
        if folder := os.environ.get("CSV_GATE_PICTURES"):
            (Path(folder) / f"{name}.png").write_bytes(picture)
        return picture

    def open_row(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()
        for summary in self.page.locator(".detail summary").all():
            summary.click()

    def is_wider_than_the_window(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Any]:
    opened: list[Shown] = []

    def show(run: BuiltResult, width: int, **how: Any) -> Shown:
        path = tmp_path / "report.html"
        with path.open("w", encoding="utf-8") as out:
            render("html", run, out, ReportOptions())
        opened.append(Shown(browser, path, width, **how))
        return opened[-1]

    yield show
    for one in opened:
        one.context.close()


def many(count: int) -> BuiltResult:
    """Every tenth is denied."""
    return result(*(artifact(f"out/part-{n:04}.dll", allowed() if n % 10 else denied()) for n in range(count)))


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_red_page_opens_all_its_details_without_an_error_and_fits(show: Any, width: int, dark: bool) -> None:
    shown = show(red_run(), width, dark=dark)
    shown.open_row("dist/agent/helper.dll")
    assert shown.page.locator(".detail").first.is_visible()
    picture = shown.photograph(f"red-{width}-{'dark' if dark else 'light'}")
    assert int.from_bytes(picture[16:20], "big") == width  # of a PNG: nothing sticks out
    assert shown.complaints == []
    assert not shown.is_wider_than_the_window()


def test_a_long_path_stands_beside_its_button_mark_on_a_phone(show: Any) -> None:
    page = show(result(artifact("out/plugins/vendor/some-long-name-of-a-library.dll", denied())), PHONE).page
    button = page.locator("tbody th button").first
    assert button.evaluate("one => getComputedStyle(one).display") == "flex"
    text_top = button.evaluate(
        "one => { const r = document.createRange(); r.selectNodeContents(one); return r.getClientRects()[0].top }"
    )
    assert text_top - button.bounding_box()["y"] < 12


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_a_green_page_has_no_error_and_fits(show: Any, width: int) -> None:
    shown = show(green_run(), width)
    assert shown.complaints == []
    assert not shown.is_wider_than_the_window()


def test_a_search_among_thousands_finds_and_lets_go(show: Any) -> None:
    page = show(many(2_000), DESKTOP).page
    page.fill("#search", "part-004")
    page.get_by_text("10 of 2000 artifacts").wait_for()
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("2000 of 2000 artifacts").wait_for()


def test_a_row_opens_with_the_keyboard(show: Any) -> None:
    shown = show(red_run(), DESKTOP)
    shown.page.get_by_role("button", name="dist/agent/helper.dll").focus()
    shown.page.keyboard.press("Enter")
    assert shown.page.locator(".detail").first.is_visible()


def test_a_hostile_name_runs_nothing(show: Any) -> None:
    name = "dist/<img src=x onerror=alert(1)></script><script>alert(2)</script>.dll"
    shown = show(result(artifact(name, denied())), DESKTOP)
    assert shown.complaints == []
    assert shown.page.get_by_role("button", name="<img src=x").is_visible()


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(show: Any, width: int, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    shown = show(red_run(), width, dark=dark)
    shown.open_row("dist/agent/helper.dll")
    violations = axe.Axe().run(shown.page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in violations if one["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_what_falls_short_of_a_requirement_has_a_column_and_is_counted(show: Any, width: int) -> None:
    short = Finding(check="CSV401", level=Level.ERROR, message="requirement build: not signed by build")
    of = result(
        artifact("a.dll", allowed(), findings=(short,)),
        artifact("b.dll", allowed()),
        artifact("c.cat", findings=(short,), waived=True),
    )
    shown = show(of, width)
    assert shown.page.locator("#counts button").all_inner_texts()[0].split() == ["1", "✗", "not", "as", "required"]
    assert shown.page.locator("#rows .chip.unmet").count() == 1
    assert shown.page.locator("#rows .chip.waived").count() == 1
    shown.open_row("a.dll")
    assert shown.page.get_by_text("requirement build: not signed by build").last.is_visible()
    assert shown.complaints == []
    assert not shown.is_wider_than_the_window()
