//! The rules of `Store`, each a test, on each database.

use crate::open::{fresh, sqlite_url};

hallpass::testkit::store_contract!(sqlite, async || Some(fresh(&sqlite_url()).await));

hallpass::testkit::store_contract!(postgres, async || Some(
    fresh(&test_servers::postgres().await?.url).await
));

hallpass::testkit::store_contract!(mariadb, async || Some(fresh(&test_servers::mariadb().await?.url).await));
