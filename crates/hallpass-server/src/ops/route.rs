//! What a request is for, in a few words: paths are as many as strangers like.

/// The route of a path: one of a bounded set, in the words of docs/server.md.
pub(crate) fn of(path: &str, base_path: &str) -> &'static str {
    match path {
        "/" => return "/",
        "/healthz" => return "/healthz",
        "/readyz" => return "/readyz",
        "/favicon.ico" | "/hallpass.css" | "/hallpass.svg" => return "assets",
        _ if path.starts_with("/dev/") => return "dev",
        _ => {}
    }
    let Some(rest) = path.strip_prefix(base_path).and_then(|rest| rest.strip_prefix('/')) else {
        return OTHER;
    };
    let (action, provider) = rest.split_once('/').map_or((rest, ""), |(action, rest)| (action, rest));
    let known = ROUTES.iter().find(|(name, takes_provider, _)| {
        *name == action && *takes_provider != provider.is_empty() && !provider.contains('/')
    });
    known.map_or(OTHER, |(_, _, route)| route)
}

/// The provider that a path names: what a stranger wrote.
pub(super) fn provider<'p>(path: &'p str, base_path: &str) -> Option<&'p str> {
    let takes_provider = ["/signin/:provider", "/callback/:provider"].contains(&of(path, base_path));
    path.rsplit('/').next().filter(|_| takes_provider)
}

/// The word after the base path, whether a provider follows, and the route.
const ROUTES: [(&str, bool, &str); 13] = [
    ("session", false, "/session"),
    ("csrf", false, "/csrf"),
    ("providers", false, "/providers"),
    ("signin", false, "/signin"),
    ("signin", true, "/signin/:provider"),
    ("callback", true, "/callback/:provider"),
    ("signout", false, "/signout"),
    ("error", false, "/error"),
    ("verify-request", false, "/verify-request"),
    ("verify", false, "/verify"),
    ("webauthn-options", true, "/webauthn-options/:provider"),
    ("webauthn-options", false, "/webauthn-options"),
    ("_log", false, "/_log"),
];

const OTHER: &str = "other";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_one_of_a_few_routes() {
        for (path, route) in [
            ("/auth/session", "/session"),
            ("/auth/signin", "/signin"),
            ("/auth/signin/github", "/signin/:provider"),
            ("/auth/callback/anything", "/callback/:provider"),
            ("/auth/callback/a/b", OTHER),
            ("/auth/callback", OTHER),
            ("/auth/session/", "/session"),
            ("/auth/session/5", OTHER),
            ("/auth", OTHER),
            ("/authsession", OTHER),
            ("/session", OTHER),
            ("/", "/"),
            ("/readyz", "/readyz"),
            ("/hallpass.css", "assets"),
            ("/dev/inbox", "dev"),
            ("/wp-login.php", OTHER),
            ("*", OTHER),
        ] {
            assert_eq!(of(path, "/auth"), route, "{path}");
        }
        assert_eq!(provider("/auth/callback/github", "/auth"), Some("github"));
        assert_eq!(provider("/auth/session", "/auth"), None);
    }
}
