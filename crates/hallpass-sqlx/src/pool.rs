//! Connections that are kept open.
//!
//! Not sqlx' own pool: that one asks the server whether it is still there after each use, which costs as much as
//! reading a session.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::database::{Connection, Options, Row, Statement, Value};
use crate::dialect::Dialect;
use crate::failure::{Failure, is_broken};

pub(crate) struct Pool {
    pub(crate) dialect: Dialect,
    options: Options,
    setup: String,
    idle: Mutex<Idle>,
    places: Arc<Semaphore>,
    /// SQLite has one writer at a time: those of this process wait here, in their order.
    writer: Option<Arc<Semaphore>>,
}

#[derive(Default)]
struct Idle {
    connections: Vec<Kept>,
    /// When a connection was last found dead.
    broken: Option<Instant>,
}

struct Kept {
    connection: Connection,
    opened: Instant,
    used: Instant,
}

/// A connection in use. Goes back when it is dropped, unless it is in the middle of something: then it is closed,
/// and the database undoes what was not finished.
pub(crate) struct Lease {
    kept: Option<Kept>,
    pool: Arc<Pool>,
    is_whole: bool,
    in_transaction: bool,
    _writer: Option<OwnedSemaphorePermit>,
    _place: OwnedSemaphorePermit,
}

impl Pool {
    pub(crate) fn new(dialect: Dialect, options: Options, setup: String, size: u32) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        Self {
            dialect,
            options,
            setup,
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(size)),
            writer: dialect.has_one_writer().then(|| Arc::new(Semaphore::new(1))),
        }
    }

    pub(crate) async fn reader(self: &Arc<Self>) -> Result<Lease, Failure> {
        self.lease(None).await
    }

    pub(crate) async fn writer(self: &Arc<Self>) -> Result<Lease, Failure> {
        let turn = match &self.writer {
            Some(writer) => Some(Arc::clone(writer).acquire_owned().await.map_err(|_| closed())?),
            None => None,
        };
        self.lease(turn).await
    }

    async fn lease(self: &Arc<Self>, writer: Option<OwnedSemaphorePermit>) -> Result<Lease, Failure> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| closed())?;
        let kept = match self.living().await {
            Some(kept) => kept,
            None => self.open().await?,
        };
        Ok(Lease {
            kept: Some(kept),
            pool: Arc::clone(self),
            is_whole: true,
            in_transaction: false,
            _writer: writer,
            _place: place,
        })
    }

    /// The connection that was used last, if there is one that still answers.
    async fn living(&self) -> Option<Kept> {
        loop {
            let (mut kept, is_doubtful) = {
                let mut idle = self.lock();
                let kept = idle.connections.pop()?;
                let is_suspect = idle.broken.is_some_and(|at| kept.used < at + DOUBT);
                let is_doubtful = is_suspect || kept.used.elapsed() > DOUBT;
                (kept, is_doubtful)
            };
            if kept.opened.elapsed() > LIFETIME && !self.dialect.is_local() {
                continue;
            }
            if !is_doubtful || self.dialect.is_local() || kept.connection.ping().await.is_ok() {
                return Some(kept);
            }
        }
    }

    async fn open(&self) -> Result<Kept, Failure> {
        let mut connection = self.options.connect().await?;
        connection.command(&self.setup).await?;
        let now = Instant::now();
        Ok(Kept { connection, opened: now, used: now })
    }

    /// Closes what is not in use, and opens nothing any more.
    pub(crate) async fn close(&self) {
        self.places.close();
        let connections = std::mem::take(&mut self.lock().connections);
        for kept in connections {
            // Who says goodbye to a server that is gone gets no answer, and needs none.
            let _ = kept.connection.close().await;
        }
    }

    // Nothing panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    pub(crate) async fn run(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<u64, sqlx::Error> {
        let connection = self.start()?;
        let done = connection.run(statement, values).await;
        self.end(done)
    }

    pub(crate) async fn row(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, sqlx::Error> {
        let connection = self.start()?;
        let done = connection.row(statement, values).await;
        self.end(done)
    }

    pub(crate) async fn rows(
        &mut self,
        statement: &Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, sqlx::Error> {
        let connection = self.start()?;
        let done = connection.rows(statement, values).await;
        self.end(done)
    }

    pub(crate) async fn command(&mut self, text: &str) -> Result<(), sqlx::Error> {
        let connection = self.start()?;
        let done = connection.command(text).await;
        self.end(done)
    }

    pub(crate) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        let begin = self.pool.dialect.begin();
        self.in_transaction = true;
        self.command(begin).await
    }

    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.command("COMMIT").await?;
        self.in_transaction = false;
        self.is_whole = true;
        Ok(())
    }

    /// Undoes the transaction. A connection that cannot even do that is closed.
    pub(crate) async fn undo(&mut self) {
        if self.command("ROLLBACK").await.is_ok() {
            self.in_transaction = false;
            self.is_whole = true;
        }
    }

    fn start(&mut self) -> Result<&mut Connection, sqlx::Error> {
        self.is_whole = false;
        self.kept.as_mut().map(|kept| &mut kept.connection).ok_or(sqlx::Error::PoolClosed)
    }

    fn end<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        let is_broken = done.as_ref().is_err_and(is_broken);
        if is_broken {
            self.pool.lock().broken = Some(Instant::now());
        }
        self.is_whole = !is_broken && !self.in_transaction;
        done
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut kept) = self.kept.take() else { return };
        if self.is_whole && !self.pool.places.is_closed() {
            kept.used = Instant::now();
            self.pool.lock().connections.push(kept);
        }
    }
}

fn closed() -> Failure {
    Failure::Database(sqlx::Error::PoolClosed)
}

/// A connection that was not used for so long, or not since another one was found dead, is asked first whether it
/// still answers.
const DOUBT: Duration = Duration::from_secs(1);

/// After a change of addresses behind a name everybody is on the new one within this time.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
