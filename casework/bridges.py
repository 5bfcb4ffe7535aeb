"""A département's own bridge in place of our calls: Jitsi or LiveKit (`ROOM_PROVIDER`).

Its room has a name nobody can guess, and opens only to a token that we sign for one person of one talk, good for a
minute: long enough to come in, too short to be passed on. When the talk is over no token is made any more, and LiveKit
is told to close the room.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

import httpx
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from casework import rooms, talks
from casework.database import transaction
from casework.rooms import Caller
from casework.settings import Settings, SettingsError
from casework.talks import Taker, TalkPerson

logger = logging.getLogger(__name__)

OWN, JITSI, LIVEKIT = "own", "jitsi", "livekit"
PROVIDERS = (OWN, JITSI, LIVEKIT)
TOKEN_LASTS = timedelta(minutes=1)
CLOCKS_DIFFER = timedelta(seconds=30)
PATIENCE_SECONDS = 3.0
MOST_PEOPLE = 4
EMPTY_FOR_SECONDS = 300
CLOSED_AT_ONCE = 50


class BridgeDownError(Exception):
    """The bridge does not answer, or refuses; the message says how."""


@dataclass(frozen=True)
class Guest:
    """Who comes in, as the others see them."""

    id: str
    name: str
    hosts: bool


def guest(session: Session, caller: Caller, now: datetime) -> Guest:
    """The caller, as a guest of the bridge: they take a seat here as well, by which the room is closed at the end.

    Raises:
        NoCallError, HeldError, TooOftenError: nothing to come into, or too often.
    """
    rooms.enter(session, caller, rooms.ask_ticket(session, caller, now), now)
    if caller.agent_id is None:
        me: Taker | TalkPerson | None = talks.myself(session, caller.talk_id)
    else:
        me = session.scalar(
            select(TalkPerson).where(
                TalkPerson.talk_id == caller.talk_id, TalkPerson.agent_id == caller.agent_id
            )
        )
    if me is None:
        raise rooms.NoCallError
    return Guest(str(me.id), me.name, hosts=caller.agent_id is not None)


def check(settings: Settings) -> None:
    """Refuse to start with a bridge that cannot work.

    Raises:
        SettingsError: names the setting.
    """
    needed: dict[str, str] | None = {
        OWN: {},
        JITSI: {
            "JITSI_URL": settings.jitsi_url, "JITSI_APP_ID": settings.jitsi_app_id,
            "JITSI_SECRET": settings.jitsi_secret,
        },
        LIVEKIT: {
            "LIVEKIT_URL": settings.livekit_url, "LIVEKIT_PAGE": settings.livekit_page,
            "LIVEKIT_KEY": settings.livekit_key, "LIVEKIT_SECRET": settings.livekit_secret,
        },
    }.get(settings.room_provider)  # fmt: skip
    if needed is None:
        raise SettingsError(
            f"ROOM_PROVIDER: “{settings.room_provider}” should be one of {', '.join(PROVIDERS)}."
        )
    for name, value in needed.items():
        if not value:
            raise SettingsError(f"{name} is empty: ROOM_PROVIDER={settings.room_provider} needs it.")


def room_of(settings: Settings, talk_id: UUID) -> str:
    """The name of a talk's room: always the same, and nobody guesses it without our key."""
    return hmac.new(settings.access_key.encode(), f"room\0{talk_id}".encode(), hashlib.sha256).hexdigest()[
        :40
    ]


def address(settings: Settings, talk_id: UUID, guest: Guest, now: datetime) -> str:
    """Where to send this guest's browser, good for a minute.

    Raises:
        BridgeDownError: LiveKit could not make the room.
    """
    room = room_of(settings, talk_id)
    if settings.room_provider == JITSI:
        token = _signed(settings.jitsi_secret, _jitsi_claims(settings, room, guest, now))
        # No page before the room that asks for a name, and no word of other services.
        quiet = "config.prejoinConfig.enabled=false&config.disableThirdPartyRequests=true"
        return f"{settings.jitsi_url.rstrip('/')}/{quote(room)}?{urlencode({'jwt': token})}#{quiet}"
    _livekit(settings, "CreateRoom", {"roomCreate": True}, now, {
        "name": room, "empty_timeout": EMPTY_FOR_SECONDS, "max_participants": MOST_PEOPLE,
    })  # fmt: skip
    claims = _livekit_claims(
        settings, now, {"room": room, "roomJoin": True, "canPublish": True, "canSubscribe": True}
    )
    token = _signed(settings.livekit_secret, claims | {"sub": guest.id, "name": guest.name})
    query = urlencode({"liveKitUrl": _scheme(settings.livekit_url, "ws"), "token": token})
    return f"{settings.livekit_page.rstrip('/')}?{query}"


def close(settings: Settings, talk_id: UUID, now: datetime) -> None:
    """Close the room of a talk that is over, where the bridge can be told; whoever is still in it is put out.

    Raises:
        BridgeDownError: try again later.
    """
    if settings.room_provider == LIVEKIT:
        _livekit(settings, "DeleteRoom", {"roomCreate": True}, now, {"room": room_of(settings, talk_id)})


def tidy(engine: Engine, settings: Settings, now: datetime) -> None:
    """Close the rooms of talks that are over, and forget their tickets; one that cannot be closed waits a minute."""
    with transaction(engine) as session:
        rooms.forget_old(session, now)
        found = rooms.over(session, CLOSED_AT_ONCE)
    for talk_id in found:
        try:
            close(settings, talk_id, now)
            with transaction(engine) as session:
                rooms.forget(session, talk_id)
        except BridgeDownError as error:
            logger.warning("the room of talk %s is closed later: %s", talk_id, error)


def _jitsi_claims(settings: Settings, room: str, guest: Guest, now: datetime) -> dict[str, Any]:
    return {
        "aud": settings.jitsi_app_id,
        "iss": settings.jitsi_app_id,
        "sub": urlsplit(settings.jitsi_url).hostname,
        "room": room,
        **_times(now),
        "context": {
            "user": {"id": guest.id, "name": guest.name, "moderator": guest.hosts},
            "features": {"recording": False, "livestreaming": False, "transcription": False},
        },
    }


def _livekit_claims(settings: Settings, now: datetime, grants: dict[str, Any]) -> dict[str, Any]:
    return {"iss": settings.livekit_key, **_times(now), "video": grants}


def _times(now: datetime) -> dict[str, int]:
    return {
        "nbf": int((now - CLOCKS_DIFFER).timestamp()),
        "exp": int((now + TOKEN_LASTS).timestamp()),
    }


def _livekit(
    settings: Settings, call: str, grants: dict[str, Any], now: datetime, body: dict[str, Any]
) -> None:
    """One call of LiveKit's room service, over HTTP; a room that is not there any more is closed."""
    token = _signed(settings.livekit_secret, _livekit_claims(settings, now, grants))
    where = f"{_scheme(settings.livekit_url, 'http')}/twirp/livekit.RoomService/{call}"
    try:
        answer = httpx.post(
            where, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_SECONDS
        )
    except httpx.HTTPError as error:
        raise BridgeDownError(type(error).__name__) from error
    if answer.is_error and not (call == "DeleteRoom" and answer.status_code == httpx.codes.NOT_FOUND):
        raise BridgeDownError(f"{call}: {answer.status_code}")


def _scheme(url: str, kind: str) -> str:
    """The same address for pages (`http`) or for calls (`ws`), encrypted when it was."""
    parts = urlsplit(url.rstrip("/"))
    return parts._replace(scheme=kind + ("s" if parts.scheme in {"https", "wss"} else "")).geturl()


def _signed(secret: str, claims: dict[str, Any]) -> str:
    """A JSON web token, HS256."""
    head = _part({"alg": "HS256", "typ": "JWT"})
    body = _part(claims)
    seal = hmac.new(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{_plain(seal)}"


def _part(value: dict[str, Any]) -> str:
    return _plain(json.dumps(value, separators=(",", ":")).encode())


def _plain(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
