-- When a session began, as long as its user agent or address is known: for those who forget them.
ALTER TABLE "sessions" ADD COLUMN hallpass_client INTEGER;

UPDATE "sessions" SET hallpass_client = json_extract(hallpass, '$.created') WHERE hallpass IS NOT NULL;

CREATE INDEX hallpass_sessions_client ON "sessions" (hallpass_client) WHERE hallpass_client IS NOT NULL;
