use super::*;

/// `demo`, cheaply.
const HASH: &str =
    "$argon2id$v=19$m=1024,t=1,p=1$OehFZP7BaJfFCcFxaclcVw$buloIso1rbLHQZtTEYT8Nm9AWhLRBVIBRtuiHsuV5KU";

fn users(source: &str) -> Result<Users, Vec<String>> {
    file::parse(Path::new("users.toml"), &source.replace("HASH", HASH))
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

async fn sign_in(users: &Users, username: &str, password: &str) -> Option<User> {
    users.authorize(&Verifier::new(), username, password).await.unwrap()
}

#[tokio::test]
async fn name_and_password_give_the_user_with_all_fields() {
    let users = users(
        "[ada]\npassword = \"HASH\"\nid = \"42\"\nname = \"Ada\"\nemail = \"ada@example.com\"\nrole = \"admin\"\n\
         teams = [\"a\", \"b\"]\nage = 36",
    );
    let user = sign_in(&users.unwrap(), "ada", "demo").await.unwrap();
    let json = serde_json::to_value(&user).unwrap();
    assert_eq!(
        json,
        serde_json::json!({ "id": "42", "name": "Ada", "email": "ada@example.com", "role": "admin",
                            "teams": ["a", "b"], "age": 36 })
    );
}

#[tokio::test]
async fn capital_letters_in_the_name_do_not_matter_and_the_id_is_the_name() {
    let users = users("[\"Ada@example.com\"]\npassword = \"HASH\"").unwrap();
    let user = sign_in(&users, "ADA@EXAMPLE.COM", "demo").await.unwrap();
    assert_eq!(user.id, "Ada@example.com");
}

#[tokio::test]
async fn the_password_counts_exactly_as_it_was_typed() {
    let users = users("[ada]\npassword = \"HASH\"").unwrap();
    for password in ["Demo", " demo", "demo ", "", "demo\0", "demo\n"] {
        assert_eq!(sign_in(&users, "ada", password).await, None, "{password:?}");
    }
}

#[tokio::test]
async fn a_password_over_4_kib_is_refused_unchecked() {
    let users = users("[ada]\npassword = \"HASH\"").unwrap();
    assert_eq!(sign_in(&users, "ada", &"x".repeat(LONGEST_PASSWORD + 1)).await, None);
}

#[tokio::test]
async fn an_unknown_name_costs_as_much_as_a_known_one() {
    let users = users("[ada]\npassword = \"HASH\"").unwrap();
    assert_eq!(sign_in(&users, "eve", "demo").await, None);
    let known = users.people.get("ada").unwrap().hash.cost();
    assert_eq!(users.decoy().cost(), known);
    assert_ne!(known, Cost::default());
}

#[test]
fn every_mistake_of_the_file_is_told_with_its_place() {
    let source = "[ada]\nname = \"Ada\"\n[milo]\npassword = \"secret!\"\n[\"MILO\"]\npassword = \"HASH\"\n[Ann]\n\
                  password = \"HASH\"\n[ann]\npassword = \"HASH\"\nrole = 5\n";
    let problems = users(source).unwrap_err();
    assert_eq!(
        problems,
        [
            "users.toml, line 1, column 2: [ada] has no `password`: `hallpass user ada` makes an entry",
            "users.toml, line 4, column 12: `milo.password` is not an Argon2id hash: `hallpass user` makes one",
            "users.toml, line 11, column 8: `ann.role` must be a text in quotation marks; it is a number",
            "users.toml, line 9, column 2: \"ann\" is here twice: capital and small letters are the same",
        ]
    );
}
