//! The recipe `company` as an application.

use axum::{Router, response::Html, routing::get};
use example_axum_session_recipes::company::{self, Claims};
use hallpass::{Auth, Credentials, Field, MemoryStore, Store, User};
use hallpass_axum::{AuthExt, Session};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let users = MemoryStore::new();
    let form = Credentials::new().field(Field::text("username")).field(Field::password("password"));
    let builder = Auth::builder_with(users.clone()).store(users).credentials(form, async |input, users| {
        let typed = (input.text("username"), input.text("password"));
        let ada = users.user("1").await?.unwrap_or_else(|| User::new("1").with_name("Ada"));
        Ok((typed == (Some("ada"), Some("difference engine"))).then_some(ada))
    });
    let auth = company::extend(builder).build()?;
    let app = Router::new().route("/", get(home)).merge(auth.routes()).layer(auth.layer()).with_state(auth);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}

async fn home(session: Session<Claims>) -> Html<String> {
    let company = session.claims.company_name.as_deref().unwrap_or("no company yet");
    Html(format!(
        "<p>You work for {company}.</p><button onclick=\"pick('acme')\">Acme</button> \
         <button onclick=\"pick('globex')\">Globex</button> \
         <script>const pick = async id => {{ await fetch(`/api/auth/session?companyId=${{id}}`); location.reload() }}</script>"
    ))
}
