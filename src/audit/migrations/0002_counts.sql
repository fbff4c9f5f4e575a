-- One event may stand for several that are alike, and counts have only names of the configuration.
ALTER TABLE events ADD COLUMN clientRequestId TEXT;
ALTER TABLE events ADD COLUMN "count" INTEGER; -- 2 or more; NULL is one
-- The bucket's name where there is such a bucket, else '?': a refused request may name any. Not a field of the event.
ALTER TABLE events ADD COLUMN countedBucket TEXT;

DROP TRIGGER count_event;
CREATE TRIGGER count_event AFTER INSERT ON events
BEGIN
  INSERT INTO counts (hour, bucket, outcome, code, caller, operation, events)
  VALUES (
    substr(new.time, 1, 13), coalesce(new.countedBucket, new.bucket, ''), new.outcome, coalesce(new.code, ''),
    coalesce(new.caller, ''), coalesce(new.operation, ''), coalesce(new."count", 1)
  )
  ON CONFLICT DO UPDATE SET events = events + excluded.events;
END;
