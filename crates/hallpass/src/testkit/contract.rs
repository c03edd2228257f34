//! The rules of [`Store`](crate::Store), each a test.

use std::future::Future;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::Barrier;

use crate::store::{SessionToken, Store, StoreError, StoreErrorKind, StoredSession, UserPage};
use crate::{Account, AccountKind, Timestamp, User};

mod accounts;
mod epochs;
mod races;
mod sessions;
mod texts;
mod tokens;
mod users;

pub use accounts::*;
pub use epochs::*;
pub use races::*;
pub use sessions::*;
pub use texts::*;
pub use tokens::*;
pub use users::*;

/// Proves that a [`Store`](crate::Store) keeps its rules: a module with a test for each of them, on a fresh store.
///
/// The second argument makes the store, each time an empty one. `None` skips the test: say why when you return it. The
/// crate needs `tokio` with the features `macros` and `rt-multi-thread` for its tests.
///
/// ```
/// # struct MyStore;
/// # impl MyStore { async fn connect() -> Option<hallpass::MemoryStore> { None } }
/// hallpass::testkit::store_contract!(my_store, async || MyStore::connect().await);
/// ```
///
/// A store whose rows go by themselves some time after they have expired, and whose
/// [`sweep`](crate::Store::sweep) leaves them alone, says so:
///
/// ```
/// # struct MyStore;
/// # impl MyStore { async fn connect() -> Option<hallpass::MemoryStore> { None } }
/// hallpass::testkit::store_contract!(my_store, async || MyStore::connect().await, rows_expire_by_themselves);
/// ```
#[macro_export]
#[doc(hidden)]
macro_rules! __store_contract {
    ($module:ident, $fresh:expr $(,)?) => {
        mod $module {
            #[allow(unused_imports, reason = "what makes the store may need nothing from outside")]
            use super::*;

            $crate::__store_contract_tests! { $fresh; sweep_removes_what_has_expired_in_bounded_steps }
            $crate::__store_contract_tests! { $fresh }
        }
    };
    ($module:ident, $fresh:expr, rows_expire_by_themselves $(,)?) => {
        mod $module {
            #[allow(unused_imports, reason = "what makes the store may need nothing from outside")]
            use super::*;

            $crate::__store_contract_tests! { $fresh }
        }
    };
}

/// The tests: these, or all that every store has.
#[macro_export]
#[doc(hidden)]
macro_rules! __store_contract_tests {
    ($fresh:expr) => {
        $crate::__store_contract_tests! { $fresh;
            a_new_user_is_found_by_id_address_and_account
            an_address_belongs_to_one_user
            users_without_an_address_do_not_meet
            an_id_that_repeats_takes_over_no_row
            a_user_whose_account_is_taken_is_not_made
            what_is_not_there_is_not_found
            a_change_touches_what_it_names
            a_new_address_is_not_proven
            nobody_vouches_for_a_new_address
            a_refused_change_changes_nothing
            pages_show_each_user_once
            with_a_user_goes_what_is_theirs
            what_a_deleted_user_had_is_free_again
            the_first_proof_ends_what_was_prepared_before
            a_proof_of_another_address_than_the_user_has_now_is_refused
            the_second_proof_leaves_everything
            an_account_belongs_to_one_user
            one_id_at_two_providers_is_two_accounts
            an_account_is_kept_whole
            an_account_of_nobody_is_refused
            an_account_is_linked_to_a_user_as_they_were_read
            an_account_is_taken_from_its_owner_only
            the_last_account_stays_if_it_must
            a_session_is_found_by_its_token_only
            a_session_is_kept_whole
            a_session_comes_with_the_user_as_they_are_now
            a_session_of_nobody_is_refused
            a_token_names_one_session
            claims_are_written_over_the_version_they_were_made_from
            a_renewal_leaves_claims_and_version
            a_session_that_is_gone_is_not_changed
            a_session_is_changed_by_its_id_for_its_user_only
            an_expired_session_is_returned
            sessions_are_listed_for_their_user_the_newest_first
            sessions_are_revoked_all_one_or_others
            nobody_revokes_a_session_of_somebody_else
            a_deleted_session_is_returned_once
            times_are_kept_to_the_millisecond
            sweep_leaves_what_has_not_expired
            user_agent_and_address_are_forgotten_and_nothing_else
            user_agent_and_address_of_later_sessions_are_kept
            user_agents_and_addresses_are_forgotten_in_bounded_steps
            an_epoch_follows_the_one_it_was_made_from
            epochs_of_users_are_apart
            an_epoch_outlives_its_user
            a_one_time_token_is_taken_once
            a_one_time_token_is_taken_by_its_identifier_and_hash_only
            one_time_tokens_of_one_address_are_apart
            an_expired_one_time_token_is_returned
            a_one_time_token_is_kept_once
            a_session_is_adopted_once
            a_session_that_is_not_adopted_leaves_nothing
            texts_that_look_alike_are_different
            long_texts_are_kept
            texts_that_are_too_long_are_kept_or_refused
            json_is_kept
            injected_texts_are_kept_or_refused
            injected_texts_find_nothing
            of_many_takers_one_gets_the_token
            of_many_who_keep_a_token_one_wins
            of_many_who_adopt_a_session_one_wins
            of_many_writers_one_wins_each_version
            of_many_sign_ups_with_one_address_one_makes_a_user
            of_many_sign_ups_with_one_account_one_makes_a_user
            of_many_changes_to_one_address_one_wins
            of_many_links_of_one_account_one_wins
            of_two_who_unlink_the_last_accounts_one_fails
            of_many_who_end_a_session_one_gets_it
            of_many_who_forget_user_agents_each_is_counted_once
            of_many_who_begin_an_epoch_one_wins
            a_user_deleted_during_sign_ins_leaves_no_session
            a_user_deleted_during_links_leaves_no_account
            a_first_proof_during_sign_ins_leaves_the_user_proven
        }
    };
    ($fresh:expr; $($rule:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $rule() {
                if let Some(store) = ($fresh)().await {
                    $crate::testkit::contract::$rule(store).await;
                }
            }
        )*
    };
}

/// A user with an id as Hallpass makes them, and an address.
fn user(number: u32) -> User {
    User::new(uuid(number)).with_name("Ada").with_email(address(number))
}

fn uuid(number: u32) -> String {
    format!("5f3c1e2a-9b4d-4c6f-8a7e-{number:012x}")
}

fn address(number: u32) -> String {
    format!("user-{number}@example.com")
}

fn account(provider: &str, id: &str) -> Account {
    let tokens = json!({ "access_token": format!("token of {id}"), "expires_at": 4_102_444_800_i64 });
    let tokens = tokens.as_object().cloned().unwrap_or_default();
    Account { tokens, ..Account::new(provider, AccountKind::Oidc, id) }
}

/// A user in the store, with an account at `idp`.
async fn signed_up(store: &impl Store, number: u32) -> User {
    let account = account("idp", &format!("account-{number}"));
    store.create_user(user(number), Some(account)).await.expect("nobody has the address")
}

/// A session of the user.
async fn signed_in(store: &impl Store, user: &User, token: &str) -> SessionToken {
    let token = SessionToken::new(token);
    store.create_session(&token, session(&token, user)).await.expect("the user is there");
    token
}

fn session(token: &SessionToken, user: &User) -> StoredSession {
    StoredSession { created: Some(at(-60_000)), ..StoredSession::new(token, &user.id, at(0)) }
}

/// Milliseconds before or after a moment of the year 2100.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(4_102_444_800_000 + millis)
}

fn linked(account: Account, user: &User) -> Account {
    Account { user_id: Some(user.id.clone()), ..account }
}

/// Everything that the store says of its users.
async fn everything(store: &impl Store) -> Vec<(User, Vec<Account>, Vec<StoredSession>)> {
    let mut everything = Vec::new();
    for user in store.users(UserPage::first(1000)).await.expect("the store answers") {
        let accounts = accounts_of(store, &user).await;
        let sessions = store.sessions(&user.id).await.expect("the store answers");
        everything.push((user, accounts, sessions));
    }
    everything
}

async fn accounts_of(store: &impl Store, user: &User) -> Vec<Account> {
    let mut accounts = store.accounts(&user.id).await.expect("the store answers");
    accounts.sort_by_key(|account| (account.provider.clone(), account.provider_account_id.clone()));
    accounts
}

#[track_caller]
fn assert_conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert_eq!(result.map_err(|error| error.kind()).expect_err("a conflict"), StoreErrorKind::Conflict);
}

#[track_caller]
fn assert_not_found<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert_eq!(result.map_err(|error| error.kind()).expect_err("not found"), StoreErrorKind::NotFound);
}

/// Does something many times at once, and gives what came of each.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    count: usize,
    task: impl Fn(usize) -> F,
) -> Vec<T> {
    let start = Arc::new(Barrier::new(count));
    let tasks = (0..count).map(|number| {
        let (start, task) = (Arc::clone(&start), task(number));
        tokio::spawn(async move {
            start.wait().await;
            task.await
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut results = Vec::with_capacity(count);
    for task in tasks {
        results.push(task.await.expect("the task ends well"));
    }
    results
}

/// How many succeeded. The others are told of the conflict.
#[track_caller]
fn winners<T: std::fmt::Debug>(results: Vec<Result<T, StoreError>>) -> Vec<T> {
    let mut winners = Vec::new();
    for result in results {
        match result {
            Ok(won) => winners.push(won),
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error:?}"),
        }
    }
    winners
}
