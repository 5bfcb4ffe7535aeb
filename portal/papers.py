"""Papers, on their way in: taken one by one, refused with why, taken back before sending."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from casework import documents
from casework.documents import Owner, RefusedPaperError
from casework.vocabulary import N_
from portal import visit
from web.doors import open_to
from web.transactions import db, now, settings

papers = Blueprint("papers", __name__, url_prefix="/<lang>/demande/papiers")

REFUSALS = {
    "empty": N_("Ce fichier est vide."),
    "too_big": N_("Ce fichier est trop lourd. Prenez une photo plus petite."),
    "kind": N_("Envoyez une photo ou un fichier PDF."),
    "too_many": N_("Vous avez déjà envoyé assez de papiers."),
}
"""Why a paper is not taken, in the words people read."""


@papers.post("/<uuid:document_id>/retirer")
@open_to(visit.DRAFT)
def remove(document_id: UUID) -> ResponseReturnValue:
    """Take back a paper before sending."""
    draft = visit.draft()
    if draft is None:
        abort(404)
    documents.remove(db(), draft.id, document_id)
    db().commit()
    return redirect(url_for("asking.question", slug="papiers"), 303)


def take_papers(owner: Owner) -> list[tuple[str, str]]:
    """Receive every file of this form; returns (name, why not) for the refused ones."""
    refused = []
    for upload in request.files.getlist("papers"):
        if not upload.filename:
            continue
        try:
            content = upload.stream.read(documents.LARGEST_BYTES + 1)
            documents.receive(db(), owner, upload.filename, content, settings().documents_public_key, now())
        except RefusedPaperError as error:
            refused.append((upload.filename, gettext(REFUSALS[error.reason])))
    return refused
