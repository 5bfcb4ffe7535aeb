"""Getting a notification to its person: its words, the mail server, the text messages, and what if they fail.

A message says that something waits, and how to reach it; never what the request is about. Retries follow
`BACK_OFF`; after `MOST_ATTEMPTS` an agent sees that it did not leave.
"""

from __future__ import annotations

import calendar
import logging
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import UUID

import httpx
import pyrage
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from casework import access, answers, journal, reminders, session_news, waiting_room
from casework.documents import unseal
from casework.identity import Identity, load_identity
from casework.notifications import BACK_OFF, MOST_ATTEMPTS, Delivery, Notification, Template
from casework.people import is_stopped, may_reach, show_phone
from casework.requests import Request
from casework.segments import MOST_SEGMENTS, plain, segments
from casework.settings import Settings, SettingsError
from casework.territory import House
from casework.translation import PARIS, environment, one_a_line
from casework.vocabulary import N_, Channel

logger = logging.getLogger(__name__)

MAIL_SECONDS = 15.0
TEXT_SECONDS = httpx.Timeout(10.0, connect=5.0)
LONGEST_WAIT = timedelta(days=1)

MAIL_SILENT = N_("Le serveur de courrier ne répond pas.")
MAIL_LATER = N_("Le serveur de courrier demande d'attendre.")
ADDRESS_REFUSED = N_("Le serveur de courrier refuse cette adresse.")
MAIL_REFUSED = N_("Le serveur de courrier refuse ce message.")
TEXTS_SILENT = N_("Le service de SMS ne répond pas.")
TEXTS_LATER = N_("Le service de SMS demande d'attendre.")
TEXT_REFUSED = N_("Le service de SMS refuse ce message.")
LINK_UNREADABLE = N_("Le lien à envoyer est illisible.")
UNEXPECTED = N_("Une erreur du logiciel empêche l'envoi.")


class DeliveryError(Exception):
    """It did not leave; `cause` is the sentence an agent reads, a msgid of the catalogues."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class TemporaryFailureError(DeliveryError):
    """It may leave later; not before `retry_after` if the other side said so."""

    def __init__(self, cause: str, retry_after: timedelta | None = None) -> None:
        super().__init__(cause)
        self.retry_after = retry_after


class PermanentFailureError(DeliveryError):
    """Trying again would not help."""


@dataclass(frozen=True)
class Rendered:
    """A message as it leaves; a text message has no subject."""

    subject: str
    body: str


@dataclass(frozen=True)
class Mail:
    """One mail to one person. `message_id` without angle brackets."""

    to: str
    subject: str
    body: str
    message_id: str
    language: str
    at: datetime


def held(session: Session, notification_id: UUID, now: datetime) -> Notification | None:
    """The notification, if it still waits, is due and nobody else is sending it; locked until the commit."""
    return session.scalar(
        select(Notification)
        .where(
            Notification.id == notification_id,
            Notification.state == Delivery.PENDING,
            or_(Notification.attempts == 0, Notification.next_attempt_at <= now),
        )
        .with_for_update(skip_locked=True)
    )


def send(session: Session, settings: Settings, notification: Notification, now: datetime) -> None:
    """Try once to deliver a held notification, and write down what came of it.

    With neither mail server nor text message provider, nothing leaves: the message is kept to be shown. With
    one of the two only, the other's messages are an agent's to pass on: the person must not wait in vain.
    What an appointment or a session has made untrue since is dropped, and what
    the rule of a person at risk forbids since.
    """
    forbidden = not may_reach(session, notification.request_id, notification.recipient)
    if forbidden or _is_stale(session, notification, now):
        session.delete(notification)
        return
    if _is_stopped(session, notification):
        notification.state = Delivery.STOPPED
        _write_down(session, journal.Action.NOT_NOTIFIED, notification, now)
        return
    if not is_configured(settings, notification.channel):
        trial = not (settings.smtp_url or settings.sms_url)
        notification.state = Delivery.SHOWN if trial else Delivery.BY_HAND
        return
    try:
        _hand_over(session, settings, notification, now)
    except TemporaryFailureError as failure:
        postpone(session, notification, failure, now)
    except PermanentFailureError as failure:
        _give_up(session, notification, failure.cause, now)
    else:
        notification.state = Delivery.SENT
        notification.attempts += 1
        notification.sent_at = now
        notification.sealed_secret = None
        notification.error = ""
        _write_down(session, journal.Action.NOTIFIED, notification, now)


def _is_stale(session: Session, notification: Notification, now: datetime) -> bool:
    stale = reminders.is_stale(session, notification, now)
    if notification.template is Template.TURN_NEAR and notification.visit_id:
        stale = not waiting_room.still_waits(session, notification.visit_id)
    return stale or session_news.is_stale(session, notification, now)


def _is_stopped(session: Session, notification: Notification) -> bool:
    """True when the number wants no text message any more; it is still told that we heard so."""
    by_text = notification.channel is Channel.SMS and notification.template is not Template.TEXTS_STOPPED
    return by_text and is_stopped(session, notification.recipient)


def postpone(
    session: Session, notification: Notification, failure: TemporaryFailureError, now: datetime
) -> None:
    """Count a failed attempt, and set the time of the next one, or give up after the last."""
    if notification.attempts + 1 >= MOST_ATTEMPTS:
        _give_up(session, notification, failure.cause, now)
        return
    wait = max(BACK_OFF[notification.attempts], min(failure.retry_after or timedelta(), LONGEST_WAIT))
    notification.attempts += 1
    notification.next_attempt_at = reminders.by_day(notification, now + wait)
    notification.error = failure.cause


def _give_up(session: Session, notification: Notification, cause: str, now: datetime) -> None:
    """The sealed link stays: an agent may still pass it on by another way."""
    notification.state = Delivery.FAILED
    notification.attempts += 1
    notification.error = cause
    _write_down(session, journal.Action.NOT_NOTIFIED, notification, now, cause=cause)


def _write_down(
    session: Session, action: journal.Action, notification: Notification, now: datetime, **why: str
) -> None:
    """The channel and the template, and why it failed; never the address nor the link."""
    details: dict[str, Any] = {
        "channel": notification.channel.value,
        "template": notification.template.value,
        **why,
    }
    journal.write(session, action, now, request_id=notification.request_id, **details)


def is_configured(settings: Settings, channel: Channel) -> bool:
    """True when messages of this channel can leave."""
    return bool(settings.sms_url if channel is Channel.SMS else settings.smtp_url)


def _hand_over(session: Session, settings: Settings, notification: Notification, now: datetime) -> None:
    message = rendered(session, settings, notification)
    if notification.channel is Channel.SMS:
        send_text(settings, notification.recipient, message.body, str(notification.id))
        return
    identity = load_identity(settings.territory)
    mail = Mail(
        to=notification.recipient,
        subject=message.subject,
        body=message.body,
        message_id=f"{notification.id}@{urlsplit(settings.portal_address).hostname}",
        language=notification.language,
        at=now,
    )
    send_mail(settings, mail, Address(identity.service, addr_spec=settings.mail_from or identity.email))


def rendered(session: Session, settings: Settings, notification: Notification) -> Rendered:
    """The words of a message, link and code included: to send them, to show them, or to read them aloud.

    Raises:
        PermanentFailureError: the link has already left, or was sealed to another key.
    """
    if notification.sealed_secret is None:
        raise PermanentFailureError(LINK_UNREADABLE)
    try:
        secret = unseal(notification.sealed_secret, settings.documents_private_key).decode()
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        raise PermanentFailureError(LINK_UNREADABLE) from error
    request = session.get_one(Request, notification.request_id)
    facts = _facts(request, session.get_one(House, request.house_id), settings, notification.language, secret)
    if notification.appointment_id:
        facts |= reminders.facts_of(session, notification.appointment_id)
    if notification.sign_up_id:
        facts |= session_news.facts_of(session, notification.sign_up_id)
    if notification.offer_id:
        facts |= reminders.facts_of_offer(session, notification.offer_id)
    if notification.template is Template.CANCEL_QUESTION:
        facts |= answers.facts_of(session, notification, load_identity(settings.territory).cancel_until_hours)
    if notification.channel is Channel.SMS:
        return Rendered("", _text(notification, facts))
    words = environment(notification.language).get_template(f"mail/{notification.template}.txt").render(facts)
    subject, _, body = words.strip().partition("\n")
    return Rendered(subject, one_a_line(body.strip()) + "\n")


def _facts(
    request: Request, house: House, settings: Settings, language: str, secret: str
) -> dict[str, object]:
    """What templates may say: nothing of what the request is about, so that no template can tell it."""
    identity: Identity = load_identity(settings.territory).in_language(language)
    return {
        "number": access.spoken(request.number),
        "received_at": request.received_at,
        "promised_by": request.promised_by,
        "silence_ends": _months_later(request.received_at, identity.silence_months),
        "link": f"{settings.portal_address}/{language}/s/{secret}",
        "code": access.spoken(access.code_of(settings.access_key, secret)),
        "house": house,
        "phone": show_phone(house.phone),
        "identity": identity,
    }


def _text(notification: Notification, facts: dict[str, object]) -> str:
    """As much as two segments hold: the house and the code go first, the number and the link never."""
    template = environment(notification.language).get_template(f"sms/{notification.template}.txt")
    for room in (3, 2, 1, 0):
        text = plain(one_a_line(template.render(facts, room=room).strip()))
        if segments(text) <= MOST_SEGMENTS:
            break
    return text


def _months_later(moment: datetime, months: int) -> datetime:
    """The same day of the month in Paris, or the last day of a shorter month."""
    local = moment.astimezone(PARIS)
    years, month = divmod(local.month - 1 + months, 12)
    year, month = local.year + years, month + 1
    return local.replace(year=year, month=month, day=min(local.day, calendar.monthrange(year, month)[1]))


def send_mail(settings: Settings, mail: Mail, sender: Address) -> None:
    """Give a plain text mail to the mail server.

    The same `message_id` on a second copy tells mail programs that it is the same mail.

    Raises:
        TemporaryFailureError: no connection, a reply 4xx, or a refusal of ourselves that can be mended.
        PermanentFailureError: the server refuses the address or the mail for good (5xx).
    """
    try:
        message = _message(mail, sender)
    except ValueError as error:  # an address or a header that cannot be written
        raise PermanentFailureError(ADDRESS_REFUSED) from error
    try:
        server = mail_server(settings)
        try:
            server.send_message(message)
        finally:
            with suppress(
                smtplib.SMTPException, OSError
            ):  # the mail has left, or has not: a rude goodbye changes nothing
                server.quit()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _reply in error.recipients.values()]
        raise _refused(min(codes), ADDRESS_REFUSED) from error
    except smtplib.SMTPDataError as error:
        raise _refused(error.smtp_code, MAIL_REFUSED) from error
    except (
        smtplib.SMTPNotSupportedError
    ) as error:  # an address in another script, which this server cannot carry
        raise PermanentFailureError(ADDRESS_REFUSED) from error
    except smtplib.SMTPResponseException as error:  # our sign-in or our own address
        logger.warning("mail server: %s, reply %s", type(error).__name__, error.smtp_code)
        raise TemporaryFailureError(MAIL_REFUSED) from error
    except (smtplib.SMTPException, OSError) as error:
        logger.warning("mail server: %s", type(error).__name__)
        raise TemporaryFailureError(MAIL_SILENT) from error


def _message(mail: Mail, sender: Address) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.at.astimezone(PARIS))
    message["Message-ID"] = f"<{mail.message_id}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.body)
    message["Content-Language"] = mail.language  # after the content, which clears such headers
    return message


def _refused(code: int, cause: str) -> DeliveryError:
    logger.warning("mail server: reply %s", code)
    return PermanentFailureError(cause) if code >= 500 else TemporaryFailureError(MAIL_LATER)


def mail_server(settings: Settings) -> smtplib.SMTP:
    """A connection, signed in when the address says how."""
    address = mail_address(settings)
    host = address.hostname or ""
    if address.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, address.port or 465, timeout=MAIL_SECONDS, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(
            host, address.port or (587 if address.scheme == "smtp+starttls" else 25), timeout=MAIL_SECONDS
        )
    try:
        if address.scheme == "smtp+starttls":
            server.starttls(context=ssl.create_default_context())
        if address.username:
            server.login(unquote(address.username), unquote(address.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def mail_address(settings: Settings) -> SplitResult:
    """The parts of `SMTP_URL`.

    Raises:
        SettingsError: it is not `smtp://…`, `smtps://…` or `smtp+starttls://…`.
    """
    address = urlsplit(settings.smtp_url)
    if address.scheme not in {"smtp", "smtps", "smtp+starttls"} or not address.hostname:
        raise SettingsError(
            "SMTP_URL should read smtp://host, smtps://host or smtp+starttls://user:password@host:587."
        )
    return address


def send_text(settings: Settings, to: str, text: str, reference: str) -> None:
    """Give a text message to the provider: one JSON POST, with the token as bearer.

    `to` is E.164; `reference` is the same at each attempt, so that the provider can drop a second copy.

    Raises:
        TemporaryFailureError: no answer, 408, 429 (with its Retry-After), 5xx; 401 and 403 too, for an
            operator can mend a token.
        PermanentFailureError: any other 4xx.
    """
    try:
        answer = httpx.post(
            settings.sms_url,
            headers={"Authorization": f"Bearer {settings.sms_token}"},
            json={"to": to, "from": settings.sms_sender, "text": text, "reference": reference},
            timeout=TEXT_SECONDS,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        logger.warning("text message provider: %s", type(error).__name__)
        raise TemporaryFailureError(TEXTS_SILENT) from error
    if answer.is_success:
        return
    logger.warning("text message provider: answer %s", answer.status_code)
    if answer.is_client_error and answer.status_code not in {401, 403, 408, 429}:
        raise PermanentFailureError(TEXT_REFUSED)
    raise TemporaryFailureError(TEXTS_LATER, _retry_after(answer))


def _retry_after(answer: httpx.Response) -> timedelta | None:
    """What the Retry-After header asks for, in seconds or as a date; None without it or without sense."""
    asked = answer.headers.get("Retry-After", "")
    if asked.isascii() and asked.isdigit():
        return timedelta(seconds=min(int(asked), LONGEST_WAIT.total_seconds()))
    try:  # by the other side's own clock
        return max(parsedate_to_datetime(asked) - parsedate_to_datetime(answer.headers["Date"]), timedelta())
    except (KeyError, TypeError, ValueError):
        return None
