-- When a session began, as long as its user agent or address is known: for those who forget them. Neither database has
-- indexes of some rows, and MySQL no `ADD COLUMN IF NOT EXISTS`. Stored, not virtual: indexes on virtual columns that are
-- made of long texts have lost entries on MariaDB (MDEV-38140).
SET @hallpass = IF(
    EXISTS (
        SELECT 1 FROM information_schema.columns
        WHERE table_schema = database() AND table_name = 'hallpass_sessions' AND column_name = 'client'
    ),
    'DO 0',
    'ALTER TABLE hallpass_sessions
        ADD COLUMN client BIGINT GENERATED ALWAYS AS (IF(user_agent IS NULL AND address IS NULL, NULL, created)) STORED,
        ADD INDEX hallpass_sessions_client (client)'
);

PREPARE hallpass FROM @hallpass;

EXECUTE hallpass;

DEALLOCATE PREPARE hallpass;
