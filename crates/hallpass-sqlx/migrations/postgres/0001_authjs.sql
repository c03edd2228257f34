ALTER TABLE "sessions" ADD COLUMN hallpass text;

CREATE UNIQUE INDEX hallpass_users_email ON "users" (email);

CREATE UNIQUE INDEX hallpass_accounts_provider ON "accounts" (provider, "providerAccountId");

CREATE UNIQUE INDEX hallpass_sessions_token ON "sessions" ("sessionToken");

CREATE INDEX hallpass_accounts_user ON "accounts" ("userId");

CREATE INDEX hallpass_sessions_user ON "sessions" ("userId");

CREATE INDEX hallpass_sessions_expires ON "sessions" (expires);

CREATE INDEX hallpass_tokens_expires ON "verification_token" (expires);

CREATE TABLE hallpass_epochs (
    user_id text COLLATE "C" PRIMARY KEY,
    number bigint NOT NULL,
    revoked bigint NOT NULL,
    not_before bigint,
    patch text NOT NULL
);
