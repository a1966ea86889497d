-- Schema version 1. Times are UTC milliseconds, ids are text, JSON columns hold the words of `wire`.

CREATE TABLE settings (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE venues (
    code     TEXT PRIMARY KEY NOT NULL CHECK (length(code) = 4 AND code = upper(code)),
    name     TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    location TEXT NOT NULL DEFAULT '' CHECK (length(location) <= 100),
    contact  TEXT NOT NULL DEFAULT '',
    archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
    created  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE products (
    code     TEXT PRIMARY KEY NOT NULL CHECK (length(code) BETWEEN 1 AND 16 AND code = upper(code)),
    name     TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    pattern  TEXT NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
    created  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A removed image keeps its row while the history speaks of it; only its pack is gone.
CREATE TABLE images (
    id          TEXT PRIMARY KEY NOT NULL CHECK (length(id) = 64),
    product     TEXT NOT NULL REFERENCES products (code),
    file_name   TEXT NOT NULL,
    version     TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    raw_bytes   INTEGER NOT NULL CHECK (raw_bytes > 0),
    data_bytes  INTEGER NOT NULL CHECK (data_bytes >= 0),
    pack_bytes  INTEGER NOT NULL CHECK (pack_bytes >= 0),
    sha256      TEXT NOT NULL CHECK (length(sha256) = 64),
    contents    TEXT NOT NULL CHECK (json_valid(contents)),
    active      INTEGER NOT NULL DEFAULT 0 CHECK (active IN (0, 1)),
    removed     INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
    imported    INTEGER NOT NULL,
    CHECK (active = 0 OR removed = 0)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX one_active_image_per_product ON images (product) WHERE active = 1;

-- Open batches stand in one order without gaps; a batch that ended has no place in it.
CREATE TABLE batches (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    product   TEXT NOT NULL REFERENCES products (code),
    venue     TEXT NOT NULL REFERENCES venues (code),
    planned   INTEGER NOT NULL CHECK (planned > 0),
    image     TEXT REFERENCES images (id),
    rules     TEXT NOT NULL CHECK (json_valid(rules)),
    disks     TEXT NOT NULL CHECK (json_valid(disks)),
    reimage   TEXT NOT NULL,
    state     TEXT NOT NULL
        CHECK (state IN ('pending', 'active', 'paused', 'completed', 'cancelled')),
    rank      INTEGER UNIQUE,
    created   INTEGER NOT NULL,
    started   INTEGER,
    ended     INTEGER,
    rehearsal INTEGER NOT NULL DEFAULT 0 CHECK (rehearsal IN (0, 1)),
    CHECK ((rank IS NULL) = (state IN ('completed', 'cancelled'))),
    CHECK ((ended IS NULL) = (rank IS NOT NULL))
) STRICT;

CREATE TABLE boards (
    id          TEXT PRIMARY KEY NOT NULL,
    serial      TEXT UNIQUE CHECK (serial IS NULL OR length(serial) = 16),
    mac         TEXT NOT NULL,
    ip          TEXT,
    revision    INTEGER,
    model       TEXT NOT NULL DEFAULT '',
    machine     TEXT CHECK (machine IS NULL OR json_valid(machine)),
    ram_mib     INTEGER,
    agent       TEXT,
    inventory   TEXT CHECK (inventory IS NULL OR json_valid(inventory)),
    stage       TEXT NOT NULL,
    stage_since INTEGER NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    hold        TEXT CHECK (hold IS NULL OR json_valid(hold)),
    failure     TEXT CHECK (failure IS NULL OR json_valid(failure)),
    disk        TEXT CHECK (disk IS NULL OR json_valid(disk)),
    detail      TEXT,
    permit      TEXT NOT NULL DEFAULT 'none'
        CHECK (permit IN ('none', 'retry', 'replace', 'approve')),
    released    INTEGER NOT NULL DEFAULT 0 CHECK (released IN (0, 1)),
    checked_in  INTEGER NOT NULL DEFAULT 0 CHECK (checked_in IN (0, 1)),
    on_bench    INTEGER NOT NULL DEFAULT 1 CHECK (on_bench IN (0, 1)),
    rehearsal   INTEGER NOT NULL DEFAULT 0 CHECK (rehearsal IN (0, 1)),
    CHECK ((hold IS NOT NULL) = (stage = 'on_hold')),
    CHECK (failure IS NULL OR stage = 'failed')
) STRICT, WITHOUT ROWID;

-- Every Ethernet address that a board spoke with.
CREATE TABLE board_macs (
    mac   TEXT PRIMARY KEY NOT NULL,
    board TEXT NOT NULL REFERENCES boards (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX macs_of_a_board ON board_macs (board);

-- Addresses that the operator wants answered although no board is known for them.
CREATE TABLE accepted_macs (
    mac TEXT PRIMARY KEY NOT NULL,
    at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The pools. `board` owns the name; `meant_for` is the only board that may claim it.
CREATE TABLE names (
    id        INTEGER PRIMARY KEY,
    hostname  TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(hostname) BETWEEN 1 AND 63),
    product   TEXT NOT NULL REFERENCES products (code),
    venue     TEXT NOT NULL REFERENCES venues (code),
    number    INTEGER CHECK (number BETWEEN 1 AND 9999),
    state     TEXT NOT NULL CHECK (state IN ('available', 'reserved', 'assigned', 'retired')),
    batch     INTEGER REFERENCES batches (id),
    board     TEXT REFERENCES boards (id),
    meant_for TEXT,
    used      INTEGER NOT NULL DEFAULT 0 CHECK (used IN (0, 1)),
    note      TEXT NOT NULL DEFAULT '',
    changed   INTEGER NOT NULL,
    CHECK ((state = 'assigned') = (board IS NOT NULL)),
    CHECK (state <> 'reserved' OR batch IS NOT NULL),
    CHECK (batch IS NULL OR state IN ('reserved', 'assigned')),
    CHECK (meant_for IS NULL OR board IS NULL OR meant_for = board)
) STRICT;

CREATE UNIQUE INDEX one_assigned_name_per_board ON names (board) WHERE board IS NOT NULL;
CREATE UNIQUE INDEX one_name_per_number ON names (product, venue, number) WHERE number IS NOT NULL;
CREATE INDEX names_in_order ON names (product, venue, state, number);
CREATE INDEX names_of_a_batch ON names (batch, state, number) WHERE batch IS NOT NULL;
CREATE INDEX names_meant_for_a_board ON names (meant_for) WHERE meant_for IS NOT NULL;

CREATE TABLE deployments (
    id              TEXT PRIMARY KEY NOT NULL,
    board           TEXT NOT NULL REFERENCES boards (id),
    attempt         INTEGER NOT NULL CHECK (attempt >= 1),
    batch           INTEGER NOT NULL REFERENCES batches (id),
    product         TEXT NOT NULL,
    venue           TEXT NOT NULL,
    image           TEXT NOT NULL REFERENCES images (id),
    hostname        TEXT NOT NULL COLLATE NOCASE,
    mac             TEXT NOT NULL,
    serial          TEXT,
    via             TEXT NOT NULL CHECK (via IN ('agent', 'device')),
    boot            TEXT,
    secret          TEXT NOT NULL,
    hello           TEXT NOT NULL UNIQUE,
    disk            TEXT CHECK (disk IS NULL OR json_valid(disk)),
    overwrite       INTEGER NOT NULL DEFAULT 0 CHECK (overwrite IN (0, 1)),
    restarts        INTEGER NOT NULL DEFAULT 0,
    stage           TEXT NOT NULL CHECK (stage IN ('assigned', 'preparing_storage', 'writing',
        'verifying', 'personalising', 'finishing', 'done', 'first_boot_confirmed', 'failed',
        'cancelled')),
    touched         INTEGER NOT NULL DEFAULT 0 CHECK (touched IN (0, 1)),
    last_seq        INTEGER NOT NULL DEFAULT 0,
    given_up        INTEGER NOT NULL DEFAULT 0 CHECK (given_up IN (0, 1)),
    verified        TEXT,
    bytes_written   INTEGER NOT NULL DEFAULT 0,
    bytes_read_back INTEGER NOT NULL DEFAULT 0,
    bytes_received  INTEGER NOT NULL DEFAULT 0,
    rewritten       INTEGER NOT NULL DEFAULT 0,
    transport       TEXT,
    outcome         TEXT CHECK (outcome IS NULL OR json_valid(outcome)),
    error           TEXT,
    started         INTEGER NOT NULL,
    ended           INTEGER,
    confirmed       INTEGER,
    search          TEXT GENERATED ALWAYS AS (
        lower(hostname || ' ' || board || ' ' || coalesce(serial, '') || ' ' || mac || ' '
            || coalesce(error, ''))
    ) STORED,
    UNIQUE (board, batch, attempt),
    CHECK ((ended IS NOT NULL)
        = (stage IN ('done', 'first_boot_confirmed', 'failed', 'cancelled'))),
    CHECK (stage NOT IN ('done', 'first_boot_confirmed') OR verified IS NOT NULL),
    CHECK (verified IS NOT 'full_read_back' OR bytes_read_back > 0),
    CHECK ((confirmed IS NOT NULL) = (stage = 'first_boot_confirmed'))
) STRICT;

CREATE UNIQUE INDEX one_open_deployment_per_board ON deployments (board) WHERE ended IS NULL;
CREATE UNIQUE INDEX one_open_deployment_per_name ON deployments (hostname) WHERE ended IS NULL;
CREATE INDEX newest_of_each_board ON deployments (batch, board, attempt, stage, ended, given_up);
CREATE INDEX history_newest_first ON deployments (started, id, search);
CREATE INDEX history_of_a_board ON deployments (board, started, id, search);
CREATE INDEX history_of_a_batch ON deployments (batch, started, id, search);
CREATE INDEX history_of_a_stage ON deployments (stage, started, id, search);

-- When each stage of a deployment began; a stage may come again.
CREATE TABLE steps (
    deployment TEXT NOT NULL REFERENCES deployments (id),
    stage      TEXT NOT NULL,
    began      INTEGER NOT NULL
) STRICT;

CREATE INDEX steps_of_a_deployment ON steps (deployment);

CREATE TRIGGER a_deployment_owns_its_name BEFORE INSERT ON deployments
WHEN NOT EXISTS (SELECT 1 FROM names WHERE hostname = NEW.hostname AND board = NEW.board)
BEGIN
    SELECT RAISE(ABORT, 'the name of a deployment must be assigned to its board');
END;

CREATE TRIGGER a_deployment_stays_what_it_is
BEFORE UPDATE OF id, board, batch, attempt, hostname, image, started ON deployments
BEGIN
    SELECT RAISE(ABORT, 'what a deployment is about never changes');
END;

CREATE TRIGGER a_name_at_work_stays BEFORE UPDATE OF hostname, state, board ON names
WHEN OLD.board IS NOT NULL
    AND (NEW.board IS NOT OLD.board OR NEW.hostname <> OLD.hostname)
    AND EXISTS (SELECT 1 FROM deployments WHERE board = OLD.board AND ended IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'the name belongs to a board at work');
END;

CREATE TRIGGER an_owned_name_is_not_deleted BEFORE DELETE ON names
WHEN OLD.board IS NOT NULL OR OLD.used = 1
BEGIN
    SELECT RAISE(ABORT, 'a name that was used is retired, not deleted');
END;

-- The event log only grows.
CREATE TABLE events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    level      TEXT NOT NULL CHECK (level IN ('info', 'warning', 'error')),
    board      TEXT,
    deployment TEXT,
    batch      INTEGER,
    kind       TEXT NOT NULL,
    text       TEXT NOT NULL
) STRICT;

CREATE INDEX events_of_a_board ON events (board, id) WHERE board IS NOT NULL;
CREATE INDEX events_of_a_deployment ON events (deployment, id) WHERE deployment IS NOT NULL;
CREATE INDEX events_of_a_batch ON events (batch, id) WHERE batch IS NOT NULL;

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'the event log is append-only');
END;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'the event log is append-only');
END;

CREATE TRIGGER events_are_not_replaced BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'the event log is append-only');
END;

CREATE TABLE leases (
    mac   TEXT PRIMARY KEY NOT NULL,
    ip    TEXT NOT NULL UNIQUE,
    board TEXT,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One token per network boot; `board` is provisional while only the address is known.
CREATE TABLE boot_tokens (
    number INTEGER PRIMARY KEY,
    token  TEXT NOT NULL UNIQUE,
    board  TEXT NOT NULL,
    mac    TEXT NOT NULL,
    minted INTEGER NOT NULL
) STRICT;

CREATE INDEX tokens_of_a_board ON boot_tokens (board, number);
