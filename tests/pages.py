"""Pages as a careful reader finds them: parsed strictly, and held to what every page must have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import html5lib
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from casework.vocabulary import LANGUAGES

TYPED_INTO = {"text", "tel", "email", "password", "search", "number"}


@dataclass(frozen=True)
class Page:
    """One page that was shown, at the address that showed it."""

    path: str
    response: TestResponse
    html: Element

    @property
    def status(self) -> int:
        """The answer's code."""
        return self.response.status_code

    @property
    def title(self) -> str:
        """What the browser's tab says."""
        return words(next(self.html.iter("title")))

    @property
    def heading(self) -> str:
        """The one h1."""
        return words(next(self.html.iter("h1")))

    @property
    def text(self) -> str:
        """Everything one reads, spaces made single."""
        return words(self.html.find("body"))

    @property
    def main(self) -> str:
        """What one reads between header and footer."""
        return words(next(self.html.iter("main")))

    def main_but(self, language: str) -> str:
        """The same without what is marked as being in that language."""
        return " ".join("".join(_but(next(self.html.iter("main")), language)).split())

    def links(self) -> list[str]:
        """Every address a link leads to."""
        return [link.get("href", "") for link in self.html.iter("a")]

    def of_class(self, name: str) -> list[Element]:
        """Elements of a class."""
        return [element for element in self.html.iter() if name in element.get("class", "").split()]

    def errors(self) -> list[str]:
        """The messages of the error summary."""
        return [words(item) for box in self.of_class("error-summary") for item in box.iter("li")]

    def field(self, name: str) -> str:
        """What stands in a field."""
        for form in self.html.iter("form"):
            if name in (values := filled_in(self.html, form)):
                return str(values[name])
        raise AssertionError(f"no field {name} on {self.path}")

    def chosen(self, name: str) -> list[str]:
        """What is ticked or selected under a name."""
        return [
            value for form in self.html.iter("form") for value in filled_in(self.html, form).getlist(name)
        ]


def words(element: Element | None) -> str:
    """The text of an element, spaces made single."""
    return " ".join("".join(element.itertext()).split()) if element is not None else ""


def _but(element: Element, language: str) -> Iterator[str]:
    if element.get("lang") != language:
        yield element.text or ""
        for child in element:
            yield from _but(child, language)
            yield child.tail or ""


def read(path: str, response: TestResponse) -> Page:
    """The page of an answer; it fails on anything a page must not be."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    page = Page(path, response, parser.parse(response.get_data(as_text=True)))
    assert not parser.errors, f"{path}: {parser.errors}"
    _check_outline(page)
    _check_labels(page)
    _check_nothing_inline(page)
    for form in page.html.iter("form"):
        if form.get("method", "get").lower() == "post":
            assert filled_in(page.html, form).get("csrf_token"), f"{path}: a form without its token"
    return page


def _check_outline(page: Page) -> None:
    path = page.path
    assert len(list(page.html.iter("h1"))) == 1, f"{path}: not exactly one h1"
    assert page.heading, f"{path}: empty h1"
    titles = list(page.html.iter("title"))
    assert len(titles) == 1, f"{path}: not exactly one title"
    assert page.title.split(" – ")[0], f"{path}: empty title"
    repeated = [value for value, times in Counter(_ids(page)).items() if times > 1]
    assert not repeated, f"{path}: repeated ids {repeated}"
    first = urlsplit(path).path.strip("/").split("/")[0]
    if first in LANGUAGES:
        assert page.html.get("lang") == first, f"{path}: another language"
        assert page.html.get("dir") == LANGUAGES[first].direction, f"{path}: another direction"


def _check_labels(page: Page) -> None:
    ids = set(_ids(page))
    for label in page.html.iter("label"):
        target = label.get("for")
        inside = any(element.tag in {"input", "select", "textarea"} for element in label.iter())
        assert target in ids if target else inside, f"{page.path}: a label of nothing: {words(label)}"
    labelled = {label.get("for") for label in page.html.iter("label")}
    for control in page.html.iter():
        typed = control.tag in {"select", "textarea"} or (
            control.tag == "input" and control.get("type", "text") in TYPED_INTO | {"file"}
        )
        if typed:
            assert control.get("id") in labelled, f"{page.path}: {control.get('name')} has no label"
    for element in page.html.iter():
        for name in ("aria-describedby", "aria-labelledby"):
            for target in element.get(name, "").split():
                assert target in ids, f"{page.path}: {name} leads to no {target}"


def _check_nothing_inline(page: Page) -> None:
    assert not list(page.html.iter("style")), f"{page.path}: inline style sheet"
    for script in page.html.iter("script"):
        assert script.get("src"), f"{page.path}: inline script"
    for element in page.html.iter():
        handlers = [name for name in element.attrib if str(name).startswith("on") or name == "style"]
        assert not handlers, f"{page.path}: {element.tag} has {handlers}"
        assert not element.get("href", "").lower().startswith("javascript:"), (
            f"{page.path}: a script as a link"
        )
    policy = page.response.headers.get("Content-Security-Policy", "")
    assert "frame-ancestors 'none'" in policy, f"{page.path}: may be framed"
    assert "unsafe" not in policy, f"{page.path}: {policy}"


def _ids(page: Page) -> list[str]:
    return [element.get("id", "") for element in page.html.iter() if element.get("id")]


def controls(html: Element, form: Element) -> Iterator[Element]:
    """The fields and buttons of a form, those outside that name it included."""
    inside = set(form.iter())
    for element in html.iter():
        if element.tag in {"input", "select", "textarea", "button"} and element.get("name"):
            owner = element.get("form")
            if (owner and owner == form.get("id")) or (not owner and element in inside):
                yield element


def filled_in(html: Element, form: Element) -> MultiDict[str, Any]:
    """What a browser would send of a form as it stands, buttons left out."""
    values: MultiDict[str, Any] = MultiDict()
    for control in controls(html, form):
        name, kind = control.get("name", ""), control.get("type", "text")
        if control.tag == "textarea":
            values.add(name, control.text or "")
        elif control.tag == "select":
            options = list(control.iter("option"))
            chosen = [option for option in options if option.get("selected") is not None] or options[:1]
            for option in chosen:
                values.add(name, option.get("value", words(option)))
        elif control.tag == "input" and kind in {"checkbox", "radio"}:
            if control.get("checked") is not None:
                values.add(name, control.get("value", "on"))
        elif control.tag == "input" and kind not in {"file", "submit"}:
            values.add(name, control.get("value", ""))
    return values
