CREATE TABLE hallpass_users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT,
    email TEXT UNIQUE,
    email_verified INTEGER,
    image TEXT,
    extra TEXT NOT NULL,
    created INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))
) STRICT, WITHOUT ROWID;

CREATE TABLE hallpass_accounts (
    provider TEXT NOT NULL,
    provider_account_id TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES hallpass_users (id) ON DELETE CASCADE,
    type TEXT NOT NULL,
    email_verified INTEGER NOT NULL,
    tokens TEXT,
    PRIMARY KEY (provider, provider_account_id)
) STRICT;

CREATE INDEX hallpass_accounts_user ON hallpass_accounts (user_id);

CREATE TABLE hallpass_sessions (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES hallpass_users (id) ON DELETE CASCADE,
    expires INTEGER NOT NULL,
    created INTEGER,
    last_seen INTEGER,
    user_agent TEXT,
    address TEXT,
    claims TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX hallpass_sessions_user ON hallpass_sessions (user_id);

CREATE INDEX hallpass_sessions_expires ON hallpass_sessions (expires);

CREATE TABLE hallpass_tokens (
    identifier TEXT NOT NULL,
    hash TEXT NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (identifier, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX hallpass_tokens_expires ON hallpass_tokens (expires);

CREATE TABLE hallpass_epochs (
    user_id TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    not_before INTEGER,
    patch TEXT NOT NULL
) STRICT, WITHOUT ROWID;
