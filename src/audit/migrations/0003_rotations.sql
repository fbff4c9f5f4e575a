-- Rotations: the ledger alone is the truth. Messages may be lost, late or doubled, and change nothing then.
-- Times are milliseconds since the epoch.
CREATE TABLE rotations (
  id TEXT PRIMARY KEY, -- UUIDv7: in order of time
  bucket TEXT NOT NULL,
  place TEXT NOT NULL, -- the store and the bucket's name in it: two names may mean one bucket
  prefix TEXT NOT NULL,
  fromKey TEXT, -- NULL: every other
  toKey TEXT NOT NULL,
  toCheck TEXT NOT NULL, -- tells whether the target's secret is still the same
  keyIds TEXT NOT NULL, -- JSON: the bucket's keys at the start
  dryRun INTEGER NOT NULL,
  caller TEXT NOT NULL,
  state TEXT NOT NULL, -- running, done, failed, cancelled
  reason TEXT, -- why it failed, or waits
  pausedUntil INTEGER NOT NULL DEFAULT 0,
  pauses INTEGER NOT NULL DEFAULT 0, -- one after another
  startedAt INTEGER NOT NULL,
  endedAt INTEGER,
  ways TEXT, -- JSON: what the store was found to be able to do
  -- The lister: how far it has come, and who it is.
  cursor TEXT,
  pages INTEGER NOT NULL DEFAULT 0,
  listed INTEGER NOT NULL DEFAULT 0,
  listedBytes INTEGER NOT NULL DEFAULT 0,
  isListed INTEGER NOT NULL DEFAULT 0,
  lease TEXT,
  leaseUntil INTEGER NOT NULL DEFAULT 0,
  sentAt INTEGER NOT NULL DEFAULT 0,
  sweepAt INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX rotations_running ON rotations (place) WHERE state = 'running';
CREATE INDEX rotations_by_bucket ON rotations (bucket, id);

-- The keys after one and up to another, both known by name: the list of a page is asked for again.
CREATE TABLE rotation_pages (
  rotation TEXT NOT NULL,
  page INTEGER NOT NULL,
  after TEXT NOT NULL, -- '': from the start
  last TEXT, -- NULL: to the end
  doneThrough TEXT NOT NULL, -- like after: all up to it are done
  isOpen INTEGER NOT NULL DEFAULT 1,
  attempts INTEGER NOT NULL DEFAULT 0, -- since the last progress
  lease TEXT,
  leaseUntil INTEGER NOT NULL DEFAULT 0,
  sentAt INTEGER NOT NULL DEFAULT 0, -- the last sign of life: it was sent, begun, or got on
  PRIMARY KEY (rotation, page)
) STRICT, WITHOUT ROWID;

CREATE INDEX rotation_pages_open ON rotation_pages (rotation, isOpen, sentAt);

-- Objects that take long, each with a lease of its own.
CREATE TABLE rotation_objects (
  rotation TEXT NOT NULL,
  "key" TEXT NOT NULL,
  number INTEGER NOT NULL, -- messages name no keys
  size INTEGER NOT NULL,
  fromKey TEXT NOT NULL, -- under which it was found
  isOpen INTEGER NOT NULL DEFAULT 1,
  attempts INTEGER NOT NULL DEFAULT 0,
  uploadId TEXT, -- the store's own
  etag TEXT, -- of what the upload copies
  lease TEXT,
  leaseUntil INTEGER NOT NULL DEFAULT 0,
  sentAt INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (rotation, "key")
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX rotation_objects_by_number ON rotation_objects (rotation, number);
CREATE INDEX rotation_objects_open ON rotation_objects (rotation, isOpen, sentAt);

-- What was counted: rotated, skipped, failed, bytes, listed; found/KEY, left/KEY and older/KEY by key.
CREATE TABLE rotation_counts (
  rotation TEXT NOT NULL,
  name TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (rotation, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE rotation_failures (
  rotation TEXT NOT NULL,
  "key" TEXT NOT NULL,
  code TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (rotation, "key")
) STRICT, WITHOUT ROWID;
