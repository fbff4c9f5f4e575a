-- Which front a request came to: 's3' for the gateway, NULL for the API.
ALTER TABLE events ADD COLUMN via TEXT;
