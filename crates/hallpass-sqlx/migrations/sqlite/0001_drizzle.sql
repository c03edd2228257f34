ALTER TABLE "session" ADD COLUMN hallpass TEXT;

CREATE INDEX hallpass_accounts_user ON "account" ("userId");

CREATE INDEX hallpass_sessions_user ON "session" ("userId");

CREATE INDEX hallpass_sessions_expires ON "session" (expires);

CREATE INDEX hallpass_tokens_expires ON "verificationToken" (expires);

CREATE TABLE hallpass_epochs (
    user_id TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    not_before INTEGER,
    patch TEXT NOT NULL
) STRICT, WITHOUT ROWID;
