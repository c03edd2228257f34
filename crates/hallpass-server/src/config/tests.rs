use std::collections::HashMap;

use super::*;

const SECRET: &str = "secret = \"a secret of at least 32 characters\"\n";
const GITHUB: [(&str, &str); 2] = [("AUTH_GITHUB_ID", "id"), ("AUTH_GITHUB_SECRET", "secret")];

/// What the file says, with these variables.
fn load(source: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    load_with(&Serve::default(), source, variables)
}

fn load_with(flags: &Serve, source: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let variables: HashMap<_, _> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let path = PathBuf::from("hallpass.toml");
    let document = Document::new(&path, source);
    let mut problems = Vec::new();
    let config = Config::read(flags, variables.into(), Some(path), &document, &mut problems);
    let mut all = document.into_problems();
    all.append(&mut problems);
    if all.is_empty() {
        return Ok(config);
    }
    let told = Problems::new(all).to_string();
    Err(told.split("\n  - ").skip(1).map(str::to_owned).collect())
}

/// Everything that is wrong with a file that is right but for this.
fn problems(source: &str) -> Vec<String> {
    load(&format!("{SECRET}{source}"), &GITHUB).err().unwrap_or_default()
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_name() {
    assert_eq!(
        problems("lisden = \"127.0.0.1:3000\"\n[zession]\n[session]\n  max_aeg = 5"),
        [
            "hallpass.toml, line 2, column 1: unknown key `lisden`: did you mean `listen`?",
            "hallpass.toml, line 3, column 2: unknown key `zession`: did you mean `session`?",
            "hallpass.toml, line 5, column 3: unknown key `max_aeg` in [session]: did you mean `max_age`?",
        ]
    );
}

#[test]
fn an_unknown_key_that_is_like_nothing_gets_the_list() {
    let [problem] = problems("[pages]\nxyzzy = 1").try_into().unwrap();
    assert_eq!(
        problem,
        "hallpass.toml, line 3, column 1: unknown key `xyzzy` in [pages]: known here: sign_in, sign_out, error, \
         verify_request, new_user"
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_its_place() {
    assert_eq!(
        problems(
            "trust_host = \"yes\"\nurl = 5\n[session]\nmax_age = \"a month\"\n[theme]\ncolor_scheme = \"blue\""
        ),
        [
            "hallpass.toml, line 2, column 14: `trust_host` must be true or false, without quotation marks; it is a text",
            "hallpass.toml, line 3, column 7: `url` must be a text in quotation marks; it is a number",
            "hallpass.toml, line 5, column 11: `session.max_age` must be a duration such as \"30d\", \"12h\", \"15m\" \
             or \"90s\", or seconds; it is a text",
            "hallpass.toml, line 7, column 16: `theme.color_scheme` must be one of \"auto\", \"light\", \"dark\"",
        ]
    );
}

#[test]
fn what_is_not_toml_is_refused_with_its_place() {
    let problems = problems("url = https://example.com");
    assert!(
        problems.iter().any(|problem| problem.starts_with("hallpass.toml, line 2, column ")),
        "{problems:?}"
    );
}

#[test]
fn every_mistake_is_told_at_once() {
    let source = "listen = \"everywhere\"\nsekret = \"s\"\nurl = \"example.com\"\n[session]\nmax_age = \"500d\"\n\
                  [theme]\nbrand_color = \"blue\"\n[providers.githbu]\n[providers.acme]\ntype = \"oidc\"\n";
    let problems = load(source, &[]).unwrap_err();
    let expected = [
        "`listen` must be an address and a port",
        "[providers.acme] needs `issuer`, or AUTH_ACME_ISSUER",
        "unknown key `sekret`: did you mean `secret`?",
        "no provider \"githbu\" is known: did you mean [providers.github]?",
        "there is no secret",
        "`url` (AUTH_URL) is not an http address",
        "`session.max_age` must be between one second and 400 days",
        "`theme`",
    ];
    for text in expected {
        assert_eq!(
            problems.iter().filter(|problem| problem.contains(text)).count(),
            1,
            "{text}: {problems:#?}"
        );
    }
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
}

#[test]
fn what_the_library_refuses_is_told_with_the_section_of_the_provider() {
    let source = "[providers.github]\nid = \"only an id\"\n[providers.auth0]\nid = \"a\"\nsecret = \"b\"\n\
                  [providers.acme]\ntype = \"oidc\"\nissuer = \"ftp://acme.example\"\nid = \"a\"\nsecret = \"b\"";
    let found = load(&format!("{SECRET}{source}"), &[]).unwrap_err();
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(
        found[0],
        "hallpass.toml, line 2, column 12: [providers.github]: no client secret: set `id` and `secret`, or \
         AUTH_GITHUB_SECRET, or say `client_auth = \"none\"`"
    );
    assert!(found[1].starts_with("hallpass.toml, line 4, column 12: [providers.auth0]: "), "{}", found[1]);
    assert!(found[1].contains("set `domain`"), "{}", found[1]);
    assert!(
        found[2].starts_with("hallpass.toml, line 7, column 12: [providers.acme]: the address in `issuer`")
    );
}

#[test]
fn two_variables_are_enough_for_a_provider_of_the_catalogue() {
    let config = load(SECRET, &GITHUB).unwrap();
    assert_eq!(config.provider_names().collect::<Vec<_>>(), ["GitHub"]);
}

#[test]
fn the_secret_of_a_provider_without_its_id_is_refused() {
    let problems = load(SECRET, &[("AUTH_GITHUB_SECRET", "secret")]).unwrap_err();
    assert_eq!(problems, ["AUTH_GITHUB_SECRET is set and AUTH_GITHUB_ID is not: set both"]);
}

#[test]
fn no_way_to_sign_in_is_refused() {
    let [problem] = load(SECRET, &[]).unwrap_err().try_into().unwrap();
    assert!(problem.starts_with("there is no way to sign in: add a provider"), "{problem}");
}

#[test]
fn a_short_secret_is_refused() {
    let [problem] = load("secret = \"short\"", &GITHUB).unwrap_err().try_into().unwrap();
    assert!(problem.starts_with("the secret has 5 characters, 32 are needed"), "{problem}");
    assert!(!problem.contains("short\""));
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let source = format!("{SECRET}listen = \"127.0.0.1:1\"\nurl = \"https://file.example\"");
    let listen = |flags: &Serve, variables: &[(&str, &str)]| {
        load_with(flags, &source, &[&GITHUB[..], variables].concat()).unwrap().listen.port()
    };
    let flags = Serve { listen: Some("127.0.0.1:3".to_owned()), ..Serve::default() };
    assert_eq!(listen(&Serve::default(), &[]), 1);
    assert_eq!(listen(&Serve::default(), &[("HALLPASS_LISTEN", "127.0.0.1:2")]), 2);
    assert_eq!(listen(&flags, &[("HALLPASS_LISTEN", "127.0.0.1:2")]), 3);
    let config = load(&source, &[&GITHUB[..], &[("AUTH_URL", "https://variable.example")]].concat()).unwrap();
    assert_eq!(config.url.as_deref(), Some("https://variable.example"));
}

#[test]
fn development_mode_is_refused_off_this_machine() {
    let flags = Serve { dev: true, ..Serve::default() };
    for source in [
        "listen = \"0.0.0.0:3000\"",
        "listen = \"192.0.2.1:3000\"",
        "url = \"https://app.example.com\"",
        "url = \"http://localhost.example.com\"",
    ] {
        let [problem] = load_with(&flags, source, &[]).unwrap_err().try_into().unwrap();
        assert!(problem.starts_with("development mode is for this machine only"), "{problem}");
    }
    for source in
        ["listen = \"[::1]:3000\"", "url = \"http://localhost:8080\"", "url = \"http://app.localhost\""]
    {
        assert!(load_with(&flags, source, &[]).unwrap().dev, "{source}");
    }
}

#[test]
fn development_mode_begins_without_a_file_and_a_secret_only() {
    let is_dev = |file: Option<&str>, variables: &[(&str, &str)]| {
        let variables: HashMap<_, _> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let document = Document::new(Path::new(""), "");
        Config::read(&Serve::default(), variables.into(), file.map(PathBuf::from), &document, &mut Vec::new())
            .dev
    };
    assert!(is_dev(None, &[]));
    assert!(!is_dev(Some("hallpass.toml"), &[]));
    for name in ["AUTH_SECRET", "AUTH_SECRET_1", "NEXTAUTH_SECRET"] {
        assert!(!is_dev(None, &[(name, "a secret of at least 32 characters")]), "{name}");
    }
}

#[test]
fn a_server_for_others_must_know_its_address() {
    let source = format!("{SECRET}listen = \"0.0.0.0:3000\"\n");
    let [problem] = load(&source, &GITHUB).unwrap_err().try_into().unwrap();
    assert!(problem.starts_with("nobody knows the public address of this server"), "{problem}");
    for more in ["url = \"https://app.example.com\"", "trust_host = true"] {
        assert!(load(&format!("{source}{more}"), &GITHUB).is_ok(), "{more}");
    }
    assert!(load(&source, &[&GITHUB[..], &[("AUTH_TRUST_HOST", "true")]].concat()).is_ok());
}

#[test]
fn proxies_are_networks_and_the_environment_wins() {
    let [problem] = problems("trusted_proxies = [\"10.0.0.0/8\", \"proxy\"]").try_into().unwrap();
    assert!(problem.contains("line 2, column 1: `trusted_proxies` holds \"proxy\""), "{problem}");
    let source = format!("{SECRET}trusted_proxies = [\"10.0.0.0/8\"]");
    let named = [&GITHUB[..], &[("HALLPASS_TRUSTED_PROXIES", "192.0.2.1, ::1")]].concat();
    let config = load(&source, &named).unwrap();
    let proxies = config.edge.proxies.unwrap();
    assert!(proxies.has("::1".parse().unwrap()) && !proxies.has("10.0.0.1".parse().unwrap()));
    let wrong = [&GITHUB[..], &[("HALLPASS_TRUSTED_PROXIES", "::1, x")]].concat();
    let [problem] = load(SECRET, &wrong).unwrap_err().try_into().unwrap();
    assert!(problem.starts_with("HALLPASS_TRUSTED_PROXIES holds \"x\""), "{problem}");
}

#[test]
fn a_limit_is_a_number_in_a_time() {
    let limits = |source: &str, dev| {
        let flags = Serve { dev, ..Serve::default() };
        load_with(&flags, &format!("{SECRET}{source}"), &GITHUB).unwrap().edge.limits
    };
    assert_eq!(limits("", false), Some(crate::edge::Limits::default()));
    assert_eq!(limits("", true), None);
    assert_eq!(limits("[rate_limit]\nenabled = false", false), None);
    let set = "[rate_limit]\npasswords_per_account = \"3/90s\"\nposts_per_address = \"off\"";
    let set = limits(set, true).unwrap();
    let rate = crate::edge::Rate { count: 3, window: Duration::from_secs(90) };
    assert_eq!((set.passwords_per_account, set.posts_per_address), (Some(rate), None));
    for wrong in ["10", "0/1m", "10/0s", "10/2d", "-1/1m", "ten/1m", "10/1m/1s", "10 per minute"] {
        let told = problems(&format!("[rate_limit]\nmails_per_address = \"{wrong}\""));
        assert!(told.len() == 1 && told[0].contains("`rate_limit.mails_per_address` must be"), "{told:?}");
    }
}

#[test]
fn forward_auth_is_told_what_is_wrong_with_it() {
    for (source, part) in [
        ("path = \"verify\"", "`forward_auth.path` must be a path"),
        ("path = \"/verify/\"", "`forward_auth.path` must be a path"),
        ("path = \"/{x}\"", "`forward_auth.path` must be a path"),
        ("path = \"/healthz\"", "which is taken"),
        ("path = \"/api\"", "which is taken"),
        ("path = \"/api/auth/verify\"", "which is taken"),
        ("claims = [\"r ole\"]", "\"r ole\" may hold"),
        ("claims = [\"a_b\", \"a-b\"]", "two of them have the header x-auth-claim-a-b"),
        ("redirect = true", "name the proxy in `trusted_proxies`"),
        ("origins = [\"http://app.example.com\"]", "`forward_auth.origins` holds origins"),
        ("require = { role = { a = 1 } }", "`forward_auth.require.role` must be"),
        ("require = { role = [] }", "`forward_auth.require.role` must be"),
        ("require = \"admin\"", "`forward_auth.require` must be a section"),
    ] {
        let told = problems(&format!("[forward_auth]\n{source}"));
        assert!(told.len() == 1 && told[0].contains(part), "{source}: {told:?}");
    }
    let config = load(&format!("{SECRET}[forward_auth]"), &GITHUB).unwrap();
    assert_eq!(config.edge.forward_auth.unwrap().path, "/verify");
}

#[test]
fn cookies_that_no_browser_would_keep_are_refused() {
    let url = "url = \"https://auth.example.com\"\n";
    for (source, part) in [
        ("[cookies]\nsame_site = \"none\"", "set an https `url`"),
        ("url = \"http://localhost\"\n[cookies]\nsame_site = \"none\"", "set an https `url`"),
        (
            "url = \"https://a.example\"\nsecure_cookies = false\n[cookies]\nsame_site = \"none\"",
            "set an https",
        ),
        ("[cookies]\nsame_site = \"strict\"", "`cookies.same_site` must be one of"),
        ("[cookies]\ndomain = \"com\"", "`cookies.domain` must be a domain"),
        ("[cookies]\ndomain = \".example.com\"", "`cookies.domain` must be a domain"),
        ("[cookies]\ndomain = \"192.0.2.1\"", "`cookies.domain` must be a domain"),
        (&format!("{url}[cookies]\ndomain = \"ample.com\""), "browsers take no such cookie"),
        (&format!("{url}[cookies]\ndomain = \"x.auth.example.com\""), "browsers take no such cookie"),
    ] {
        let told = problems(source);
        assert!(told.len() == 1 && told[0].contains(part), "{source}: {told:?}");
    }
    for source in ["domain = \"example.com\"", "domain = \"auth.example.com\"\nsame_site = \"none\""] {
        assert_eq!(problems(&format!("{url}[cookies]\n{source}")), Vec::<String>::new());
    }
}

#[test]
fn a_secret_is_said_once() {
    let [problem] = problems("secrets = [\"another secret of at least 32 characters\"]").try_into().unwrap();
    assert!(problem.contains("keep one of them"), "{problem}");
}

#[test]
fn a_base_path_of_the_server_itself_is_refused() {
    let [problem] = problems("base_path = \"/healthz/\"").try_into().unwrap();
    assert!(problem.starts_with("`base_path` must not be one of /healthz"), "{problem}");
}

#[test]
fn the_example_file_is_right() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hallpass.example.toml");
    let source = std::fs::read_to_string(example).unwrap();
    // Every key is there, commented out where it has a default: as it is and with everything in use.
    let uncommented: String =
        source.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned() + "\n").collect();
    assert_ne!(source, uncommented);
    let variables = [("AUTH_SECRET", "a secret of at least 32 characters")];
    assert_eq!(missing_files_aside(load(&source, &variables)), Vec::<String>::new());
    let problems = missing_files_aside(load(&uncommented, &variables));
    let [one] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(one.contains("[dev] is for development mode"), "{one}");
}

#[test]
fn what_is_secret_may_be_in_a_file_instead() {
    let folder = std::env::temp_dir().join(format!("hallpass-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, format!("{text}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let database = file("database", "postgres://u:canary@h/d");
    let (redis, smtp) = (file("redis", "redis://:canary@h"), file("smtp", "smtp://u:canary@mail.example"));
    let source = format!(
        "[database]\nurl_file = \"{database}\"\n[redis]\nurl_file = \"{redis}\"\n\
         [email]\n{FROM}smtp_url_file = \"{smtp}\""
    );
    let config = load(&format!("{SECRET}{source}"), &[]).unwrap();
    assert_eq!(config.database.url.expose(), "postgres://u:canary@h/d");
    assert_eq!(config.database.redis.as_ref().map(Secret::expose), Some("redis://:canary@h"));
    assert!(matches!(config.email.unwrap().sending, Sending::Smtp(_)));

    let variables = [
        ("AUTH_SECRET_FILE", file("secret", "a secret of at least 32 characters")),
        ("AUTH_GITHUB_ID", "id".to_owned()),
        ("AUTH_GITHUB_SECRET_FILE", file("github", "canary")),
        ("DATABASE_URL_FILE", database),
        ("AUTH_REDIS_URL_FILE", redis),
    ];
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let config = load("", &variables).unwrap();
    assert_eq!(config.all_secrets()[0].expose(), "a secret of at least 32 characters");
    assert_eq!(config.provider_names().collect::<Vec<_>>(), ["GitHub"]);
    assert_eq!(config.database.url.expose(), "postgres://u:canary@h/d");

    let twice = [&variables[..], &[("AUTH_SECRET", "another secret of at least 32 characters")]].concat();
    assert_eq!(load("", &twice).unwrap_err(), ["AUTH_SECRET and AUTH_SECRET_FILE are set: keep one of them"]);
    let nowhere = [&variables[..], &[("EMAIL_SERVER_FILE", "nowhere")]].concat();
    let [problem] = load("", &nowhere).unwrap_err().try_into().unwrap();
    assert!(problem.starts_with("EMAIL_SERVER_FILE: nowhere cannot be read"), "{problem}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// The example names files that are on nobody's machine.
fn missing_files_aside(result: Result<Config, Vec<String>>) -> Vec<String> {
    let problems = result.err().unwrap_or_default();
    problems.into_iter().filter(|problem| !problem.contains("cannot be read")).collect()
}

const FROM: &str = "from = \"login@acme.example\"\n";

/// In development mode.
fn load_dev(source: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    load_with(&Serve { dev: true, ..Serve::default() }, source, variables)
}

/// The id of the provider that mails links.
fn mail_provider(source: &str, variables: &[(&str, &str)]) -> String {
    let config = load_dev(source, variables).unwrap_or_else(|problems| panic!("{problems:#?}"));
    format!("{:?}", config.email.unwrap())
}

#[test]
fn a_mail_server_or_a_service_sends_the_mails() {
    let url = "smtp_url = \"smtp://a:canary@mail.example\"\n";
    let smtp = mail_provider(&format!("[email]\n{FROM}{url}max_age = \"5m\""), &[]);
    assert!(smtp.contains("Smtp(Smtp") && smtp.contains("300s") && !smtp.contains("canary"), "{smtp}");
    for service in ["resend", "sendgrid", "postmark", "mailgun", "mailgun-eu", "forwardemail"] {
        let source = format!("[email]\n{FROM}service = \"{service}\"\nkey = \"canary\"");
        let found = mail_provider(&source, &[]);
        assert!(found.contains("Service(HttpService") && !found.contains("canary"), "{found}");
    }
    let loops = format!("[email]\n{FROM}service = \"loops\"\nkey = \"k\"\ntemplate = \"t\"");
    assert!(mail_provider(&loops, &[]).contains("kind: Loops"));
    let variables = [("AUTH_POSTMARK_KEY", "canary"), ("EMAIL_FROM", "login@acme.example")];
    assert!(mail_provider("", &variables).contains("kind: Postmark"));
    assert!(mail_provider("[email]", &variables).contains("kind: Postmark"));
    let variables = [("EMAIL_SERVER", "smtp://mail.example"), ("EMAIL_FROM", "login@acme.example")];
    assert!(mail_provider("", &variables).contains("Smtp(Smtp"));
    assert!(mail_provider("", &[]).contains("Inbox("));
    // A key that is there for another program sends nothing.
    assert!(mail_provider("", &[("AUTH_POSTMARK_KEY", "canary")]).contains("Inbox("));
    assert!(mail_provider("", &[("EMAIL_SERVER", "smtp://mail.example")]).contains("Inbox("));
    assert!(mail_provider("[email]\nid = \"link\"", &[]).contains("id: \"link\""));
}

#[test]
fn a_section_for_mails_that_cannot_work_is_refused() {
    let service = "service = \"resend\"\n";
    for (source, said) in [
        (format!("{FROM}service = \"pigeon\""), "`email.service` must be one of \"resend\""),
        (format!("{FROM}{service}"), "Resend has no key: set `email.key`, or set AUTH_RESEND_KEY"),
        (format!("{service}key = \"k\""), "nobody sends the mails: set `email.from`, or set EMAIL_FROM"),
        (format!("from = \"Acme\"\n{service}key = \"k\""), "`email.from` (EMAIL_FROM): "),
        (format!("{FROM}{service}key = \"k\"\nkey_file = \"f\""), "keep one of them"),
        (format!("{FROM}{service}smtp_url = \"smtp://mail.example\"\nkey = \"k\""), "keep one of them"),
        (
            format!("{FROM}smtp_url = \"mail.example\""),
            "the address of the mail server (EMAIL_SERVER) is not one",
        ),
        (format!("{FROM}key = \"k\""), "has a key or a template for a `service`, and names none"),
        (format!("{FROM}service = \"loops\"\nkey = \"k\""), "Loops has no template: set `email.template`"),
        (format!("{FROM}smtp_uri = \"x\""), "did you mean `smtp_url`?"),
    ] {
        let found = load_dev(&format!("[email]\n{source}"), &[]).err().unwrap_or_default();
        assert!(found.iter().any(|problem| problem.contains(said)), "{source}: {found:#?}");
    }
}

#[test]
fn magic_links_are_a_way_to_sign_in_that_a_section_switches_on() {
    let source = format!("{SECRET}[email]\n{FROM}smtp_url = \"smtp://mail.example\"");
    assert!(load(&source, &[]).unwrap().email.is_some());
    let found = problems(&format!("[email]\n{FROM}"));
    assert!(found.iter().any(|problem| problem.contains("does not say how mails are sent")), "{found:#?}");
    // Variables alone switch nothing on.
    let variables = [GITHUB[0], GITHUB[1], ("EMAIL_SERVER", "smtp://mail.example")];
    assert!(load(SECRET, &variables).unwrap().email.is_none());
}

#[test]
fn the_database_is_the_one_that_is_named() {
    let url = |source: &str, variables: &[(&str, &str)]| {
        let config = load(&format!("{SECRET}{source}"), &[&GITHUB[..], variables].concat()).unwrap();
        (config.database.url.expose().to_owned(), config.database.is_own_file)
    };
    let named = |text: &str| (text.to_owned(), false);
    let section = "[database]\nurl = \"sqlite:a.db\"";
    let (general, special) = (("DATABASE_URL", "mysql://g/db"), ("AUTH_DATABASE_URL", "postgres://s/db"));
    assert_eq!(url("", &[]), ("sqlite:hallpass.db".to_owned(), true));
    assert_eq!(url(section, &[]), named("sqlite:a.db"));
    assert_eq!(url(section, &[general]), named("mysql://g/db"));
    assert_eq!(url(section, &[general, special]), named("postgres://s/db"));
    // Development mode makes tables without asking: not in a database that is there for something else.
    let dev = |source: &str| load_dev(source, &[general]).unwrap().database.url.expose().to_owned();
    assert_eq!(dev(""), "sqlite:.hallpass/dev.db");
    assert_eq!(dev("[database]"), "mysql://g/db");
}

#[test]
fn a_database_that_cannot_work_is_refused_without_its_password() {
    for (source, variables, said) in [
        ("[database]\nurl = \"mongodb://u:canary@h/d\"", vec![], "`database.url` must start with sqlite:"),
        ("", vec![("DATABASE_URL", "mongodb://u:canary@h/d")], "DATABASE_URL must start with sqlite:"),
        ("[database]\ntimeout = \"30s\"", vec![], "between 1 and 25 seconds"),
        ("[database]\ntimeout = 0", vec![], "between 1 and 25 seconds"),
        ("[database]\npool_size = 0", vec![], "at least 1"),
        ("[database]\ntables = \"kysely\"", vec![], "one of \"own\", \"authjs\", \"prisma\", \"drizzle\""),
        ("[redis]", vec![], "[redis] needs `url`, `url_file`, or AUTH_REDIS_URL"),
        ("[redis]\nurl = \"http://canary@h\"", vec![], "`redis.url` must start with redis://"),
        ("", vec![("AUTH_REDIS_URL", "canary")], "AUTH_REDIS_URL must start with redis://"),
        ("[session]\nstrategy = \"cookie\"", vec![], "one of \"database\", \"jwt\""),
        ("[session]\nabsolute_max_age = 0", vec![], "`session.absolute_max_age` must be at least one second"),
        (
            "[session]\nupdate_age = \"40d\"",
            vec![],
            "`session.update_age` must be shorter than `session.max_age`",
        ),
    ] {
        let found = load(&format!("{SECRET}{source}"), &[&GITHUB[..], &variables].concat());
        let found = found.err().unwrap_or_default();
        assert!(found.iter().any(|problem| problem.contains(said)), "{source}: {found:#?}");
        assert!(!found.iter().any(|problem| problem.contains("canary")), "{source}: {found:#?}");
    }
}

#[test]
fn limits_that_cannot_work_are_refused() {
    for (source, said) in [
        ("in_flight = 4096", "`limits.in_flight` must be at least 1, and less than `limits.connections`"),
        ("in_flight = 0", "`limits.in_flight` must be at least 1"),
        ("connections = 5", "less than `limits.connections`"),
        ("header_timeout = 0", "`limits.header_timeout` must be between 1 and 60 seconds"),
        ("body_timeout = \"2m\"", "`limits.body_timeout` must be between 1 and 60 seconds"),
        ("idle_timeout = \"1d\"", "`limits.idle_timeout` must be between 1 and 3600 seconds"),
        ("drain = \"2h\"", "`limits.drain` must be between 1 and 3600 seconds"),
        ("conections = 5", "did you mean `connections`?"),
    ] {
        let [problem] = problems(&format!("[limits]\n{source}")).try_into().unwrap();
        assert!(problem.contains(said), "{source}: {problem}");
    }
}
