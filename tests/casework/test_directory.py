"""Agents sign in against a real slapd, over StartTLS with a private authority (requirement F3)."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from casework.directory import (
    DirectoryDownError,
    NoHouseError,
    NoRoleError,
    Person,
    WrongPasswordError,
    authenticate,
    describe,
)
from casework.settings import ROOT, Directory, SettingsError, from_environment
from tests import ldap_server
from tests.ldap_server import LdapServer
from tests.people import AGENTS, HUGO, LOUISE, MARC, NADIA, PASSWORD

pytestmark = pytest.mark.slow

START_TLS_ACCEPTED = bytes.fromhex("300c02010178070a010004000400")


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[socket.socket]:
    """A server that referrals point to; it must never be called."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, elsewhere: socket.socket) -> Iterator[LdapServer]:
    """The département's directory."""
    folder = tmp_path_factory.mktemp("ldap")
    with LdapServer(folder, referral_port=elsewhere.getsockname()[1]) as running:
        yield running


@contextlib.contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port where each caller gets `answer` and then silence, until the end of the block."""
    callers: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    callers.append(listener.accept()[0])
                    answer(callers[-1])

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for caller in callers:
        caller.close()


def say_nothing(caller: socket.socket) -> None:
    """Accept the call and never answer."""


def stop_in_the_handshake(caller: socket.socket) -> None:
    """Agree to StartTLS, then fall silent."""
    caller.recv(1000)
    caller.sendall(START_TLS_ACCEPTED)


def speak_http(caller: socket.socket) -> None:
    """Be another kind of server."""
    caller.recv(1000)
    caller.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")


def test_everybody_of_the_house_signs_in_with_their_role_and_house(server: LdapServer) -> None:
    for who in AGENTS:
        person = authenticate(server.directory(), who.login, PASSWORD)
        assert person == Person(who.login, who.name, who.house, [who.role.value])


def test_a_login_typed_with_capitals_and_spaces_is_the_same_agent(server: LdapServer) -> None:
    assert authenticate(server.directory(), " Nadia.ROUX ", PASSWORD).login == NADIA.login


def test_a_name_in_two_scripts_arrives_whole(server: LdapServer) -> None:
    person = authenticate(server.directory(name_attribute="displayName"), ldap_server.ZOE, PASSWORD)
    assert person.name == "Zoé Lefèvre, زوي"
    assert person.roles == ["secretary"]


def test_two_groups_give_two_roles_and_two_logins_make_one_agent(server: LdapServer) -> None:
    first = authenticate(server.directory(), ldap_server.YVES, PASSWORD)
    second = authenticate(server.directory(), ldap_server.YVES_SECOND_LOGIN, PASSWORD)
    assert first == second == Person(ldap_server.YVES, "Yves Double", "loudun", ["worker", "manager"])


@pytest.mark.parametrize(
    "login",
    [
        "*)(uid=*",
        "*",
        "nadia*",
        "nadia.roux)(cn=*",
        "nadia.roux\0",
        "\\6eadia.roux",
        "nadia.roux,ou=personnes",
    ],
)
def test_a_login_is_a_name_and_never_a_piece_of_filter(server: LdapServer, login: str) -> None:
    with pytest.raises(WrongPasswordError):
        authenticate(server.directory(), login, PASSWORD)


def test_a_wrong_password_and_an_unknown_login_look_the_same_from_outside(server: LdapServer) -> None:
    refusals, asked = [], []
    for login in (NADIA.login, "personne.ici"):
        before = len(server.log())
        with pytest.raises(WrongPasswordError) as refusal:
            authenticate(server.directory(), login, "un mauvais mot de passe")
        refusals.append((str(refusal.value), refusal.value.args))
        asked.append(re.findall(r"op=\d+ (STARTTLS|BIND dn=.* method|SRCH base)", server.log()[before:]))
    assert refusals[0] == refusals[1]
    # The same questions in the same order: StartTLS, service, search, StartTLS, person.
    kinds = [[question.split(" ")[0] for question in questions] for questions in asked]
    assert kinds[0] == kinds[1] == ["STARTTLS", "BIND", "SRCH", "STARTTLS", "BIND"]
    assert ldap_server.SERVICE_DN not in asked[1][-1], "guesses must not lock the service account"


@pytest.mark.parametrize(
    ("login", "password"), [(NADIA.login, ""), (NADIA.login, "\0"), ("", PASSWORD), (" ", PASSWORD)]
)
def test_an_empty_password_never_reaches_the_directory(server: LdapServer, login: str, password: str) -> None:
    before = len(server.log())
    with pytest.raises(WrongPasswordError):
        authenticate(server.directory(), login, password)
    assert "ACCEPT" not in server.log()[before:]


def test_a_login_shared_by_two_people_opens_for_neither(server: LdapServer) -> None:
    with pytest.raises(WrongPasswordError):
        authenticate(server.directory(), ldap_server.TWINS, PASSWORD)


def test_somebody_in_no_group_has_no_role(server: LdapServer) -> None:
    with pytest.raises(NoRoleError):
        authenticate(server.directory(), ldap_server.GASTON, PASSWORD)
    with pytest.raises(NoRoleError):
        authenticate(
            server.directory(roles={ldap_server.STAFF.upper(): "worker"}), ldap_server.GASTON, PASSWORD
        )


def test_somebody_with_no_house_is_told_so_only_with_the_right_password(server: LdapServer) -> None:
    for login in (ldap_server.IRIS, ldap_server.BASILE):
        with pytest.raises(NoHouseError):
            authenticate(server.directory(), login, PASSWORD)
        with pytest.raises(WrongPasswordError):
            authenticate(server.directory(), login, "un mauvais mot de passe")


def test_groups_are_recognised_however_their_name_is_written(server: LdapServer) -> None:
    written = ldap_server.SECRETARIES.upper().replace("É", r"\C3\89").replace(",", ", ")
    person = authenticate(server.directory(roles={written: "manager"}), NADIA.login, PASSWORD)
    assert person.roles == ["manager"]


def test_a_group_in_a_group_counts_when_asked_and_a_loop_ends(server: LdapServer) -> None:
    with pytest.raises(NoRoleError):
        authenticate(server.directory(), ldap_server.FATOU, PASSWORD)
    person = authenticate(server.directory(nested_groups=True), ldap_server.FATOU, PASSWORD)
    assert person == Person(ldap_server.FATOU, "Fatou Diallo", "loudun", ["worker"])


def test_ldaps_works_too(server: LdapServer) -> None:
    assert authenticate(server.directory(url=server.ldaps_url), MARC.login, PASSWORD).roles == ["manager"]


def test_a_directory_signed_by_another_authority_is_refused(server: LdapServer, tmp_path: Path) -> None:
    ldap_server.certify(tmp_path, "IP:127.0.0.1")
    for ca_file in (str(tmp_path / "ca.pem"), str(tmp_path / "missing.pem"), ""):
        for url in (server.url, server.ldaps_url):
            before = len(server.log())
            with pytest.raises(DirectoryDownError, match="LDAP_CA_FILE"):
                authenticate(server.directory(ca_file=ca_file, url=url), NADIA.login, PASSWORD)
            assert "BIND" not in server.log()[before:], "no password may leave before the directory is known"


def test_a_directory_with_the_certificate_of_another_machine_is_refused(tmp_path: Path) -> None:
    with LdapServer(tmp_path / "other", certificate_name="DNS:annuaire.example.org") as other:
        for url in (other.url, other.ldaps_url):
            with pytest.raises(DirectoryDownError, match="certificate's name"):
                authenticate(other.directory(url=url), NADIA.login, PASSWORD)
        assert "BIND" not in other.log()


def test_without_start_tls_the_directory_that_demands_it_refuses(server: LdapServer) -> None:
    with pytest.raises(DirectoryDownError, match="Confidentiality required"):
        authenticate(server.directory(start_tls=False), NADIA.login, PASSWORD)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"bind_password": "un mauvais mot de passe"}, "service account: Invalid credentials"),
        ({"bind_dn": f"cn=inconnu,{ldap_server.BASE}"}, "service account: Invalid credentials"),
        ({"bind_password": ""}, "service account: LDAP_BIND_PASSWORD is empty"),
        ({"people_base": f"ou=nulle part,{ldap_server.BASE}"}, "search of people: No such object"),
        ({"groups_base": f"ou=nulle part,{ldap_server.BASE}"}, "search of groups: No such object"),
        ({"url": "annuaire"}, "“annuaire” is not the address of a directory"),
    ],
)
def test_a_wrong_setting_says_which_and_tells_no_password(
    server: LdapServer, change: dict[str, str], cause: str
) -> None:
    with pytest.raises(DirectoryDownError) as down:
        authenticate(server.directory(**change), NADIA.login, PASSWORD)
    assert cause in down.value.cause
    for secret in (PASSWORD, ldap_server.SERVICE_PASSWORD, "un mauvais mot de passe"):
        assert secret not in f"{down.value!r} {down.value.__cause__!r}"


def test_a_referral_to_another_server_is_never_followed(server: LdapServer, elsewhere: socket.socket) -> None:
    # Under the people there is a folder that lives elsewhere: each search answers with a referral too.
    assert authenticate(server.directory(), LOUISE.login, PASSWORD).name == LOUISE.name
    with pytest.raises(DirectoryDownError, match="Referral"):
        authenticate(server.directory(people_base=ldap_server.ELSEWHERE), LOUISE.login, PASSWORD)
    with pytest.raises(BlockingIOError):
        elsewhere.accept()


def test_a_stopped_directory_is_said_at_once_and_comes_back(server: LdapServer) -> None:
    server.stop()
    try:
        start = time.monotonic()
        with pytest.raises(DirectoryDownError, match="contact"):
            authenticate(server.directory(), NADIA.login, PASSWORD)
        assert time.monotonic() - start < 1
    finally:
        server.start()
    assert authenticate(server.directory(), NADIA.login, PASSWORD).login == NADIA.login


@pytest.mark.parametrize(
    ("scheme", "answer"),
    [("ldap", say_nothing), ("ldaps", say_nothing), ("ldap", stop_in_the_handshake)],
)
def test_a_directory_that_falls_silent_holds_nobody_longer_than_the_timeout(
    server: LdapServer, scheme: str, answer: Callable[[socket.socket], None]
) -> None:
    with listening(answer) as port, ThreadPoolExecutor() as pool:
        silent = server.directory(url=f"{scheme}://127.0.0.1:{port}", timeout_seconds=0.5)
        start = time.monotonic()
        waiting = pool.submit(authenticate, silent, NADIA.login, PASSWORD)
        # Meanwhile another sign-in of the same process goes through.
        assert authenticate(server.directory(), HUGO.login, PASSWORD).name == HUGO.name
        with pytest.raises(DirectoryDownError):
            waiting.result(10)
        assert 0.4 < time.monotonic() - start < 2


def test_another_kind_of_server_is_a_directory_that_is_down(server: LdapServer) -> None:
    with listening(speak_http) as port:
        for scheme in ("ldap", "ldaps"):
            directory = server.directory(url=f"{scheme}://127.0.0.1:{port}", timeout_seconds=1)
            with pytest.raises(DirectoryDownError):
                authenticate(directory, NADIA.login, PASSWORD)


def test_describe_shows_what_sign_in_would_find_without_a_password(server: LdapServer) -> None:
    shown = describe(server.directory(nested_groups=True), ldap_server.FATOU)
    assert f"uid={ldap_server.FATOU},{ldap_server.PEOPLE}" in shown
    assert re.search(r"^House +loudun$", shown, re.MULTILINE)
    assert f"{ldap_server.WORKERS} => worker" in shown
    assert "cn=équipe loudun" in shown
    assert re.search(r"^Roles +worker$", shown, re.MULTILINE)


def test_describe_says_why_somebody_could_not_sign_in(server: LdapServer) -> None:
    directory = server.directory()
    assert re.search(r"^Roles +none: .* refused$", describe(directory, ldap_server.GASTON), re.MULTILINE)
    assert re.search(
        r"^House +none: no departmentNumber", describe(directory, ldap_server.IRIS), re.MULTILINE
    )
    assert "Several people" in describe(directory, ldap_server.TWINS)
    assert describe(directory, "*").startswith("Nobody under")
    with pytest.raises(DirectoryDownError):
        describe(server.directory(bind_password="faux"), NADIA.login)


def test_the_environment_gives_the_same_directory(server: LdapServer) -> None:
    settings = from_environment({"DATABASE_URL": "postgresql:///allervers", **server.environment()})
    assert settings.directory == server.directory()
    assert isinstance(settings.directory, Directory)
    assert authenticate(settings.directory, NADIA.login, PASSWORD).roles == ["secretary"]


def test_a_group_with_an_unknown_role_is_refused_at_start(server: LdapServer) -> None:
    environment = server.environment() | {"LDAP_ROLES": f"{ldap_server.STAFF} => chef"}
    with pytest.raises(SettingsError, match="“chef” is no role; the roles are secretary, worker, manager"):
        from_environment({"DATABASE_URL": "postgresql:///allervers", **environment})


def test_without_python_ldap_the_reason_is_clear() -> None:
    program = (
        "import sys; sys.modules['ldap'] = None\n"
        "from casework.directory import *; from casework.settings import Directory\n"
        "try: authenticate(Directory('ldap://127.0.0.1', '', '', ''), 'nadia', 'secret')\n"
        "except DirectoryDownError as error: print(error.cause)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout == "python-ldap is not installed, see requirements/ldap.txt\n"
