//! What the callbacks did, and when: the last requests, in memory.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use hallpass::clock::{Clock, SystemClock};
use hallpass::{BoxError, Timestamp};
use serde_json::Value;

tokio::task_local! {
    /// The callbacks of the request that is being answered.
    static CALLS: Arc<Mutex<Vec<Call>>>;
}

/// One callback that ran.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// `jwt`, `session`, …
    pub(super) callback: &'static str,
    /// Why it was called, where there are several reasons.
    pub(super) trigger: Option<&'static str>,
    /// What it was given; secrets are hidden.
    pub(super) given: Value,
    /// What it answered, or the error.
    pub(super) answered: Result<Value, String>,
    pub(super) took: Duration,
}

/// A request in which callbacks ran.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) method: String,
    /// Without its query, which may hold codes.
    pub(super) path: String,
    pub(super) at: Timestamp,
    pub(super) took: Duration,
    pub(super) calls: Vec<Call>,
    /// How often the same happened in a row.
    pub(super) times: usize,
}

impl Visit {
    /// Nothing to tell them apart but the time.
    fn is_like(&self, other: &Self) -> bool {
        self.method == other.method
            && self.path == other.path
            && self.calls.len() == other.calls.len()
            && self.calls.iter().zip(&other.calls).all(|(one, other)| {
                one.callback == other.callback
                    && one.trigger == other.trigger
                    && one.answered.is_ok() == other.answered.is_ok()
            })
    }
}

/// The last requests, newest last.
#[derive(Debug, Default)]
pub(crate) struct Timeline(Mutex<VecDeque<Visit>>);

impl Timeline {
    /// The last requests, newest first, and the one that is being answered before them.
    pub(super) fn visits(&self, method: &str, path: &str) -> Vec<Visit> {
        let calls = CALLS.try_with(|calls| lock(calls).clone()).unwrap_or_default();
        let now = Visit {
            method: method.to_owned(),
            path: path.to_owned(),
            at: SystemClock.now(),
            took: calls.iter().map(|call| call.took).sum(),
            calls,
            times: 1,
        };
        let mut visits = lock(&self.0).clone();
        add(&mut visits, now);
        visits.into_iter().rev().collect()
    }
}

/// Notes the callbacks that run while a request is answered.
pub(crate) async fn watch(State(timeline): State<Arc<Timeline>>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let (at, started) = (SystemClock.now(), Instant::now());
    let calls = Arc::new(Mutex::new(Vec::new()));
    let response = CALLS.scope(Arc::clone(&calls), next.run(request)).await;
    let calls = mem::take(&mut *lock(&calls));
    add(&mut lock(&timeline.0), Visit { method, path, at, took: started.elapsed(), calls, times: 1 });
    response
}

/// Runs a callback and notes what it was given and what it answered.
pub(crate) async fn observe<T>(
    callback: &'static str,
    trigger: Option<&'static str>,
    given: Value,
    answer: fn(&T) -> Value,
    run: impl Future<Output = Result<T, BoxError>>,
) -> Result<T, BoxError> {
    let started = Instant::now();
    let result = run.await;
    let took = started.elapsed();
    let answered = match &result {
        Ok(value) => Ok(answer(value)),
        Err(error) => Err(error.to_string()),
    };
    let call = Call { callback, trigger, given, answered, took };
    // Callbacks that run outside of a request, or unobserved, are nobody's.
    let _ = CALLS.try_with(|calls| lock(calls).push(call));
    result
}

/// Runs something whose callbacks are not noted.
pub(super) async fn unobserved<T>(run: impl Future<Output = T>) -> T {
    CALLS.scope(Arc::default(), run).await
}

fn add(visits: &mut VecDeque<Visit>, mut visit: Visit) {
    if visit.calls.is_empty() {
        return;
    }
    if let Some(last) = visits.pop_back_if(|last| last.is_like(&visit)) {
        visit.times += last.times;
    }
    visits.push_back(visit);
    if visits.len() > MOST_VISITS {
        visits.pop_front();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const MOST_VISITS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(path: &str, callback: &'static str) -> Visit {
        let call = Call {
            callback,
            trigger: None,
            given: Value::Null,
            answered: Ok(Value::Null),
            took: Duration::ZERO,
        };
        Visit {
            method: "GET".to_owned(),
            path: path.to_owned(),
            at: Timestamp::from_seconds(0),
            took: Duration::ZERO,
            calls: vec![call],
            times: 1,
        }
    }

    #[test]
    fn the_same_in_a_row_is_counted_not_repeated() {
        let mut visits = VecDeque::new();
        for path in ["/", "/", "/session", "/"] {
            add(&mut visits, visit(path, "jwt"));
        }
        let counts: Vec<_> = visits.iter().map(|visit| (visit.path.as_str(), visit.times)).collect();
        assert_eq!(counts, [("/", 2), ("/session", 1), ("/", 1)]);
    }

    #[test]
    fn only_the_last_ones_are_kept() {
        let mut visits = VecDeque::new();
        for number in 0..100 {
            add(&mut visits, visit(&format!("/{number}"), "jwt"));
        }
        assert_eq!(visits.len(), MOST_VISITS);
        assert_eq!(visits.back().map(|visit| visit.path.as_str()), Some("/99"));
    }
}
