-- What a rotation does beyond re-encrypting current objects, where it is asked for.
-- Objects in the clear, too.
ALTER TABLE rotations ADD COLUMN encryptPlain INTEGER NOT NULL DEFAULT 0;
-- Versions that are not current are copied onto new ones; and removed then.
ALTER TABLE rotations ADD COLUMN versions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rotations ADD COLUMN removeVersions INTEGER NOT NULL DEFAULT 0;
