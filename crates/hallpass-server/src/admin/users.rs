//! `hallpass users`.

use hallpass::clock::{Clock, SystemClock};
use hallpass::{Account, Timestamp, User, UserChange, UserPage};
use serde::Serialize;
use serde_json::json;

use super::print::cell;
use super::{Printer, failed, open_auth, run, user};
use crate::Failure;
use crate::cli::{ChangedUser, NewUser, Users, UsersAction};

/// A user, as programs see them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    id: &'a str,
    name: Option<&'a str>,
    email: Option<&'a str>,
    email_verified: Option<Timestamp>,
    image: Option<&'a str>,
    /// Names of the further fields. What is in them may be secret: a hash of a password in a table of the application.
    fields: Vec<&'a str>,
}

/// An account without its tokens.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownAccount<'a> {
    provider: &'a str,
    r#type: &'a str,
    provider_account_id: &'a str,
    scope: Option<&'a str>,
    expires_at: Option<Timestamp>,
}

pub(crate) fn users(arguments: Users) -> Result<(), Failure> {
    run(async {
        let (auth, printer) = open_auth(&arguments.place).await?;
        let users = auth.users();
        match arguments.action {
            UsersAction::List { limit, after } => {
                let page = UserPage::first(limit);
                let page = after.into_iter().fold(page, UserPage::after);
                print_list(printer, &users.list(page).await.map_err(failed)?)
            }
            UsersAction::Show { user: named } => print_one(printer, &user(&auth, &named).await?),
            UsersAction::Create(new) => print_one(printer, &users.create(made(new)).await.map_err(failed)?),
            UsersAction::Update(changed) => {
                let user = user(&auth, &changed.user).await?;
                let changed = users.update(&user.id, change(changed)).await.map_err(failed)?;
                print_one(printer, &changed)
            }
            UsersAction::Delete { user: named } => {
                let user = user(&auth, &named).await?;
                if !users.delete(&user.id).await.map_err(failed)? {
                    return Err(Failure::Other(format!("there is no user {named:?} any more")));
                }
                printer.answer(&json!({ "deleted": user.id }), &format!("deleted {}\n", user.id))
            }
            UsersAction::Accounts { user: named } => {
                let user = user(&auth, &named).await?;
                print_accounts(printer, &users.accounts(&user.id).await.map_err(failed)?)
            }
            UsersAction::Unlink { user: named, provider, account } => {
                let user = user(&auth, &named).await?;
                if !users.unlink(&user.id, &provider, &account).await.map_err(failed)? {
                    return Err(Failure::Other(format!(
                        "{named:?} has no account {account:?} of {provider:?}"
                    )));
                }
                let unlinked = json!({ "unlinked": { "provider": provider, "providerAccountId": account } });
                printer.answer(&unlinked, &format!("unlinked {provider} {account}\n"))
            }
        }
    })
}

fn made(new: NewUser) -> User {
    let mut user = User::new(new.id.unwrap_or_default());
    (user.name, user.email, user.image) = (new.name, new.email, new.image);
    user.email_verified = new.verified.then(|| SystemClock.now());
    user
}

fn change(changed: ChangedUser) -> UserChange {
    let given = |text: Option<String>| text.map(|text| Some(text).filter(|text| !text.is_empty()));
    let mut change = UserChange::new();
    change.name = given(changed.name);
    change.email = given(changed.email);
    change.image = given(changed.image);
    change.email_verified = changed.verified.map(|is_verified| is_verified.then(|| SystemClock.now()));
    change
}

fn shown(user: &User) -> Shown<'_> {
    Shown {
        id: &user.id,
        name: user.name.as_deref(),
        email: user.email.as_deref(),
        email_verified: user.email_verified,
        image: user.image.as_deref(),
        fields: user.extra.keys().map(String::as_str).collect(),
    }
}

fn print_list(printer: Printer, users: &[User]) -> Result<(), Failure> {
    let all: Vec<_> = users.iter().map(shown).collect();
    let rows: Vec<_> =
        all.iter().map(|user| [cell(Some(user.id)), cell(user.email), cell(user.name)]).collect();
    printer.table(&all, ["ID", "EMAIL", "NAME"], &rows)
}

fn print_one(printer: Printer, user: &User) -> Result<(), Failure> {
    let shown = shown(user);
    let verified = shown.email_verified.map(Timestamp::to_iso);
    let rows = [
        ("id", Some(shown.id)),
        ("name", shown.name),
        ("email", shown.email),
        ("verified", verified.as_deref()),
        ("image", shown.image),
    ];
    let mut text: String = rows.iter().map(|(name, value)| format!("{name:<10}{}\n", cell(*value))).collect();
    if !shown.fields.is_empty() {
        text.push_str(&format!("{:<10}{}\n", "fields", cell(Some(&shown.fields.join(", ")))));
    }
    printer.answer(&shown, &text)
}

fn print_accounts(printer: Printer, accounts: &[Account]) -> Result<(), Failure> {
    let all: Vec<_> = accounts
        .iter()
        .map(|account| ShownAccount {
            provider: &account.provider,
            r#type: account.kind.as_str(),
            provider_account_id: &account.provider_account_id,
            scope: account.get("scope").and_then(|scope| scope.as_str()),
            expires_at: account.expires_at(),
        })
        .collect();
    let rows: Vec<_> = all
        .iter()
        .map(|account| {
            [account.provider, account.r#type, account.provider_account_id].map(|it| cell(Some(it)))
        })
        .collect();
    printer.table(&all, ["PROVIDER", "TYPE", "ACCOUNT"], &rows)
}
