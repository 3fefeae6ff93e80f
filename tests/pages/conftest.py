"""A real browser: Chromium through Playwright, from the system or from Playwright's own download."""

import shutil

import pytest


@pytest.fixture(scope="module")  # while it is open, an event loop of its own runs, which other tests may not find
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    pytest.importorskip("pygments")
    place = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_api.sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(executable_path=place, args=["--no-sandbox"])
        except sync_api.Error:
            pytest.skip("no Chromium: install the system's `chromium`, or run `playwright install chromium`")
        yield found
        found.close()


class Watched:
    """A page that notes what should not happen: messages on the console, errors, requests to anywhere."""

    def __init__(self, page):
        self.page, self.complaints, self.requests = page, [], []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))


@pytest.fixture
def opened(browser):
    """Open a URL; at the end there must have been no message and no error."""
    pages = []

    def open_page(url, **options):
        context = browser.new_context(**{"viewport": {"width": 1300, "height": 900}, **options})
        watched = Watched(context.new_page())
        watched.page.goto(url)
        pages.append((context, watched))
        return watched

    yield open_page
    for context, watched in pages:
        context.close()
        assert watched.complaints == []
