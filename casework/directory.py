"""Signing agents in against the département's LDAP directory (requirement F3).

The directory decides who somebody is, in which house and as what, at each sign-in. Nothing is cached: an
agent taken out of a group has lost the role at the next sign-in. A sign-in costs two connections: one as the
service account, to find the person and the groups; one as the person, to try the password.

python-ldap is imported at the first use, because an installation without a directory does without it.
"""

from __future__ import annotations

import contextlib
import functools
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from casework.settings import Directory
from casework.vocabulary import Role

MEMBERS_PER_SEARCH = 40
"""How many groups one search for their parents may name, so that no filter outgrows what servers accept."""

GRACE_SECONDS = 0.2
"""Time left to a step that ran out of time to say which one it was."""

_PLACES = threading.BoundedSemaphore(32)
"""How many sign-ins of one process may wait for the directory together, those given up on included."""

Answer = TypeVar("Answer")


class WrongPasswordError(Exception):
    """Nobody has this login, or the password is another one. Which of the two is never told."""


class NoRoleError(Exception):
    """The person is who they say, and in none of the groups that work here."""


class NoHouseError(Exception):
    """The person is who they say, and the directory does not say in which house they work."""


class DirectoryDownError(Exception):
    """The directory cannot be asked: down, slow, not who it should be, or it refuses the service account.

    `cause` is one short line for the log; it holds no password.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True)
class Person:
    """What the directory says of an agent: `login` in lower case, `roles` values of `Role`, at least one."""

    login: str
    name: str
    house_id: str
    roles: list[str]


@dataclass(frozen=True)
class _Entry:
    """Somebody found in the directory; `logins` as written there, in a stable order."""

    dn: str
    logins: list[str]
    name: str
    house_id: str


def authenticate(directory: Directory, login: str, password: str) -> Person:
    """Who signs in with this login and this password.

    An agent waits about `directory.timeout_seconds` in all, whatever the directory does.

    Raises:
        WrongPasswordError: the login or the password is wrong, or two people have that login.
        NoRoleError: the person is in no group that has a role here.
        NoHouseError: the person has no house.
        DirectoryDownError: the directory cannot be asked, or python-ldap is missing.
    """
    # A directory takes an empty password for "anonymous" and says yes; some stop reading at a NUL.
    if not login.strip() or not password or "\0" in password:
        raise WrongPasswordError

    def ask(until: float) -> tuple[_Entry, list[str]]:
        with _Connection(directory, until) as service:
            service.bind_service()
            entry = _try_password(directory, until, _people(service, directory, login), password)
            return entry, _roles(directory, _groups(service, directory, entry))

    entry, roles = _in_time(directory, ask)
    if not roles:
        raise NoRoleError
    if not entry.house_id:
        raise NoHouseError
    return Person(entry.logins[0].lower(), entry.name, entry.house_id, roles)


def describe(directory: Directory, login: str) -> str:
    """What the directory says of one login, in a few lines for whoever sets it up. No password is needed.

    Raises:
        DirectoryDownError: the directory cannot be asked, or python-ldap is missing.
    """

    def ask(until: float) -> str:
        with _Connection(directory, until) as service:
            service.bind_service()
            found = _people(service, directory, login)
            if not found:
                return (
                    f"Nobody under “{directory.people_base}” has {directory.login_attribute}={login.strip()}."
                )
            if len(found) > 1:
                entries = "\n".join(f"  {entry.dn}" for entry in found)
                return f"Several people answer to “{login.strip()}”, so none of them can sign in:\n{entries}"
            return _description(directory, found[0], _groups(service, directory, found[0]))

    return _in_time(directory, ask)


def _in_time(directory: Directory, ask: Callable[[float], Answer]) -> Answer:
    """What `ask(until)` returns or raises, or `DirectoryDownError` when `timeout_seconds` have passed.

    On a thread of its own, because libldap before 2.6 (Debian 12) waits for ever for a server that falls
    silent in the middle of a TLS handshake, and names are looked up without a limit. Such a thread is left
    behind until the network gives up; `_PLACES` bounds how many there can be.
    """
    seconds = directory.timeout_seconds
    until = time.monotonic() + seconds
    answer: Future[Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(ask(until))
        except BaseException as error:  # raised again where it is awaited
            answer.set_exception(error)
        finally:
            _PLACES.release()

    if not _PLACES.acquire(timeout=seconds):
        raise DirectoryDownError("too slow: too many sign-ins already wait for it")
    threading.Thread(target=run, name="directory", daemon=True).start()
    try:
        return answer.result(max(0, until - time.monotonic()) + GRACE_SECONDS)
    except TimeoutError as error:
        raise DirectoryDownError(f"too slow: no answer after {seconds:g} s") from error


def _description(directory: Directory, entry: _Entry, groups: dict[str, str]) -> str:
    roles = _by_group(directory)
    lines = [
        f"DN      {entry.dn}",
        f"Login   {entry.logins[0].lower()}",
        f"Name    {entry.name}",
        f"House   {entry.house_id or f'none: no {directory.house_attribute}, sign-in is refused'}",
    ]
    for key, dn in sorted(groups.items()):
        lines.append(f"Group   {dn} => {roles[key].value if key in roles else 'no role here'}")
    held = _roles(directory, groups)
    lines.append(f"Roles   {', '.join(held) or 'none: no group above is in LDAP_ROLES, sign-in is refused'}")
    return "\n".join(lines)


def _try_password(directory: Directory, until: float, found: list[_Entry], password: str) -> _Entry:
    """The one person found, once a bind as that person succeeded, on a connection of its own.

    When there is not exactly one, a name that cannot exist is tried instead: the directory is asked the same
    questions, so the time of the answer says little about who exists. The service account is not used for
    that: a directory that locks accounts would lock it.
    """
    entry = found[0] if len(found) == 1 else None
    dn = entry.dn if entry else f"cn={secrets.token_hex(8)},{directory.people_base}".rstrip(",")
    with _Connection(directory, until) as connection:
        refusal = connection.bind(dn, password)
    if refusal or entry is None:
        raise WrongPasswordError
    return entry


def _people(service: _Connection, directory: Directory, login: str) -> list[_Entry]:
    """Whoever has that login; one person when the directory is in order."""
    ldap = _ldap()
    wanted = ldap.filter.filter_format(f"({directory.login_attribute}=%s)", [login.strip()])
    attributes = [directory.login_attribute, directory.name_attribute, directory.house_attribute]
    entries = []
    for dn, values in service.search("people", directory.people_base, wanted, attributes):
        # Sorted, so that somebody with two logins is one agent whichever was typed.
        logins = sorted(values.get(directory.login_attribute.lower(), []))
        name = values.get(directory.name_attribute.lower(), logins)
        house = values.get(directory.house_attribute.lower(), [""])
        if logins:
            entries.append(_Entry(dn, logins, name[0].strip(), house[0].strip()))
    return entries


def _groups(service: _Connection, directory: Directory, entry: _Entry) -> dict[str, str]:
    """The groups that hold a person, and those that hold these when `nested_groups`: comparable DN → DN."""
    ldap = _ldap()
    base = directory.groups_base or directory.people_base

    def holding(dns: Iterable[str], logins: Iterable[str]) -> dict[str, str]:
        pairs = [(kind, dn) for dn in dns for kind in ("member", "uniqueMember")]
        pairs += [("memberUid", login) for login in logins]
        wanted = "".join(ldap.filter.filter_format(f"({kind}=%s)", [value]) for kind, value in pairs)
        return {_comparable(dn): dn for dn, _ in service.search("groups", base, f"(|{wanted})", ["1.1"])}

    found = holding([entry.dn], entry.logins)
    newest = list(found.values()) if directory.nested_groups else []
    while newest:
        batch, newest = newest[:MEMBERS_PER_SEARCH], newest[MEMBERS_PER_SEARCH:]
        # Only groups never seen go on: two groups that hold each other end here.
        unseen = {key: dn for key, dn in holding(batch, []).items() if key not in found}
        found |= unseen
        newest += unseen.values()
    return found


def _roles(directory: Directory, groups: dict[str, str]) -> list[str]:
    """The roles these groups give, each once, in the order of `Role`."""
    held = {role for group, role in _by_group(directory).items() if group in groups}
    return [role.value for role in Role if role in held]


def _by_group(directory: Directory) -> dict[str, Role]:
    return {_comparable(group): Role(role) for group, role in directory.roles.items()}


def _comparable(dn: str) -> str:
    """The same text for the same DN, however its case, spaces and escapes are written."""
    ldap = _ldap()
    try:
        return str(ldap.dn.dn2str(ldap.dn.str2dn(dn)).lower())
    except ldap.DECODING_ERROR:
        return dn.lower()


class _Connection:
    """One connection to the directory, encrypted and verified, usable until `until` on the monotonic clock.

    Raises `DirectoryDownError` whenever the directory does not do what it is asked.
    """

    def __init__(self, directory: Directory, until: float) -> None:
        self._directory = directory
        self._until = until
        self._ldap = _ldap()
        try:
            self._handle: Any = self._ldap.initialize(directory.url)
        except self._ldap.LDAPError as error:
            raise DirectoryDownError(
                f"LDAP_URL “{directory.url}” is not the address of a directory"
            ) from error

    def __enter__(self) -> _Connection:
        try:
            self._prepare()
            self._encrypt()
        except DirectoryDownError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(self._ldap.LDAPError):
            self._handle.unbind_s()

    def bind_service(self) -> None:
        """Become the service account; anonymous when none is set."""
        directory = self._directory
        if directory.bind_dn and not directory.bind_password:
            raise DirectoryDownError("service account: LDAP_BIND_PASSWORD is empty")
        refusal = self.bind(directory.bind_dn, directory.bind_password)
        if refusal:
            raise DirectoryDownError(f"service account: {refusal}")

    def bind(self, dn: str, password: str) -> str:
        """Become somebody. Returns "" when accepted, else why this somebody is refused."""
        ldap = self._ldap
        # What directories answer to a wrong password, an unknown name, a locked, expired or disabled account.
        refusals = (
            ldap.INVALID_CREDENTIALS,
            ldap.INAPPROPRIATE_AUTH,
            ldap.INSUFFICIENT_ACCESS,
            ldap.CONSTRAINT_VIOLATION,
            ldap.UNWILLING_TO_PERFORM,
            ldap.NO_SUCH_OBJECT,
        )
        self._handle.timeout = self._left()
        with _explained("bind"):
            try:
                self._handle.simple_bind_s(dn, password)
            except refusals as error:
                return _cause(error)
        return ""

    def search(
        self, what: str, base: str, wanted: str, attributes: list[str]
    ) -> list[tuple[str, dict[str, list[str]]]]:
        """Entries under `base` as (DN, attribute in lower case → values)."""
        with _explained(f"search of {what}"):
            rows = self._handle.search_ext_s(
                base, self._ldap.SCOPE_SUBTREE, wanted, attributes, timeout=self._left()
            )
        # A row without a DN points to another server, which is not asked.
        return [
            (dn, {name.lower(): _texts(values) for name, values in found.items()}) for dn, found in rows if dn
        ]

    def _prepare(self) -> None:
        ldap, directory = self._ldap, self._directory
        options = {
            ldap.OPT_REFERRALS: 0,
            ldap.OPT_NETWORK_TIMEOUT: self._left(),
            ldap.OPT_TIMEOUT: self._left(),
            ldap.OPT_X_KEEPALIVE_IDLE: 10,  # a server that vanished is noticed within a minute
            ldap.OPT_X_KEEPALIVE_PROBES: 3,
            ldap.OPT_X_KEEPALIVE_INTERVAL: 10,
            ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,  # the name in the certificate counts too
        }
        if directory.ca_file:
            options[ldap.OPT_X_TLS_CACERTFILE] = directory.ca_file
        options[ldap.OPT_X_TLS_NEWCTX] = 0  # last: from here on the TLS options above are in force
        with _explained("TLS"):
            for option, value in options.items():
                try:
                    self._handle.set_option(option, value)
                except ValueError as error:
                    raise DirectoryDownError(
                        f"TLS: LDAP_CA_FILE {directory.ca_file} cannot be used"
                    ) from error

    def _encrypt(self) -> None:
        if self._directory.start_tls and not self._directory.url.lower().startswith("ldaps:"):
            with _explained("StartTLS"):
                self._handle.start_tls_s()

    def _left(self) -> float:
        """Seconds that remain for this sign-in."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise DirectoryDownError("too slow")
        return left


@contextlib.contextmanager
def _explained(step: str) -> Iterator[None]:
    """Turn what `ldap` raises into a `DirectoryDownError` that says at which step."""
    try:
        yield
    except _ldap().LDAPError as error:
        raise DirectoryDownError(f"{step}: {_cause(error)}") from error


def _cause(error: Exception) -> str:
    """What an LDAP error says, on one short line. Servers never repeat a password in it."""
    facts = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    words = [str(facts[key]) for key in ("desc", "info") if facts.get(key)]
    cause = " ".join(": ".join(words or [type(error).__name__]).split())[:200]
    # GnuTLS has no words for it.
    return cause.replace(
        "(unknown error code)", "TLS was refused: see LDAP_CA_FILE and the certificate's name"
    )


def _texts(values: list[bytes]) -> list[str]:
    return [value.decode("utf-8", "replace") for value in values]


@functools.cache
def _ldap() -> Any:
    try:
        import ldap  # noqa: PLC0415 - optional: only installations with a directory have it
        import ldap.dn  # noqa: PLC0415
        import ldap.filter  # noqa: PLC0415
    except ImportError as error:
        raise DirectoryDownError("python-ldap is not installed, see requirements/ldap.txt") from error
    return ldap
