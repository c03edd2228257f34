CREATE TABLE hallpass_users (
    id text COLLATE "C" PRIMARY KEY,
    name text,
    email text COLLATE "C" UNIQUE,
    email_verified bigint,
    image text,
    extra text NOT NULL,
    created bigint NOT NULL DEFAULT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)
);

CREATE TABLE hallpass_accounts (
    provider text COLLATE "C" NOT NULL,
    provider_account_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL REFERENCES hallpass_users (id) ON DELETE CASCADE,
    type text NOT NULL,
    email_verified boolean NOT NULL,
    tokens text,
    PRIMARY KEY (provider, provider_account_id)
);

CREATE INDEX hallpass_accounts_user ON hallpass_accounts (user_id);

CREATE TABLE hallpass_sessions (
    token_hash text COLLATE "C" PRIMARY KEY,
    user_id text COLLATE "C" NOT NULL REFERENCES hallpass_users (id) ON DELETE CASCADE,
    expires bigint NOT NULL,
    created bigint,
    last_seen bigint,
    user_agent text,
    address text,
    claims text NOT NULL,
    version bigint NOT NULL
);

CREATE INDEX hallpass_sessions_user ON hallpass_sessions (user_id);

CREATE INDEX hallpass_sessions_expires ON hallpass_sessions (expires);

CREATE TABLE hallpass_tokens (
    identifier text COLLATE "C" NOT NULL,
    hash text COLLATE "C" NOT NULL,
    expires bigint NOT NULL,
    PRIMARY KEY (identifier, hash)
);

CREATE INDEX hallpass_tokens_expires ON hallpass_tokens (expires);

CREATE TABLE hallpass_epochs (
    user_id text COLLATE "C" PRIMARY KEY,
    number bigint NOT NULL,
    revoked bigint NOT NULL,
    not_before bigint,
    patch text NOT NULL
);
