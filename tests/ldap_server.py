"""A real slapd for tests, in a folder, on free ports of 127.0.0.1, with the agents of `tests.people` in it.

    with LdapServer(tmp_path) as server:
        directory.authenticate(server.directory(), NADIA.login, PASSWORD)

It refuses any password that does not come through TLS, so a test that signs in has proved StartTLS. All
passwords are `PASSWORD`. Besides `AGENTS` (secretaries by `member`, workers by `uniqueMember`, managers by
`memberUid`) it holds the people below.
"""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from casework.settings import Directory
from casework.vocabulary import Role
from tests.people import AGENTS, PASSWORD

BASE = "dc=vienne,dc=example"
PEOPLE = f"ou=personnes,{BASE}"
ELSEWHERE = f"ou=ailleurs,{BASE}"
"""A folder that lives on another server: only a referral to `referral_port` is here. `PEOPLE` has one too."""
SERVICE_DN = f"cn=allervers,{BASE}"
SERVICE_PASSWORD = "le mot de passe du service"

SECRETARIES = f"cn=secrétaires,ou=groupes,{BASE}"
WORKERS = f"cn=travailleurs sociaux,ou=groupes,{BASE}"
MANAGERS = f"cn=cadres,ou=groupes,{BASE}"
STAFF = f"cn=personnel,ou=groupes,{BASE}"
"""Gives no role; holds everybody of `AGENTS`."""

ZOE, ZOE_NAME = "zoe.lefevre", "Zoé Lefèvre, زوي"
"""A secretary whose displayName has accents and Arabic, and whose DN has what filters and DNs must escape."""
GASTON = "gaston.seul"
"""In no group."""
IRIS = "iris.partout"
"""A secretary whose house is blank."""
BASILE = "basile.nomade"
"""A secretary without the attribute that gives the house."""
FATOU = "fatou.diallo"
"""A worker only because her team is in a team, in a loop of teams, that is in the workers' group."""
TWINS = "les.jumeaux"
"""Two people share this login."""
YVES, YVES_SECOND_LOGIN = "yves.double", "yves.zeta"
"""A manager and worker with two logins."""


def free_port() -> int:
    """A port of 127.0.0.1 nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LdapServer:
    """A slapd that can be stopped and started again at the same address with the same people.

    `certificate_name` is the name in its certificate, as OpenSSL writes it. `referral_port` is where
    `ELSEWHERE` points.
    """

    def __init__(
        self, folder: Path, *, certificate_name: str = "IP:127.0.0.1", referral_port: int | None = None
    ) -> None:
        self._folder = folder
        self.port, self._tls_port = free_port(), free_port()
        self.url = f"ldap://127.0.0.1:{self.port}"
        self.ldaps_url = f"ldaps://127.0.0.1:{self._tls_port}"
        self.ca_file = str(folder / "ca.pem")
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "data").mkdir(parents=True)
        certify(folder, certificate_name)
        (folder / "slapd.conf").write_text(_configuration(folder), encoding="utf-8")
        (folder / "people.ldif").write_text(_ldif(referral_port or free_port()), encoding="utf-8")
        _run("slapadd", "-f", folder / "slapd.conf", "-l", folder / "people.ldif")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = [_program("slapd"), "-f", str(self._folder / "slapd.conf"), "-d", "stats"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-h", f"{self.url} {self.ldaps_url}"], stdout=log, stderr=log
            )
        deadline = time.monotonic() + 10
        for port in (self.port, self._tls_port):
            while not _listens(port):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"slapd did not start: {self.log()[-2000:]}")
                time.sleep(0.01)

    def stop(self) -> None:
        """Stop it; nothing listens any more when this returns."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def directory(self, **changes: Any) -> Directory:
        """The settings of a département that uses this server, but for `changes`."""
        settings: dict[str, Any] = {
            "url": self.url,
            "bind_dn": SERVICE_DN,
            "bind_password": SERVICE_PASSWORD,
            "people_base": PEOPLE,
            "groups_base": f"ou=groupes,{BASE}",
            "roles": {
                SECRETARIES.lower(): Role.SECRETARY.value,
                WORKERS.lower(): Role.WORKER.value,
                MANAGERS.lower(): Role.MANAGER.value,
            },
            "ca_file": self.ca_file,
        }
        return Directory(**settings | changes)

    def environment(self) -> dict[str, str]:
        """The same settings, as the environment of a process."""
        directory = self.directory()
        return {
            "LDAP_URL": directory.url,
            "LDAP_BIND_DN": directory.bind_dn,
            "LDAP_BIND_PASSWORD": directory.bind_password,
            "LDAP_PEOPLE_BASE": directory.people_base,
            "LDAP_GROUPS_BASE": directory.groups_base,
            "LDAP_ROLES": "; ".join(f"{group} => {role}" for group, role in directory.roles.items()),
            "LDAP_CA_FILE": directory.ca_file,
        }

    def log(self) -> str:
        """What slapd was asked since the beginning, one operation a line."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")


def certify(folder: Path, name: str) -> None:
    """Make a private authority and a server's certificate it signed: ca.pem, server.pem and server.key."""
    new_key = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-batch")
    authority = (
        "-keyout",
        folder / "ca.key",
        "-out",
        folder / "ca.pem",
        "-subj",
        "/CN=Vienne test authority",
    )
    _run("openssl", *new_key, "-x509", "-days", "2", *authority)
    request = ("-keyout", folder / "server.key", "-out", folder / "server.csr", "-subj", "/O=Vienne")
    _run("openssl", *new_key, *request)
    (folder / "names.cnf").write_text(f"subjectAltName={name}\n", encoding="utf-8")
    signing = ("-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", "2")
    files = ("-in", folder / "server.csr", "-out", folder / "server.pem", "-extfile", folder / "names.cnf")
    _run("openssl", "x509", "-req", *signing, *files)


def _configuration(folder: Path) -> str:
    """The service account has the rights `docs/directory.md` asks for; and sees referrals."""
    schemas = "\n".join(
        f"include /etc/ldap/schema/{name}.schema" for name in ("core", "cosine", "nis", "inetorgperson")
    )
    return f"""{schemas}
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
security simple_bind=128
database mdb
suffix "{BASE}"
directory {folder}/data
maxsize 16777216
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="{PEOPLE}" attrs=entry,uid,cn,displayName,departmentNumber
    by dn.exact="{SERVICE_DN}" read by * break
access to dn.subtree="ou=groupes,{BASE}" attrs=entry,member,uniqueMember,memberUid
    by dn.exact="{SERVICE_DN}" read by * break
access to attrs=entry,ref by dn.exact="{SERVICE_DN}" read by * none
access to * by * none
"""


def _ldif(referral_port: int) -> str:
    agents = [(who.login, who.name, who.house, f"uid={who.login},{PEOPLE}") for who in AGENTS]
    others = [
        (ZOE, ZOE_NAME, "poitiers", rf"cn=Zoé Lefèvre\, dite (Zo*),{PEOPLE}"),
        (GASTON, "Gaston Seul", "poitiers", f"uid={GASTON},{PEOPLE}"),
        (IRIS, "Iris Partout", "\u00a0 ", f"uid={IRIS},{PEOPLE}"),
        (BASILE, "Basile Nomade", "", f"uid={BASILE},{PEOPLE}"),
        (FATOU, "Fatou Diallo", " loudun", f"uid={FATOU},{PEOPLE}"),
        (TWINS, "Jumeau Un", "poitiers", f"cn=Jumeau Un,{PEOPLE}"),
        (TWINS, "Jumeau Deux", "poitiers", f"cn=Jumeau Deux,{PEOPLE}"),
        (YVES, "Yves Double", "loudun", f"uid={YVES},{PEOPLE}"),
    ]
    dns = {login: dn for login, _, _, dn in agents + others}
    by_role = {role: [who.login for who in AGENTS if who.role is role] for role in Role}
    team, teams, loop = (
        f"cn={name},ou=groupes,{BASE}" for name in ("équipe loudun", "équipes nord", "boucle")
    )
    secretaries = [dns[login] for login in [*by_role[Role.SECRETARY], ZOE, IRIS, BASILE]]
    workers = [dns[login] for login in [*by_role[Role.WORKER], YVES]]
    entries = [
        _entry(BASE, objectClass=["dcObject", "organization"], o=["Vienne"]),
        _entry(PEOPLE, objectClass=["organizationalUnit"]),
        _entry(f"ou=groupes,{BASE}", objectClass=["organizationalUnit"]),
        _entry(
            SERVICE_DN,
            objectClass=["organizationalRole", "simpleSecurityObject"],
            userPassword=[SERVICE_PASSWORD],
        ),
        *(_person(*row, also=[YVES_SECOND_LOGIN] if row[0] == YVES else []) for row in agents + others),
        _entry(SECRETARIES, objectClass=["groupOfNames"], member=[*secretaries, dns[TWINS]]),
        _entry(WORKERS, objectClass=["groupOfUniqueNames"], uniqueMember=[*workers, teams]),
        _entry(
            MANAGERS,
            objectClass=["posixGroup"],
            gidNumber=["5000"],
            memberUid=[*by_role[Role.MANAGER], YVES_SECOND_LOGIN],
        ),
        _entry(STAFF, objectClass=["groupOfNames"], member=[dns[who.login] for who in AGENTS]),
        _entry(team, objectClass=["groupOfNames"], member=[dns[FATOU], loop]),
        _entry(teams, objectClass=["groupOfNames"], member=[team]),
        _entry(loop, objectClass=["groupOfNames"], member=[teams]),
        _entry(
            ELSEWHERE,
            objectClass=["referral", "extensibleObject"],
            ref=[f"ldap://127.0.0.1:{referral_port}/{ELSEWHERE}"],
        ),
        _entry(
            f"ou=détachés,{PEOPLE}",
            objectClass=["referral", "extensibleObject"],
            ref=[f"ldap://127.0.0.1:{referral_port}/{PEOPLE}"],
        ),
    ]
    return "\n".join(entries)


def _person(login: str, name: str, house: str, dn: str, also: Iterable[str]) -> str:
    first, _, last = name.partition(" ")
    values = {
        "uid": [login, *also],
        "cn": [name],
        "givenName": [first],
        "sn": [last],
        "userPassword": [PASSWORD],
    }
    if dn.startswith("cn="):
        del values["cn"]
        values["displayName"] = [name]
    if house:
        values["departmentNumber"] = [house]
    return _entry(dn, **{"objectClass": ["inetOrgPerson"], **values})


def _entry(dn: str, **attributes: list[str]) -> str:
    lines = [("dn", dn), *((name, value) for name, values in attributes.items() for value in values)]
    return "\n".join(f"{name}:: {base64.b64encode(value.encode()).decode()}" for name, value in lines) + "\n"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _program(name: str) -> str:
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise RuntimeError(f"{name} is not installed")
    return found


def _run(program: str, *arguments: str | Path) -> None:
    done = subprocess.run(
        [_program(program), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr}")
