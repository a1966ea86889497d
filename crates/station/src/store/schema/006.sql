-- Schema version 6: boards that an operator put on hold.

ALTER TABLE boards ADD COLUMN withheld INTEGER NOT NULL DEFAULT 0 CHECK (withheld IN (0, 1));
