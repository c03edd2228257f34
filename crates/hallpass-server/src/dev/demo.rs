//! People to try things out with.

use hallpass::{Credentials, User};

use crate::session;
use crate::users::{Hash, Users};

/// Somebody to sign in as.
#[derive(Debug)]
pub(crate) struct Demo {
    pub(crate) username: &'static str,
    pub(crate) password: &'static str,
    pub(crate) name: &'static str,
    pub(crate) role: &'static str,
    hash: &'static str,
}

/// Everybody.
pub(crate) const PEOPLE: [Demo; 3] = [
    Demo {
        username: "lena",
        password: "demo",
        name: "Lena Liddell",
        role: "reader",
        hash: "$argon2id$v=19$m=1024,t=1,p=1$OehFZP7BaJfFCcFxaclcVw$buloIso1rbLHQZtTEYT8Nm9AWhLRBVIBRtuiHsuV5KU",
    },
    Demo {
        username: "milo",
        password: "demo",
        name: "Milo Cratchit",
        role: "editor",
        hash: "$argon2id$v=19$m=1024,t=1,p=1$jSUd02LlK4iXdyM82ZCk+A$rtE2IImEorkK11vJKDn3c0s0EFNhqwlsu16eVZuuqzY",
    },
    Demo {
        username: "admin",
        password: "demo",
        name: "Ada Lovelace",
        role: "admin",
        hash: "$argon2id$v=19$m=1024,t=1,p=1$geDsJlft+qEMnsVG4GPG1A$rgLpBAT6i39QUDemw2BECILLgJddJ7xYq5R41sk7BCY",
    },
];

/// Adds them. Whoever has the name already keeps it.
pub(crate) fn add_demo_users(users: &mut Users) {
    for demo in &PEOPLE {
        let Ok(hash) = Hash::parse(demo.hash) else { continue };
        let user = User::new(demo.username)
            .with_name(demo.name)
            .with_email(format!("{}@example.com", demo.username))
            .with("role", demo.role);
        if !users.has(demo.username) {
            users.add(demo.username, user, hash);
        }
    }
}

/// The form for name and password, with a hint.
pub(crate) fn form() -> Credentials {
    session::form("lena, milo or admin", "demo")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::Verifier;

    #[tokio::test]
    async fn every_demo_user_has_the_password_that_is_shown() {
        let mut users = Users::default();
        add_demo_users(&mut users);
        for demo in &PEOPLE {
            let user = users.authorize(&Verifier::new(), demo.username, demo.password).await.unwrap();
            assert_eq!(user.and_then(|user| user.name).as_deref(), Some(demo.name));
        }
    }
}
