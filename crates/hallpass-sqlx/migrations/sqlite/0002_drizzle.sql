-- When a session began, as long as its user agent or address is known: for those who forget them.
ALTER TABLE "session" ADD COLUMN hallpass_client INTEGER;

UPDATE "session" SET hallpass_client = json_extract(hallpass, '$.created') WHERE hallpass IS NOT NULL;

CREATE INDEX hallpass_sessions_client ON "session" (hallpass_client) WHERE hallpass_client IS NOT NULL;
