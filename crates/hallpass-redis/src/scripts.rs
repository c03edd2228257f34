//! What must happen in one step.

use std::sync::LazyLock;

use redis::Script;

/// Keeps a row, unless it is there.
///
/// Keys: the row, its list. Arguments: the member of the list, when the row goes, the row's fields.
pub(crate) static KEEP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
        redis.call('HSET', KEYS[1], unpack(ARGV, 3))
        redis.call('PEXPIREAT', KEYS[1], ARGV[2])
        redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', redis.call('TIME')[1] * 1000)
        redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
        redis.call('PEXPIREAT', KEYS[2], redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2])
        return 1",
    )
});

/// Keeps a session and a one-time token, unless one of them is there.
///
/// Keys: the session, its list, the one-time token, its list. Arguments: the member of the first list, when the session
/// goes, the member of the second list, when the token goes, its one field and value, the session's fields.
pub(crate) static KEEP_ONCE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('EXISTS', KEYS[1], KEYS[3]) > 0 then return 0 end
        redis.call('HSET', KEYS[1], unpack(ARGV, 7))
        redis.call('HSET', KEYS[3], ARGV[5], ARGV[6])
        for i = 1, 3, 2 do
            redis.call('PEXPIREAT', KEYS[i], ARGV[i + 1])
            redis.call('ZREMRANGEBYSCORE', KEYS[i + 1], '-inf', redis.call('TIME')[1] * 1000)
            redis.call('ZADD', KEYS[i + 1], ARGV[i + 1], ARGV[i])
            redis.call('PEXPIREAT', KEYS[i + 1], redis.call('ZRANGE', KEYS[i + 1], -1, -1, 'WITHSCORES')[2])
        end
        return 1",
    )
});

/// Changes a session.
///
/// Keys: the session, the list of its user. Arguments: the member of the list, the user, when the row goes now or
/// nothing, the version that the claims were made from or nothing, the claims, other fields to write.
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
        end
        return 1",
    )
});

/// Removes a row and returns its fields.
///
/// Keys: the row, its list. Argument: the member of the list.
pub(crate) static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local row = redis.call('HGETALL', KEYS[1])
        redis.call('DEL', KEYS[1])
        redis.call('ZREM', KEYS[2], ARGV[1])
        return row",
    )
});

/// Removes rows, and returns how many there were.
///
/// Keys: the list, the rows. Arguments: the members of the list.
pub(crate) static DROP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local gone = 0
        for i, member in ipairs(ARGV) do
            gone = gone + redis.call('DEL', KEYS[i + 1])
            redis.call('ZREM', KEYS[1], member)
        end
        return gone",
    )
});
