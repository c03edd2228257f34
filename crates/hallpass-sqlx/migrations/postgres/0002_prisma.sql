-- When a session began, as long as its user agent or address is known: for those who forget them.
ALTER TABLE "Session" ADD COLUMN hallpass_client bigint;

-- PostgreSQL reads no JSON with a NUL in it; such sessions count as old.
UPDATE "Session" SET hallpass_client = CASE
    WHEN position('\u0000' IN hallpass) > 0 THEN 0
    ELSE CAST(CAST(hallpass AS json) ->> 'created' AS bigint)
END
WHERE hallpass IS NOT NULL;

CREATE INDEX hallpass_sessions_client ON "Session" (hallpass_client) WHERE hallpass_client IS NOT NULL;
