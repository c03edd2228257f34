-- Keys are VARBINARY: compared byte for byte, trailing spaces too, whatever the collation of the database is.
CREATE TABLE IF NOT EXISTS hallpass_users (
    id VARBINARY(255) NOT NULL PRIMARY KEY,
    name MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    email VARBINARY(1024) UNIQUE,
    email_verified BIGINT,
    image MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    extra MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    created TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
) ENGINE = InnoDB, ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS hallpass_accounts (
    provider VARBINARY(255) NOT NULL,
    provider_account_id VARBINARY(1024) NOT NULL,
    user_id VARBINARY(255) NOT NULL,
    type VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    email_verified BOOLEAN NOT NULL,
    tokens MEDIUMTEXT CHARACTER SET ascii COLLATE ascii_bin,
    PRIMARY KEY (provider, provider_account_id),
    INDEX hallpass_accounts_user (user_id),
    FOREIGN KEY (user_id) REFERENCES hallpass_users (id) ON DELETE CASCADE
) ENGINE = InnoDB, ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS hallpass_sessions (
    token_hash VARBINARY(64) NOT NULL PRIMARY KEY,
    user_id VARBINARY(255) NOT NULL,
    expires BIGINT NOT NULL,
    created BIGINT,
    last_seen BIGINT,
    user_agent MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    address MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    claims MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    version BIGINT NOT NULL,
    INDEX hallpass_sessions_user (user_id),
    INDEX hallpass_sessions_expires (expires),
    FOREIGN KEY (user_id) REFERENCES hallpass_users (id) ON DELETE CASCADE
) ENGINE = InnoDB, ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS hallpass_tokens (
    identifier VARBINARY(1024) NOT NULL,
    hash VARBINARY(255) NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (identifier, hash),
    INDEX hallpass_tokens_expires (expires)
) ENGINE = InnoDB, ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS hallpass_epochs (
    user_id VARBINARY(255) NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    revoked BIGINT NOT NULL,
    not_before BIGINT,
    patch MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
) ENGINE = InnoDB, ROW_FORMAT = DYNAMIC;
