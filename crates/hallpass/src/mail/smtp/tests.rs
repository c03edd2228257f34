use proptest::prelude::*;

use super::*;
use crate::email;

#[test]
fn an_address_that_the_mail_library_reads_in_another_way_is_refused() {
    for address in [
        "a..b@example.com",
        ".a@example.com",
        "a@-example.com",
        "a@example..com",
        "a@.example.com",
        "(victim)a@example.com",
        &format!("{}@example.com", "a".repeat(65)),
    ] {
        // It is one plain address for us, and none or another one elsewhere.
        assert!(email::is_single(address), "{address}");
        assert!(one_recipient(address).is_err(), "{address}");
    }
    for address in ["ada@example.com", "ada+tag@mail.example.com", "o'hara@example.com", "\u{fc}@example.com"]
    {
        assert_eq!(one_recipient(address).unwrap().to_string(), address);
    }
}

proptest! {
    #[test]
    fn what_is_sent_to_is_what_was_stored(local in "\\PC{1,20}", middle in "[@\u{ff20}\u{fe6b}]", domain in "[\\PC.]{1,20}") {
        let typed = format!("{local}{middle}{domain}");
        if let Some(stored) = email::normalize(&typed)
            && let Ok(address) = one_recipient(&stored)
        {
            prop_assert_eq!(address.to_string(), stored.as_str());
            prop_assert_eq!(stored.matches('@').count(), 1);
            prop_assert_eq!(format!("{}@{}", address.user(), address.domain()), stored);
        }
    }
}
