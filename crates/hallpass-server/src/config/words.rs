//! What the library says of its builder, in the words of the file.

/// The provider that a message is about, if it is about one, and the message.
pub(crate) fn of_the_file(message: &str) -> (Option<&str>, String) {
    let (provider, rest) = about(message).unzip();
    let mut text = rest.unwrap_or(message).to_owned();
    for (theirs, ours) in WORDS {
        text = text.replace(theirs, ours);
    }
    (provider, without_calls(&text))
}

/// `provider "github": …`
fn about(message: &str) -> Option<(&str, &str)> {
    message.strip_prefix("provider \"")?.split_once("\": ")
}

/// `.issuer(…)` is the key `issuer`, and `.with("domain", …)` the key `domain`.
fn without_calls(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, method, argument, after)) = next_call(rest) {
        words.push_str(before);
        let key = match method {
            "with" => argument.split('"').nth(1).unwrap_or(method),
            "authorization" => "authorization_endpoint",
            "token" => "token_endpoint",
            "userinfo" => "userinfo_endpoint",
            "authorization_param" => "params",
            "named" => "name",
            _ => method,
        };
        words.extend(["`", key, "`"]);
        rest = after;
    }
    words + rest
}

/// The text before a call of a method, the method, what stands in its brackets, and the text behind it.
fn next_call(text: &str) -> Option<(&str, &str, &str, &str)> {
    let mut from = 0;
    loop {
        let dot = from + text.get(from..)?.find('.')?;
        let after_dot = text.get(dot + 1..)?;
        let length = after_dot.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(after_dot.len());
        let (method, rest) = after_dot.split_at(length);
        if let (false, Some(rest)) = (method.is_empty(), rest.strip_prefix('('))
            && let Some((argument, after)) = rest.split_once(')')
        {
            return Some((text.get(..dot)?, method, argument, after));
        }
        from = dot + 1;
    }
}

/// Longer ones first, where one begins like another.
const WORDS: &[(&str, &str)] = &[
    ("call .client(id, secret) or set", "set `id` and `secret`, or"),
    ("call .client(id, secret)", "set `id` and `secret`"),
    ("call .public_client(id)", "say `client_auth = \"none\"`"),
    ("PrivateKey::new(…)", "`private_key`"),
    ("call .issuer(…) or set", "set `issuer`, or"),
    ("call .", "set ."),
    ("`session_max_age`", "`session.max_age`"),
    ("`jwt_update_age`", "`session.update_age`"),
    ("`session_update_age`", "`session.update_age`"),
    ("`session_absolute_max_age`", "`session.absolute_max_age`"),
    ("`pages().", "`pages."),
    ("`mail_template`", "`theme.templates`"),
    ("call `from`", "set `email.from`"),
    ("`from` (EMAIL_FROM)", "`email.from` (EMAIL_FROM)"),
    ("call `key`", "set `email.key`"),
    ("call `template`", "set `email.template`"),
    ("call `url`", "set `email.smtp_url`"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_become_keys() {
        for (theirs, provider, ours) in [
            (
                "provider \"github\": no client id: call .client(id, secret) or set AUTH_GITHUB_ID",
                Some("github"),
                "no client id: set `id` and `secret`, or AUTH_GITHUB_ID",
            ),
            (
                "provider \"acme\": the address in .issuer(…) is not https: mend it there",
                Some("acme"),
                "the address in `issuer` is not https: mend it there",
            ),
            (
                "provider \"auth0\": the placeholder {domain} has no value: call .with(\"domain\", …)",
                Some("auth0"),
                "the placeholder {domain} has no value: set `domain`",
            ),
            ("`session_max_age` must be between", None, "`session.max_age` must be between"),
            (
                "`url` (AUTH_URL) is not an address: \"a.b(\"",
                None,
                "`url` (AUTH_URL) is not an address: \"a.b(\"",
            ),
        ] {
            assert_eq!(of_the_file(theirs), (provider, ours.to_owned()));
        }
    }
}
