-- What a rotation does beyond re-encrypting current objects, where it is asked for.
-- Objects in the clear, too.
ALTER TABLE rotations ADD COLUMN encryptPlain INTEGER NOT NULL DEFAULT 0;
