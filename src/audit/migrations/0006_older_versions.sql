-- The key up to which versions that are not current are counted, of a page whose objects are done: there may be more of them
-- than one message can look at. NULL: of none yet.
ALTER TABLE rotation_pages ADD COLUMN olderThrough TEXT;
