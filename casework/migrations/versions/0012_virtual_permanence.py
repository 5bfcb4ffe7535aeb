"""The virtual permanence: who receives, who waits, and the talk."""

from alembic import op
import sqlalchemy as sa

revision = '0012'
down_revision = '0011'

ACTIONS = (
    "sent", "wrote", "paper_sent", "opened", "paper_opened", "qualified", "routed", "handed_over", "handed_back",
    "taken", "answered", "paper_asked", "closed", "reopened", "notified", "not_notified", "link_renewed", "booked",
    "moved", "cancelled", "ended", "absence_set", "absence_removed", "agenda_changed", "signed_in", "signed_out",
    "offered", "offer_declined", "offer_lapsed", "text_received", "texts_stopped", "texts_allowed", "contact_rule_set",
    "called", "session_made", "session_changed", "session_cancelled", "signed_up", "sign_up_cancelled", "attended",
    "calendar_linked", "calendar_unlinked", "feed_renewed", "kind_set",
    "permanence_set", "permanence_opened", "permanence_closed", "visit_arrived", "visit_called", "visit_held",
    "visit_handed", "visit_joined", "visit_left", "visit_ended", "callback_asked", "not_understood",
    "translation_corrected", "kiosk_set", "kiosk_removed",
)

TEMPLATES = (
    "receipt", "new_message", "link", "appointment_booked", "appointment_moved", "appointment_cancelled",
    "appointment_reminder", "appointment_offered", "appointment_missed", "cancel_question", "texts_stopped",
    "session_signed", "session_seat", "session_moved", "session_reminder", "session_cancelled",
    "turn_near", "talk_summary",
)


def upgrade() -> None:
    op.drop_constraint("journal_action_known_check", "journal")
    op.create_check_constraint("action_known", "journal", sa.column("action").in_(ACTIONS))
    op.drop_constraint("notifications_template_known_check", "notifications")
    op.create_check_constraint("template_known", "notifications", sa.column("template").in_(TEMPLATES))
