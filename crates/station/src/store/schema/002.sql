-- Schema version 2: where boards lie and how they came, speeds, how long stages take, and a history
-- that is found by product, by venue and by any piece of text.

ALTER TABLE boards ADD COLUMN place TEXT CHECK (place IS NULL OR length(place) BETWEEN 1 AND 32);
-- The steps of its newest network boot, up to its check-in.
ALTER TABLE boards ADD COLUMN way TEXT CHECK (way IS NULL OR json_valid(way));

-- The network boot that led to a deployment, and how fast its disk was written and read back.
ALTER TABLE deployments ADD COLUMN way TEXT CHECK (way IS NULL OR json_valid(way));
ALTER TABLE deployments ADD COLUMN curve TEXT CHECK (curve IS NULL OR json_valid(curve));

-- `took` is known once the deployment is done, in milliseconds.
ALTER TABLE steps ADD COLUMN detail TEXT;
ALTER TABLE steps ADD COLUMN took INTEGER;

CREATE INDEX how_long_stages_take ON steps (stage, took) WHERE took IS NOT NULL;

UPDATE steps SET took = (
    SELECT next.began - steps.began FROM steps AS next
    WHERE next.deployment = steps.deployment AND next.rowid > steps.rowid
    ORDER BY next.rowid LIMIT 1)
WHERE stage NOT IN ('done', 'first_boot_confirmed') AND deployment IN (
    SELECT id FROM deployments WHERE stage IN ('done', 'first_boot_confirmed'));

CREATE INDEX history_of_a_product ON deployments (product, started, id, search);
CREATE INDEX history_of_a_venue ON deployments (venue, started, id, search, stage);

-- The searched text of each deployment, under a number that stays: the index of pieces below goes by
-- it, and the hidden row numbers of `deployments` change when the file is copied.
CREATE TABLE deployment_texts (
    number     INTEGER PRIMARY KEY,
    deployment TEXT NOT NULL UNIQUE REFERENCES deployments (id) ON DELETE CASCADE,
    text       TEXT NOT NULL
) STRICT;

CREATE VIRTUAL TABLE deployment_pieces USING fts5 (
    text, content = 'deployment_texts', content_rowid = 'number', tokenize = 'trigram'
);

INSERT INTO deployment_texts (deployment, text) SELECT id, search FROM deployments ORDER BY rowid;
INSERT INTO deployment_pieces (deployment_pieces) VALUES ('rebuild');

CREATE TRIGGER a_new_deployment_is_searched AFTER INSERT ON deployments
BEGIN
    INSERT INTO deployment_texts (deployment, text) VALUES (NEW.id, NEW.search);
END;

CREATE TRIGGER a_changed_deployment_is_searched AFTER UPDATE ON deployments
WHEN NEW.search IS NOT OLD.search
BEGIN
    UPDATE deployment_texts SET text = NEW.search WHERE deployment = NEW.id;
END;

CREATE TRIGGER a_new_text_is_cut AFTER INSERT ON deployment_texts
BEGIN
    INSERT INTO deployment_pieces (rowid, text) VALUES (NEW.number, NEW.text);
END;

CREATE TRIGGER a_gone_text_is_forgotten AFTER DELETE ON deployment_texts
BEGIN
    INSERT INTO deployment_pieces (deployment_pieces, rowid, text)
        VALUES ('delete', OLD.number, OLD.text);
END;

CREATE TRIGGER a_changed_text_is_cut AFTER UPDATE OF text ON deployment_texts
BEGIN
    INSERT INTO deployment_pieces (deployment_pieces, rowid, text)
        VALUES ('delete', OLD.number, OLD.text);
    INSERT INTO deployment_pieces (rowid, text) VALUES (NEW.number, NEW.text);
END;
