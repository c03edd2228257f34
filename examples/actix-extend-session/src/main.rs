//! The session, extended: the application keeps a user's id and role, and shows both to the browser.

use actix_web::{App, HttpServer, web};
use hallpass::{Auth, Credentials, Field, Jwt, User};
use hallpass_actix::{AuthExt, Session};

use crate::session::{Claims, Person, View};

mod session;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let form = Credentials::new().field(Field::text("username")).field(Field::password("password"));
    let auth = Auth::builder()
        .credentials(form, async |input, _| Ok(find_user(input.text("username"), input.text("password"))))
        .jwt(async |event: Jwt<Claims>, _| {
            Ok(match event {
                Jwt::SignIn(it) => Some(it.user.parse()?),
                Jwt::Read(it) => Some(it.claims),
            })
        })
        .session(async |it, _| Ok(View { user: Person { public: it.user.public(), claims: it.claims } }))
        .build()?;
    let app = move || App::new().route("/", web::get().to(home)).configure(auth.routes()).wrap(auth.layer());

    Ok(HttpServer::new(app).bind("127.0.0.1:3000")?.run().await?)
}

async fn home(session: Session<Claims>) -> String {
    format!("You are user {}, and your role is {:?}.", session.claims.id, session.claims.role)
}

fn find_user(name: Option<&str>, password: Option<&str>) -> Option<User> {
    match (name?, password?) {
        ("ada", "difference engine") => Some(User::new("1").with_name("Ada").with("role", "admin")),
        ("milo", "builder") => Some(User::new("2").with_name("Milo").with("role", "reader")),
        _ => None,
    }
}
