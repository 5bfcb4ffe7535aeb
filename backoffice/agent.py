"""Who is signed in, and the doors that ask for it."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import abort, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from casework import agents
from casework.agents import Agent
from casework.territory import House
from web.doors import Door
from web.transactions import db, now


def signed_in() -> Agent | None:
    """The agent of this browser, if the session still lives."""
    if "agent" not in g:
        token = session.get("token")
        g.agent = agents.of_session(db(), token, now(), seen=not g.get("watching")) if token else None
        db().commit()
    found: Agent | None = g.agent
    return found


def me() -> Agent:
    """The agent behind a door that lets only agents in."""
    return signed_in() or abort(403)


def house_of(agent: Agent) -> House:
    """The house an agent works in."""
    return db().get_one(House, agent.house_id)


def way_back() -> str:
    """Where to go after signing in: a path of ours, never another site."""
    wanted = request.values.get("suite", "")
    parts = urlsplit(wanted)
    safe = (
        wanted.startswith("/")
        and not wanted.startswith(("//", "/\\"))
        and not parts.scheme
        and not parts.netloc
    )
    return wanted if safe else url_for("queue.show")


def _needs_agent() -> ResponseReturnValue | None:
    if signed_in():
        return None
    following = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("sign_in.form", suite=following), 303)


def _watches() -> ResponseReturnValue | None:
    g.watching = True
    return _needs_agent()


AGENT = Door(
    "a signed-in agent; each request only to its own house, and to who talks with its person", _needs_agent
)
WATCHING = Door("a signed-in agent, whose page refreshes by itself: no sign that somebody is there", _watches)
