"""Who was called while their kiosk was wiped is not lost: the visit says so, and the desk sees it.

One function decides, the visit locked: a desk may call at the very moment the screen is wiped.
"""

from alembic import op
import sqlalchemy as sa

revision = '0018'
down_revision = '0017'

FUNCTIONS = '''
CREATE FUNCTION leave_kiosk(p_hashed text, p_now timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- What the opened secret held at this screen: a place is left, a talk gone out of; who was called goes back to the
-- desk. Who went on with a device of their own, or waits for a text message, keeps everything.
DECLARE
    one visits;
BEGIN
    SELECT * INTO one FROM visits WHERE id = (SELECT opened_visit()) FOR UPDATE;
    IF one.carried_at IS NOT NULL THEN
        RETURN;
    END IF;
    IF one.id IS NULL OR one.state IN ('talking', 'on_hold') THEN
        PERFORM leave_talk(p_now);
    ELSIF one.state = 'called' OR one.state = 'gone' AND one.missed_at IS NOT NULL THEN
        UPDATE visits SET left_kiosk_at = p_now, left_kiosk_id = (SELECT k.id FROM kiosks k WHERE k.key_hash = p_hashed)
        WHERE id = one.id;
        UPDATE talk_people SET left_at = p_now WHERE part = 'citizen' AND id IN (SELECT o.id FROM opened_people() o);
    ELSIF one.text_number IS NULL THEN
        PERFORM leave_waiting(NULL, p_now);
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION leave_kiosk FROM PUBLIC;
GRANT EXECUTE ON FUNCTION leave_kiosk TO allervers_portal;
'''


def upgrade() -> None:
    op.add_column('visits', sa.Column('left_kiosk_at', sa.TIMESTAMP(timezone=True), nullable=True))
    op.add_column('visits', sa.Column('left_kiosk_id', sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f('visits_left_kiosk_id_fkey'), 'visits', 'kiosks', ['left_kiosk_id'], ['id'], ondelete='SET NULL')
    op.execute(FUNCTIONS)
