use hallpass::random::SystemRandom;

use super::*;

/// From the reference implementation: `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1`.
const REFERENCE: &str =
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

#[test]
fn a_hash_of_the_reference_implementation_is_right() {
    let hash = Hash::parse(REFERENCE).unwrap();
    let mut memory = Memory::new();
    // What an earlier check has left in the memory does not matter.
    for _ in 0..2 {
        assert!(hash.verify("password", &mut memory).unwrap());
        assert!(!hash.verify("Password", &mut memory).unwrap());
    }
}

#[test]
fn what_is_made_can_be_checked_and_is_never_the_same() {
    let [one, other] = [(); 2].map(|()| Hash::make("pässwörd ", &SystemRandom).unwrap());
    assert_ne!(one, other);
    assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    let hash = Hash::parse(&one).unwrap();
    assert!(hash.verify("pässwörd ", &mut Memory::new()).unwrap());
    assert!(!hash.verify("pässwörd", &mut Memory::new()).unwrap());
}

#[test]
fn hashes_that_would_take_too_much_work_are_refused() {
    for params in ["m=262145,t=2,p=1", "m=4294967295,t=1,p=1", "m=65536,t=21,p=1", "m=65536,t=2,p=17"] {
        let text = REFERENCE.replace("m=65536,t=2,p=1", params);
        assert!(Hash::parse(&text).unwrap_err().contains("too much work"), "{params}");
    }
    assert!(Hash::parse(&REFERENCE.replace("m=65536,t=2,p=1", "m=262144,t=20,p=16")).is_ok());
}

#[test]
fn anything_else_is_refused_without_being_told() {
    for text in [
        "",
        "demo",
        "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ",
        "$argon2id$v=17$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaM",
        "$argon2id$v=19$m=65536,t=2,p=1,keyid=Hj5+dsK0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ] {
        let error = Hash::parse(text).unwrap_err();
        assert!(text.is_empty() || !error.contains(text), "{error}");
    }
}

#[test]
fn no_password_is_that_of_a_decoy() {
    let decoy = Hash::decoy(Cost { memory: 8, passes: 1, lanes: 1 });
    for password in ["", "password"] {
        assert!(!decoy.verify(password, &mut Memory::new()).unwrap());
    }
}

#[test]
fn printing_does_not_show_it() {
    let shown = format!("{:?}", Hash::parse(REFERENCE).unwrap());
    assert_eq!(shown, "Hash { cost: Cost { memory: 65536, passes: 2, lanes: 1 }, .. }");
}
