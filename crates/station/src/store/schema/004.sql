-- Schema version 4: a boot token that was never shown is worth nothing after a while, and an address
-- that boots again leaves its older tokens behind.

ALTER TABLE boot_tokens ADD COLUMN used INTEGER;

CREATE INDEX tokens_of_an_address ON boot_tokens (mac, number);
