ALTER TABLE "Session" ADD COLUMN hallpass text;

CREATE INDEX hallpass_accounts_user ON "Account" ("userId");

CREATE INDEX hallpass_sessions_user ON "Session" ("userId");

CREATE INDEX hallpass_sessions_expires ON "Session" (expires);

CREATE INDEX hallpass_tokens_expires ON "VerificationToken" (expires);

CREATE TABLE hallpass_epochs (
    user_id text COLLATE "C" PRIMARY KEY,
    number bigint NOT NULL,
    revoked bigint NOT NULL,
    not_before bigint,
    patch text NOT NULL
);
