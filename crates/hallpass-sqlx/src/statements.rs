//! Every query, written once.

use crate::columns::Columns;
use crate::database::Statement;
use crate::dialect::Dialect;
use crate::map::{Ids, TableMap};

/// The queries of a store, in the words of its database and its tables.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) user: Statement,
    pub(crate) user_to_change: Statement,
    pub(crate) user_by_email: Statement,
    pub(crate) user_by_account: Statement,
    pub(crate) users: Statement,
    pub(crate) users_after: Statement,
    pub(crate) create_user: Statement,
    pub(crate) update_user: Statement,
    pub(crate) verify_user: Statement,
    pub(crate) delete_user: Statement,
    pub(crate) create_account: Statement,
    pub(crate) accounts: Statement,
    pub(crate) count_accounts: Statement,
    pub(crate) has_account: Statement,
    pub(crate) delete_account: Statement,
    pub(crate) delete_accounts: Statement,
    pub(crate) delete_doubtful_accounts: Statement,
    pub(crate) doubt_accounts: Statement,
    pub(crate) create_session: Statement,
    pub(crate) session: Statement,
    pub(crate) session_alone: Statement,
    pub(crate) session_to_change: Statement,
    pub(crate) sessions: Statement,
    pub(crate) update_session: Statement,
    pub(crate) delete_session: Statement,
    pub(crate) delete_sessions: Statement,
    pub(crate) sweep_sessions: Statement,
    /// In our own table; elsewhere it is done with the next two.
    pub(crate) forget_clients: Statement,
    pub(crate) old_clients: Statement,
    pub(crate) forget_client: Statement,
    pub(crate) create_token: Statement,
    pub(crate) token: Statement,
    pub(crate) delete_token: Statement,
    pub(crate) delete_tokens: Statement,
    pub(crate) sweep_tokens: Statement,
    pub(crate) epoch: Statement,
    pub(crate) first_epoch: Statement,
    pub(crate) next_epoch: Statement,
}

/// Columns of [`TableMap::authjs`] and its like that hold a provider's tokens, in the order in which they are read
/// and written. All but `expires_at` are texts.
pub(crate) const TOKENS: [&str; 7] =
    ["refresh_token", "access_token", "expires_at", "token_type", "scope", "id_token", "session_state"];

impl Statements {
    pub(crate) fn new(dialect: Dialect, map: &TableMap, columns: &Columns) -> Self {
        let w = Writer { dialect, map, columns };
        let users = format!("SELECT {} FROM {{users}} u", "{!user}");
        let session = "SELECT {!session} FROM {sessions} s WHERE s.{sessions.token} = :text";
        let account_key = "{accounts.provider} = :text AND {accounts.provider_account_id} = :text";
        Self {
            user: w.write(&format!("{users} WHERE u.{{users.id}} = :id")),
            user_to_change: w.write(&format!("{users} WHERE u.{{users.id}} = :id{}", dialect.lock())),
            user_by_email: w.write(&format!("{users} WHERE u.{{users.email}} = :text")),
            user_by_account: w.write(
                "SELECT {!user} FROM {accounts} a JOIN {users} u ON u.{users.id} = a.{accounts.user_id} \
                 WHERE a.{accounts.provider} = :text AND a.{accounts.provider_account_id} = :text",
            ),
            users: w.write(&format!("{users} ORDER BY u.{{users.id}} LIMIT :int")),
            users_after: w
                .write(&format!("{users} WHERE u.{{users.id}} > :id ORDER BY u.{{users.id}} LIMIT :int")),
            create_user: w.create_user(),
            update_user: w.update_user(),
            verify_user: w.write("UPDATE {users} SET {users.email_verified} = :time WHERE {users.id} = :id"),
            delete_user: w.write("DELETE FROM {users} WHERE {users.id} = :id"),
            create_account: w.create_account(),
            accounts: w.write("SELECT {!account} FROM {accounts} a WHERE a.{accounts.user_id} = :id"),
            count_accounts: w.write("SELECT count(*) FROM {accounts} WHERE {accounts.user_id} = :id"),
            has_account: w.write(&format!(
                "SELECT 1 FROM {{accounts}} WHERE {{accounts.user_id}} = :id AND {account_key}"
            )),
            delete_account: w.write(&format!(
                "DELETE FROM {{accounts}} WHERE {{accounts.user_id}} = :id AND {account_key}"
            )),
            delete_accounts: w.write("DELETE FROM {accounts} WHERE {accounts.user_id} = :id"),
            delete_doubtful_accounts: if map.is_own {
                w.write(
                    "DELETE FROM {accounts} WHERE {accounts.user_id} = :id AND NOT {accounts.email_verified}",
                )
            } else {
                w.write("DELETE FROM {accounts} WHERE {accounts.user_id} = :id")
            },
            doubt_accounts: w
                .write("UPDATE {accounts} SET {accounts.email_verified} = :flag WHERE {accounts.user_id} = :id"),
            create_session: w.create_session(),
            session: w.write(
                "SELECT {!session}, {!user} FROM {sessions} s JOIN {users} u ON u.{users.id} = s.{sessions.user_id} \
                 WHERE s.{sessions.token} = :text",
            ),
            session_alone: w.write(session),
            session_to_change: w.write(&format!("{session}{}", dialect.lock())),
            sessions: w.write("SELECT {!session} FROM {sessions} s WHERE s.{sessions.user_id} = :id"),
            update_session: w.update_session(),
            delete_session: w.write("DELETE FROM {sessions} WHERE {sessions.token} = :text"),
            delete_sessions: w.write("DELETE FROM {sessions} WHERE {sessions.user_id} = :id"),
            sweep_sessions: w.sweep("sessions", "{sessions.token}"),
            forget_clients: w.forget_clients(),
            old_clients: w.write(&format!(
                "SELECT {{!session}} FROM {{sessions}} s WHERE s.{{sessions.client}} < :int \
                 ORDER BY s.{{sessions.client}} LIMIT :int{}",
                dialect.lock()
            )),
            forget_client: w.write(
                "UPDATE {sessions} SET {sessions.more} = :text, {sessions.client} = NULL WHERE {sessions.token} = :text",
            ),
            create_token: w.write(
                "INSERT INTO {tokens} ({tokens.identifier}, {tokens.hash}, {tokens.expires}) \
                 VALUES (:text, :text, :time)",
            ),
            token: w.write(
                "SELECT {!expires} FROM {tokens} t WHERE t.{tokens.identifier} = :text AND t.{tokens.hash} = :text",
            ),
            delete_token: w
                .write("DELETE FROM {tokens} WHERE {tokens.identifier} = :text AND {tokens.hash} = :text"),
            delete_tokens: w.write("DELETE FROM {tokens} WHERE {tokens.identifier} = :text"),
            sweep_tokens: w.sweep("tokens", "{tokens.identifier}, {tokens.hash}"),
            epoch: w.write("SELECT number, revoked, not_before, patch FROM hallpass_epochs WHERE user_id = :text"),
            first_epoch: w.write(
                "INSERT INTO hallpass_epochs (number, revoked, not_before, patch, user_id) \
                 VALUES (:int, :int, :int, :text, :text)",
            ),
            next_epoch: w.write(
                "UPDATE hallpass_epochs SET number = :int, revoked = :int, not_before = :int, patch = :text \
                 WHERE user_id = :text AND number = :int",
            ),
        }
    }
}

struct Writer<'a> {
    dialect: Dialect,
    map: &'a TableMap,
    columns: &'a Columns,
}

impl Writer<'_> {
    fn write(&self, template: &str) -> Statement {
        let text = self.dialect.render(self.map, template, &|piece| match piece {
            "user" => self.user(),
            "session" => self.session(),
            "account" => self.account(),
            _ => self.dialect.millis(self.map, &self.column("t", "tokens.expires")),
        });
        Statement::from(text)
    }

    /// What is read of a user: id, name, address, proof of it, picture, further fields.
    fn user(&self) -> String {
        let column = |word| self.column("u", word);
        let extra =
            if self.map.is_own { column("users.extra") } else { self.columns.extra(self.dialect, "u") };
        [
            self.dialect.id(self.map, &column("users.id")),
            column("users.name"),
            column("users.email"),
            self.dialect.millis(self.map, &column("users.email_verified")),
            column("users.image"),
            extra,
        ]
        .join(", ")
    }

    /// What is read of a session: token, user, end, and then what only Hallpass knows.
    fn session(&self) -> String {
        let column = |word: &str| self.column("s", word);
        let mut list = vec![
            column("sessions.token"),
            self.dialect.id(self.map, &column("sessions.user_id")),
            self.dialect.millis(self.map, &column("sessions.expires")),
        ];
        if self.map.is_own {
            list.extend(SESSION.map(|name| column(&format!("sessions.{name}"))));
        } else {
            list.push(column("sessions.more"));
        }
        list.join(", ")
    }

    /// What is read of an account: provider, id there, user, kind, then the tokens.
    fn account(&self) -> String {
        let column = |word: &str| self.column("a", word);
        let mut list = vec![
            column("accounts.provider"),
            column("accounts.provider_account_id"),
            self.dialect.id(self.map, &column("accounts.user_id")),
            column("accounts.type"),
        ];
        if self.map.is_own {
            list.extend([column("accounts.email_verified"), column("accounts.tokens")]);
        } else {
            list.extend(TOKENS.map(|name| match name {
                "expires_at" => format!("CAST({} AS bigint)", column("accounts.expires_at")),
                _ => column(&format!("accounts.{name}")),
            }));
        }
        list.join(", ")
    }

    fn create_user(&self) -> Statement {
        let makes_ids = self.map.ids == Ids::Integer;
        let id = if makes_ids { ("", "") } else { ("{users.id}, ", ":id, ") };
        let extra = if self.map.is_own { (", {users.extra}", ", :text") } else { ("", "") };
        let (filled, with) = self.columns.filled(self.dialect, "users");
        let returning = if makes_ids { " RETURNING CAST({users.id} AS text)" } else { "" };
        self.write(&format!(
            "INSERT INTO {{users}} ({}{{users.name}}, {{users.email}}, {{users.email_verified}}, {{users.image}}{}{filled}) \
             VALUES ({}:text, :text, :time, :text{}{with}){returning}",
            id.0, extra.0, id.1, extra.1
        ))
    }

    fn update_user(&self) -> Statement {
        let extra = match (self.map.is_own, self.dialect) {
            (true, _) => ", {users.extra} = :text".to_owned(),
            (false, dialect) => self.columns.extra_changes(dialect, self.map),
        };
        self.write(&format!(
            "UPDATE {{users}} SET {{users.name}} = :text, {{users.email}} = :text, \
             {{users.email_verified}} = :time, {{users.image}} = :text{extra} WHERE {{users.id}} = :id"
        ))
    }

    fn create_account(&self) -> Statement {
        let mut names = String::new();
        let mut values = String::new();
        if self.map.is_own {
            names.push_str(", {accounts.email_verified}, {accounts.tokens}");
            values.push_str(", :flag, :text");
        } else {
            for name in TOKENS {
                names.push_str(&format!(", {{accounts.{name}}}"));
                values.push_str(if name == "expires_at" { ", :int" } else { ", :text" });
            }
        }
        let (filled, with) = self.columns.filled(self.dialect, "accounts");
        self.write(&format!(
            "INSERT INTO {{accounts}} ({{accounts.provider}}, {{accounts.provider_account_id}}, {{accounts.user_id}}, \
             {{accounts.type}}{names}{filled}) VALUES (:text, :text, :id, :text{values}{with})"
        ))
    }

    fn create_session(&self) -> Statement {
        let (names, values) = if self.map.is_own {
            (
                ", {sessions.created}, {sessions.last_seen}, {sessions.user_agent}, {sessions.address}, \
                 {sessions.claims}, {sessions.version}",
                ", :int, :int, :text, :text, :text, :int",
            )
        } else {
            (", {sessions.more}, {sessions.client}", ", :text, :int")
        };
        let (filled, with) = self.columns.filled(self.dialect, "sessions");
        self.write(&format!(
            "INSERT INTO {{sessions}} ({{sessions.token}}, {{sessions.user_id}}, {{sessions.expires}}{names}{filled}) \
             VALUES (:text, :id, :time{values}{with})"
        ))
    }

    /// In our own table one statement that looks at the version; elsewhere the row was locked and read before.
    fn update_session(&self) -> Statement {
        if !self.map.is_own {
            return self.write(
                "UPDATE {sessions} SET {sessions.expires} = :time, {sessions.more} = :text \
                 WHERE {sessions.token} = :text",
            );
        }
        self.write(
            "UPDATE {sessions} SET {sessions.expires} = COALESCE(:int, {sessions.expires}), \
             {sessions.last_seen} = COALESCE(:int, {sessions.last_seen}), \
             {sessions.claims} = COALESCE(:text, {sessions.claims}), \
             {sessions.version} = {sessions.version} + :int \
             WHERE {sessions.token} = :text AND {sessions.version} = COALESCE(:int, {sessions.version})",
        )
    }

    fn sweep(&self, table: &str, key: &str) -> Statement {
        let over = format!("{{{table}.expires}} < :time ORDER BY {{{table}.expires}} LIMIT :int");
        if self.dialect == Dialect::MySql {
            return self.write(&format!("DELETE FROM {{{table}}} WHERE {over}"));
        }
        // Of a set whose size it does not know PostgreSQL would rather read the whole table.
        if self.dialect == Dialect::Postgres && !key.contains(',') {
            return self.write(&format!(
                "DELETE FROM {{{table}}} WHERE {key} = ANY (ARRAY(SELECT {key} FROM {{{table}}} WHERE {over}))"
            ));
        }
        self.write(&format!(
            "DELETE FROM {{{table}}} WHERE ({key}) IN (SELECT {key} FROM {{{table}}} WHERE {over})"
        ))
    }

    fn forget_clients(&self) -> Statement {
        // The condition of the index, word for word.
        let is_known = "({sessions.user_agent} IS NOT NULL OR {sessions.address} IS NOT NULL)";
        let forget = "UPDATE {sessions} SET {sessions.user_agent} = NULL, {sessions.address} = NULL";
        let old = format!(
            "SELECT {{sessions.token}} FROM {{sessions}} WHERE {is_known} AND {{sessions.created}} < :int \
             ORDER BY {{sessions.created}} LIMIT :int"
        );
        self.write(&match self.dialect {
            Dialect::MySql => {
                format!("{forget} WHERE {{sessions.client}} < :int ORDER BY {{sessions.client}} LIMIT :int")
            }
            // As in `sweep`. Of two who forget the same sessions at once one counts them.
            Dialect::Postgres => {
                format!("{forget} WHERE {{sessions.token}} = ANY (ARRAY({old})) AND {is_known}")
            }
            Dialect::Sqlite => format!("{forget} WHERE {{sessions.token}} IN ({old})"),
        })
    }

    fn column(&self, alias: &str, word: &str) -> String {
        format!("{alias}.{}", self.dialect.quoted(self.map.name_of(word)))
    }
}

/// Columns of our own table of sessions after the first three, in the order in which they are read.
const SESSION: [&str; 6] = ["created", "last_seen", "user_agent", "address", "claims", "version"];

#[cfg(test)]
mod tests;
