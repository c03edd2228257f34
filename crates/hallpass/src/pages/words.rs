//! What the error codes mean, in plain words.

use serde::Serialize;

/// What a visitor is told about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Words {
    /// The code, `None` in the words for unknown codes.
    pub(super) code: Option<&'static str>,
    /// Heading of the error page.
    pub(super) heading: &'static str,
    /// What happened and what to do; also the message on the sign-in page.
    pub(super) message: &'static str,
    /// On the link to the sign-in page.
    pub(super) action: &'static str,
}

/// The words for a code; general ones for a code that nobody knows. Upper and lower case do not matter, as on
/// the error page of next-auth 4.
pub(super) fn words(code: &str) -> &'static Words {
    WORDS
        .iter()
        .find(|words| words.code.is_some_and(|known| known.eq_ignore_ascii_case(code)))
        .unwrap_or(&GENERAL)
}

/// The error codes with words of their own: those of both dialects of Auth.js, on either page.
pub fn error_codes() -> impl Iterator<Item = &'static str> {
    WORDS.iter().filter_map(|words| words.code)
}

const TRY_AGAIN: &str = "Try again";

const GENERAL: Words = Words {
    code: None,
    heading: "Signing in did not work",
    message: "Something went wrong on the way. Please try again.",
    action: TRY_AGAIN,
};

const WORDS: &[Words] = &[
    Words {
        code: Some("AccessDenied"),
        heading: "Access denied",
        message: "This account may not sign in here. If you have another one, try that.",
        action: "Sign in with another account",
    },
    Words {
        code: Some("AccountNotLinked"),
        heading: "This belongs to another account",
        message: "What you signed in with already belongs to another account here. \
                  Sign in to that one instead.",
        action: "Sign in again",
    },
    Words {
        code: Some("Callback"),
        heading: "Signing in was not finished",
        message: "The provider did not let you through, or you cancelled. Try again, or choose another way \
                  to sign in.",
        action: TRY_AGAIN,
    },
    Words {
        code: Some("Configuration"),
        heading: "Something is wrong on our side",
        message: "This is not your fault: signing in does not work at the moment. Please try again later.",
        action: TRY_AGAIN,
    },
    Words {
        code: Some("CredentialsSignin"),
        heading: "These details do not match",
        message: "The details you entered do not match an account. Check them and try again.",
        action: TRY_AGAIN,
    },
    Words {
        code: Some("EmailCreateAccount"),
        heading: "No account was created",
        message: "We could not create an account with this email address. Try again, or choose another way \
                  to sign in.",
        action: TRY_AGAIN,
    },
    Words {
        code: Some("EmailSignin"),
        heading: "The email was not sent",
        message: "We could not send the email. Check the address and try again.",
        action: TRY_AGAIN,
    },
    Words {
        code: Some("MissingCSRF"),
        heading: "This form has expired",
        message: "To keep you safe, this form could not be accepted: it was open for too long, or your \
                  browser blocks cookies. Please try again.",
        action: TRY_AGAIN,
    },
    Words {
        code: Some("OAuthAccountNotLinked"),
        heading: "You signed in another way before",
        message: "There already is an account with your email address. Sign in the way you did the first \
                  time.",
        action: "Choose another way",
    },
    Words {
        code: Some("OAuthCallback"),
        heading: "The provider’s answer did not fit",
        message: "We could not make sense of the provider’s answer. Start again from here.",
        action: TRY_AGAIN,
    },
    Words {
        code: Some("OAuthCallbackError"),
        heading: "The provider said no",
        message: "The provider did not confirm who you are, or you cancelled. Try again, or use a different \
                  account.",
        action: TRY_AGAIN,
    },
    Words {
        code: Some("OAuthCreateAccount"),
        heading: "No account was created",
        message: "We could not create an account from what the provider told us. Try again, or choose \
                  another way to sign in.",
        action: TRY_AGAIN,
    },
    Words {
        code: Some("OAuthSignin"),
        heading: "The provider cannot be reached",
        message: "We could not reach the provider. Try again in a moment, or choose another way to sign in.",
        action: TRY_AGAIN,
    },
    Words {
        code: Some("SessionRequired"),
        heading: "Please sign in",
        message: "Please sign in to see that page.",
        action: "Sign in",
    },
    Words {
        code: Some("Signin"),
        heading: "Signing in did not start",
        message: "We could not start signing you in. Try again, or use a different account.",
        action: TRY_AGAIN,
    },
    Words {
        code: Some("TooManyRequests"),
        heading: "Too many tries",
        message: "There were too many tries in a short time. Please wait a while before the next one.",
        action: TRY_AGAIN,
    },
    Words {
        code: Some("Verification"),
        heading: "This link no longer works",
        message: "It has expired or was used already. Ask for a new one and open it soon after it arrives.",
        action: "Get a new link",
    },
    Words {
        code: Some("WebAuthnVerificationError"),
        heading: "The passkey was not accepted",
        message: "We could not verify your passkey. Try again, or choose another way to sign in.",
        action: TRY_AGAIN,
    },
];

#[cfg(test)]
mod tests;
