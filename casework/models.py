"""Every table, for those who need the whole schema: migrations and tests."""

from casework import (
    access,
    agenda,
    agents,
    appointments,
    documents,
    journal,
    messages,
    notifications,
    people,
    requests,
    rights_search,
    territory,
    waiting,
)
from casework.database import Base

__all__ = [
    "Base",
    "access",
    "agenda",
    "agents",
    "appointments",
    "documents",
    "journal",
    "messages",
    "notifications",
    "people",
    "requests",
    "rights_search",
    "territory",
    "waiting",
]
