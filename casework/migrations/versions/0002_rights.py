"""Who may do what: the task queue, the two roles, and row security.

The portal (design rule 4) can put in what citizens send. It reads a draft or a request only while the setting
`allervers.secret` holds the keyed hash of a secret that opens it, and then only what a citizen may see.
"""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"

PORTAL = "allervers_portal"
BACKOFFICE = "allervers_backoffice"

OPENED = """
CREATE FUNCTION opened_draft() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT id FROM drafts WHERE secret_hash = current_setting('allervers.secret', true) AND sent_at IS NULL $$;

CREATE FUNCTION opened_request() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT request_id FROM access_keys WHERE hash = current_setting('allervers.secret', true) $$;

CREATE FUNCTION defer_work(task text, row_id uuid, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
BEGIN
    IF task NOT IN ('send_notification', 'scan_document', 'renew_link') THEN
        RAISE EXCEPTION 'no such task: %', task;
    END IF;
    PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
        'default', task, 0, NULL, NULL, jsonb_build_object('row_id', row_id), at
    )]::procrastinate_job_to_defer_v1[]);
END
$$;

REVOKE EXECUTE ON FUNCTION opened_draft(), opened_request(), defer_work(text, uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION opened_draft(), opened_request(), defer_work(text, uuid, timestamptz)
    TO allervers_portal, allervers_backoffice;
"""

PORTAL_RIGHTS = """
GRANT SELECT ON houses, communes, sectors, permanences TO allervers_portal;
GRANT SELECT (commune_code, sector_id) ON sector_communes TO allervers_portal;
GRANT SELECT, INSERT, UPDATE ON drafts TO allervers_portal;
GRANT SELECT, INSERT, DELETE, UPDATE (request_id, draft_id) ON documents TO allervers_portal;
GRANT INSERT ON document_contents, requests, access_keys, journal, notifications, lost_links TO allervers_portal;
GRANT SELECT (id, number, language, state, received_at, promised_by, themes, urgency, words, commune_code, place_typed, house_id,
              name, spoken_language, needs, handler, missing, closed_at, citizen_wrote_at, agent_wrote_at, worker_id)
    ON requests TO allervers_portal;
GRANT UPDATE (citizen_wrote_at) ON requests TO allervers_portal;
GRANT SELECT, INSERT ON contact_ways, guesses TO allervers_portal;
GRANT SELECT (id, request_id, submission, at, author, kind, signature, body, language), INSERT
    ON messages TO allervers_portal;
"""

BACKOFFICE_RIGHTS = """
GRANT SELECT ON ALL TABLES IN SCHEMA public TO allervers_backoffice;
REVOKE SELECT ON drafts FROM allervers_backoffice;
GRANT SELECT (id, changed_at), DELETE ON drafts TO allervers_backoffice;
GRANT INSERT, UPDATE ON requests, documents, notifications, lost_links, agents, absences,
    houses, communes, sectors, permanences TO allervers_backoffice;
GRANT INSERT ON messages, access_keys, journal, guesses, contact_ways TO allervers_backoffice;
GRANT INSERT, UPDATE, DELETE ON agent_sessions, sector_communes, sector_workers TO allervers_backoffice;
GRANT DELETE ON guesses, documents TO allervers_backoffice;
GRANT ALL ON procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers, procrastinate_workers
    TO allervers_backoffice;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO allervers_backoffice;
"""

# table → (what the portal may see, what it may put in); None: not at all
ROWS = {
    "drafts": (
        "secret_hash = current_setting('allervers.secret', true)",
        "secret_hash = current_setting('allervers.secret', true)",
    ),
    "requests": ("id = (SELECT opened_request())", "id = (SELECT opened_draft())"),
    "access_keys": (None, "request_id = (SELECT opened_draft())"),
    "contact_ways": ("request_id = (SELECT opened_request())", "request_id = (SELECT opened_draft())"),
    "documents": (
        "draft_id = (SELECT opened_draft()) OR request_id = (SELECT opened_request())",
        "draft_id = (SELECT opened_draft()) OR request_id = (SELECT opened_request())",
    ),
    "document_contents": (None, "EXISTS (SELECT FROM documents WHERE documents.id = document_id)"),
    "messages": (
        "request_id = (SELECT opened_request())",
        "request_id = (SELECT opened_request()) AND author = 'citizen' AND agent_id IS NULL",
    ),
    "journal": (None, "agent_id IS NULL AND request_id IN ((SELECT opened_draft()), (SELECT opened_request()))"),
    "notifications": (None, "request_id = (SELECT opened_draft())"),
    "lost_links": (None, "done_at IS NULL"),
    "guesses": ("side = CURRENT_USER", "side = CURRENT_USER"),
}

# what the portal may change or drop, beyond seeing and adding
CHANGES = {
    "drafts": ("UPDATE", "secret_hash = current_setting('allervers.secret', true) AND sent_at IS NULL",
               "secret_hash = current_setting('allervers.secret', true)"),
    "documents": ("UPDATE", "draft_id = (SELECT opened_draft())", "request_id = (SELECT opened_draft())"),
    "requests": ("UPDATE", "id = (SELECT opened_request())", "id = (SELECT opened_request())"),
}


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    for statements in (OPENED, PORTAL_RIGHTS, BACKOFFICE_RIGHTS):
        op.execute(statements)
    for table, (seen, added) in ROWS.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY agents ON {table} TO {BACKOFFICE} USING (true) WITH CHECK (true)")
        if seen:
            op.execute(f"CREATE POLICY citizen_sees ON {table} FOR SELECT TO {PORTAL} USING ({seen})")
        op.execute(f"CREATE POLICY citizen_adds ON {table} FOR INSERT TO {PORTAL} WITH CHECK ({added})")
    for table, (verb, which, becomes) in CHANGES.items():
        op.execute(
            f"CREATE POLICY citizen_changes ON {table} FOR {verb} TO {PORTAL} USING ({which}) WITH CHECK ({becomes})"
        )
    op.execute(
        f"CREATE POLICY citizen_takes_back ON documents FOR DELETE TO {PORTAL} "
        "USING (draft_id = (SELECT opened_draft()))"
    )
