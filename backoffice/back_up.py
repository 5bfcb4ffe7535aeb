"""Who supports the reception of my house, half-day by half-day: seen by all, set by those who keep the house."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backoffice.agent import AGENT, me
from backoffice.forms import WEEKDAYS
from casework import back_up as duties
from casework.back_up import HALVES, WORKING_DAYS, Half, NotAWorkerError
from web.doors import open_to
from web.transactions import db, now

back_up = Blueprint("back_up", __name__, url_prefix="/<lang>/agenda")


@back_up.get("/appui")
@open_to(AGENT)
def show() -> ResponseReturnValue:
    """The week, which repeats itself."""
    return render_template(
        "backoffice/agenda/back_up.html",
        week=duties.week_of(db(), me().house_id),
        workers=duties.workers_of(db(), me().house_id),
        weekdays=WEEKDAYS[: len(WORKING_DAYS)],
        halves=HALVES,
        editable=me().keeps_the_house,
        done=request.args.get("fait") == "set",
    )


@back_up.post("/appui")
@open_to(AGENT)
def change() -> ResponseReturnValue:
    """A new week: a field for each half-day, `<weekday>-<half>`, empty for nobody."""
    if not me().keeps_the_house:
        abort(403)
    wanted = {
        (weekday, half): int(typed)
        for weekday in WORKING_DAYS
        for half in Half
        if (typed := request.form.get(f"{weekday}-{half}", "")).isdecimal()
    }
    try:
        duties.set_week(db(), me(), wanted, now())
    except NotAWorkerError:
        abort(400)
    db().commit()
    return redirect(url_for("back_up.show", fait="set"), 303)
