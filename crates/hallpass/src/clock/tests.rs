use super::*;

#[test]
fn times_are_written_as_javascript_does() {
    for (millis, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_827_696_007, "2000-02-29T12:34:56.007Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(Timestamp::from_millis(millis).to_iso(), text);
        assert_eq!(Timestamp::from_iso(text), Some(Timestamp::from_millis(millis)));
    }
    for (millis, text) in [(-1, "1970-01-01T00:00:00.000Z"), (i64::MAX, "9999-12-31T23:59:59.999Z")] {
        assert_eq!(Timestamp::from_millis(millis).to_iso(), text);
    }
    assert_eq!(Timestamp::from_iso("9999-12-31T23:59:59.999Z"), Some(Timestamp::END_OF_TIME));
}

#[test]
fn times_in_cookies_are_those_of_http() {
    for (seconds, text) in [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"),
        (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
        (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] {
        assert_eq!(Timestamp::from_seconds(seconds).to_http_date(), text);
    }
}
