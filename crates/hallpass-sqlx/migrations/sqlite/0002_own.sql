-- The oldest sessions whose user agent or address is known, for those who forget them.
CREATE INDEX hallpass_sessions_client ON hallpass_sessions (created) WHERE user_agent IS NOT NULL OR address IS NOT NULL;
