-- Whose tables these are, and of which version: one row.
CREATE TABLE timbal_schema (version integer NOT NULL);

-- One row a call. What users name or say is bytes in UTF-8: text cannot hold NUL, and depends on the
-- encoding of the database. 64 bits without a sign are kept as 64 bits with one; times are
-- nanoseconds since the Unix epoch.
CREATE TABLE timbal_spans (
    run_id uuid NOT NULL,
    call_id bigint NOT NULL,
    parent_call_id bigint,
    parent_run_id uuid,
    path bytea NOT NULL,
    path_key bigint NOT NULL,   -- a hash of the path, which may be too long for an index
    status text NOT NULL,
    reason bytea,
    message bytea,
    writer bigint,              -- of a running call: the advisory lock of who wrote it
    is_head boolean NOT NULL,   -- whether it was the first call of its run in a batch
    t0 bigint NOT NULL,
    t1 bigint NOT NULL,
    seq bigint NOT NULL,
    elapsed_ns bigint NOT NULL,
    busy_ns bigint NOT NULL,
    polls bigint NOT NULL,
    calls bigint NOT NULL,
    chunks bigint NOT NULL,
    first_chunk_ns bigint,
    allocated_bytes bigint,
    usage bytea,                -- JSON from here to `process`; NULL for `null` and `{}`
    usage_own bytea,
    input bytea,
    output bytea,
    error bytea,
    metadata bytea,
    definition bytea NOT NULL,
    process bytea NOT NULL,
    schema bigint NOT NULL,
    bytes bigint NOT NULL,      -- about what the row takes, before anything is compressed
    PRIMARY KEY (run_id, call_id)
) PARTITION BY RANGE (run_id);

-- The ids of runs begin with their time, so a partition holds the runs of a day (UTC). Here go runs
-- whose ids say no time, and those of days that have no partition.
CREATE TABLE timbal_spans_other PARTITION OF timbal_spans DEFAULT;

CREATE INDEX ON timbal_spans (path_key, t0);
-- A run is what its first call says, which is one of these.
CREATE INDEX ON timbal_spans (run_id) WHERE is_head;
CREATE INDEX ON timbal_spans (t0, run_id) WHERE is_head;
CREATE INDEX ON timbal_spans (path_key, t0, run_id) WHERE is_head;
CREATE INDEX ON timbal_spans (status, t0, run_id) WHERE is_head AND status <> 'success';
CREATE INDEX ON timbal_spans (parent_run_id, t0, run_id)
    WHERE is_head AND parent_run_id IS NOT NULL;
