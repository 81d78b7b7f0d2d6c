"""The first schema of the main database."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "checkpoints",
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_checkpoints"),
    )
    op.create_table(
        "declarations",
        sa.Column("declaration_id", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=256), nullable=False),
        sa.Column("handle", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("declaration_id", name="pk_declarations"),
    )
    op.create_index("ix_declarations_handle", "declarations", ["handle"], unique=False)
    op.create_table(
        "leaves",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("leaf", sa.Text(), nullable=False),
        sa.Column("sealed", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("no", name="pk_leaves"),
        sa.UniqueConstraint("position", name="uq_leaves_position"),
    )
    op.create_index("ix_leaves_sealed", "leaves", ["sealed"], unique=False)
    op.create_index(
        "ix_leaves_unnumbered",
        "leaves",
        ["no"],
        unique=False,
        postgresql_where=sa.text("position IS NULL"),
        sqlite_where=sa.text("position IS NULL"),
    )
    op.create_table(
        "officers",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("commune", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("oidc_subject", sa.String(length=256), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_officers"),
        sa.UniqueConstraint("oidc_subject", name="uq_officers_oidc_subject"),
    )
    op.create_table(
        "people",
        sa.Column("handle", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("handle", name="pk_people"),
    )
    op.create_table(
        "questions",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("question_id", sa.String(length=64), nullable=False),
        sa.Column("handle", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("priority", sa.Float(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("binding_message", sa.String(length=9), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("no", name="pk_questions"),
        sa.UniqueConstraint("question_id", name="uq_questions_question_id"),
    )
    op.create_index("ix_questions_handle", "questions", ["handle"], unique=False)
    op.create_index("ix_questions_open", "questions", ["state", "expires_at"], unique=False)
    op.create_table(
        "residence_cases",
        sa.Column("peer", sa.String(length=256), nullable=False),
        sa.Column("case_no", sa.String(length=64), nullable=False),
        sa.Column("handle", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "case_no", name="pk_residence_cases"),
    )
    op.create_index("ix_residence_cases_handle", "residence_cases", ["handle"], unique=False)
    op.create_table(
        "runs",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("run_hash", sa.String(length=64), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("no", name="pk_runs"),
        sa.UniqueConstraint("run_hash", name="uq_runs_run_hash"),
    )
    op.create_table(
        "seen_jtis",
        sa.Column("iss", sa.String(length=256), nullable=False),
        sa.Column("jti", sa.String(length=64), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("iss", "jti", name="pk_seen_jtis"),
    )
    op.create_index("ix_seen_jtis_seen_at", "seen_jtis", ["seen_at"], unique=False)
    op.create_table(
        "tree_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "place", name="pk_tree_nodes"),
    )
    op.create_table(
        "accepted_parcels",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("run_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("handle", sa.String(length=64), nullable=False),
        sa.Column("residential", sa.Boolean(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_no"], ["runs.no"], name="fk_accepted_parcels_run_no"),
        sa.PrimaryKeyConstraint("no", name="pk_accepted_parcels"),
    )
    op.create_index("ix_accepted_parcels_handle", "accepted_parcels", ["handle"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("question_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("item_ids", sa.Text(), nullable=False),
        sa.Column("requested_expiry", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("auth_req_id", sa.String(length=256), nullable=True),
        sa.Column("idp_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("interval", sa.Integer(), nullable=True),
        sa.Column("poll_at", sa.BigInteger(), nullable=True),
        sa.Column("claimed_until", sa.BigInteger(), nullable=False),
        sa.Column("pinged", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["question_no"], ["questions.no"], name="fk_attempts_question_no"),
        sa.PrimaryKeyConstraint("no", name="pk_attempts"),
    )
    op.create_index("ix_attempts_auth_req_id", "attempts", ["auth_req_id"], unique=False)
    op.create_index("ix_attempts_poll", "attempts", ["poll_at"], unique=False)
    op.create_index("uq_attempts_question_attempt", "attempts", ["question_no", "attempt"], unique=True)
    op.create_table(
        "cases",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("handle", sa.String(length=64), nullable=True),
        sa.Column("question_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("item_id", sa.String(length=64), nullable=True),
        sa.Column("declaration_id", sa.String(length=64), nullable=True),
        sa.Column("commune", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.Column("box", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["question_no"], ["questions.no"], name="fk_cases_question_no"),
        sa.PrimaryKeyConstraint("no", name="pk_cases"),
    )
    op.create_index("ix_cases_handle", "cases", ["handle"], unique=False)
    op.create_index("ix_cases_item", "cases", ["question_no", "item_id"], unique=False)
    op.create_index("ix_cases_state_commune", "cases", ["state", "commune"], unique=False)
    op.create_table(
        "feed",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("question_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("evidence_level", sa.String(length=16), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["question_no"], ["questions.no"], name="fk_feed_question_no"),
        sa.PrimaryKeyConstraint("no", name="pk_feed"),
        sa.UniqueConstraint("position", name="uq_feed_position"),
    )
    op.create_index(
        "ix_feed_unnumbered",
        "feed",
        ["no"],
        unique=False,
        postgresql_where=sa.text("position IS NULL"),
        sqlite_where=sa.text("position IS NULL"),
    )
    op.create_table(
        "items",
        sa.Column("question_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("commune", sa.Text(), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("evidence_level", sa.String(length=16), nullable=False),
        sa.Column("said", sa.String(length=16), nullable=True),
        sa.Column("met", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["question_no"], ["questions.no"], name="fk_items_question_no"),
        sa.PrimaryKeyConstraint("question_no", "item_id", name="pk_items"),
    )
    op.create_index("ix_items_item_id", "items", ["item_id"], unique=False)
    op.create_table(
        "records",
        sa.Column("leaf_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("handles", sa.Text(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["leaf_no"], ["leaves.no"], name="fk_records_leaf_no"),
        sa.PrimaryKeyConstraint("leaf_no", name="pk_records"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["officer"], ["officers.name"], name="fk_sessions_officer"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
    )
    op.create_table(
        "asks",
        sa.Column("jti", sa.String(length=64), nullable=False),
        sa.Column("attempt_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_no"], ["attempts.no"], name="fk_asks_attempt_no"),
        sa.PrimaryKeyConstraint("jti", name="pk_asks"),
        sa.UniqueConstraint("token_hash", name="uq_asks_token_hash"),
    )
    op.create_index("ix_asks_attempt_no", "asks", ["attempt_no"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("typ", sa.String(length=32), nullable=False),
        sa.Column("attempt_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_no"], ["attempts.no"], name="fk_deliveries_attempt_no"),
        sa.PrimaryKeyConstraint("no", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_attempt_no", "deliveries", ["attempt_no"], unique=False)
    op.create_index("ix_deliveries_due", "deliveries", ["state", "due_at"], unique=False)
    op.create_table(
        "replies",
        sa.Column("attempt_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_no"], ["attempts.no"], name="fk_replies_attempt_no"),
        sa.PrimaryKeyConstraint("attempt_no", name="pk_replies"),
    )
    op.create_table(
        "revisions",
        sa.Column("attempt_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_no"], ["attempts.no"], name="fk_revisions_attempt_no"),
        sa.PrimaryKeyConstraint("attempt_no", "answered_at", name="pk_revisions"),
    )
    op.create_table(
        "votes",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("case_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.no"], name="fk_votes_case_no"),
        sa.PrimaryKeyConstraint("no", name="pk_votes"),
    )
    op.create_index("ix_votes_case_no", "votes", ["case_no"], unique=False)
