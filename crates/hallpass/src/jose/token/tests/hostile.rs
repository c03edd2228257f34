//! Tokens from strangers.

use base64ct::{Base64UrlUnpadded, Encoding};
use proptest::prelude::*;

use super::*;

const PAYLOAD: &[u8] = br#"{"sub":"lena","exp":1893456060}"#;

fn both() -> [(TokenKeys, String); 2] {
    DIALECTS.map(|dialect| {
        let keys = keys(dialect, &["secret", "older"], SESSION);
        let token = keys.seal(PAYLOAD, &IV);
        assert_eq!(keys.open(&token).unwrap(), PAYLOAD);
        (keys, token)
    })
}

/// A token that is right in everything, and authenticated, but for its header.
fn with_header(header: &str) -> Result<Vec<u8>, OpenError> {
    let secret = Secret::from("secret");
    let info = format!("{V5_INFO} ({SESSION})");
    let key = if header.contains("GCM") {
        ContentKey::gcm(&expand(&secret, SESSION, &info))
    } else {
        ContentKey::cbc(&expand(&secret, SESSION, &info))
    };
    let token = key.writing(header).seal(PAYLOAD, &IV).unwrap();
    keys(Dialect::V5, &["secret"], SESSION).open(&token)
}

#[test]
fn a_token_with_one_bit_of_its_text_flipped_is_refused() {
    for (keys, token) in both() {
        for index in 0..token.len() {
            for bit in 0..8 {
                let mut bytes = token.clone().into_bytes();
                bytes[index] ^= 1 << bit;
                if let Ok(text) = String::from_utf8(bytes) {
                    assert!(keys.open(&text).is_err(), "byte {index}, bit {bit}");
                }
            }
        }
    }
}

#[test]
fn a_token_with_one_bit_of_its_contents_flipped_is_refused() {
    for (keys, token) in both() {
        let parts: Vec<Vec<u8>> =
            token.split('.').map(|it| Base64UrlUnpadded::decode_vec(it).unwrap()).collect();
        for (number, part) in parts.iter().enumerate() {
            for bit in 0..8 * part.len() {
                let mut changed = parts.clone();
                changed[number][bit / 8] ^= 1 << (bit % 8);
                let text: Vec<String> =
                    changed.iter().map(|it| Base64UrlUnpadded::encode_string(it)).collect();
                assert!(keys.open(&text.join(".")).is_err(), "part {number}, bit {bit}");
            }
        }
    }
}

#[test]
fn a_token_cut_off_anywhere_is_refused() {
    for (keys, token) in both() {
        for index in 0..token.len() {
            assert!(keys.open(&token[..index]).is_err(), "the first {index}");
            assert!(keys.open(&token[token.len() - index..]).is_err(), "the last {index}");
        }
    }
}

#[test]
fn another_number_of_parts_is_refused() {
    for (keys, token) in both() {
        for extra in [".", "..", ".AAAA", "...."] {
            assert_eq!(keys.open(&format!("{token}{extra}")), Err(OpenError::Malformed));
            assert_eq!(keys.open(&format!("{extra}{token}")), Err(OpenError::Malformed));
        }
        assert_eq!(keys.open("...."), Err(OpenError::Malformed));
        assert_eq!(keys.open(&token.replacen("..", ".", 1)), Err(OpenError::Malformed));
    }
}

#[test]
fn an_encrypted_key_is_refused() {
    for (keys, token) in both() {
        assert_eq!(keys.open(&token.replacen("..", ".AAAA.", 1)), Err(OpenError::Malformed));
    }
}

#[test]
fn only_direct_encryption_is_accepted() {
    assert_eq!(with_header(r#"{"alg":"dir","enc":"A256CBC-HS512"}"#).unwrap(), PAYLOAD);
    assert_eq!(with_header(r#"{"alg":"dir","enc":"A256GCM"}"#).unwrap(), PAYLOAD);
    let others = [
        "A256KW",
        "A256GCMKW",
        "PBES2-HS512+A256KW",
        "RSA-OAEP",
        "ECDH-ES",
        "none",
        "DIR",
        "Dir",
        "",
        " dir",
    ];
    for alg in others {
        let header = format!(r#"{{"alg":"{alg}","enc":"A256CBC-HS512"}}"#);
        assert_eq!(with_header(&header), Err(OpenError::Algorithm), "{header}");
    }
    for header in [r#"{"enc":"A256CBC-HS512"}"#, r#"{"alg":["dir"],"enc":"A256CBC-HS512"}"#, "{}"] {
        assert_eq!(with_header(header), Err(OpenError::Algorithm), "{header}");
    }
}

#[test]
fn only_two_encryptions_are_accepted() {
    for enc in ["A128CBC-HS256", "A192CBC-HS384", "A128GCM", "A192GCM", "a256gcm", "none", ""] {
        let header = format!(r#"{{"alg":"dir","enc":"{enc}"}}"#);
        assert_eq!(with_header(&header), Err(OpenError::Algorithm), "{header}");
    }
    assert_eq!(with_header(r#"{"alg":"dir"}"#), Err(OpenError::Algorithm));
    assert_eq!(with_header(r#"{"alg":"dir","enc":null}"#), Err(OpenError::Algorithm));
}

#[test]
fn a_key_is_used_with_its_own_encryption_only() {
    let info = format!("{V5_INFO} ({SESSION})");
    let key = ContentKey::gcm(&expand(&Secret::from("secret"), SESSION, &info));
    let token = key.writing(r#"{"alg":"dir","enc":"A256CBC-HS512"}"#).seal(PAYLOAD, &IV).unwrap();
    assert_eq!(keys(Dialect::V5, &["secret"], SESSION).open(&token), Err(OpenError::Malformed));
}

#[test]
fn v4_does_not_accept_the_encryption_of_v5() {
    let token = keys(Dialect::V5, &["secret"], SESSION).seal(PAYLOAD, &IV);
    assert_eq!(keys(Dialect::V4, &["secret"], SESSION).open(&token), Err(OpenError::Algorithm));
}

#[test]
fn compression_and_extensions_are_refused() {
    let members = [
        r#""zip":"DEF""#,
        r#""zip":null"#,
        r#""crit":["exp"],"exp":1"#,
        r#""crit":[]"#,
        r#""p2c":100000000"#,
    ];
    for member in members {
        for enc in ["A256CBC-HS512", "A256GCM"] {
            let header = format!(r#"{{"alg":"dir","enc":"{enc}",{member}}}"#);
            assert_eq!(with_header(&header), Err(OpenError::Algorithm), "{header}");
        }
    }
}

#[test]
fn a_header_that_is_no_json_object_is_refused() {
    let long = format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","x":"{}"}}"#, "x".repeat(4096));
    let kid = r#"{"alg":"dir","enc":"A256CBC-HS512","kid":7}"#;
    for header in ["", "[]", "null", "\"dir\"", "{", r#"{"alg":"dir","enc":"A256CBC-HS512"},"#, kid, &long] {
        assert_eq!(with_header(header), Err(OpenError::Malformed), "{header}");
    }
}

#[test]
fn a_token_of_more_than_one_mebibyte_is_refused() {
    for (keys, _) in both() {
        let large = keys.seal(&vec![b'x'; 780_000], &IV);
        assert!(large.len() < 1024 * 1024);
        assert_eq!(keys.open(&large).unwrap().len(), 780_000);

        let too_large = keys.seal(&vec![b'x'; 790_000], &IV);
        assert!(too_large.len() > 1024 * 1024);
        assert_eq!(keys.open(&too_large), Err(OpenError::Malformed));
    }
}

#[test]
fn five_parts_of_one_mebibyte_are_refused() {
    let part = "A".repeat(1024 * 1024);
    for (keys, token) in both() {
        assert_eq!(keys.open(&[part.as_str(); 5].join(".")), Err(OpenError::Malformed));
        for number in [0, 2, 3, 4] {
            let mut parts: Vec<&str> = token.split('.').collect();
            parts[number] = &part[..1024 * 1024 - 1024];
            assert!(keys.open(&parts.join(".")).is_err(), "part {number}");
        }
    }
}

proptest! {
    #[test]
    fn any_payload_survives(payload: Vec<u8>, iv: [u8; 16], secret in ".{1,80}", salt in ".{0,40}") {
        for dialect in DIALECTS {
            let keys = keys(dialect, &[&secret], &salt);
            prop_assert_eq!(keys.open(&keys.seal(&payload, &iv)).unwrap(), payload.clone());
        }
    }

    #[test]
    fn no_text_opens(text: String) {
        for (keys, _) in both() {
            prop_assert!(keys.open(&text).is_err());
        }
    }

    #[test]
    fn no_text_in_the_shape_of_a_token_opens(token in "([A-Za-z0-9_-]{0,40}|eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0)\\.\\.[A-Za-z0-9_=-]{0,24}\\.[A-Za-z0-9_=-]{0,80}\\.[A-Za-z0-9_=-]{0,44}") {
        for (keys, _) in both() {
            prop_assert!(keys.open(&token).is_err());
        }
    }

    #[test]
    fn no_header_opens_another_payload(header: Vec<u8>, part in 0_usize..5) {
        for (keys, token) in both() {
            let changed = Base64UrlUnpadded::encode_string(&header);
            let mut parts: Vec<&str> = token.split('.').collect();
            prop_assume!(parts[part] != changed);
            parts[part] = &changed;
            prop_assert!(keys.open(&parts.join(".")).is_err());
        }
    }

    #[test]
    fn any_payload_is_claims_or_refused(payload: Vec<u8>, now: i64) {
        let keys = keys(Dialect::V4, &["secret"], "");
        let _ = keys.open_claims(&keys.seal(&payload, &IV), Timestamp::from_millis(now));
    }
}
