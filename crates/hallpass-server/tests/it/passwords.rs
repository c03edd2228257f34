//! Many passwords at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::browser::{Answer, Browser};
use crate::program::{Server, program};
use crate::storage::configured;

/// Of nobody's password, and half a second of work.
const COSTLY: &str = "[eve]\npassword = \"$argon2id$v=19$m=65536,t=4,p=1$OehFZP7BaJfFCcFxaclcVw$buloIso1rbLHQZtTEYT8Nm9AWhLRBVIBRtuiHsuV5KU\"\n";

/// What it works in, in KiB.
#[cfg(target_os = "linux")]
const MEMORY: usize = 64 * 1024;

#[test]
fn five_hundred_at_once_are_checked_a_few_at_a_time_and_nobody_else_waits() {
    let folder = configured("[rate_limit]\nenabled = false\n");
    let people = std::fs::read_to_string(folder.path().join("users.toml")).unwrap();
    folder.write("users.toml", &format!("{people}{COSTLY}"));
    let mut command = program(&folder, &[]);
    // A line for each would be more than fits in a pipe that nobody reads.
    command.env("HALLPASS_LOG", "error");
    let server = Server::start(command);
    let mut ada = Browser::new(&server.host);
    ada.sign_in("ada", "correct horse");
    #[cfg(target_os = "linux")]
    let before = server.most_memory();

    let mut eve = Browser::new(&server.host);
    let token = eve.get("/api/auth/csrf").body.split('"').nth(3).unwrap().to_owned();
    let answered = Arc::new(AtomicUsize::new(0));
    let flood: Vec<_> = (0..500)
        .map(|_| {
            let (mut eve, token, answered) = (eve.clone(), token.clone(), Arc::clone(&answered));
            thread::spawn(move || {
                let fields = [("username", "eve"), ("password", "wrong"), ("csrfToken", &token)];
                let answer = eve.post_bare("/api/auth/callback/credentials", &fields);
                answered.fetch_add(1, Ordering::SeqCst);
                answer
            })
        })
        .collect();
    let mut looks = 0;
    while answered.load(Ordering::SeqCst) < 500 {
        assert_eq!(ada.session()["user"]["name"], "Ada Lovelace");
        assert_eq!(ada.get("/readyz").status, 200);
        looks += 1;
    }
    assert!(looks > 0);

    let answers: Vec<Answer> = flood.into_iter().map(|sign_in| sign_in.join().unwrap()).collect();
    let (checked, told): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 302);
    assert!(!checked.is_empty() && !told.is_empty(), "{} {}", checked.len(), told.len());
    for answer in &checked {
        assert!(answer.header("location").unwrap().contains("CredentialsSignin"));
    }
    for answer in &told {
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{}", answer.body);
        assert_eq!(answer.header("set-cookie"), None);
    }
    // As many hashes at once as there are processors, and some for the connections.
    #[cfg(target_os = "linux")]
    {
        let at_once = thread::available_parallelism().unwrap().get();
        let (most, bound) = (server.most_memory(), before + at_once * MEMORY + 64 * 1024);
        assert!(most <= bound, "{most} KiB, and not {bound}");
        assert!(most >= MEMORY, "{most} KiB: nothing was checked");
    }
    // And then there is room again.
    assert_eq!(Browser::new(&server.host).sign_in("ada", "correct horse").status, 302);
}
