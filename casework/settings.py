"""What an installation is told from outside: the environment for secrets and addresses, a folder for the territory.

Every process reads the same names but is *given* only what it needs: the portal never receives the private
key of the document store nor the back office's secret (design rule 4).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from casework.vocabulary import Role

ROOT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """A setting is missing or cannot be understood; the message names it and says what it should hold."""


@dataclass(frozen=True)
class Directory:
    """The département's LDAP directory. Groups are given as `group dn = role` pairs."""

    url: str
    bind_dn: str
    bind_password: str
    people_base: str
    login_attribute: str = "uid"
    name_attribute: str = "cn"
    house_attribute: str = "departmentNumber"
    groups_base: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    start_tls: bool = True
    ca_file: str = ""
    nested_groups: bool = False
    timeout_seconds: float = 3.0


@dataclass(frozen=True)
class Settings:
    """Settings of one process. Empty string means "not configured"."""

    var: Path
    territory: Path
    database_url: str
    portal_address: str = "http://127.0.0.1:8000"
    backoffice_address: str = "http://127.0.0.1:8001"
    secret_key: str = ""
    access_key: str = ""
    documents_public_key: str = ""
    documents_private_key: str = ""
    smtp_url: str = ""
    mail_from: str = ""
    sms_url: str = ""
    sms_token: str = ""
    sms_sender: str = "Allervers"
    sms_webhook_key: str = ""
    clamd_url: str = ""
    caldav_url: str = ""
    """Where agents' own calendars are, `{login}` standing for theirs."""
    libretranslate_url: str = ""
    libretranslate_key: str = ""
    models_folder: Path | None = None
    """Where the translation models are; the worker alone reads them."""
    stun_urls: tuple[str, ...] = ()
    turn_urls: tuple[str, ...] = ()
    turn_secret: str = ""
    ice_policy: str = "all"
    """`relay`: calls pass by the relay alone."""
    room_provider: str = "own"
    jitsi_url: str = ""
    jitsi_app_id: str = ""
    jitsi_secret: str = ""
    livekit_url: str = ""
    livekit_page: str = ""
    livekit_key: str = ""
    livekit_secret: str = ""
    kiosk_idle_seconds: int = 120
    """How long a kiosk's screen may stay untouched before it asks whether somebody is there."""
    directory: Directory | None = None
    trusted_proxies: int = 0
    demonstration: bool = False

    @property
    def secure_cookies(self) -> bool:
        """Cookies are `Secure` unless a trial is served in clear to another machine, where they could not work."""
        return all(
            urlsplit(address).scheme == "https"
            or urlsplit(address).hostname in {"127.0.0.1", "localhost", "::1"}
            for address in (self.portal_address, self.backoffice_address)
        )

    @property
    def https(self) -> bool:
        """True when people reach both faces through an HTTPS reverse proxy."""
        return self.portal_address.startswith("https:")


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of this process.

    Raises:
        SettingsError: `DATABASE_URL` is absent, or a number or a pair is not one.
    """
    database_url = secret_value(environment, "DATABASE_URL")
    if not database_url:
        raise SettingsError(
            "DATABASE_URL is empty: give the address of a PostgreSQL database, or use `make run`."
        )
    return Settings(
        var=Path(environment.get("ALLERVERS_VAR") or ROOT / "var"),
        models_folder=models_folder(environment),
        libretranslate_url=secret_value(environment, "LIBRETRANSLATE_URL"),
        libretranslate_key=secret_value(environment, "LIBRETRANSLATE_KEY"),
        territory=Path(environment.get("ALLERVERS_TERRITORY") or ROOT / "territory" / "vienne"),
        database_url=database_url,
        portal_address=(environment.get("PORTAL_ADDRESS") or Settings.portal_address).rstrip("/"),
        backoffice_address=(environment.get("BACKOFFICE_ADDRESS") or Settings.backoffice_address).rstrip("/"),
        secret_key=secret_value(environment, "SECRET_KEY"),
        access_key=secret_value(environment, "ACCESS_KEY"),
        documents_public_key=secret_value(environment, "DOCUMENTS_PUBLIC_KEY"),
        documents_private_key=secret_value(environment, "DOCUMENTS_PRIVATE_KEY"),
        smtp_url=secret_value(environment, "SMTP_URL"),
        mail_from=secret_value(environment, "MAIL_FROM"),
        sms_url=secret_value(environment, "SMS_URL"),
        sms_token=secret_value(environment, "SMS_TOKEN"),
        sms_sender=(environment.get("SMS_SENDER") or Settings.sms_sender),
        sms_webhook_key=secret_value(environment, "SMS_WEBHOOK_KEY"),
        clamd_url=secret_value(environment, "CLAMD_URL"),
        caldav_url=environment.get("CALDAV_URL", "").strip(),
        stun_urls=tuple(environment.get("STUN_URLS", "").split()),
        turn_urls=tuple(environment.get("TURN_URLS", "").split()),
        turn_secret=secret_value(environment, "TURN_SECRET"),
        ice_policy=environment.get("ICE_POLICY", "").strip() or Settings.ice_policy,
        room_provider=environment.get("ROOM_PROVIDER", "").strip() or Settings.room_provider,
        jitsi_url=environment.get("JITSI_URL", "").strip(),
        jitsi_app_id=environment.get("JITSI_APP_ID", "").strip(),
        jitsi_secret=secret_value(environment, "JITSI_SECRET"),
        livekit_url=environment.get("LIVEKIT_URL", "").strip(),
        livekit_page=environment.get("LIVEKIT_PAGE", "").strip(),
        livekit_key=secret_value(environment, "LIVEKIT_KEY"),
        livekit_secret=secret_value(environment, "LIVEKIT_SECRET"),
        kiosk_idle_seconds=_number(environment, "KIOSK_IDLE_SECONDS", Settings.kiosk_idle_seconds),
        directory=_directory(environment),
        trusted_proxies=_number(environment, "TRUSTED_PROXIES", 0),
        demonstration=environment.get("ALLERVERS_DEMONSTRATION") == "1",
    )


def audio_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the audio made ahead is kept: what makes it needs no other setting."""
    return Path(environment.get("ALLERVERS_VAR") or ROOT / "var") / "audio"


def piper_models(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of Piper's voices, `<language>.onnx`; None: espeak-ng speaks."""
    return Path(folder) if (folder := environment.get("PIPER_VOICES", "").strip()) else None


def _directory(environment: Mapping[str, str]) -> Directory | None:
    url = secret_value(environment, "LDAP_URL")
    if not url:
        return None
    roles: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in environment.get("LDAP_ROLES", "").split(";"))):
        group, separator, role = pair.rpartition("=>")
        if not separator:
            raise SettingsError(
                f"LDAP_ROLES: “{pair}” should read “group dn => role”, pairs separated by “;”."
            )
        if role.strip() not in set(Role):
            raise SettingsError(f"LDAP_ROLES: “{role.strip()}” is no role; the roles are {', '.join(Role)}.")
        roles[group.strip().lower()] = role.strip()
    return Directory(
        url=url,
        bind_dn=secret_value(environment, "LDAP_BIND_DN"),
        bind_password=secret_value(environment, "LDAP_BIND_PASSWORD"),
        people_base=secret_value(environment, "LDAP_PEOPLE_BASE"),
        login_attribute=(environment.get("LDAP_LOGIN_ATTRIBUTE") or Directory.login_attribute),
        name_attribute=(environment.get("LDAP_NAME_ATTRIBUTE") or Directory.name_attribute),
        house_attribute=(environment.get("LDAP_HOUSE_ATTRIBUTE") or Directory.house_attribute),
        groups_base=secret_value(environment, "LDAP_GROUPS_BASE"),
        roles=roles,
        start_tls=environment.get("LDAP_START_TLS", "1") != "0",
        ca_file=secret_value(environment, "LDAP_CA_FILE"),
        nested_groups=environment.get("LDAP_NESTED_GROUPS") == "1",
        timeout_seconds=float(_number(environment, "LDAP_TIMEOUT_SECONDS", 3)),
    )


def secret_value(environment: Mapping[str, str], name: str) -> str:
    """The setting, or the content of the file named by `<name>_FILE` (how systemd and compose hand over secrets)."""
    path = environment.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{name}_FILE: cannot read {path}: {error.strerror}.") from error
    return environment.get(name, "").strip()


def models_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where translation models are installed: what installs them needs no other setting."""
    var = Path(environment.get("ALLERVERS_VAR") or ROOT / "var")
    return Path(environment.get("MODELS_FOLDER") or var / "models")


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "")
    try:
        return int(text) if text else default
    except ValueError as error:
        raise SettingsError(f"{name}: “{text}” is not a whole number.") from error
