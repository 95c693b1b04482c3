"""The report in a real browser: nothing fetched, nothing broken, readable by everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

import result_examples as examples
from chromium import ARGUMENTS, chromium
from safeguard.reports.html import render_html

pytestmark = pytest.mark.browser

RESULTS = {
    "blocked": examples.blocked,
    "passed": examples.passed,
    "undecided": examples.undecided,
    "empty": examples.empty,
    "hostile": examples.hostile,
    "huge": lambda: examples.huge(300),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    for name, make in RESULTS.items():
        (folder / f"{name}.html").write_text(render_html(make()), encoding="utf-8")
    return folder


class _Opened:
    """A page with everything that it complained of or asked the network for."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))
        page.goto(address)
        self.requests.remove(address)

    def open_details(self) -> None:
        self.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")


Opening = Callable[..., _Opened]


@pytest.fixture
def opened(browser: Browser, reports: Path) -> Iterator[Opening]:
    pages: list[Page] = []

    def opening(name: str, width: int = 1_200, scheme: str = "light") -> _Opened:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        return _Opened(page, (reports / f"{name}.html").as_uri())

    yield opening
    for page in pages:
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [n for n in RESULTS if n != "huge"])
def test_no_accessibility_violation(opened: Opening, name: str, scheme: str) -> None:
    report = opened(name, scheme=scheme)
    report.open_details()
    found = Axe().run(report.page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", RESULTS)
def test_silent_and_alone(opened: Opening, name: str) -> None:
    report = opened(name)
    report.open_details()
    assert [r for r in report.requests if not r.startswith("data:")] == []
    assert report.complaints == []


@pytest.mark.parametrize("width", [360, 768, 1_200])
@pytest.mark.parametrize("name", RESULTS)
def test_nothing_sticks_out(opened: Opening, name: str, width: int) -> None:
    report = opened(name, width)
    report.open_details()
    assert report.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_policy_refuses_what_is_not_ours(opened: Opening) -> None:
    report = opened("passed")
    report.page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = 'document.title = "taken over"';
          document.body.append(script);
        }"""
    )
    assert report.page.title() == "PASS: qwikster-split"
    assert any("Content Security Policy" in text for text in report.complaints)


def test_printing_opens_what_is_folded(opened: Opening) -> None:
    report = opened("blocked")
    assert report.page.evaluate("document.querySelectorAll('details:not([open])').length") > 0
    report.page.pdf()
    assert report.page.evaluate("document.querySelectorAll('details:not([open])').length") == 0


def test_readable_without_javascript(browser: Browser, reports: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((reports / "blocked.html").as_uri())
    page.get_by_text("Systems, sums, routes and times").click()
    assert page.get_by_text("one consistent-read transaction").is_visible()
    context.close()


def test_wide_tables_can_be_reached_by_keyboard(opened: Opening) -> None:
    report = opened("blocked", 360)
    regions = report.page.locator(".scroll")
    assert regions.count() > 0
    assert all(r.get_attribute("tabindex") == "0" for r in regions.all())
    assert all(r.get_attribute("aria-label") for r in regions.all())
