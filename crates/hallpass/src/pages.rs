//! The built-in pages: sign-in, sign-out, error, verify-request and confirm.
//!
//! They need no JavaScript, load nothing from anywhere but the logo, and carry their one stylesheet inside;
//! [`Pages::headers`] allows that stylesheet by its hash and nothing else. Their looks come from a [`Theme`];
//! whoever wants more replaces a template ([`Builder::template`](crate::Builder::template)) or adds style
//! ([`Builder::style`](crate::Builder::style)).
//!
//! ```
//! use hallpass::pages::{Pages, SignInOption, SignInPage, Theme};
//!
//! let theme = Theme::new().title("Acme").brand_color("#5b3df5");
//! let pages = Pages::new(&theme, &[("github", "#24292f")])?;
//! let options = [SignInOption::redirect("github", "GitHub", "/auth/signin/github")];
//! let mut page = SignInPage::default();
//! page.csrf_token = Some("c0ffee");
//! page.options = &options;
//! let html = pages.sign_in(&page)?;
//! assert!(html.contains("Sign in with GitHub"));
//! # Ok::<(), hallpass::pages::PageError>(())
//! ```

use http::{HeaderName, HeaderValue, header};
use minijinja::value::Serde;
use minijinja::{Value, context};

mod color;
mod group;
mod logos;
mod option;
mod style;
mod template;
mod theme;
mod words;

pub use option::{Field, SignInOption};
pub use template::TemplateName;
pub use theme::{ColorScheme, Theme};
pub use words::error_codes;

use group::groups;
use style::Stylesheet;
pub(crate) use template::write_escaped;

use template::Templates;
use theme::filled;
use words::words;

/// The pages of one application: templates compiled once, stylesheet and its hash made once.
///
/// An application does not make them: [`Builder::theme`](crate::Builder::theme),
/// [`Builder::style`](crate::Builder::style) and [`Builder::template`](crate::Builder::template) say how those of its
/// [`Auth`](crate::Auth) look. This is for whoever shows them without one.
#[derive(Clone, Debug)]
pub struct Pages {
    theme: Theme,
    style: Stylesheet,
    policy: HeaderValue,
    templates: Templates,
}

impl Pages {
    /// The pages in the looks of `theme`. `brands` are the ids of the providers with the colours of their
    /// logos, `#rgb` or `#rrggbb`; a provider without one gets the colour of the text.
    ///
    /// # Errors
    /// [`PageError::Theme`] when a colour is not one, or the logo is not an http, https or relative address;
    /// [`PageError::Brand`] when the colour of a provider is not one.
    pub fn new(theme: &Theme, brands: &[(&str, &str)]) -> Result<Self, PageError> {
        let colors = theme.check()?;
        let style = Stylesheet::new(theme.color_scheme, &colors, brands)?;
        let policy = content_security_policy(&style, theme)?;
        Ok(Self { theme: theme.clone(), style, policy, templates: Templates::built_in()? })
    }

    /// Replaces one template by another of the same name, in the language of Jinja. What a template is given
    /// is written in `docs/pages.md`.
    ///
    /// # Errors
    /// [`PageError::Template`] when it does not compile, or asks for something that pages do not have: every
    /// page is made once with sample data.
    pub fn with_template(mut self, name: TemplateName, source: impl Into<String>) -> Result<Self, PageError> {
        self.templates.replace(name, source.into())?;
        self.try_all()?;
        Ok(self)
    }

    /// Adds rules behind the built-in stylesheet, which is made of custom properties:
    /// `:root { --radius: 0 }`.
    ///
    /// # Errors
    /// [`PageError::Style`] when the text would end the `<style>` element.
    pub fn with_style(mut self, css: &str) -> Result<Self, PageError> {
        self.style.add(css)?;
        self.policy = content_security_policy(&self.style, &self.theme)?;
        Ok(self)
    }

    /// The header `Content-Security-Policy` of the pages: the stylesheet by its hash, images, nothing else,
    /// and no framing.
    ///
    /// There is no `form-action`: browsers apply it to redirects too, and a form here ends at a provider.
    pub fn content_security_policy(&self) -> &str {
        self.policy.to_str().unwrap_or_default()
    }

    /// What a page needs for its headers, besides `Cache-Control: no-store`: content type, content security
    /// policy, no framing (also for browsers that do not know the policy), no guessing of types, no referrer to
    /// other sites, and a window of its own.
    ///
    /// The referrer policy is `same-origin`, not `no-referrer`: with the latter browsers send `Origin: null`
    /// with the forms, and the origin could not be checked.
    pub fn headers(&self) -> [(HeaderName, HeaderValue); 6] {
        [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CONTENT_SECURITY_POLICY, self.policy.clone()),
            (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
            (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        ]
    }

    /// The sign-in page: a button or a form for each option, in their order.
    ///
    /// # Errors
    /// [`PageError::Template`] when a replaced template fails on this data.
    pub fn sign_in(&self, page: &SignInPage<'_>) -> Result<String, PageError> {
        let heading = match filled(&self.theme.title) {
            Some(title) => format!("Sign in to {title}"),
            None => "Sign in".to_owned(),
        };
        let data = context! {
            heading => &heading,
            csrf_token => page.csrf_token,
            callback_url => page.callback_url,
            email => page.email,
            error => Serde(page.error.filter(|code| !code.is_empty()).map(words)),
            groups => Serde(groups(page.options)),
        };
        self.render(TemplateName::SignIn, &heading, data)
    }

    /// The sign-out page: one form with one button.
    ///
    /// # Errors
    /// [`PageError::Template`] when a replaced template fails on this data.
    pub fn sign_out(&self, page: &SignOutPage<'_>) -> Result<String, PageError> {
        let heading = match filled(&self.theme.title) {
            Some(title) => format!("Sign out of {title}?"),
            None => "Sign out?".to_owned(),
        };
        let data = context! { heading => &heading, csrf_token => page.csrf_token, action => page.action };
        self.render(TemplateName::SignOut, &heading, data)
    }

    /// The error page: what happened in plain words, and what to do.
    ///
    /// # Errors
    /// [`PageError::Template`] when a replaced template fails on this data.
    pub fn error(&self, page: &ErrorPage<'_>) -> Result<String, PageError> {
        let words = words(page.code.unwrap_or_default());
        let data =
            context! { heading => words.heading, error => Serde(words), sign_in_url => page.sign_in_url };
        self.render(TemplateName::Error, &self.title(words.heading), data)
    }

    /// The page after a magic link was sent.
    ///
    /// # Errors
    /// [`PageError::Template`] when a replaced template fails on this data.
    pub fn verify_request(&self, page: &VerifyRequestPage<'_>) -> Result<String, PageError> {
        let heading = "Check your email";
        let data = context! { heading, site => page.site, back_url => page.back_url };
        self.render(TemplateName::VerifyRequest, &self.title(heading), data)
    }

    /// The page that a magic link opens: one form with one button. Nothing is used up before that is pressed.
    ///
    /// # Errors
    /// [`PageError::Template`] when a replaced template fails on this data.
    pub fn confirm(&self, page: &ConfirmPage<'_>) -> Result<String, PageError> {
        let heading = match filled(&self.theme.title) {
            Some(title) => format!("Sign in to {title}?"),
            None => "Sign in?".to_owned(),
        };
        let data = context! {
            heading => &heading,
            csrf_token => page.csrf_token,
            action => page.action,
            email => page.email,
            token => page.token,
            callback_url => page.callback_url,
        };
        self.render(TemplateName::Confirm, &heading, data)
    }

    fn render(&self, name: TemplateName, title: &str, data: Value) -> Result<String, PageError> {
        let theme = context! {
            title => filled(&self.theme.title),
            logo => filled(&self.theme.logo),
            color_scheme => self.theme.color_scheme.as_str(),
        };
        let content = self.templates.fill(name, context! { theme => theme.clone(), ..data })?;
        let layout = context! {
            page => name.as_str(),
            title,
            theme,
            color_schemes => self.theme.color_scheme.supported(),
            style => Value::from_safe_string(self.style.css().to_owned()),
            content => Value::from_safe_string(content),
        };
        self.templates.fill(TemplateName::Layout, layout)
    }

    fn title(&self, heading: &str) -> String {
        filled(&self.theme.title).map_or_else(|| heading.to_owned(), |title| format!("{heading} · {title}"))
    }

    fn try_all(&self) -> Result<(), PageError> {
        let options = [
            SignInOption::redirect("sample", "Sample", "/signin/sample"),
            SignInOption::credentials(
                "credentials",
                "Credentials",
                "/callback/credentials",
                vec![Field::new("name")],
            ),
            SignInOption::email("email", "Email", "/signin/email"),
        ];
        let shown = SignInPage {
            csrf_token: Some("sample"),
            error: Some("Callback"),
            callback_url: "/sample",
            email: "someone@example.com",
            options: &options,
        };
        self.sign_in(&shown)?;
        self.sign_in(&SignInPage::default())?;
        self.sign_out(&SignOutPage { csrf_token: Some("sample"), action: "/signout" })?;
        self.sign_out(&SignOutPage::default())?;
        self.error(&ErrorPage { code: Some("AccessDenied"), sign_in_url: "/signin" })?;
        self.error(&ErrorPage::default())?;
        self.verify_request(&VerifyRequestPage { site: "example.com", back_url: "https://example.com" })?;
        self.confirm(&ConfirmPage {
            csrf_token: Some("sample"),
            action: "/callback/email",
            email: "someone@example.com",
            token: "sample",
            callback_url: "/sample",
        })?;
        self.confirm(&ConfirmPage::default())?;
        Ok(())
    }
}

/// What the sign-in page shows.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SignInPage<'a> {
    /// Hidden in every form; `None` when the CSRF check is switched off.
    pub csrf_token: Option<&'a str>,
    /// Error code from the query: any text. `None` and the empty text show no message.
    pub error: Option<&'a str>,
    /// Where to go afterwards, hidden in the forms of [`SignInOption::Redirect`]; left out when empty.
    pub callback_url: &'a str,
    /// Fills the form of [`SignInOption::Email`].
    pub email: &'a str,
    /// The ways to sign in, in the order shown.
    pub options: &'a [SignInOption],
}

/// What the sign-out page shows.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SignOutPage<'a> {
    /// Hidden in the form; `None` when the CSRF check is switched off.
    pub csrf_token: Option<&'a str>,
    /// Where the form goes.
    pub action: &'a str,
}

/// What the error page shows.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ErrorPage<'a> {
    /// Error code from the query: any text. One that is not in [`error_codes`] is never shown, since whoever
    /// made the link chose it; the page then speaks in general.
    pub code: Option<&'a str>,
    /// Address of the sign-in page; no link when empty.
    pub sign_in_url: &'a str,
}

/// What the verify-request page shows.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct VerifyRequestPage<'a> {
    /// Name of the site on the link back: its host.
    pub site: &'a str,
    /// Where that link goes; no link when empty.
    pub back_url: &'a str,
}

/// What the page shows that a magic link opens.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ConfirmPage<'a> {
    /// Hidden in the form; `None` when the CSRF check is switched off.
    pub csrf_token: Option<&'a str>,
    /// Where the form goes: `/callback/<id>`.
    pub action: &'a str,
    /// Whom the link is for.
    pub email: &'a str,
    /// The token of the link, hidden in the form.
    pub token: &'a str,
    /// Where to go afterwards, hidden in the form.
    pub callback_url: &'a str,
}

/// Why there are no pages.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// A field of the theme cannot be used.
    #[error("theme: {field} {problem}")]
    Theme {
        /// Name of the field in [`Theme`].
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The colour of a provider is not `#rgb` or `#rrggbb`.
    #[error("brand colour of provider {provider} is not #rgb or #rrggbb")]
    Brand {
        /// Id of the provider.
        provider: String,
    },
    /// Added style would end the `<style>` element.
    #[error("added style contains </")]
    Style,
    /// A template does not compile or asks for what pages do not have.
    #[error("template {name}: {source}")]
    Template {
        /// Which one.
        name: TemplateName,
        /// In which line, where that is known.
        line: Option<usize>,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn content_security_policy(style: &Stylesheet, theme: &Theme) -> Result<HeaderValue, PageError> {
    let logo = theme.logo_origin().map(|origin| format!(" {origin}")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; img-src 'self' data: https:{logo}; base-uri 'none'; \
         frame-ancestors 'none'",
        style.hash()
    );
    HeaderValue::from_str(&policy)
        .map_err(|_| PageError::Theme { field: "logo", problem: "has a host that no header can name" })
}

#[cfg(test)]
mod tests;
