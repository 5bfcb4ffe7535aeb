"""A visitor of either face, without JavaScript: opens pages, fills forms, follows where they lead."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.pages import Page, controls, filled_in, read

Button = tuple[str, str]
"""The name and the value of a button."""


class Visitor:
    """One browser over HTTPS. Every page it is shown is checked (`tests.pages.read`)."""

    def __init__(self, app: Flask, origin: str, source: str = "192.0.2.10") -> None:
        self.client: FlaskClient = app.test_client()
        self.origin = origin
        self.source = source
        self.locations: list[str] = []
        """Every address an answer sent this browser to."""
        self.shown: list[Page] = []
        self._page: Page | None = None

    def second_tab(self) -> Visitor:
        """Another tab of the same browser: the same cookies, the same page on the screen."""
        tab = type(self).__new__(type(self))
        tab.__dict__.update(self.__dict__)
        tab.client = self.client.application.test_client()
        host = urlsplit(self.origin).hostname or ""
        name = self.client.application.config["SESSION_COOKIE_NAME"]
        if cookie := self.client.get_cookie(name, domain=host):
            tab.client.set_cookie(name, cookie.value, domain=host)
        tab.locations, tab.shown = [], []
        return tab

    @property
    def page(self) -> Page:
        """The page on the screen."""
        assert self._page, "no page was opened yet"
        return self._page

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        """One request, no redirect followed."""
        environ = {"REMOTE_ADDR": self.source}
        return self.client.open(path, method=method, base_url=self.origin, environ_overrides=environ, **more)

    def open(self, path: str, status: int = 200) -> Page:
        """Open an address and follow to the page it leads to."""
        return self._arrive(path, self.ask("GET", path), status)

    def submit(
        self, button: Button | None = None, *, action: str = "", status: int = 200, **typed: Any
    ) -> Page:
        """Fill fields of a form on the screen and send it; a field that is not there fails.

        The form is the one with that button, else with that `action`, else with all the fields. A list ticks
        several boxes; a `(content, name)` pair, or a list of them, is files.
        """
        path, data, multipart = self.prepare(button, action=action, **typed)
        kind = "multipart/form-data" if multipart else None
        answer = self.ask("POST", path, data=data, content_type=kind)
        if answer.status_code == 307:  # the same post again, elsewhere
            path = answer.headers["Location"]
            answer = self.ask("POST", path, data=data, content_type=kind)
        return self._arrive(path, answer, status)

    def prepare(
        self, button: Button | None = None, *, action: str = "", **typed: Any
    ) -> tuple[str, MultiDict[str, Any], bool]:
        """The address, the fields and whether it is multipart: the form as it would be sent."""
        form = self._form(button, action, set(typed))
        data = filled_in(self.page.html, form)
        for name, value in typed.items():
            data.poplist(name)
            values = value if isinstance(value, list) else [value]
            for one in values:
                data.add(name, (io.BytesIO(one[0]), one[1]) if isinstance(one, tuple) else one)
        if button:
            data.add(*button)
        path = urljoin(self.page.path, form.get("action") or self.page.path)
        return path, data, form.get("enctype") == "multipart/form-data"

    def _form(self, button: Button | None, action: str, names: set[str]) -> Element:
        for form in self.page.html.iter("form"):
            inside = list(controls(self.page.html, form))
            buttons = {(one.get("name"), one.get("value")) for one in inside if one.tag == "button"}
            if form.get("method", "get").lower() != "post" or (button and button not in buttons):
                continue
            if action and not (form.get("action") or "").endswith(action):
                continue
            if names <= {one.get("name") for one in inside}:
                return form
        raise AssertionError(f"no such form on {self.page.path}: {button or action or names}")

    def _arrive(self, path: str, answer: TestResponse, status: int) -> Page:
        while 300 <= answer.status_code < 400:
            assert answer.status_code == 303, f"{path}: {answer.status_code}"
            location = urljoin(self.origin + path, answer.headers["Location"])
            self.locations.append(location)
            parts = urlsplit(location)
            assert f"{parts.scheme}://{parts.netloc}" == self.origin, f"{path} leads away to {location}"
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            answer = self.ask("GET", path)
        assert answer.status_code == status, (
            f"{path}: {answer.status_code}\n{answer.get_data(as_text=True)[:3000]}"
        )
        self._page = read(path, answer)
        self.shown.append(self._page)
        return self._page
