-- What is said often stands once.
CREATE TABLE paths (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    name TEXT NOT NULL, -- of the runnable: the path's last, which may have dots in it
    UNIQUE (path, name)
);

CREATE TABLE definitions (
    id INTEGER PRIMARY KEY,
    module_path TEXT NOT NULL,
    file TEXT NOT NULL,
    line INTEGER NOT NULL,
    column INTEGER NOT NULL,
    crate_version TEXT
);
CREATE INDEX definitions_by_place ON definitions (file, line);

CREATE TABLE processes (
    id INTEGER PRIMARY KEY,
    program TEXT NOT NULL,
    pid INTEGER NOT NULL,
    since INTEGER NOT NULL,
    UNIQUE (program, pid, since)
);

-- A run is what its first call says. Times are nanoseconds since the Unix epoch.
CREATE TABLE runs (
    run_id BLOB PRIMARY KEY,
    call_id INTEGER NOT NULL,
    has_parent INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    parent_run_id BLOB,
    path_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    message TEXT,
    writer INTEGER,
    t0 INTEGER NOT NULL,
    t1 INTEGER NOT NULL,
    elapsed_ns INTEGER NOT NULL,
    usage TEXT
) WITHOUT ROWID;
CREATE INDEX runs_by_time ON runs (t0, run_id);
CREATE INDEX runs_by_path ON runs (path_id, t0, run_id);
CREATE INDEX runs_by_status ON runs (status, t0, run_id) WHERE status <> 'success';
CREATE INDEX runs_by_parent ON runs (parent_run_id, t0, run_id) WHERE parent_run_id IS NOT NULL;

-- What lists and statistics read of a call. 64 bits without a sign are kept as 64 bits with one.
CREATE TABLE spans (
    id INTEGER PRIMARY KEY,
    run_id BLOB NOT NULL,
    call_id INTEGER NOT NULL,
    parent_call_id INTEGER,
    parent_run_id BLOB,
    path_id INTEGER NOT NULL,
    definition_id INTEGER NOT NULL,
    process_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    writer INTEGER, -- of a running call: names the lock file of who wrote it
    t0 INTEGER NOT NULL,
    t1 INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    elapsed_ns INTEGER NOT NULL,
    busy_ns INTEGER NOT NULL,
    polls INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    chunks INTEGER NOT NULL,
    first_chunk_ns INTEGER,
    usage TEXT,     -- JSON objects; NULL if nothing was used
    usage_own TEXT,
    schema INTEGER NOT NULL,
    UNIQUE (run_id, call_id)
);
CREATE INDEX spans_by_path ON spans (path_id, t0, status, elapsed_ns, busy_ns, usage, usage_own);

-- What only the trace itself shows, by the id of the span. JSON texts; NULL for `null` and `{}`.
CREATE TABLE payloads (
    id INTEGER PRIMARY KEY,
    input TEXT,
    output TEXT,
    error TEXT,
    metadata TEXT,
    reason TEXT,
    message TEXT
);
