"""The memory of translations: the same sentence is never computed twice. And: "I don't understand".

Neither face sees the memory as a table of the portal's: who has a text asks for its translation by the keyed digest
of that text. The text itself is here only while the worker has to translate it, sealed to the worker's key.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0014'
down_revision = '0013'

ASKING = '''
CREATE FUNCTION defer_translation(p_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
BEGIN
    PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
        'default', 'translate_words', 0, NULL, NULL, jsonb_build_object('row_id', p_id), NULL
    )]::procrastinate_job_to_defer_v1[]);
END
$$;

CREATE FUNCTION translations_of(p_digests bytea[], p_sources text[], p_target text, p_now timestamptz)
RETURNS TABLE (digest bytea, source text, state text, words text, engine text, corrected boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- What was read is not forgotten: the day of the last reading is kept, written down once a day at most.
#variable_conflict use_column
BEGIN
    UPDATE translated_words AS t SET used_at = p_now
    FROM unnest(p_digests, p_sources) AS asked(digest, source)
    WHERE t.digest = asked.digest AND t.source = asked.source AND t.target = p_target
        AND t.state = 'done' AND t.used_at < p_now - interval '1 day';
    RETURN QUERY
        SELECT t.digest, t.source, t.state::text, t.words, t.engine, t.corrected_by IS NOT NULL
        FROM unnest(p_digests, p_sources) AS asked(digest, source)
        JOIN translated_words AS t
            ON t.digest = asked.digest AND t.source = asked.source AND t.target = p_target;
END
$$;

CREATE FUNCTION want_translations(
    p_digests bytea[], p_sources text[], p_sealed bytea[], p_target text, p_now timestamptz
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- Known ones stay as they are; one that failed is tried again after an hour, one that was withheld after a week.
DECLARE asked record; made uuid;
BEGIN
    FOR asked IN
        SELECT * FROM unnest(p_digests, p_sources, p_sealed) AS a(digest, source, sealed)
        ORDER BY a.digest LIMIT 200
    LOOP
        made := NULL;
        INSERT INTO translated_words
            (id, digest, source, target, state, sealed, words, engine, version, attempts, wanted_at, used_at)
        VALUES (gen_random_uuid(), asked.digest, asked.source, p_target, 'wanted', asked.sealed, '', '', '', 0, p_now, p_now)
        ON CONFLICT (digest, source, target) DO NOTHING RETURNING id INTO made;
        IF made IS NULL THEN
            UPDATE translated_words
            SET state = 'wanted', sealed = asked.sealed, attempts = 0, wanted_at = p_now, done_at = NULL, used_at = p_now
            WHERE digest = asked.digest AND source = asked.source AND target = p_target
                AND (state = 'failed' AND done_at < p_now - interval '1 hour'
                    OR state = 'withheld' AND done_at < p_now - interval '7 days')
            RETURNING id INTO made;
        END IF;
        IF made IS NOT NULL THEN
            PERFORM defer_translation(made);
        END IF;
    END LOOP;
END
$$;

REVOKE EXECUTE ON FUNCTION defer_translation, translations_of, want_translations FROM PUBLIC;
GRANT EXECUTE ON FUNCTION translations_of, want_translations TO allervers_portal, allervers_backoffice;
GRANT EXECUTE ON FUNCTION defer_translation TO allervers_backoffice;
GRANT SELECT, INSERT, UPDATE, DELETE ON translated_words TO allervers_backoffice;
'''

NOT_UNDERSTOOD = '''
GRANT SELECT (not_understood_at), UPDATE (not_understood_at) ON messages TO allervers_portal;
GRANT UPDATE (not_understood_at) ON requests TO allervers_portal;
CREATE POLICY citizen_says ON messages FOR UPDATE TO allervers_portal
    USING (request_id = (SELECT opened_request()) AND author = 'agent')
    WITH CHECK (request_id = (SELECT opened_request()) AND author = 'agent');
'''

ALARM = '''
CREATE FUNCTION say_alarm(p_card text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- Of the request opened alone, and to make it urgent alone. A form that an agent opened before is refused afterwards.
DECLARE
    said text := CASE p_card
        WHEN 'in_danger' THEN 'La personne a écrit : « Je suis en danger. »'
        WHEN 'afraid' THEN 'La personne a écrit : « J''ai peur. »'
    END;
BEGIN
    UPDATE requests
    SET urgent = true, version = version + 1, urgency_reason = CASE
        WHEN position(said IN urgency_reason) > 0 THEN urgency_reason
        ELSE left(trim(said || ' ' || urgency_reason), 500)
    END
    WHERE id = (SELECT opened_request()) AND said IS NOT NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION say_alarm FROM PUBLIC;
GRANT EXECUTE ON FUNCTION say_alarm TO allervers_portal;
'''


def upgrade() -> None:
    op.create_table('translated_words',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('wanted', 'done', 'withheld', 'failed', name='state_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('engine', sa.Text(), nullable=False),
    sa.Column('version', sa.Text(), nullable=False),
    sa.Column('attempts', sa.SmallInteger(), nullable=False),
    sa.Column('wanted_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('done_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('used_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('corrected_by', sa.Integer(), nullable=True),
    sa.Column('corrected_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'wanted') = (sealed IS NOT NULL)", name=op.f('translated_words_sealed_check')),
    sa.CheckConstraint("octet_length(digest) = 32 AND octet_length(sealed) <= 40000 AND source <> target AND source ~ '^[a-z]{2,3}$' AND target ~ '^[a-z]{2,3}$'", name=op.f('translated_words_measured_check')),
    sa.ForeignKeyConstraint(['corrected_by'], ['agents.id'], name=op.f('translated_words_corrected_by_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('translated_words_pkey')),
    sa.UniqueConstraint('digest', 'source', 'target', name=op.f('translated_words_digest_source_target_key'))
    )
    op.create_index('translated_words_corrected_by_idx', 'translated_words', ['corrected_by'], unique=False)
    op.create_index('translated_words_to_do_idx', 'translated_words', ['wanted_at'], unique=False, postgresql_where=sa.text("state = 'wanted'"))
    op.create_index('translated_words_used_at_idx', 'translated_words', ['used_at'], unique=False)
    op.add_column('messages', sa.Column('not_understood_at', postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column('requests', sa.Column('not_understood_at', postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.execute(ASKING)
    op.execute(NOT_UNDERSTOOD)
    op.execute(ALARM)
