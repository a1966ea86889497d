-- Schema version 3: who works here, who is logged in, and the record of who did what.

CREATE TABLE operators (
    name       TEXT PRIMARY KEY NOT NULL
               CHECK (length(name) BETWEEN 1 AND 32 AND name = lower(name)),
    role       TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    -- argon2id, with its salt and cost (PHC string); a text that is none fits no password.
    hash       TEXT NOT NULL,
    disabled   INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    created    INTEGER NOT NULL,
    last_login INTEGER
) STRICT, WITHOUT ROWID;

-- `key` is the SHA-256 of what the browser holds, so that a copy of the file lets nobody in.
CREATE TABLE sessions (
    key       TEXT PRIMARY KEY NOT NULL CHECK (length(key) = 64),
    operator  TEXT NOT NULL REFERENCES operators (name) ON DELETE CASCADE,
    origin    TEXT NOT NULL,
    created   INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    until     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_of_an_operator ON sessions (operator);

-- No reference to `operators`: what somebody did stays when the operator goes.
CREATE TABLE deeds (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    who     TEXT NOT NULL,
    door    TEXT NOT NULL,
    origin  TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('done', 'refused')),
    why     TEXT
) STRICT;

CREATE INDEX deeds_of_somebody ON deeds (who, id);

CREATE TRIGGER deeds_are_not_changed BEFORE UPDATE ON deeds
BEGIN
    SELECT RAISE(ABORT, 'the record of deeds is append-only');
END;

CREATE TRIGGER deeds_are_not_deleted BEFORE DELETE ON deeds
BEGIN
    SELECT RAISE(ABORT, 'the record of deeds is append-only');
END;

CREATE TRIGGER deeds_are_not_replaced BEFORE INSERT ON deeds
WHEN EXISTS (SELECT 1 FROM deeds WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'the record of deeds is append-only');
END;
