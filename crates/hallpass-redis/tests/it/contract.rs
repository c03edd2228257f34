//! The rules of `Store`.

use hallpass::MemoryStore;
use hallpass_redis::RedisStore;

hallpass::testkit::store_contract!(
    redis,
    async || {
        let database = test_servers::redis().await?;
        Some(RedisStore::new(&database.url, MemoryStore::new()).unwrap())
    },
    rows_expire_by_themselves
);
