//! Tokens in handlers of a service that only reads them.

use actix_web::App;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{Data, get};
use hallpass::TokenReader;
use hallpass_actix::Token;

use crate::application::{Answer, Claims, builder, cookies_of};

async fn role(token: Token<Claims>) -> String {
    token.claims.role.clone()
}

async fn home(token: Option<Token<Claims>>) -> String {
    token.and_then(|token| token.sub.clone()).unwrap_or_else(|| "stranger".to_owned())
}

fn reader() -> TokenReader {
    // The tests' clock stands in the past.
    TokenReader::new("the secret of the site, 32 and more").clock(hallpass::testkit::ManualClock::new())
}

async fn ask(request: TestRequest) -> Answer {
    let app = App::new().route("/", get().to(home)).route("/role", get().to(role)).app_data(reader());
    Answer::of(call_service(&init_service(app).await, request.to_request()).await).await
}

fn request(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

#[actix_web::test]
async fn handler_gets_the_token() {
    let cookies = cookies_of(&builder().build().unwrap(), "admin").await;
    for path in ["/", "/role"] {
        let answer = ask(request(path).insert_header(("cookie", cookies.as_str()))).await;
        assert_eq!(answer.body, "admin", "{path}");
        let (_, token) = cookies.split_once("session-token=").unwrap();
        let bearer = format!("Bearer {}", token.split(';').next().unwrap());
        assert_eq!(ask(request(path).insert_header(("authorization", bearer))).await.body, "admin", "{path}");
    }
    let app = App::new().route("/role", get().to(role)).app_data(Data::new(reader()));
    let request = request("/role").insert_header(("cookie", cookies));
    let answer = Answer::of(call_service(&init_service(app).await, request.to_request()).await).await;
    assert_eq!(answer.body, "admin");
}

#[actix_web::test]
async fn without_a_good_token_it_is_401() {
    for request in [
        request("/role"),
        request("/role").insert_header(("cookie", "authjs.session-token=x")),
        request("/role").insert_header(("authorization", "Bearer %")),
    ] {
        let answer = ask(request).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
    }
    assert_eq!(ask(request("/").insert_header(("authorization", "Bearer %"))).await.body, "stranger");
    assert_eq!(ask(request("/")).await.body, "stranger");
}

#[actix_web::test]
async fn without_a_reader_it_is_500() {
    let app = init_service(App::new().route("/role", get().to(role))).await;
    assert_eq!(call_service(&app, request("/role").to_request()).await.status(), 500);
}
