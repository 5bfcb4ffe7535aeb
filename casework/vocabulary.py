"""The words of the trade, as people read them: themes, urgencies, channels, needs, states.

Each word has a stable value (stored), an easy French label (translated at display) and, where people choose
by sight, the name of a pictogram in `static/pictograms.svg`. Sources: the list of what people ask for in
`seeds/004` §3.3 and fiches 1–4; emergency numbers from the State's list of emergency numbers.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


def N_(message: str) -> str:  # noqa: N802 - the name gettext tools know for "translate this later"
    """Mark a string for the catalogues without translating it."""
    return message


@dataclass(frozen=True)
class LanguageFacts:
    """A language's own name and its direction (`ltr` or `rtl`).

    `for_agents`: the back office speaks it too. `locale`: whose months and hours, when the language alone does not say.
    """

    own_name: str
    direction: str
    for_agents: bool = False
    locale: str = ""


LANGUAGES: dict[str, LanguageFacts] = {
    "fr": LanguageFacts("Français", "ltr", for_agents=True),
    "ar": LanguageFacts("العربية", "rtl", for_agents=True),
    "en": LanguageFacts("English", "ltr", for_agents=True),
    "fa": LanguageFacts("فارسی / دری", "rtl", locale="fa_AF"),
    "ps": LanguageFacts("پښتو", "rtl"),
    "uk": LanguageFacts("Українська", "ltr"),
    "ru": LanguageFacts("Русский", "ltr"),
    "tr": LanguageFacts("Türkçe", "ltr"),
    "bn": LanguageFacts("বাংলা", "ltr"),
    "es": LanguageFacts("Español", "ltr"),
    "ro": LanguageFacts("Română", "ltr"),
}


@dataclass(frozen=True)
class Word:
    """What people see of a stored value: a label and, perhaps, a pictogram and one line of help."""

    label: str
    pictogram: str = ""
    hint: str = ""


class Theme(enum.StrEnum):
    """What a request is about."""

    MONEY = "money"
    RIGHTS = "rights"
    HOUSING = "housing"
    FAMILY = "family"
    CHILDREN = "children"
    HEALTH = "health"
    WORK = "work"
    AGE_HANDICAP = "age_handicap"
    VIOLENCE = "violence"
    OTHER = "other"


THEMES: dict[Theme, Word] = {
    Theme.MONEY: Word(N_("L'argent"), "money", N_("Factures, dettes, aides")),
    Theme.RIGHTS: Word(
        N_("Mes droits et mes papiers"), "papers", N_("Remplir un dossier, comprendre une lettre")
    ),
    Theme.HOUSING: Word(N_("Le logement"), "house", N_("Loyer, expulsion, chercher un logement")),
    Theme.FAMILY: Word(N_("La famille"), "family", N_("Séparation, être parent seul")),
    Theme.CHILDREN: Word(N_("Les enfants"), "child", N_("Garde, école, difficultés")),
    Theme.HEALTH: Word(N_("La santé"), "health", N_("Voir un médecin, payer les soins")),
    Theme.WORK: Word(N_("Le travail"), "work", N_("Chercher un travail, RSA")),
    Theme.AGE_HANDICAP: Word(N_("La vieillesse ou le handicap"), "elder", N_("Aide à la maison, handicap")),
    Theme.VIOLENCE: Word(N_("Quelqu'un me fait du mal"), "shield", N_("Coups, menaces, peur à la maison")),
    Theme.OTHER: Word(N_("Autre chose"), "question", N_("Ou je ne sais pas")),
}

SENSITIVE_THEMES = frozenset({Theme.VIOLENCE})
"""Themes whose pages offer a quick exit and warn about the browser's history."""


class Urgency(enum.StrEnum):
    """Why a request cannot wait. `NONE` is an answer too."""

    DANGER = "danger"
    CHILD_DANGER = "child_danger"
    NO_ROOF = "no_roof"
    NO_FOOD = "no_food"
    SUICIDE = "suicide"
    EVICTION = "eviction"
    POWER_CUT = "power_cut"
    NONE = "none"


@dataclass(frozen=True)
class EmergencyNumber:
    """A number to call now: its digits, who answers, and what for. All are free.

    `hours`: from and to, every day; None: day and night. `says`: when somebody answers, where hours do not say it.
    """

    number: str
    who: str
    what: str
    hours: tuple[int, int] | None = None
    says: str = N_("Jour et nuit")
    by_text: bool = False

    @property
    def shown(self) -> str:
        """As people read it: six digits in two groups."""
        return f"{self.number[:3]} {self.number[3:]}" if len(self.number) == 6 else self.number


NUMBERS: dict[str, EmergencyNumber] = {
    "112": EmergencyNumber("112", N_("Tous les secours"), N_("Vous hésitez ? Ce numéro vous guide.")),
    "15": EmergencyNumber(
        "15", N_("Un médecin en urgence"), N_("Une personne va très mal ou ne répond plus.")
    ),
    "17": EmergencyNumber("17", N_("La police"), N_("On vous attaque, on vous menace ou on vous vole.")),
    "18": EmergencyNumber("18", N_("Les pompiers"), N_("Il y a un feu, un accident ou une fuite de gaz.")),
    "114": EmergencyNumber(
        "114",
        N_("Les secours par texto, pour les personnes sourdes"),
        N_("Parler est dangereux ? Écrivez aussi. Dites où vous êtes et ce qui se passe."),
        by_text=True,
    ),
    "115": EmergencyNumber(
        "115", N_("Un lit pour cette nuit"), N_("Vous dormez dehors, seul ou en famille.")
    ),
    "119": EmergencyNumber(
        "119", N_("Un enfant en danger"), N_("Vous êtes cet enfant. Ou vous avez peur pour lui.")
    ),
    "3919": EmergencyNumber(
        "3919", N_("Violences contre les femmes"), N_("On vous frappe, on vous insulte ou on vous contrôle.")
    ),
    "3114": EmergencyNumber(
        "3114", N_("Envie de mourir, grande souffrance"), N_("Vous souffrez trop. Ou un proche veut mourir.")
    ),
    "116117": EmergencyNumber(
        "116117",
        N_("Un médecin de garde"),
        N_("Votre médecin ne reçoit pas. Si ce numéro ne répond pas, appelez le 15."),
        says=N_("Le soir, la nuit et le week-end"),
    ),
    "3977": EmergencyNumber(
        "3977",
        N_("Une personne âgée ou handicapée maltraitée"),
        N_("On lui fait du mal, on la laisse sans soins ou on prend son argent."),
        hours=(9, 19),
    ),
    "116006": EmergencyNumber(
        "116006", N_("Aide aux victimes"), N_("Après un vol, des coups ou un accident."), hours=(9, 19)
    ),
    "3018": EmergencyNumber(
        "3018",
        N_("Harcèlement à l'école ou sur internet"),
        N_("Des personnes se moquent d'un jeune ou le menacent, encore et encore."),
        hours=(9, 23),
    ),
}

RESCUE = ("112", "15", "17", "18", "114")
"""The numbers that send somebody at once; the others listen, find a bed, give advice."""


@dataclass(frozen=True)
class UrgencyWord(Word):
    """An urgency and the numbers to call for it, the first one largest."""

    numbers: tuple[str, ...] = ()


URGENCIES: dict[Urgency, UrgencyWord] = {
    Urgency.DANGER: UrgencyWord(N_("Je suis en danger"), "danger", numbers=("17", "112", "3919", "114")),
    Urgency.CHILD_DANGER: UrgencyWord(N_("Un enfant est en danger"), "child", numbers=("119", "17")),
    Urgency.NO_ROOF: UrgencyWord(N_("Je dors dehors"), "night", numbers=("115",)),
    Urgency.NO_FOOD: UrgencyWord(N_("Je n'ai rien à manger"), "food", numbers=()),
    Urgency.SUICIDE: UrgencyWord(N_("J'ai envie de mourir"), "heart", numbers=("3114", "15")),
    Urgency.EVICTION: UrgencyWord(N_("J'ai une lettre pour quitter mon logement"), "letter", numbers=()),
    Urgency.POWER_CUT: UrgencyWord(N_("On coupe mon électricité ou mon eau"), "power", numbers=()),
    Urgency.NONE: UrgencyWord(N_("Non, rien de tout cela"), "calm", numbers=()),
}


class Channel(enum.StrEnum):
    """How a person wants to be answered."""

    SMS = "sms"
    CALL = "call"
    EMAIL = "email"
    LETTER = "letter"
    VISIT = "visit"


CHANNELS: dict[Channel, Word] = {
    Channel.SMS: Word(N_("Par SMS"), "sms"),
    Channel.CALL: Word(N_("Par téléphone"), "phone"),
    Channel.EMAIL: Word(N_("Par e-mail"), "email"),
    Channel.LETTER: Word(N_("Par lettre"), "letter"),
    Channel.VISIT: Word(N_("Je passerai à l'accueil"), "reception"),
}


NOTHING_SENT = Word(
    N_("Ne m'envoyez rien. Je reviens ici."), "shield", N_("Avec votre numéro et votre code secret")
)
"""What a visit is called where somebody else may read the telephone: no message leaves."""


class ContactRule(enum.StrEnum):
    """How a person may be told things, as an agent decided with them (people at risk)."""

    USUAL = "usual"
    NONE = "none"
    OTHER = "other"


CONTACT_RULES: dict[ContactRule, Word] = {
    ContactRule.USUAL: Word(N_("Comme la personne l'a demandé")),
    ContactRule.NONE: Word(N_("Aucun message"), "shield", N_("Rien ne part. Personne n'appelle.")),
    ContactRule.OTHER: Word(
        N_("Seulement à un autre contact"), "person", N_("Une personne de confiance, ou une adresse sûre")
    ),
}


class CallTime(enum.StrEnum):
    """When a person can be called."""

    ANY = "any"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


CALL_TIMES: dict[CallTime, Word] = {
    CallTime.ANY: Word(N_("N'importe quand")),
    CallTime.MORNING: Word(N_("Le matin")),
    CallTime.AFTERNOON: Word(N_("L'après-midi")),
    CallTime.EVENING: Word(N_("Après 17 heures")),
}


class Need(enum.StrEnum):
    """What a person needs so that the meeting works for them."""

    INTERPRETER = "interpreter"
    SIGN_LANGUAGE = "sign_language"
    HEARING = "hearing"
    SEEING = "seeing"
    READING = "reading"
    WHEELCHAIR = "wheelchair"


NEEDS: dict[Need, Word] = {
    Need.INTERPRETER: Word(N_("J'ai besoin d'un interprète"), "interpreter"),
    Need.SIGN_LANGUAGE: Word(N_("Je parle la langue des signes"), "sign"),
    Need.HEARING: Word(N_("J'entends mal"), "listen"),
    Need.SEEING: Word(N_("Je vois mal"), "eye"),
    Need.READING: Word(N_("Je lis avec difficulté"), "reading"),
    Need.WHEELCHAIR: Word(N_("Je viens en fauteuil roulant"), "wheelchair"),
}


class State(enum.StrEnum):
    """Where a request stands. The arrows between states are in `triage.ALLOWED_FROM`."""

    RECEIVED = "received"
    QUALIFIED = "qualified"
    ROUTED = "routed"
    TAKEN = "taken"
    WAITING = "waiting"
    CLOSED = "closed"


STATES: dict[State, Word] = {
    State.RECEIVED: Word(N_("Nous avons votre demande")),
    State.QUALIFIED: Word(N_("L'accueil a lu votre demande")),
    State.ROUTED: Word(N_("Un travailleur social a votre demande")),
    State.TAKEN: Word(N_("Un travailleur social s'occupe de vous")),
    State.WAITING: Word(N_("Nous attendons votre réponse")),
    State.CLOSED: Word(N_("Votre demande est terminée")),
}
"""What the citizen reads."""

AGENT_STATES: dict[State, Word] = {
    State.RECEIVED: Word(N_("À qualifier")),
    State.QUALIFIED: Word(N_("À orienter")),
    State.ROUTED: Word(N_("Transmise")),
    State.TAKEN: Word(N_("Prise en charge")),
    State.WAITING: Word(N_("Attend la personne")),
    State.CLOSED: Word(N_("Clôturée")),
}
"""What agents read."""


class Outcome(enum.StrEnum):
    """How a request ended (indicators of `seeds/004` fiches 1, 3 and 4)."""

    ANSWERED = "answered"
    PAPERWORK_DONE = "paperwork_done"
    SHORT_TREATMENT = "short_treatment"
    FOLLOW_UP = "follow_up"
    ORIENTED = "oriented"
    WITHDRAWN = "withdrawn"
    UNREACHABLE = "unreachable"


OUTCOMES: dict[Outcome, Word] = {
    Outcome.ANSWERED: Word(N_("Réponse donnée par le secrétariat")),
    Outcome.PAPERWORK_DONE: Word(N_("Aide aux démarches faite")),
    Outcome.SHORT_TREATMENT: Word(N_("Traitement court par le travailleur social")),
    Outcome.FOLLOW_UP: Word(N_("Accompagnement commencé")),
    Outcome.ORIENTED: Word(N_("Orientation vers un autre organisme")),
    Outcome.WITHDRAWN: Word(N_("La personne a renoncé")),
    Outcome.UNREACHABLE: Word(N_("Personne injoignable")),
}


class Role(enum.StrEnum):
    """What an agent is, from the directory's groups."""

    SECRETARY = "secretary"
    WORKER = "worker"
    MANAGER = "manager"


ROLES: dict[Role, Word] = {
    Role.SECRETARY: Word(N_("Secrétaire")),
    Role.WORKER: Word(N_("Travailleur social")),
    Role.MANAGER: Word(N_("Cadre")),
}


SPOKEN_LANGUAGES: dict[str, str] = {
    "fr": "Français",
    "ar": "العربية",
    "en": "English",
    "fa": "فارسی / دری",
    "ps": "پښتو",
    "uk": "Українська",
    "ru": "Русский",
    "tr": "Türkçe",
    "bn": "বাংলা",
    "es": "Español",
    "ro": "Română",
    "pt": "Português",
    "so": "Soomaali",
    "ti": "ትግርኛ",
    "ka": "ქართული",
}
"""Languages a person may speak, by their own names; wider than the interface's."""


class Conformity(enum.StrEnum):
    """How far a service may say that it is accessible (RGAA)."""

    NONE = "non conforme"
    PARTIAL = "partiellement conforme"
    FULL = "totalement conforme"


CONFORMITIES: dict[Conformity, tuple[str, str]] = {
    Conformity.NONE: (
        N_("Accessibilité : non conforme"),
        N_("Ce site est non conforme. Personne d'extérieur ne l'a encore vérifié."),
    ),
    Conformity.PARTIAL: (
        N_("Accessibilité : partiellement conforme"),
        N_("Ce site est partiellement conforme. Une personne d'extérieur l'a vérifié."),
    ),
    Conformity.FULL: (
        N_("Accessibilité : totalement conforme"),
        N_("Ce site est totalement conforme. Une personne d'extérieur l'a vérifié."),
    ),
}
"""The line at the foot of each page, and the first words of the declaration."""
