"""Every table, for those who need the whole schema: migrations and tests."""

from casework import access, agents, documents, journal, messages, notifications, people, requests, territory
from casework.database import Base

__all__ = [
    "Base",
    "access",
    "agents",
    "documents",
    "journal",
    "messages",
    "notifications",
    "people",
    "requests",
    "territory",
]
