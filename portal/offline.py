"""Pages once seen stay readable without network: what the browser may keep, and the page shown for all the rest.

`static/keeper.js` does the keeping, in the browser. It asks for each page again without any cookie and keeps nothing
but answers that say they are the same for everybody; a sensitive page is never kept.
"""

from __future__ import annotations

import hashlib
import json

from flask import Blueprint, Flask, current_app, render_template, request
from flask.typing import ResponseReturnValue

from casework.settings import ROOT
from casework.vocabulary import LANGUAGES
from web.compression import same_for_everybody
from web.doors import ANYONE, open_to
from web.static import FOLDER, digest

offline = Blueprint("offline", __name__)

MOST_BYTES = 2_000_000
"""What all kept pages and their files may weigh together, unpacked."""

PATIENCE_MILLISECONDS = 4_000
"""How long a browser that has a copy waits for the network before it shows the copy."""

KEEPS = frozenset(
    {"pages.home", "pages.emergencies", "pages.houses", "rights.every", "rights.one", "rights.of_situation"}
)
"""Pages from which the browser begins to keep. Home itself is not kept: it may show that something was begun."""

MADE_FROM = (FOLDER, ROOT / "content", ROOT / "templates", ROOT / "translations")


def keep_pages(app: Flask) -> None:
    """Tell every page whether it may be kept, and know which version of all pages this is."""
    together = "".join(digest(folder) for folder in MADE_FROM)
    app.extensions["pages version"] = hashlib.sha256(together.encode()).hexdigest()[:12]
    app.context_processor(lambda: {"keeps": request.endpoint in KEEPS})
    app.register_blueprint(offline)


@offline.get("/sw.js")
@open_to(ANYONE)
def worker() -> ResponseReturnValue:
    """The script that keeps pages. At the root, since a browser lets it act on addresses below its own alone."""
    house = {
        "version": current_app.extensions["pages version"],
        "languages": list(LANGUAGES),
        "most": MOST_BYTES,
        "patience": PATIENCE_MILLISECONDS,
    }
    script = f"const HOUSE = {json.dumps(house)};\n" + (FOLDER / "keeper.js").read_text(encoding="utf-8")
    return script, {
        "Content-Type": "text/javascript; charset=utf-8",
        "Cache-Control": "no-cache",
        "Service-Worker-Allowed": "/",
    }


@offline.get("/<lang>/hors-ligne")
@open_to(ANYONE)
@same_for_everybody
def without_network() -> str:
    """What still works without network: the telephone, and the pages kept."""
    return render_template("portal/offline.html")
