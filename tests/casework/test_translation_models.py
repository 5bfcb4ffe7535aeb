"""Installing models, each checked; and the command that says whether everything works."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from casework import doctor, translation_models
from casework.cli import main
from casework.translation_models import MANIFEST, ModelError, Package
from casework.translators import ArgosTranslator
from tests import tiny_models
from tests.casework.asking import worker_settings
from tests.conftest import Database
from tests.local_servers import MailServer, free_port

AR_EN, EN_FR = {"شكرا": "Thank you"}, {"Thank you": "Merci"}


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder of packages, as an installer brings them on a key: Arabic goes through English, one of two versions."""
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "a.argosmodel").write_bytes(tiny_models.package("ar", "en", AR_EN))
    (folder / "old.argosmodel").write_bytes(
        tiny_models.package("en", "fr", {"Thank you": "Salut"}, version="1.9")
    )
    (folder / "new.argosmodel").write_bytes(tiny_models.package("en", "fr", EN_FR, version="1.10"))
    (folder / "e.argosmodel").write_bytes(tiny_models.package("fr", "en", {"Merci": "Thank you"}))
    (folder / "r.argosmodel").write_bytes(tiny_models.package("en", "ar", {"Thank you": "شكرا"}))
    return folder


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """`python -m casework translation-models …`: its exit status and what it says."""
    monkeypatch.setenv("MODELS_FOLDER", str(tmp_path / "models"))

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["translation-models", *arguments])
        return result.exit_code, result.output

    return run


def test_a_folder_is_installed_once_trusted(
    packages: Path, tmp_path: Path, command: Callable[..., tuple[int, str]]
) -> None:
    models = tmp_path / "models"
    status, said = command("ar", "--from", str(packages))
    assert status == 1
    assert "--trust" in said
    status, said = command("ar", "en", "--from", str(packages), "--trust")
    assert status == 0, said
    assert ArgosTranslator(models).translate("شكرا", "ar", "fr") == "Merci", "the newer of two versions"
    digest = sha256((packages / "new.argosmodel").read_bytes()).hexdigest()
    assert f"{digest}  en_fr-1.10.argosmodel" in (models / MANIFEST).read_text().splitlines()
    status, said = command("ar", "--from", str(packages))
    assert status == 0, "what the manifest knows needs no trust"


def test_another_file_under_a_known_name_is_refused(
    packages: Path, tmp_path: Path, command: Callable[..., tuple[int, str]]
) -> None:
    command("ar", "--from", str(packages), "--trust")
    (packages / "a.argosmodel").write_bytes(tiny_models.package("ar", "en", {"شكرا": "Go away"}))
    status, said = command("ar", "--from", str(packages), "--trust")
    assert status == 1
    assert "is not the file that" in said
    assert ArgosTranslator(tmp_path / "models").translate("شكرا", "ar", "en") == "Thank you"


def test_a_pair_that_nothing_makes_is_named(packages: Path, command: Callable[..., tuple[int, str]]) -> None:
    status, said = command("uk", "--from", str(packages), "--trust")
    assert status == 1
    assert "uk → fr, fr → uk" in said


def test_a_package_never_writes_outside_its_folder(tmp_path: Path) -> None:
    packed = io.BytesIO(tiny_models.package("ar", "en", AR_EN))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("ar_en/../../escaped", "x")
    (tmp_path / "a.argosmodel").write_bytes(packed.getvalue())
    (package,) = translation_models.in_folder(tmp_path)
    with pytest.raises(ModelError, match="no file of a package"):
        translation_models.install(tmp_path / "models", package, lambda *_: None, trust=True)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.argosmodel", "models"]
    assert list((tmp_path / "models").iterdir()) == []


def test_an_index_is_read_and_its_package_fetched_with_progress(tmp_path: Path) -> None:
    content = tiny_models.package("ar", "en", AR_EN)

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = f"http://127.0.0.1:{self.server.server_port}/ar_en"  # type: ignore[attr-defined]
            listed = (
                f'[{{"from_code": "ar", "to_code": "en", "package_version": "1.0", "links": ["{address}"]}}]'
            )
            body = content if self.path == "/ar_en" else listed.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Desk) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        (package,) = translation_models.in_index(f"http://127.0.0.1:{server.server_port}/index.json")
        seen: list[tuple[int, int | None]] = []
        digest = translation_models.install(
            tmp_path, package, lambda _name, came, size: seen.append((came, size)), trust=True
        )
        server.shutdown()
    assert digest == sha256(content).hexdigest()
    assert seen[-1] == (len(content), len(content))
    with pytest.raises(ModelError):
        translation_models.in_index(f"http://127.0.0.1:{free_port()}/index.json")


def test_a_direct_model_is_taken_before_two_through_english() -> None:
    offered = [
        Package(pair, "1", "")
        for pair in (("uk", "fr"), ("fr", "uk"), ("uk", "en"), ("en", "uk"), ("en", "fr"), ("fr", "en"))
    ]
    chosen, missing = translation_models.needed(offered, ["uk"])
    assert ({one.pair for one in chosen}, missing) == ({("uk", "fr"), ("fr", "uk")}, [])


def test_the_doctor_says_what_works(database: Database, tmp_path: Path) -> None:
    tiny_models.install(tmp_path, "ar", "fr", {"شكرا": "Merci"})
    tiny_models.install(tmp_path, "ru", "fr", {"Да": "Oui"})
    (tmp_path / "ru_fr" / "model" / "model.bin").write_bytes(b"broken")
    with MailServer() as server:
        settings = worker_settings(
            database, smtp_url=server.url, models_folder=tmp_path, clamd_url=f"tcp://127.0.0.1:{free_port()}"
        )
        found = {finding.what: finding for finding in doctor.examine(settings)}
    works = {what: finding.works for what, finding in found.items()}
    assert works["database"] is works["mail"] is works["translation"] is works["ar → fr"] is True
    assert works["virus scanner"] is works["ru → fr"] is False
    assert works["fr → ar"] is None
    assert str(found["fr → ar"]) == "absent fr → ar"
    away = replace(
        settings,
        database_url=f"postgresql://nobody@127.0.0.1:{free_port()}/no",
        smtp_url="",
        clamd_url="",
        models_folder=None,
    )
    assert [finding.works for finding in doctor.examine(away)] == [False, None, None, None]
