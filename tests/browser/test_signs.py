"""A page with a video in sign language, in a real browser: the video is one that the browser has just recorded."""

from __future__ import annotations

import base64
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from casework.rights import CONTENT, load_library
from casework.settings import ROOT, Settings
from portal.app import create
from tests.browser.conftest import DESK, PHONE, Opens
from tests.browser.inspecting import Inspector
from tests.casework.test_signs import CAPTIONS
from tests.conftest import Database

pytestmark = pytest.mark.browser

RECORD = """() => new Promise((done) => {
  const canvas = document.createElement("canvas");
  canvas.width = 160; canvas.height = 120;
  const pen = canvas.getContext("2d");
  let at = 0;
  const drawing = setInterval(() => { pen.fillStyle = "teal"; pen.fillRect(at++, 20, 20, 20); }, 40);
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
  const pieces = [];
  recorder.ondataavailable = (event) => pieces.push(event.data);
  recorder.onstop = async () => {
    clearInterval(drawing);
    const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
    done(btoa(String.fromCharCode(...bytes)));
  };
  recorder.start();
  setTimeout(() => recorder.stop(), 600);
})"""


@pytest.fixture(scope="module")
def content(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the service, one of which is signed."""
    folder = tmp_path_factory.mktemp("pages") / "content"
    shutil.copytree(CONTENT, folder)
    home = folder / "signs" / "rsa"
    home.mkdir(parents=True)
    page = chromium.new_page()
    (home / "video.webm").write_bytes(base64.b64decode(page.evaluate(RECORD)))
    (home / "poster.jpg").write_bytes(page.screenshot(type="jpeg"))
    page.close()
    (home / "captions.vtt").write_text(CAPTIONS, encoding="utf-8")
    (home / "transcript.txt").write_text("Le RSA est une aide.\n", encoding="utf-8")
    return folder


@pytest.fixture
def signed(content: Path, database: Database, tmp_path: Path) -> Iterator[str]:
    """A portal that shows these pages; its address."""
    settings = Settings(
        var=tmp_path,
        territory=ROOT / "territory" / "vienne",
        database_url=database.urls[1],
        secret_key="a secret of the portal in tests",
        access_key=database.access_key,
    )
    app = create(settings)
    app.extensions["rights"] = load_library(content)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


def test_a_video_loads_at_a_tap_and_plays_with_its_captions(signed: str, opens: Opens) -> None:
    page = opens(viewport=PHONE, language="ar")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{signed}/ar/droits/rsa")
    link = page.locator("a[href$='/droits/rsa/signes']")
    expect(link).to_be_visible()
    assert not any("/signes/" in address for address in asked), "the page itself weighs nothing more"
    link.click()
    video = page.locator("video")
    expect(video).to_be_visible()
    inspector = Inspector(page)
    page.locator("main summary").click()
    expect(page.locator(".said")).to_have_text("Le RSA est une aide.")
    inspector.look("signs", PHONE)
    inspector.look("signs", DESK)
    assert inspector.violations == []
    assert not any(address.endswith("video.webm") for address in asked)
    expect(video).to_have_js_property("paused", True)
    video.evaluate("video => { video.muted = true; video.play(); }")
    expect(video).to_have_js_property("ended", True)
    expect(page.locator("track")).to_have_js_property("readyState", 2)
    assert page.evaluate("document.querySelector('video').textTracks[0].cues.length") == 2
    page.set_viewport_size({"width": 320, "height": 600})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_page_without_a_video_shows_no_place_for_one(signed: str, opens: Opens) -> None:
    page = opens(viewport=PHONE, javascript=False)
    page.goto(f"{signed}/fr/droits/fsl")
    expect(page.locator("a[href$='/signes']")).to_have_count(0)
    answer = page.goto(f"{signed}/fr/droits/fsl/signes")
    assert answer
    assert answer.status == 404
