"""`python -m casework.easyread FILE…`: read French texts and print what could be said better.

Files in `.md` are rights pages, others are messages as they leave. The exit status is 1 when there is an error,
2 when a file cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from casework.easyread import Kind, Level, Report, report
from casework.settings import ROOT

ACRONYMS = ROOT / "content" / "acronyms.yaml"
HEADER = f"{'sentences':>9} {'median':>6} {'longest':>7} {'rare':>4} {'K–M':>5} {'errors':>6} {'warnings':>8}  file"


def acronyms(path: Path = ACRONYMS) -> dict[str, str]:
    """The acronyms one may use, each with its name; none when there is no list."""
    if not path.exists():
        return {}
    listed: dict[str, dict[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {acronym: facts["name"] for acronym, facts in listed.items()}


def read_file(path: Path, known: Mapping[str, str]) -> Report:
    """What there is to say of a file, a page when its name ends in `.md`.

    Raises:
        OSError: there is no such file, or it may not be read.
        UnicodeDecodeError: it is not a text in UTF-8.
    """
    kind = Kind.PAGE if path.suffix == ".md" else Kind.MESSAGE
    return report(path.read_text(encoding="utf-8"), kind, known)


def table(reports: Iterable[tuple[str, Report]]) -> str:
    """One line a text: its sentences, its rare words, how easy it is, what was found."""
    return "\n".join([HEADER, *(_row(name, each) for name, each in reports)])


def _row(name: str, each: Report) -> str:
    measured = each.figures
    errors = sum(finding.level is Level.ERROR for finding in each.findings)
    return (
        f"{measured.sentences:>9} {measured.median_words:>6g} {measured.longest:>7} {len(measured.rare_words):>4} "
        f"{measured.kandel_moles:>5.0f} {errors:>6} {len(each.findings) - errors:>8}  {name}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Read the files and print; what the command's exit status is."""
    parser = argparse.ArgumentParser(
        prog="python -m casework.easyread", description="Is this French easy to read?"
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--table", action="store_true", help="print figures, one line a file")
    parser.add_argument("--errors", action="store_true", help="print errors only")
    parser.add_argument("--acronyms", type=Path, default=ACRONYMS, help="the acronyms one may use (YAML)")
    options = parser.parse_args(arguments)
    try:
        known = acronyms(options.acronyms)
        reports = [(str(path), read_file(path, known)) for path in options.files]
    except (OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.table:
        print(table(reports))
    else:
        for name, each in reports:
            for finding in each.findings:
                if finding.level is Level.ERROR or not options.errors:
                    print(f"{name}:{finding}")
    return int(any(finding.level is Level.ERROR for _, each in reports for finding in each.findings))


if __name__ == "__main__":
    sys.exit(main())
