-- The audit trail. Columns are named as the fields of an event, so that one list serves both.
CREATE TABLE events (
  id TEXT PRIMARY KEY, -- UUIDv7: in order of time, so that a range of times is a range of ids
  time TEXT NOT NULL,
  requestId TEXT,
  caller TEXT,
  subject TEXT,
  operation TEXT,
  bucket TEXT,
  "key" TEXT,
  versionId TEXT,
  source TEXT, -- JSON
  keyId TEXT,
  keyMD5 TEXT,
  outcome TEXT NOT NULL,
  code TEXT,
  expiresAt TEXT,
  bytes INTEGER,
  ip TEXT,
  country TEXT,
  userAgent TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX events_by_object ON events (bucket, "key", id);
CREATE INDEX events_by_bucket ON events (bucket, id);
CREATE INDEX events_by_key ON events ("key", id);
CREATE INDEX events_by_keyId ON events (keyId, id);
CREATE INDEX events_by_caller ON events (caller, id);
CREATE INDEX events_by_operation ON events (operation, id);
CREATE INDEX events_by_outcome ON events (outcome, id);

-- How often what happened, by the hour; kept by a trigger, which fires only for events that are really new.
CREATE TABLE counts (
  hour TEXT NOT NULL, -- 2026-11-23T15
  bucket TEXT NOT NULL,
  outcome TEXT NOT NULL,
  code TEXT NOT NULL,
  caller TEXT NOT NULL,
  operation TEXT NOT NULL,
  events INTEGER NOT NULL,
  PRIMARY KEY (hour, bucket, outcome, code, caller, operation)
) STRICT, WITHOUT ROWID;

-- Which keys were used for which objects. It outlives the events: who holds an object needs its key.
CREATE TABLE key_usage (
  keyId TEXT NOT NULL,
  bucket TEXT NOT NULL,
  "key" TEXT NOT NULL,
  operation TEXT NOT NULL,
  firstUsed TEXT NOT NULL,
  lastUsed TEXT NOT NULL,
  confirmed INTEGER NOT NULL, -- 1: the store itself said that the object is under the key
  PRIMARY KEY (keyId, bucket, "key", operation)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER count_event AFTER INSERT ON events
BEGIN
  INSERT INTO counts (hour, bucket, outcome, code, caller, operation, events)
  VALUES (
    substr(new.time, 1, 13), coalesce(new.bucket, ''), new.outcome, coalesce(new.code, ''),
    coalesce(new.caller, ''), coalesce(new.operation, ''), 1
  )
  ON CONFLICT DO UPDATE SET events = events + 1;
END;

-- Without expiresAt no URL was handed out: the service acted itself, and the store's answer named the key.
CREATE TRIGGER use_key AFTER INSERT ON events
WHEN new.outcome = 'allowed' AND new.keyId IS NOT NULL AND new."key" IS NOT NULL
BEGIN
  INSERT INTO key_usage (keyId, bucket, "key", operation, firstUsed, lastUsed, confirmed)
  VALUES (
    new.keyId, new.bucket, new."key", new.operation, new.time, new.time,
    new.expiresAt IS NULL AND new.operation IN
      ('PutObject', 'GetObject', 'HeadObject', 'CopyObject', 'CompleteMultipartUpload', 'VerifyObject')
  )
  ON CONFLICT DO UPDATE SET
    firstUsed = min(firstUsed, excluded.firstUsed),
    lastUsed = max(lastUsed, excluded.lastUsed),
    confirmed = max(confirmed, excluded.confirmed);
END;

CREATE TRIGGER use_source_key AFTER INSERT ON events
WHEN new.outcome = 'allowed' AND new.source ->> 'keyId' IS NOT NULL
BEGIN
  INSERT INTO key_usage (keyId, bucket, "key", operation, firstUsed, lastUsed, confirmed)
  VALUES (
    new.source ->> 'keyId', new.source ->> 'bucket', new.source ->> 'key', new.operation,
    new.time, new.time, new.expiresAt IS NULL
  )
  ON CONFLICT DO UPDATE SET
    firstUsed = min(firstUsed, excluded.firstUsed),
    lastUsed = max(lastUsed, excluded.lastUsed),
    confirmed = max(confirmed, excluded.confirmed);
END;
