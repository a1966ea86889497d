-- Schema version 5: profiles. The body is what the page and the file of a profile hold, as JSON.

CREATE TABLE profiles (
    name    TEXT PRIMARY KEY NOT NULL COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 60),
    body    TEXT NOT NULL CHECK (json_valid(body)),
    changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
