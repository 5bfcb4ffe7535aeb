"""A page without its ways out of a kiosk: what leads elsewhere becomes plain text, and no field is remembered.

Done on the finished page, so that a page written tomorrow is held to it too.
"""

from __future__ import annotations

import re

LINK = re.compile(r"<a\b([^>]*)>(.*?)</a>", re.DOTALL)
ADDRESS = re.compile(r'\bhref="([^"]*)"')
CLASSES = re.compile(r'\bclass="([^"]*)"')
KEPT = re.compile(r'\b(?:class|lang|dir)="[^"]*"')
REMEMBERING = re.compile(r"<(form|input|textarea|select|button)\b([^>]*)>")
ELSEWHERE = re.compile(r'\s+(?:form)?target="[^"]*"')
BY_ITSELF = re.compile(r'\?seul=1(?=["#])')
FORM = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*>(.*?)</form>', re.DOTALL)
WRITTEN = re.compile(r'<textarea\b|<input\b(?![^>]*\btype="(?:hidden|radio|checkbox|submit|button|file)")')
HINT = re.compile(r'\s+autocomplete="[^"]*"')
FILES = (".ics", ".pdf")


def without_ways_out(page: str) -> str:
    """The page with only links of our own, none of them to a file, and `autocomplete="off"` on everything one fills.

    A link that goes to another site, or that calls a program of the machine (`tel:`, `mailto:`), keeps its words. None
    opens a window.
    """
    return REMEMBERING.sub(_forgetful, LINK.sub(_inside, page))


def is_written_on(page: str) -> bool:
    """True for a page on which one types something to send."""
    return any(WRITTEN.search(form) for form in FORM.findall(page))


def _inside(link: re.Match[str]) -> str:
    attributes, words = link.groups()
    found = ADDRESS.search(attributes)
    address = found.group(1) if found else ""
    if address.split("?")[0].split("#")[0].endswith(FILES):
        return ""
    if address.startswith(("#", "?")) or (address.startswith("/") and not address.startswith("//")):
        return BY_ITSELF.sub("", f"<a{ELSEWHERE.sub('', attributes)}>{words}</a>")
    if not found:
        return link.group()
    kept = " ".join(KEPT.findall(_plain(attributes)))
    return f"<span {kept}>{words}</span>"


def _plain(attributes: str) -> str:
    """The attributes, `way-out` among the classes: what looked like a button looks like words."""
    if CLASSES.search(attributes):
        return CLASSES.sub(lambda found: f'class="{found.group(1)} way-out"', attributes, count=1)
    return f'{attributes} class="way-out"'


def _forgetful(control: re.Match[str]) -> str:
    name, attributes = control.groups()
    attributes = ELSEWHERE.sub("", attributes)
    if name == "button":
        return f"<button{attributes}>"
    return f'<{name} autocomplete="off"{HINT.sub("", attributes)}>'
