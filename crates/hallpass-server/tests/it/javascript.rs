//! A configuration in JavaScript: what it may say, and how mistakes in it are told.

use std::fs;
use std::time::{Duration, SystemTime};

use crate::api::Api;
use crate::browser::Browser;
use crate::program::{Folder, Server, program, refusal};
use crate::sink::Sink;

const SETTINGS: &str = "listen = \"127.0.0.1:0\"\nsecret = \"a secret of at least 32 characters\"\n";

fn folder(settings: &str, file: &str, source: &str) -> Folder {
    let folder = Folder::new();
    folder.write("hallpass.toml", &format!("{SETTINGS}{settings}"));
    folder.write(file, source);
    folder
}

fn refused(source: &str) -> String {
    refusal(program(&folder("", "hallpass.config.ts", source), &[]))
}

#[test]
fn credentials_of_the_file_are_a_way_to_sign_in() {
    let source = "import CredentialsProvider from 'next-auth/providers/credentials'
        import { CredentialsSignin } from 'next-auth'
        class Locked extends CredentialsSignin { code = 'locked' }
        export default { providers: [CredentialsProvider.default({
          name: 'Acme', credentials: { username: { label: 'Name' }, password: { label: 'Password', type: 'password' } },
          async authorize({ username, password }, req) {
            if (username === 'locked') throw new Locked()
            if (req.method !== 'POST' || !req.headers.host) throw new Error('no request')
            return password === 'right' ? { id: 7, name: username, email: null } : null
          },
        })] }";
    let folder = folder("", "hallpass.config.mjs", source);
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    assert!(browser.get("/api/auth/signin").body.contains("Acme"));
    assert!(browser.sign_in("ada", "wrong").header("location").unwrap().contains("CredentialsSignin"));
    assert!(browser.sign_in("locked", "right").header("location").unwrap().contains("code=locked"));
    assert_eq!(browser.sign_in("ada", "right").status, 302);
    assert_eq!(browser.session()["user"]["name"], "ada");
}

#[test]
fn links_are_mailed_as_the_file_says() {
    let sink = Sink::start();
    for server in [
        format!("'smtp://127.0.0.1:{}'", sink.port),
        format!("{{ host: '127.0.0.1', port: '{}', secure: false }}", sink.port),
    ] {
        let source = format!(
            "import Nodemailer from '@auth/core/providers/nodemailer'
             export default {{
               providers: [Nodemailer({{ id: 'mail', name: 'A link', server: {server}, from: 'login@acme.example', maxAge: 600 }})],
               callbacks: {{ session: ({{ session, token }}) => ({{ ...session, by: token.email }}) }},
             }}"
        );
        let server = Server::start(program(&folder("", "hallpass.config.mjs", &source), &[]));
        let mut browser = Browser::new(&server.host);
        assert!(browser.get("/api/auth/providers").body.contains("\"name\":\"A link\""));
        browser.post("/api/auth/signin/mail", &[("email", "grace@example.com")]);
        assert_eq!(browser.follow(&sink.link()).status, 302);
        assert_eq!(browser.session()["by"], "grace@example.com");
    }
}

#[test]
fn providers_of_the_file_are_those_of_the_catalogue_and_ones_own() {
    let api = Api::start();
    let source = format!(
        "import GitHub from '@auth/core/providers/github'
         import type {{ AuthConfig }} from '@auth/core/types'
         const config: AuthConfig = {{
           providers: [
             GitHub({{ clientId: 'id', clientSecret: 'secret' }}),
             {{ id: 'own', name: 'Own', type: 'oauth', clientId: 'a', clientSecret: 'b',
                authorization: {{ url: '{0}/authorize', params: {{ scope: 'read write', prompt: 'login' }} }},
                token: '{0}/token', userinfo: {{ url: '{0}/user' }},
                profile: (profile: any) => ({{ id: String(profile.id), name: profile.name.toUpperCase(), role: 'reader' }}) }},
           ],
           callbacks: {{
             jwt({{ token, user }}) {{ if (user) token.role = user.role; return token }},
             session({{ session, token }}) {{ session.role = token.role; return session }},
           }},
         }}
         export default config",
        api.origin
    );
    let folder = folder("", "hallpass.config.ts", &source);
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    let providers = browser.get("/api/auth/providers").body;
    assert!(providers.contains("\"github\"") && providers.contains("\"own\""), "{providers}");
    let location = browser.post("/api/auth/signin/own", &[]).header("location").unwrap().to_owned();
    assert!(location.contains("scope=read+write") && location.contains("prompt=login"), "{location}");
    assert_eq!(browser.sign_in_with("own").status, 302);
    let session = browser.session();
    assert_eq!(
        (&session["user"]["name"], &session["role"]),
        (&"ADA LOVELACE".into(), &"reader".into()),
        "{session}"
    );
}

#[test]
fn sign_in_and_redirect_decide() {
    let source = "import C from '@auth/core/providers/credentials'
        export default { providers: [C({ authorize: ({ username }) => ({ id: '1', name: username }) })], callbacks: {
          signIn: ({ user }) => user.name === 'page' ? '/sorry' : user.name === 'throw' ? (() => { throw new Error('x') })() : user.name !== 'eve',
          redirect: ({ url, baseUrl }) => url.includes('special') ? baseUrl + '/elsewhere' : baseUrl,
        } }";
    let folder = folder("", "hallpass.config.js", source);
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    let mut to = |name| browser.sign_in(name, "x").header("location").unwrap().to_owned();
    assert!(to("eve").contains("error=AccessDenied"));
    assert!(to("throw").contains("error="));
    assert!(!to("ada").contains("error"));
    let fields = [("username", "ada"), ("callbackUrl", "/special")];
    let answer = browser.post("/api/auth/callback/credentials", &fields);
    assert!(answer.header("location").unwrap().ends_with("/elsewhere"));
}

#[test]
fn events_are_told_and_a_failing_one_changes_nothing() {
    let source = "import C from '@auth/core/providers/credentials'
        export default { providers: [C({ authorize: () => ({ id: '1', name: 'Ada' }) })], events: {
          async signIn({ user, account }) { console.log(`came in: ${user.name} by ${account.provider}`); throw new Error('event') },
        } }";
    let folder = folder("", "hallpass.config.js", source);
    let server = Server::start(program(&folder, &[]));
    let mut browser = Browser::new(&server.host);
    browser.sign_in("x", "x");
    assert_eq!(browser.session()["user"]["name"], "Ada");
    assert!(server.log().contains("came in: Ada by credentials"));
}

#[test]
fn the_log_shows_neither_secrets_of_the_environment_nor_what_sounds_like_one() {
    let source = "import C from '@auth/core/providers/credentials'
        export default { providers: [C({ authorize: () => ({ id: '1', name: 'Ada' }) })], callbacks: {
          jwt({ token }) {
            const { env } = process
            console.log('env', env.AUTH_STATISTICS_URL, env.AUTH_MAIL_SERVER, env.AUTH_APP_DSN, env.auth_api_key, env.AUTH_URL_OF_API)
            console.log('given', { token: { sub: token.sub, code: 'canary-1', apiKey: 'canary-2', loginCodes: ['canary-3'], nonce: new Uint8Array([201]) } })
            console.log('file', { pem: env.APPLE_PRIVATE_KEY, body: JSON.stringify({ pem: env.APPLE_PRIVATE_KEY }) }, env.DB_PASS)
            console.log('harmless', { country_code: 'DE', statusCode: 200, hasToken: true, token_type: 'bearer' })
            return token
          },
        } }";
    let settings = "[javascript]\nenv = [\"auth_api_key\", \"APPLE_PRIVATE_KEY\", \"DB_PASS\"]\n";
    let folder = folder(settings, "hallpass.config.js", source);
    let mut command = program(&folder, &[]);
    command.env("AUTH_STATISTICS_URL", "postgres://app:canary-4@db.example/app");
    command.env("AUTH_MAIL_SERVER", "smtp://app:canary-5@mail.example:587");
    command.env("AUTH_APP_DSN", "host=db.example password=canary-6");
    command.env("auth_api_key", "canary-7").env("AUTH_URL_OF_API", "https://api.example/v1");
    command
        .env("APPLE_PRIVATE_KEY", "-----BEGIN \"canary\\8\"-----\ncanary-9\n-----END-----\n")
        .env("DB_PASS", "canary-10");
    let server = Server::start(command);
    Browser::new(&server.host).sign_in("x", "x");
    let log = server.log();
    let line = |word: &str| log.lines().find(|line| line.contains(word)).unwrap_or_default().to_owned();
    assert!(
        line(" env ").ends_with("env (hidden) (hidden) (hidden) (hidden) https://api.example/v1"),
        "{log}"
    );
    assert!(
        line(" given ").contains("\"token\":{\"sub\":\"1\",\"code\":\"(hidden)\",\"apiKey\":\"(hidden)\""),
        "{log}"
    );
    assert!(line(" given ").contains("\"loginCodes\":[\"(hidden)\"],\"nonce\":\"(hidden)\""), "{log}");
    let file = r#"{"pem":"(hidden)","body":"{\"pem\":\"(hidden)\"}"} (hidden)"#;
    assert!(line(" file ").ends_with(file), "{log}");
    let harmless = r#"{"country_code":"DE","statusCode":200,"hasToken":true,"token_type":"bearer"}"#;
    assert!(line(" harmless ").ends_with(harmless), "{log}");
    assert!(!log.contains("canary") && !log.contains("201"), "{log}");
}

#[test]
fn settings_of_the_file_count_where_the_others_say_nothing() {
    let source = "export default { basePath: '/auth', pages: { signIn: '/login' }, session: { maxAge: 3600 },
        theme: { brandColor: '#ff0000' }, cookies: { sessionToken: { name: 'own', options: { sameSite: 'strict' } } } }";
    let folder = folder("users_file = \"users.toml\"\n", "hallpass.config.js", source);
    folder.write("users.toml", "");
    let mut command = program(&folder, &[]);
    command.env("AUTH_GITHUB_ID", "a").env("AUTH_GITHUB_SECRET", "b");
    let server = Server::start(command);
    let answer = Browser::new(&server.host).get("/auth/signin");
    assert!(answer.header("location").unwrap().contains("/login"), "{}", answer.status);
}

#[test]
fn what_hallpass_does_not_have_is_named() {
    for (source, said) in [
        ("export default { adapter: {} }", "the option `adapter` is not supported (Hallpass keeps people"),
        (
            "export default { calbacks: {} }",
            "the option `calbacks` is not supported (did you mean `callbacks`?)",
        ),
        ("export default { callbacks: { authorized() {} } }", "the callback `authorized` is not supported"),
        (
            "export default { events: { sigIn() {} } }",
            "the event `sigIn` is not supported (did you mean `signIn`?)",
        ),
        ("export default { session: { strategy: 'jwts' } }", "`session.strategy` is \"jwts\""),
        ("import a from 'lodash'\na()", "\"lodash\" cannot be imported"),
        ("import a from '@auth/core/providers/githup'\na()", "did you mean `github`?"),
        ("import fs from 'fs'\nfs.x()", "\"fs\" cannot be imported"),
        ("const a = 1", "nothing is exported that could be the configuration"),
        ("export default { providers: [{ id: 'x', type: 'oidc' }] }", "\"x\" has no `issuer`"),
        (
            "import G from 'next-auth/providers/github'\nexport default { providers: [G({ clientId: 'a', clientSecret: 'b', odd: 1 })] }",
            "the option `odd` of the provider \"github\" is not supported",
        ),
        (
            "import M from 'next-auth/providers/email'\nexport default { providers: [M({ from: 'a@b.example' })] }",
            "the provider \"email\" does not say how mails are sent",
        ),
        (
            "import R from '@auth/core/providers/resend'\nexport default { providers: [R] }",
            "the provider \"resend\" does not say how mails are sent",
        ),
        (
            "import M from 'next-auth/providers/email'\nexport default { providers: [M({ sendVerificationRequest() {} })] }",
            "`sendVerificationRequest` of the provider \"email\" is not supported",
        ),
        (
            "import M from 'next-auth/providers/email'\nexport default { providers: [M({ server: { socket: 1 } })] }",
            "`server.socket` of the provider \"email\" is not supported",
        ),
    ] {
        let told = refused(source);
        assert!(told.contains("hallpass.config.ts") && told.contains(said), "{source}: {told}");
    }
}

#[test]
fn a_provider_that_is_not_in_the_catalogue_is_told_with_its_line_and_what_to_write() {
    let told = refused(
        "\nimport GitHub from '@auth/core/providers/github'\nimport Facebook from \"next-auth/providers/facebook\"\nexport default { providers: [GitHub, Facebook] }",
    );
    for said in [
        "hallpass.config.ts, line 3, column",
        "no provider \"facebook\" is known",
        "`{ id, name, type: \"oauth\", authorization, token, userinfo, profile }`",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert!(refused("\nimport a from 'lodash'\na()").contains("line 2, column"));
}

#[test]
fn mistakes_are_told_with_line_and_cure() {
    for (source, said) in [
        ("export default {\n  a: [1,\n}", "hallpass.config.ts, line 3"),
        ("\n\nthrow new TypeError('at once')", "line 3, column"),
        ("const a: number = 1\nundefined.x\nexport default {}", "line 2, column"),
        ("export default {}\nx = y", "line 2"),
        ("\nconst a = b; const b = 1", "line 2"),
        ("\n\nenum A { B }", "line 3, column 1: SyntaxError: `enum` is more than a type"),
        (
            "export default { callbacks: { async session({ token }) {\n const token = token.a } } }",
            "line 2, column",
        ),
        ("const x = require('y')", "write `import` and `export default`"),
        ("await new Promise(() => {})", "waits for something at its top level"),
        ("while (true) {}", "no answer within"),
    ] {
        let told = refused(source);
        assert!(told.contains("hallpass.config.ts") && told.contains(said), "{source}: {told}");
    }
}

#[test]
fn in_development_a_change_counts_from_the_next_request_and_a_mistake_is_a_page() {
    let folder = Folder::new();
    // Times that differ for sure, whatever the resolution of the file system.
    let file = |text: &str, time: u64| {
        folder.write("hallpass.config.ts", text);
        let path = folder.path().join("hallpass.config.ts");
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time);
        fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
    };
    let good = |mark: &str| {
        format!(
            "export default {{ callbacks: {{ session: ({{ session }}) => ({{ ...session, mark: '{mark}' }}) }} }}"
        )
    };
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    browser.sign_in("lena", "demo");
    assert!(browser.session().get("mark").is_none());
    // What is kept by other callbacks is kept on.
    file(&good("one"), 30);
    assert_eq!(browser.session()["mark"], "one");
    file("export default {\n  callbacks: {\n    session({ session }) { const session = 1 },\n  },\n}\n", 20);
    let page = browser.get_with("/", "accept: text/html\r\n");
    assert_eq!(page.status, 500);
    for text in ["hallpass.config.ts, line 3", "SyntaxError", "&gt;    3 |", "Cure:"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let answer = browser.get("/api/auth/session");
    assert!(answer.status == 500 && answer.body.contains("hallpass.config.ts, line 3"), "{}", answer.body);
    file(&good("two"), 10);
    assert_eq!(browser.session()["mark"], "two");
}

#[test]
fn the_world_of_callbacks_has_what_people_use() {
    let checks = [
        ("new URL('/a?b=1#c', 'https://x.example:8443/y').href", "https://x.example:8443/a?b=1#c"),
        (
            "(() => { const u = new URL('https://a.example'); u.searchParams.set('q', 'ä b'); u.pathname = '/p'; return u })()",
            "https://a.example/p?q=%C3%A4+b",
        ),
        ("new URLSearchParams({ a: 1, b: 'x y' })", "a=1&b=x+y"),
        ("[...new URLSearchParams('a=1&a=2')].length", "2"),
        ("btoa('hello') + atob('aGVsbG8=')", "aGVsbG8=hello"),
        ("new TextDecoder().decode(new TextEncoder().encode('äöü€'))", "äöü€"),
        ("new TextEncoder().encode('ä').length", "2"),
        (
            "/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())",
            "true",
        ),
        ("crypto.getRandomValues(new Uint8Array(4)).length", "4"),
        ("structuredClone({ a: [new Date(0), new Map([[1, { b: 2 }]])] }).a[1].get(1).b", "2"),
        ("process.env.AUTH_EXTRA + process.env.LISTED + process.env.HOME", "yes-named-undefined"),
        ("(await new Promise((resolve) => setTimeout(resolve, 5, 'slept')))", "slept"),
        ("new Headers({ 'X-A': '1' }).get('x-a')", "1"),
        ("(await Response.json({ a: 1 }).json()).a", "1"),
        ("[1, 2, 3].at(-1) + Object.groupBy([1], () => 'x').x[0]", "4"),
        ("await Promise.all([1, 2].map(async (it) => it * 2)).then((all) => all.join())", "2,4"),
        ("new Intl_().x", ""),
    ];
    let list: Vec<_> = checks.iter().filter(|(_, want)| !want.is_empty()).collect();
    let source = format!(
        "import C from '@auth/core/providers/credentials'
         export default {{ providers: [C({{ authorize: () => ({{ id: '1' }}) }})], callbacks: {{ async session({{ session }}) {{
           return {{ ...session, all: [{}] }} }} }} }}",
        list.iter().map(|(code, _)| format!("String({code})")).collect::<Vec<_>>().join(",\n")
    );
    let folder = folder("[javascript]\nenv = [\"LISTED\"]\n", "hallpass.config.js", &source);
    let mut command = program(&folder, &[]);
    command.env("AUTH_EXTRA", "yes-").env("LISTED", "named-").env("HOME", "hidden");
    let server = Server::start(command);
    let mut browser = Browser::new(&server.host);
    browser.sign_in("x", "x");
    let session = browser.session();
    for (index, (code, want)) in list.iter().enumerate() {
        assert_eq!(session["all"][index], *want, "{code}: {session}");
    }
}

#[test]
fn another_file_can_be_named() {
    let folder =
        folder("[javascript]\nfile = \"auth.js\"\n", "auth.js", "export default { pages: { signIn: '/a' } }");
    let mut command = program(&folder, &[]);
    command.env("AUTH_GITHUB_ID", "a").env("AUTH_GITHUB_SECRET", "b");
    let server = Server::start(command);
    assert!(server.printed.contains("callbacks from  auth.js"), "{}", server.printed);
    folder.write("other.js", "throw 1");
    let mut command = program(&folder, &["--callbacks", "other.js"]);
    command.env("AUTH_GITHUB_ID", "a").env("AUTH_GITHUB_SECRET", "b");
    assert!(refusal(command).contains("other.js: 1 was thrown"));
}

#[test]
fn what_jwt_does_to_the_token_at_a_read_counts_and_what_it_leaves_is_left() {
    // What `jwt` does at a read; what `session` shows of the token after one, two and three reads.
    for (read, shown, seen) in [
        ("return token", "token.a", ["1", "1", "1"]),
        ("token.a += 1; return token", "token.a", ["2", "3", "4"]),
        ("return { ...token, a: token.a + 1 }", "token.a", ["2", "3", "4"]),
        ("return { ...token }", "token.a", ["1", "1", "1"]),
        ("await null; token.a += 1; return token", "token.a", ["2", "3", "4"]),
        ("await null; return token", "token.a", ["1", "1", "1"]),
        ("delete token.a; token.b = 2; return token", "`${token.a} ${token.b}`", ["undefined 2"; 3]),
        ("token.name = token.name + 'a'; return token", "session.user.name", ["Adaa", "Adaaa", "Adaaaa"]),
        ("token.in ??= []; token.in.push(1); return token", "token.in.length", ["1", "2", "3"]),
        ("token.in ??= { n: 0 }; token.in.n++; return token", "token.in.n", ["1", "2", "3"]),
        // What `session` does to the token stays there.
        ("return token", "token.a++ + (token.b ? 'kept' : (token.b = ''))", ["1"; 3]),
        // Nor does anything come in from outside between the two.
        ("setTimeout(() => { token.a = 9 }, 0); return token", "token.a", ["1"; 3]),
        (
            "Object.setPrototypeOf(token, { toJSON() { return { ...this, a: 7 } } }); return token",
            "token.a",
            ["7"; 3],
        ),
        ("token.sub = 'other'; return token", "token.sub", ["1"; 3]),
    ] {
        let source = format!(
            "import C from '@auth/core/providers/credentials'
             export default {{ providers: [C({{ authorize: () => ({{ id: '1', name: 'Ada', email: 'ada@example.com' }}) }})],
               callbacks: {{
                 async jwt({{ token, user }}) {{ if (user) return {{ ...token, a: 1 }}; {read} }},
                 session: ({{ session, token }}) => ({{ ...session, shown: String({shown}) }}),
               }} }}"
        );
        let folder = folder("", "hallpass.config.js", &source);
        let server = Server::start(program(&folder, &[]));
        let mut browser = Browser::new(&server.host);
        browser.sign_in("x", "x");
        for want in seen {
            let session = browser.session();
            assert_eq!(session["shown"], want, "{read}: {session}");
            assert_eq!(session["user"]["email"], "ada@example.com", "{read}: {session}");
        }
    }
}
