use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::Environment;
use crate::http::HttpError;

/// Takes requests down and answers with a status.
#[derive(Debug)]
struct Fake {
    status: Option<u16>,
    seen: Mutex<Vec<Request<Bytes>>>,
}

impl HttpClient for Fake {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        self.seen.lock().unwrap().push(request);
        Box::pin(async {
            let mut answer = Response::new(Bytes::from_static(b"canary-key ada@example.com"));
            *answer.status_mut() = StatusCode::from_u16(self.status.ok_or(HttpError::TimedOut)?).unwrap();
            Ok(answer)
        })
    }
}

fn message() -> Message {
    let from = "Acme <login@acme.example>".parse().unwrap();
    let mut message = Message::new("ada@example.com", from, "Sign in", "the text");
    message.html = "<p>the html</p>".to_owned();
    message.link = "https://app.example.com/link".to_owned();
    message
}

fn prepared(mut service: HttpService, fake: &Arc<Fake>) -> HttpService {
    let environment = Environment::empty();
    let id = service.id().to_owned();
    let setup = Setup { id: &id, http: Arc::clone(fake) as _, environment: &environment };
    service.prepare(&setup).unwrap();
    service
}

async fn sent(service: HttpService) -> (String, Vec<(String, String)>, Value, Reach) {
    let fake = Arc::new(Fake { status: Some(202), seen: Mutex::default() });
    prepared(service.key("canary-key"), &fake).send(message()).await.unwrap();
    let request = fake.seen.lock().unwrap().pop().unwrap();
    let headers =
        request.headers().iter().filter(|(name, _)| !["accept", "content-type"].contains(&name.as_str()));
    let headers = headers.map(|(name, value)| {
        assert!(value.is_sensitive());
        (name.to_string(), value.to_str().unwrap().to_owned())
    });
    let reach = *request.extensions().get::<Reach>().unwrap();
    let body = match request.headers()["content-type"].to_str().unwrap() {
        FORM => {
            let pairs = form_urlencoded::parse(request.body()).into_owned();
            Value::Object(pairs.map(|(name, value)| (name, Value::String(value))).collect())
        }
        _ => serde_json::from_slice(request.body()).unwrap(),
    };
    (format!("{} {}", request.method(), request.uri()), headers.collect(), body, reach)
}

fn header(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), value.to_owned())]
}

#[tokio::test]
async fn each_service_gets_what_it_wants() {
    let simple = json!({
        "from": "Acme <login@acme.example>",
        "to": "ada@example.com",
        "subject": "Sign in",
        "text": "the text",
        "html": "<p>the html</p>",
    });
    let bearer = header("authorization", "Bearer canary-key");
    let (to, headers, body, reach) = sent(HttpService::resend()).await;
    assert_eq!((to.as_str(), &headers, &body), ("POST https://api.resend.com/emails", &bearer, &simple));
    assert_eq!(reach, Reach::Public);

    let (to, headers, body, _) = sent(HttpService::forward_email()).await;
    assert_eq!(to, "POST https://api.forwardemail.net/v1/emails");
    assert_eq!((headers, body), (header("authorization", "Basic Y2FuYXJ5LWtleTo="), simple));

    let (to, headers, body, _) = sent(HttpService::sendgrid()).await;
    assert_eq!((to.as_str(), &headers), ("POST https://api.sendgrid.com/v3/mail/send", &bearer));
    assert_eq!(body["personalizations"], json!([{ "to": [{ "email": "ada@example.com" }] }]));
    assert_eq!(body["from"], json!({ "email": "login@acme.example", "name": "Acme" }));
    assert_eq!(body["content"][0], json!({ "type": "text/plain", "value": "the text" }));
    assert_eq!(body["content"][1], json!({ "type": "text/html", "value": "<p>the html</p>" }));

    let (to, headers, body, _) = sent(HttpService::postmark()).await;
    assert_eq!(to, "POST https://api.postmarkapp.com/email");
    assert_eq!(headers, header("x-postmark-server-token", "canary-key"));
    assert_eq!(body["From"], "Acme <login@acme.example>");
    assert_eq!((&body["To"], &body["Subject"]), (&json!("ada@example.com"), &json!("Sign in")));
    assert_eq!((&body["TextBody"], &body["HtmlBody"]), (&json!("the text"), &json!("<p>the html</p>")));

    for (service, host) in
        [(HttpService::mailgun(), "api.mailgun.net"), (HttpService::mailgun_eu(), "api.eu.mailgun.net")]
    {
        let (to, headers, body, _) = sent(service).await;
        assert_eq!(to, format!("POST https://{host}/v3/acme.example/messages"));
        assert_eq!(headers, header("authorization", "Basic YXBpOmNhbmFyeS1rZXk="));
        assert_eq!((&body["to"], &body["html"]), (&json!("ada@example.com"), &json!("<p>the html</p>")));
    }

    let (to, headers, body, _) = sent(HttpService::loops().template("t1")).await;
    assert_eq!((to.as_str(), headers), ("POST https://app.loops.so/api/v1/transactional", bearer));
    let variables = json!({ "url": "https://app.example.com/link" });
    assert_eq!(
        body,
        json!({ "transactionalId": "t1", "email": "ada@example.com", "dataVariables": variables })
    );
}

/// A service that counts clicks leads the link over its own server, which could then follow it.
#[tokio::test]
async fn no_service_leads_the_link_over_its_own_server() {
    let (_, _, body, _) = sent(HttpService::sendgrid()).await;
    assert_eq!(body["tracking_settings"]["click_tracking"], json!({ "enable": false, "enable_text": false }));
    let (_, _, body, _) = sent(HttpService::postmark()).await;
    assert_eq!((&body["TrackLinks"], &body["TrackOpens"]), (&json!("None"), &json!(false)));
    let (_, _, body, _) = sent(HttpService::mailgun()).await;
    assert_eq!((&body["o:tracking"], &body["o:tracking-clicks"]), (&json!("no"), &json!("no")));
}

#[tokio::test]
async fn a_refusal_names_service_and_status_and_nothing_else() {
    for status in [300, 302, 400, 401, 429, 500] {
        let fake = Arc::new(Fake { status: Some(status), seen: Mutex::default() });
        let service = prepared(HttpService::resend().key("canary-key"), &fake);
        let error = service.send(message()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("Resend answered with status {status}"));
        assert!(!format!("{error:?} {service:?}").contains("canary"));
    }
    let fake = Arc::new(Fake { status: None, seen: Mutex::default() });
    let error = prepared(HttpService::postmark().key("canary-key"), &fake).send(message()).await.unwrap_err();
    assert_eq!(error.to_string(), "Postmark did not answer in time");
}

#[test]
fn the_key_comes_from_the_variable_of_auth_js() {
    let fake = Arc::new(Fake { status: Some(200), seen: Mutex::default() });
    for (mut service, variable) in [
        (HttpService::resend(), "AUTH_RESEND_KEY"),
        (HttpService::sendgrid(), "AUTH_SENDGRID_KEY"),
        (HttpService::postmark(), "AUTH_POSTMARK_KEY"),
        (HttpService::mailgun(), "AUTH_MAILGUN_KEY"),
        (HttpService::forward_email(), "AUTH_FORWARDEMAIL_KEY"),
        (HttpService::loops().template("t"), "AUTH_LOOPS_KEY"),
    ] {
        let id = service.id().to_owned();
        let mut prepare = |environment: Environment| {
            service.prepare(&Setup { id: &id, http: Arc::clone(&fake) as _, environment: &environment })
        };
        let problem = prepare(Environment::empty()).unwrap_err();
        assert!(problem.contains(&format!("call `key`, or set {variable}")), "{problem}");
        let problem = prepare(Environment::from([(variable, "canary\nkey")])).unwrap_err();
        assert!(!problem.contains("canary"), "{problem}");
        prepare(Environment::from([(variable, "canary")])).unwrap();
    }
    let setup = Setup { id: "loops", http: fake, environment: &Environment::empty() };
    let problem = HttpService::loops().key("k").prepare(&setup).unwrap_err();
    assert!(problem.contains("AUTH_LOOPS_TRANSACTIONAL_ID"), "{problem}");
}

#[tokio::test]
async fn a_key_goes_over_https_or_stays_on_this_machine() {
    let (to, _, _, reach) = sent(HttpService::resend().endpoint("http://127.0.0.1:9/")).await;
    assert_eq!((to.as_str(), reach), ("POST http://127.0.0.1:9/emails", Reach::Loopback));
    let (_, _, _, reach) = sent(HttpService::resend().endpoint("https://api.eu.example")).await;
    assert_eq!(reach, Reach::Public);
    let fake = Arc::new(Fake { status: Some(200), seen: Mutex::default() });
    for endpoint in ["http://api.example", "ftp://localhost", "api.example", ""] {
        let setup = Setup { id: "resend", http: Arc::clone(&fake) as _, environment: &Environment::empty() };
        let problem = HttpService::resend().key("k").endpoint(endpoint).prepare(&setup).unwrap_err();
        assert!(problem.contains("is not https"), "{problem}");
    }
}

#[tokio::test]
async fn a_domain_that_would_change_the_path_is_refused() {
    let fake = Arc::new(Fake { status: Some(200), seen: Mutex::default() });
    let service = prepared(HttpService::mailgun().key("k"), &fake);
    for domain in ["a/../b", "a?b", "a#b", "a%2fb", "b\u{fc}cher.example"] {
        let from = format!("login@{domain}").parse().unwrap();
        let error = service.send(Message { from, ..message() }).await.unwrap_err();
        assert!(matches!(error, MailError::Message(_)), "{domain}");
    }
    assert_eq!(fake.seen.lock().unwrap().len(), 0);
}
