use std::collections::HashMap;

use super::*;

#[test]
fn field_with_a_reserved_name_is_noticed() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its fields' names are looked at")]
    struct Wrong {
        role: String,
        #[serde(rename = "email")]
        address: String,
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its fields' names are looked at")]
    struct Right {
        role: String,
    }
    assert_eq!(reserved_field::<Wrong>(), Some("email"));
    assert_eq!(reserved_field::<Right>(), None);
    assert_eq!(reserved_field::<HashMap<String, String>>(), None);
}
