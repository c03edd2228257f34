//! The rules of `Store`.

use hallpass::MemoryStore;
use hallpass_redis::RedisStore;
use hallpass_sqlx::SqlStore;

hallpass::testkit::store_contract!(
    redis,
    async || {
        let database = test_servers::redis().await?;
        Some(RedisStore::new(&database.url, MemoryStore::new()).unwrap())
    },
    rows_expire_by_themselves
);

hallpass::testkit::store_contract!(
    redis_in_front_of_sqlite,
    async || {
        let database = test_servers::redis().await?;
        let file = tempfile::tempdir().unwrap().keep().join("hallpass.db");
        let users = SqlStore::builder(format!("sqlite:{}", file.display()));
        let users = users.secrets(["a secret of the tests, with 32 characters"]).connect().await.unwrap();
        users.migrate().await.unwrap();
        Some(RedisStore::new(&database.url, users).unwrap())
    },
    rows_expire_by_themselves
);
