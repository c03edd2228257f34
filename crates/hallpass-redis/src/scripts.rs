//! What must happen in one step.

use std::sync::LazyLock;

use redis::Script;

/// Keeps a row, unless it is there.
///
/// Keys: the row, its list; for a session the two lists of clients, which lose some of what is gone. Arguments: the
/// member of the lists, when the row goes, when a session began whose client is known or nothing, the row's fields.
pub(crate) static KEEP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(&format!(
        "if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
        local fields = 4
        {KEPT}
        return 1"
    ))
});

/// Keeps a session and a one-time token, unless one of them is there.
///
/// Keys: the session, its list, the two lists of clients, the one-time token, its list. Arguments: the member of the
/// first three lists, when the session goes, when it began if its client is known or nothing, the member of the last
/// list, when the token goes, its one field and value, the session's fields.
pub(crate) static KEEP_ONCE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(&format!(
        "if redis.call('EXISTS', KEYS[1], KEYS[5]) > 0 then return 0 end
        local fields = 8
        {KEPT}
        redis.call('HSET', KEYS[5], ARGV[6], ARGV[7])
        redis.call('PEXPIREAT', KEYS[5], ARGV[5])
        for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', now, 'LIMIT', 0, 10)) do
            redis.call('ZREM', KEYS[6], gone)
        end
        redis.call('ZADD', KEYS[6], ARGV[5], ARGV[4])
        redis.call('PEXPIREAT', KEYS[6], redis.call('ZRANGE', KEYS[6], -1, -1, 'WITHSCORES')[2])
        return 1"
    ))
});

/// The row and its places in lists; its fields are the arguments from `fields` on. Of what is gone, a few leave each
/// list at a time: everybody waits for a script.
const KEPT: &str = "
        local now = redis.call('TIME')[1] * 1000
        redis.call('HSET', KEYS[1], unpack(ARGV, fields))
        redis.call('PEXPIREAT', KEYS[1], ARGV[2])
        for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 10)) do
            redis.call('ZREM', KEYS[2], gone)
        end
        redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
        redis.call('PEXPIREAT', KEYS[2], redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2])
        if ARGV[3] ~= '' then
            for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 10)) do
                redis.call('ZREM', KEYS[3], gone)
                redis.call('ZREM', KEYS[4], gone)
            end
            redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
            redis.call('ZADD', KEYS[4], ARGV[2], ARGV[1])
            local last = redis.call('ZRANGE', KEYS[4], -1, -1, 'WITHSCORES')[2]
            redis.call('PEXPIREAT', KEYS[3], last)
            redis.call('PEXPIREAT', KEYS[4], last)
        end";

/// Changes a session. One that a server short of memory has dropped from the lists is in them again when it is renewed.
///
/// Keys: the session, the list of its user, the two lists of clients. Arguments: the member of the lists, the user,
/// when the row goes now or nothing, the version that the claims were made from or nothing, the claims, other fields to
/// write.
pub(crate) static CHANGE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('HGET', KEYS[1], 'user') ~= ARGV[2] then return 0 end
        if ARGV[4] ~= '' then
            if redis.call('HGET', KEYS[1], 'version') ~= ARGV[4] then return 0 end
            redis.call('HSET', KEYS[1], 'claims', ARGV[5])
            redis.call('HINCRBY', KEYS[1], 'version', 1)
        end
        if #ARGV > 5 then redis.call('HSET', KEYS[1], unpack(ARGV, 6)) end
        if ARGV[3] ~= '' then
            redis.call('PEXPIREAT', KEYS[1], ARGV[3])
            redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
            redis.call('PEXPIREAT', KEYS[2], redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2])
            local row = redis.call('HMGET', KEYS[1], 'created', 'user_agent', 'address')
            if row[1] and (row[2] or row[3]) then
                redis.call('ZADD', KEYS[3], row[1], ARGV[1])
                redis.call('ZADD', KEYS[4], ARGV[3], ARGV[1])
                local last = redis.call('ZRANGE', KEYS[4], -1, -1, 'WITHSCORES')[2]
                redis.call('PEXPIREAT', KEYS[3], last)
                redis.call('PEXPIREAT', KEYS[4], last)
            end
        end
        return 1",
    )
});

/// Removes a row and returns its fields.
///
/// Keys: the row, its lists. Argument: the member of the lists.
pub(crate) static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local row = redis.call('HGETALL', KEYS[1])
        redis.call('DEL', KEYS[1])
        for i = 2, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
        return row",
    )
});

/// Removes rows, and returns how many there were.
///
/// Keys: the rows, their lists. Arguments: the members of the lists.
pub(crate) static DROP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local gone = 0
        for i, member in ipairs(ARGV) do
            gone = gone + redis.call('DEL', KEYS[i])
            for list = #ARGV + 1, #KEYS do redis.call('ZREM', KEYS[list], member) end
        end
        return gone",
    )
});

/// Takes user agent and address out of sessions, and returns how many had one. What is gone leaves the lists, too.
///
/// Keys: the sessions, the two lists of clients. Arguments: the members of the lists.
pub(crate) static FORGET: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local forgotten = 0
        for i, member in ipairs(ARGV) do
            if redis.call('HDEL', KEYS[i], 'user_agent', 'address') > 0 then forgotten = forgotten + 1 end
            for list = #ARGV + 1, #KEYS do redis.call('ZREM', KEYS[list], member) end
        end
        return forgotten",
    )
});
