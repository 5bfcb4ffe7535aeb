"""`make strings`: extract what people read, update the catalogues, say what is missing.

French is the source: its catalogue repeats each string, so that its plurals are French ones.
"""

from __future__ import annotations

import re
import sys
from copy import deepcopy
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from casework.vocabulary import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
UNREAD = "# Who read it over: reviewed.csv beside this folder, see docs/translating.md."
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "_l": None, "lazy_gettext": None}
PLACEHOLDER = re.compile(r"%\(\w+\)s")
MessageId = str | tuple[str, ...] | list[str]
CITIZENS_READ = ("portal/", "templates/portal/", "templates/mail/", "templates/sms/", "templates/print/",
                 "templates/shared/", "templates/call/", "casework/vocabulary.py", "casework/rights.py",
                 "casework/amounts.py", "casework/agenda.py", "casework/waiting_room.py", "web/")  # fmt: skip
"""Where the words of the portal, of mails and of text messages stand; the rest only agents read."""
SKIPPED = {".venv", "node_modules", "var", "tests", "bench", "tools"}


def extracted() -> Catalog:
    """Every string of the code and the templates, with the files it stands in (line numbers move: none)."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = Catalog(project="Allervers", charset="utf-8")
    rows = extract_from_dir(
        ROOT,
        methods,
        options,
        keywords=KEYWORDS,
        directory_filter=lambda folder: Path(folder).name not in SKIPPED,
    )
    for filename, _line, message, comments, _context in rows:
        if message and message != "":
            found.add(message, locations=[(filename, 0)], auto_comments=comments)
    return found


def wanted_in(language: str, source: Catalog) -> Catalog:
    """What a language has to say: all of it, or what citizens read when the back office does not speak it."""
    if LANGUAGES[language].for_agents:
        return source
    kept = Catalog(project="Allervers", charset="utf-8")
    for message in source:
        if message.id and any(place.startswith(CITIZENS_READ) for place, _line in message.locations):
            kept.add(message.id, locations=message.locations, auto_comments=message.auto_comments)
    return kept


def path_of(language: str) -> Path:
    """Where a language's catalogue stands."""
    return ROOT / "translations" / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    """A language's catalogue; an empty one when there is none yet."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, project="Allervers", header_comment=UNREAD)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(language: str, source: Catalog) -> None:
    """Bring a catalogue to the present strings: new ones empty, gone ones dropped, French filled in."""
    catalogue = read(language)
    catalogue.update(deepcopy(source), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    catalogue.fuzzy = False  # a catalogue marked so as a whole is not compiled, and people would read French
    if language == "fr":
        for message in filter(lambda message: message.id, catalogue):
            message.string = typeset(message.id)
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=110, sort_output=True, include_lineno=False, ignore_obsolete=True)


def typeset(french: MessageId) -> MessageId:
    """French as it is printed: no line may begin with a `:` or a `?`."""
    if isinstance(french, str):
        return re.sub(" (?=[:;?!»])", "\N{NO-BREAK SPACE}", french)
    return tuple(str(typeset(form)) for form in french)


def problems(language: str, source: Catalog) -> list[str]:
    """What is missing, unused, unsure or wrongly filled in a catalogue, a sentence each."""
    catalogue = read(language)
    known = {message.id: message for message in catalogue if message.id}
    wanted = {message.id for message in source if message.id}
    found = [f"{language}: unused: {_name(unused)}" for unused in known.keys() - wanted]
    if catalogue.fuzzy:
        found.append(f"{language}: unsure: the whole catalogue")
    for wanted_id in wanted:
        message = known.get(wanted_id)
        if message is None or not all(_strings(message)):
            found.append(f"{language}: missing: {_name(wanted_id)}")
        elif message.fuzzy:
            found.append(f"{language}: unsure: {_name(wanted_id)}")
        else:
            found += [f"{language}: {error}: {_name(wanted_id)}" for error in _placeholders(message)]
    return sorted(found)


def _strings(message: Message) -> list[str]:
    """What a message says: one string, or one a plural form."""
    said = message.string
    return [said or ""] if said is None or isinstance(said, str) else [str(form) for form in said]


def _placeholders(message: Message) -> list[str]:
    """What babel finds, and what it does not: a placeholder left out. A plural may say "one" in a word."""
    found = [str(error) for error in message.check()]
    if isinstance(message.id, str) and not found:
        lost = set(PLACEHOLDER.findall(message.id)) - set(PLACEHOLDER.findall(str(message.string)))
        found += [f"placeholder {name} is missing" for name in sorted(lost)]
    return found


def _name(message_id: MessageId) -> str:
    return message_id if isinstance(message_id, str) else message_id[0]


def main() -> int:
    """Update every catalogue and print what is left to translate; the exit status is 1 when something is."""
    source = extracted()
    found: list[str] = []
    for language in LANGUAGES:
        wanted = wanted_in(language, source)
        update(language, wanted)
        found += problems(language, wanted)
    print("\n".join(found) or f"{len(source)} strings, complete in {', '.join(LANGUAGES)}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
