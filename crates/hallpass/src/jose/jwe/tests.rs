use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeEncrypt, KeyIvInit};

use super::*;

const KEY: [[u8; 32]; 2] = [[1; 32], [2; 32]];
const IV: [u8; 16] = *b"sixteen bytes iv";

impl ContentKey {
    /// Writes another header than its own.
    pub(in crate::jose) fn writing(self, header: &str) -> Self {
        Self { header: Base64UrlUnpadded::encode_string(header.as_bytes()), ..self }
    }
}

fn open(key: &ContentKey, token: &str) -> Result<Vec<u8>, OpenError> {
    let token = Compact::split(token)?;
    let mut text = token.ciphertext()?;
    key.open(&token, &mut text)?;
    Ok(text)
}

fn tag(key: &ContentKey, ciphertext: &[u8]) -> [u8; 32] {
    match &key.cipher {
        Cipher::CbcHmac(cipher) => cipher.tag(&key.header, &IV, ciphertext),
        Cipher::Gcm(_) => panic!("a key for CBC"),
    }
}

/// RFC 7518, appendix B.3.
#[test]
fn a256cbc_hs512_of_the_rfc() {
    let key: Vec<u8> = (0..64).collect();
    let (halves, _) = key.as_chunks::<32>();
    let payload = b"A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience";
    let header = "The second principle of Auguste Kerckhoffs";
    let iv = [0x1a, 0xf3, 0x8c, 0x2d, 0xc2, 0xb9, 0x6f, 0xfd, 0xd8, 0x66, 0x94, 0x09, 0x23, 0x41, 0xbc, 0x04];
    let expected_tag = [
        0x4d, 0xd3, 0xb4, 0xc0, 0x88, 0xa7, 0xf4, 0x5c, 0x21, 0x68, 0x39, 0x64, 0x5b, 0x20, 0x12, 0xbf, 0x2e,
        0x62, 0x69, 0xa8, 0xc5, 0x6a, 0x81, 0x6d, 0xbc, 0x1b, 0x26, 0x77, 0x61, 0x95, 0x5b, 0xc5,
    ];

    for own_header in [header, ""] {
        let cipher = CbcHmac::new(halves.first_chunk().unwrap(), own_header);
        let (mut text, tag) = cipher.encrypt(header, payload, &iv);
        assert_eq!(text[..8], [0x4a, 0xff, 0xaa, 0xad, 0xb7, 0x8c, 0x31, 0xc5]);
        assert_eq!(tag, expected_tag);
        cipher.decrypt(header, &iv, &mut text, &tag).unwrap();
        assert_eq!(text, payload);
    }
}

/// RFC 7516, appendix A.1.
#[test]
fn a256gcm_of_the_rfc() {
    let key = [
        177, 161, 244, 128, 84, 143, 225, 115, 63, 180, 3, 255, 107, 154, 212, 246, 138, 7, 110, 91, 112, 46,
        34, 105, 47, 130, 203, 46, 122, 234, 64, 252,
    ];
    let cipher = Gcm::new(&[key]);
    let header = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ";
    let iv = [227, 197, 117, 252, 2, 219, 233, 68, 180, 225, 77, 219];
    let payload = b"The true sign of intelligence is not knowledge but imagination.";

    let (mut text, tag) = cipher.encrypt(header, payload, &iv).unwrap();
    assert_eq!(
        Base64UrlUnpadded::encode_string(&text),
        "5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A"
    );
    assert_eq!(Base64UrlUnpadded::encode_string(&tag), "XFBoMYUZodetZdvTiFvSkQ");
    cipher.decrypt(header, &iv, &mut text, &tag).unwrap();
    assert_eq!(text, payload);
}

/// Both have a last block that no payload ends with; one has the right tag.
#[test]
fn bad_padding_and_a_bad_tag_are_the_same_failure() {
    let key = ContentKey::cbc(&KEY);
    let ciphertext = cbc::Encryptor::<Aes256>::new(&KEY[1].into(), &IV.into())
        .encrypt_padded_vec::<NoPadding>(&[0xff; 32]);
    let tag = tag(&key, &ciphertext);
    assert_eq!(open(&key, &join(&key.header, &IV, &ciphertext, &tag)), Err(OpenError::Decrypt));
    assert_eq!(open(&key, &join(&key.header, &IV, &ciphertext, &[0; 32])), Err(OpenError::Decrypt));
}

#[test]
fn a_ciphertext_of_no_whole_blocks_does_not_decrypt() {
    let key = ContentKey::cbc(&KEY);
    for length in [0, 1, 15, 17, 31] {
        let ciphertext = vec![0; length];
        let tag = tag(&key, &ciphertext);
        assert_eq!(open(&key, &join(&key.header, &IV, &ciphertext, &tag)), Err(OpenError::Decrypt));
    }
}

#[test]
fn a_tag_or_iv_of_another_length_is_refused() {
    for key in [ContentKey::cbc(&KEY), ContentKey::gcm(&[KEY[0]])] {
        let token = key.seal(b"payload", &IV).unwrap();
        let parts: Vec<Vec<u8>> =
            token.split('.').map(|it| Base64UrlUnpadded::decode_vec(it).unwrap()).collect();
        let (iv, text, tag) = (&parts[2], &parts[3], &parts[4]);
        assert_eq!(open(&key, &join(&key.header, iv, text, tag)).unwrap(), b"payload");
        for length in 0..tag.len() {
            assert_eq!(open(&key, &join(&key.header, iv, text, &tag[..length])), Err(OpenError::Malformed));
        }
        for length in 0..iv.len() {
            assert_eq!(open(&key, &join(&key.header, &iv[..length], text, tag)), Err(OpenError::Malformed));
        }
        let longer = [tag.as_slice(), &[0]].concat();
        assert_eq!(open(&key, &join(&key.header, iv, text, &longer)), Err(OpenError::Malformed));
    }
}

#[test]
fn every_length_of_payload_survives() {
    for key in [ContentKey::cbc(&KEY), ContentKey::gcm(&[KEY[0]])] {
        for length in (0..100).chain(760..780) {
            let payload = vec![b'x'; length];
            assert_eq!(open(&key, &key.seal(&payload, &IV).unwrap()).unwrap(), payload);
        }
    }
}

#[test]
fn bytes_have_one_text_apart_from_complete_padding() {
    assert_eq!(decode::<2>("AAA"), Ok([0; 2]));
    assert_eq!(decode::<2>("AAA="), Ok([0; 2]));
    assert_eq!(decode::<1>("AA=="), Ok([0; 1]));
    assert_eq!(decode::<3>("-_-_"), Ok([0xfb, 0xff, 0xbf]));

    // Bits that belong to no byte, the other alphabet, blanks, padding that is too short, too long or inside.
    for text in
        ["AAB", "AAB=", "+/+", "AA ", "AA\n", " AAA", "AAA==", "AAA===", "=AAA", "A=AA", "AA=A", "AA", "A"]
    {
        assert_eq!(decode::<2>(text), Err(OpenError::Malformed), "{text:?}");
    }
    for text in ["AB", "AB==", "AA=", "AA===", "A===", "===="] {
        assert_eq!(decode::<1>(text), Err(OpenError::Malformed), "{text:?}");
    }
}
