//! The `sign_in` callback is asked.

use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::hooks::{self, Decision, SignIn};
use crate::redirect;

/// Where to send the browser instead, or nothing when the sign-in goes on.
///
/// # Errors
/// [`ErrorKind::AccessDenied`] when the callback refuses or fails; one of Hallpass' own errors as it is.
pub(super) async fn ask(config: &Config, event: SignIn, origin: &str) -> Result<Option<String>, Error> {
    let Some(hook) = &config.hooks.sign_in else { return Ok(None) };
    let answer = hooks::call(config.callback_timeout, hook, event).await?;
    match answer.map_err(|error| {
        Error::from_callback(error, ErrorKind::AccessDenied, "the sign_in callback failed")
    })? {
        Decision::Allow => Ok(None),
        Decision::Deny => Err(Error::new(ErrorKind::AccessDenied, "the sign_in callback refused")),
        Decision::Redirect(to) => redirect::judge(config, &to, origin).await.map(Some),
    }
}
