ALTER TABLE "Session" ADD COLUMN hallpass TEXT;

CREATE INDEX hallpass_accounts_user ON "Account" ("userId");

CREATE INDEX hallpass_sessions_user ON "Session" ("userId");

CREATE INDEX hallpass_sessions_expires ON "Session" (expires);

CREATE INDEX hallpass_tokens_expires ON "VerificationToken" (expires);

CREATE TABLE hallpass_epochs (
    user_id TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    not_before INTEGER,
    patch TEXT NOT NULL
) STRICT, WITHOUT ROWID;
