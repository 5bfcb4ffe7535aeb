"""Every table, for those who need the whole schema: migrations and tests."""

from casework import (
    access,
    agenda,
    agent_calendar,
    agents,
    appointments,
    calendar_links,
    documents,
    journal,
    messages,
    notifications,
    people,
    requests,
    territory,
    waiting,
)
from casework.database import Base

__all__ = [
    "Base",
    "access",
    "agenda",
    "agent_calendar",
    "agents",
    "appointments",
    "calendar_links",
    "documents",
    "journal",
    "messages",
    "notifications",
    "people",
    "requests",
    "territory",
    "waiting",
]
