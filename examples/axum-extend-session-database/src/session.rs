//! What a session shows.

use hallpass::{NoClaims, SessionEvent, User, ViewUser};
use serde::Serialize;

/// What the browser sees: the body of `GET /api/auth/session`.
#[derive(Serialize)]
pub struct View {
    user: Person,
}

#[derive(Serialize)]
struct Person {
    #[serde(flatten)]
    public: ViewUser,
    id: String,
    role: Option<String>,
}

pub fn view(it: &SessionEvent<NoClaims>) -> View {
    let role = it.stored_user.as_ref().and_then(role);
    View { user: Person { public: it.user.public(), id: it.user.id.clone(), role } }
}

pub fn role(user: &User) -> Option<String> {
    Some(user.get("role")?.as_str()?.to_owned())
}
