ALTER TABLE "session" ADD COLUMN hallpass text;

CREATE INDEX hallpass_accounts_user ON "account" ("userId");

CREATE INDEX hallpass_sessions_user ON "session" ("userId");

CREATE INDEX hallpass_sessions_expires ON "session" (expires);

CREATE INDEX hallpass_tokens_expires ON "verificationToken" (expires);

CREATE TABLE hallpass_epochs (
    user_id text COLLATE "C" PRIMARY KEY,
    number bigint NOT NULL,
    revoked bigint NOT NULL,
    not_before bigint,
    patch text NOT NULL
);
