"""The commands of an installation: try it, prepare a database, check a territory, run the worker."""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from casework import (
    cards,
    directory,
    doctor,
    kiosks,
    phrasebook,
    reviews,
    rights,
    running,
    schema,
    territory_files,
    translation_models,
    worker,
)
from casework.checked_yaml import FileError
from casework.database import connect
from casework.identity import IdentityError, load_identity
from casework.settings import ROOT, Settings, SettingsError, from_environment, models_folder

TERRITORY = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Allervers, for those who install it. Settings come from the environment: see README.md."""


@main.command()
def run() -> None:
    """Start everything for a trial: database, portal, back office, worker, demonstration data."""
    try:
        sys.exit(running.run_everything())
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


@main.command()
def prepare() -> None:
    """Bring the database to the present schema, give the roles their passwords, load the territory.

    DATABASE_URL is the owner's address; PORTAL_DATABASE_URL and BACKOFFICE_DATABASE_URL carry the passwords.
    """
    settings = _settings()
    running.prepare(settings, running.role_urls_from_environment())
    click.echo("The database is ready.")


@main.command("check-territory")
@click.argument("folder", type=TERRITORY, default=ROOT / "territory" / "vienne")
def check_territory(folder: Path) -> None:
    """Check a territory's files without touching any database; exit status 1 when something is wrong."""
    problems = [str(problem) for problem in territory_files.check(folder)]
    try:
        load_identity(folder)
    except IdentityError as error:
        problems += error.problems
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(1)
    click.echo("This territory is complete and coherent.")


@main.command("check-content")
def check_content() -> None:
    """Check rights pages, phrasebook and cards, and list what to do again; exit status 1 when one is wrong."""
    problems: list[str] = []
    for load in (rights.load_library, phrasebook.load_phrasebook, cards.load_cards):
        try:
            load()
        except (rights.ContentError, FileError) as error:
            problems += error.problems
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(1)
    library, book, answers = rights.load_library(), phrasebook.load_phrasebook(), cards.load_cards()
    for amount in library.amounts.values():
        if amount.is_stale(date.today()):  # noqa: DTZ011 - whose day it is here matters little over six months
            click.echo(f"amounts.yaml: {amount.id}: not compared with its source for six months.")
    for slug, pages in library.pages.items():
        if pages[rights.FRENCH].facts.checked is None:
            click.echo(f"{slug}/fr: its facts were not compared with the source yet.")
    for line in (*library.to_redo(), *book.to_redo, *answers.to_redo):
        click.echo(line)
    click.echo(
        f"{len(library.pages)} pages, {len(list(book))} ready sentences, {len(answers.cards)} cards, coherent."
    )
    if to_note := library.to_note():
        click.echo("\n".join(to_note), err=True)
        sys.exit(1)


@main.command("translations")
def translations() -> None:
    """Show, by language, what native speakers read over and what was made from an earlier version of the French."""
    library = rights.load_library()
    click.echo(reviews.table(library))
    for line in library.to_redo():
        click.echo(line)
    for line in reviews.lost(library):
        click.echo(f"{line}: not as in French")


@main.command("sign-review")
@click.argument("language")
@click.argument("name")
@click.argument("pages", nargs=-1)
def sign_review(language: str, name: str, pages: tuple[str, ...]) -> None:
    """Note that NAME, a native speaker, read over the catalogue of LANGUAGE, or the PAGES named (`situations` too)."""
    library = rights.load_library()
    try:
        if pages:
            for slug in pages:
                reviews.sign_page(language, slug, name, library)
            click.echo(f"{len(pages)} signed.")
        else:
            count = reviews.sign_strings(language, name, date.today())  # noqa: DTZ011 - a day in a list
            click.echo(f"{count} strings signed.")
    except reviews.NothingToSignError as error:
        raise click.ClickException(f"Nothing to sign: {error}.") from error


@main.command("load-territory")
def load_territory() -> None:
    """Load the territory's files into the database; requests stay where they are."""
    settings = _settings()
    with Session(connect(settings.database_url, pooled=False)) as session, session.begin():
        territory_files.load(session, settings.territory)
    click.echo("The territory is loaded.")


@main.command("directory-check")
@click.argument("login")
def directory_check(login: str) -> None:
    """Show what the directory says of somebody: groups, house, roles. Asks for no password."""
    settings = _settings()
    if settings.directory is None:
        raise click.ClickException("LDAP_URL is empty: no directory is configured.")
    try:
        click.echo(directory.describe(settings.directory, login))
    except directory.DirectoryDownError as error:
        raise click.ClickException(f"The directory does not answer: {error.cause}") from error


@main.command("kiosk-key")
@click.argument("house_id")
@click.argument("name", default="")
def kiosk_key(house_id: str, name: str) -> None:
    """Print the address to open once on a touch screen of a house: it is that house's kiosk from then on."""
    settings = _settings()
    with Session(connect(settings.database_url, pooled=False)) as session, session.begin():
        try:
            key = kiosks.make(session, settings.access_key, house_id, name, datetime.now(UTC))
        except kiosks.NoHouseError as error:
            raise click.ClickException(f"No such house. The houses are: {', '.join(error.known)}.") from error
    click.echo(f"{settings.portal_address}/borne/{key}")


@main.command("doctor")
def examine() -> None:
    """Try the database, mail, the virus scanner and each pair of languages; exit status 1 when something is wrong."""
    wrong = False
    for finding in doctor.examine(_settings()):
        click.echo(finding)
        wrong = wrong or finding.works is False
    if wrong:
        sys.exit(1)


@main.command("translation-models")
@click.argument("languages", nargs=-1, required=True)
@click.option(
    "--from", "folder", type=TERRITORY, help="A folder of .argosmodel files, in the place of the index."
)
@click.option("--trust", is_flag=True, help="Take packages whose SHA-256 the manifest does not know yet.")
def install_models(languages: tuple[str, ...], folder: Path | None, trust: bool) -> None:
    """Install what translates these languages to French and back (`ar en uk`), each package checked first.

    The index is MODELS_INDEX, by default Argos' own; models go to MODELS_FOLDER.
    """
    models = models_folder()
    try:
        offered = (
            translation_models.in_folder(folder)
            if folder
            else translation_models.in_index(os.environ.get("MODELS_INDEX") or translation_models.INDEX)
        )
        packages, missing = translation_models.needed(offered, languages)
        for package in packages:
            with click.progressbar(length=1, label=package.name, file=sys.stderr) as bar:

                def show(_name: str, came: int, size: int | None, bar: Any = bar) -> None:
                    bar.length = max(size or came, 1)
                    bar.update(came - bar.pos)

                digest = translation_models.install(models, package, show, trust=trust)
            click.echo(f"{package.name} {digest}")
    except translation_models.ModelError as error:
        raise click.ClickException(str(error)) from error
    if missing:
        raise click.ClickException(f"No model for {', '.join(' → '.join(pair) for pair in missing)}.")
    click.echo("Restart the worker, then: python -m casework doctor")


@main.command("worker")
def run_worker() -> None:
    """Send, scan, renew, sweep; until told to stop."""
    worker.run(_settings())


@main.command()
def keys() -> None:
    """Print new keys, as settings: keep the private one off the portal's machine."""
    for name, value in running.new_keys().items():
        click.echo(f"{name}={value}")


@main.command("migrate")
def migrate() -> None:
    """Bring the database to the present schema, nothing else."""
    schema.migrate(connect(_settings().database_url, pooled=False))
    click.echo("The schema is up to date.")


def _settings() -> Settings:
    try:
        return from_environment()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
