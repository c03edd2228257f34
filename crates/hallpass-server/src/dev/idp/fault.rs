//! What may go wrong on purpose.

use hallpass::providers::{Endpoints, ProfileSource, Spec};
use serde::Serialize;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Denied,
    Unverified,
    RotatedKey,
    UnpublishedKey,
    WrongNonce,
    SlowToken,
    TokenDown,
    UserInfoDown,
}

/// A button.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Button {
    /// What the form sends.
    pub(super) value: &'static str,
    pub(super) label: &'static str,
    /// What happens then.
    pub(super) words: &'static str,
    #[serde(skip)]
    pub(super) fault: Fault,
    #[serde(skip)]
    when: When,
}

/// Where it makes a difference.
#[derive(Clone, Copy, Debug)]
enum When {
    Always,
    /// There is an ID token.
    IdToken,
    /// The profile comes from userinfo.
    UserInfo,
}

/// Those that make a difference with this provider.
pub(super) fn buttons(spec: &Spec) -> impl Iterator<Item = &'static Button> {
    let has_id_token = matches!(spec.endpoints, Endpoints::Discovery { .. });
    let asks_userinfo = !has_id_token || spec.profile_source == ProfileSource::UserInfo;
    BUTTONS.iter().filter(move |button| match button.when {
        When::Always => true,
        When::IdToken => has_id_token,
        When::UserInfo => asks_userinfo,
    })
}

const BUTTONS: [Button; 8] = [
    Button {
        value: "denied",
        label: "Deny",
        words: "The person presses Cancel: access_denied comes back, and no code.",
        fault: Fault::Denied,
        when: When::Always,
    },
    Button {
        value: "unverified",
        label: "Unverified e-mail",
        words: "The provider has not checked the address, so nothing may be linked by it.",
        fault: Fault::Unverified,
        when: When::Always,
    },
    Button {
        value: "rotated-key",
        label: "Rotated key",
        words: "A new key signs, and the key set has it: it is fetched again, and all is well.",
        fault: Fault::RotatedKey,
        when: When::IdToken,
    },
    Button {
        value: "unknown-key",
        label: "Unknown key",
        words: "A key signs that is not in the key set: the ID token is refused.",
        fault: Fault::UnpublishedKey,
        when: When::IdToken,
    },
    Button {
        value: "wrong-nonce",
        label: "Wrong nonce",
        words: "The ID token belongs to another sign-in, and is refused.",
        fault: Fault::WrongNonce,
        when: When::IdToken,
    },
    Button {
        value: "slow-token",
        label: "Slow tokens",
        words: "The token endpoint takes 8 seconds. Hallpass waits for 5.",
        fault: Fault::SlowToken,
        when: When::Always,
    },
    Button {
        value: "token-down",
        label: "No tokens",
        words: "The token endpoint answers 503.",
        fault: Fault::TokenDown,
        when: When::Always,
    },
    Button {
        value: "userinfo-down",
        label: "No profile",
        words: "The userinfo endpoint answers 500.",
        fault: Fault::UserInfoDown,
        when: When::UserInfo,
    },
];
