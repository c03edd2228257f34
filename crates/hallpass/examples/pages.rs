//! Writes the built-in pages as files, to look at them: `cargo run --example pages -- <folder>`.
//!
//! Beside each page stand its headers, as JSON. The browser tests in `e2e/pages` open what this writes.

use std::error::Error;
use std::fs;
use std::path::Path;

use hallpass::pages::{
    ColorScheme, ConfirmPage, ErrorPage, Field, Pages, SignInOption, SignInPage, SignOutPage, Theme,
    VerifyRequestPage, error_codes,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: pages <folder>")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    fs::write(folder.join("logo.svg"), LOGO)?;

    let plain = Writer { folder, prefix: "", pages: Pages::new(&Theme::new(), BRANDS)? };
    let usual = [provider("github", "GitHub"), provider("google", "Google"), name_and_password()];
    let many = [providers(), vec![name_and_password(), magic_link()]].concat();
    let long = [long_name(), provider("x", "<script>alert(1)</script>")];
    plain.sign_in("sign-in", &usual, |_| {})?;
    plain.sign_in("sign-in-with-error", &usual, |page| page.error = Some("CredentialsSignin"))?;
    plain.sign_in("sign-in-with-unknown-error", &usual, |page| page.error = Some("<b>made up</b>"))?;
    plain.sign_in("sign-in-many", &many, |_| {})?;
    plain.sign_in("sign-in-one-provider", &[provider("google", "Google")], |_| {})?;
    plain.sign_in("sign-in-email", &[magic_link()], |page| page.email = "someone@example.com")?;
    plain.sign_in("sign-in-credentials", &[name_and_password()], |_| {})?;
    plain.sign_in("sign-in-same-fields-twice", &[name_and_password(), directory()], |_| {})?;
    plain.sign_in("sign-in-long-names", &long, |_| {})?;
    plain.sign_in("sign-in-nothing", &[], |_| {})?;
    plain.rest()?;
    for code in error_codes() {
        plain.error(&format!("error-{code}"), Some(code))?;
    }

    let theme = Theme::new().title("Acme Rockets").logo("/logo.svg").brand_color("#5b3df5");
    let themed = Writer { folder, prefix: "themed-", pages: Pages::new(&theme, BRANDS)? };
    let two_and_mail = [provider("github", "GitHub"), provider("google", "Google"), magic_link()];
    themed.sign_in("sign-in", &two_and_mail, |_| {})?;
    themed.rest()?;

    let theme = Theme::new().title("Sunny").brand_color("#ffd60a").color_scheme(ColorScheme::Light);
    let yellow = Writer { folder, prefix: "yellow-", pages: Pages::new(&theme, BRANDS)? };
    yellow.sign_in("sign-in", &many, |_| {})?;
    let theme = Theme::new().title("Midnight").brand_color("#0b1533").color_scheme(ColorScheme::Dark);
    let navy = Writer { folder, prefix: "navy-", pages: Pages::new(&theme, BRANDS)? };
    navy.sign_in("sign-in", &many, |_| {})?;
    Ok(())
}

struct Writer<'a> {
    folder: &'a Path,
    prefix: &'static str,
    pages: Pages,
}

impl Writer<'_> {
    fn sign_in(
        &self,
        name: &str,
        options: &[SignInOption],
        change: impl FnOnce(&mut SignInPage<'_>),
    ) -> Result<(), Box<dyn Error>> {
        let mut page = SignInPage::default();
        page.csrf_token = Some(CSRF_TOKEN);
        page.callback_url = "/dashboard?tab=1";
        page.options = options;
        change(&mut page);
        self.write(name, &self.pages.sign_in(&page)?)
    }

    fn rest(&self) -> Result<(), Box<dyn Error>> {
        let mut page = SignOutPage::default();
        page.csrf_token = Some(CSRF_TOKEN);
        page.action = "/signout";
        self.write("sign-out", &self.pages.sign_out(&page)?)?;

        let mut page = VerifyRequestPage::default();
        page.site = "acme.example";
        page.back_url = "/sign-in.html";
        self.write("verify-request", &self.pages.verify_request(&page)?)?;

        let mut page = ConfirmPage::default();
        page.csrf_token = Some(CSRF_TOKEN);
        page.action = "/callback/email";
        page.email = "ada@example.com";
        page.token = CSRF_TOKEN;
        page.callback_url = "/dashboard?tab=1";
        self.write("confirm", &self.pages.confirm(&page)?)?;
        page.email = "somebody.with.a.very.long.name@mail.verwaltungsgemeinschaft.example";
        self.write("confirm-long-address", &self.pages.confirm(&page)?)?;

        self.error("error", None)?;
        self.error("error-AccessDenied", Some("AccessDenied"))
    }

    fn error(&self, name: &str, code: Option<&str>) -> Result<(), Box<dyn Error>> {
        let mut page = ErrorPage::default();
        page.code = code;
        page.sign_in_url = "/sign-in.html";
        self.write(name, &self.pages.error(&page)?)
    }

    fn write(&self, name: &str, html: &str) -> Result<(), Box<dyn Error>> {
        let headers = self
            .pages
            .headers()
            .into_iter()
            .map(|(name, value)| Ok((name.to_string(), value.to_str()?.to_owned())))
            .collect::<Result<std::collections::BTreeMap<_, _>, Box<dyn Error>>>()?;
        let file = format!("{}{name}.html", self.prefix);
        fs::write(self.folder.join(format!("{file}.json")), serde_json::to_string_pretty(&headers)?)?;
        fs::write(self.folder.join(file), html)?;
        Ok(())
    }
}

fn provider(id: &str, name: &str) -> SignInOption {
    SignInOption::redirect(id, name, format!("/signin/{id}"))
}

fn providers() -> Vec<SignInOption> {
    PROVIDERS.iter().map(|&(id, name)| provider(id, name)).collect()
}

fn magic_link() -> SignInOption {
    SignInOption::email("email", "Email", "/signin/email")
}

fn name_and_password() -> SignInOption {
    let fields = vec![
        Field::new("username").label("Username"),
        Field::new("password").label("Password").kind("password"),
    ];
    SignInOption::credentials("credentials", "Credentials", "/callback/credentials", fields)
}

fn directory() -> SignInOption {
    let fields = vec![
        Field::new("username").label("Staff number").placeholder("A-12345"),
        Field::new("password").label("Password").kind("password"),
        Field::new("code").label("One-time code"),
    ];
    SignInOption::credentials("ldap", "the staff directory", "/callback/ldap", fields)
}

fn long_name() -> SignInOption {
    provider("long", "Verwaltungsgemeinschaftsanmeldedienstleister of the Federated Universities")
}

const CSRF_TOKEN: &str = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

const PROVIDERS: &[(&str, &str)] = &[
    ("github", "GitHub"),
    ("google", "Google"),
    ("apple", "Apple"),
    ("microsoft-entra-id", "Microsoft"),
    ("gitlab", "GitLab"),
    ("discord", "Discord"),
    ("facebook", "Facebook"),
    ("linkedin", "LinkedIn"),
    ("twitter", "X"),
    ("twitch", "Twitch"),
    ("keycloak", "Keycloak"),
    ("auth0", "Auth0"),
    ("okta", "Okta"),
    ("zitadel", "Zitadel"),
    ("acme", "Acme Staff"),
];

const BRANDS: &[(&str, &str)] = &[
    ("github", "#24292f"),
    ("apple", "#000"),
    ("gitlab", "#fc6d26"),
    ("discord", "#5865f2"),
    ("facebook", "#1877f2"),
    ("linkedin", "#0a66c2"),
    ("twitter", "#0f1419"),
    ("twitch", "#9146ff"),
    ("keycloak", "#428bca"),
    ("auth0", "#eb5424"),
    ("okta", "#007dc1"),
    ("zitadel", "#5469d4"),
    ("acme", "#ffd60a"),
];

const LOGO: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="12" fill="#5b3df5"/><path d="M24 9c6 4 8 10 8 16l3 5v6l-6-3H19l-6 3v-6l3-5c0-6 2-12 8-16z" fill="#fff"/><circle cx="24" cy="22" r="3.5" fill="#5b3df5"/></svg>
"##;
