use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::schema;
use crate::{NoClaims, NoUpdate, ViewUser};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Settings {
    #[serde(default)]
    dark: bool,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Wrapper {
    settings: Settings,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Same {
    id: u64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Both {
    wrapper: Wrapper,
    same: Same,
}

#[test]
fn type_that_is_read_otherwise_is_there_twice_and_so_is_what_uses_it() {
    let schema = schema::<NoClaims, Both, Both>();
    let names: Vec<_> = schema["$defs"].as_object().unwrap().keys().collect();
    let expected =
        ["Both", "BothInput", "NoClaims", "Same", "Settings", "SettingsInput", "Wrapper", "WrapperInput"];
    assert_eq!(names, expected);
    let properties = &schema["$defs"]["BothInput"]["properties"];
    assert_eq!(properties["wrapper"], json!({ "$ref": "#/$defs/WrapperInput" }));
    assert_eq!(properties["same"], json!({ "$ref": "#/$defs/Same" }));
    assert_eq!(schema["properties"]["update"], json!({ "$ref": "#/$defs/BothInput" }));
    assert_eq!(schema["$defs"]["Settings"]["required"], json!(["dark"]));
    assert_eq!(schema["$defs"]["SettingsInput"].get("required"), None);
}

#[test]
fn session_has_what_the_view_has_and_its_end() {
    #[derive(Serialize, JsonSchema)]
    struct View {
        user: ViewUser,
    }
    let schema = schema::<NoClaims, View, NoUpdate>();
    let session = &schema["properties"]["session"]["allOf"];
    assert_eq!(session[0], json!({ "$ref": "#/$defs/View" }));
    assert_eq!(session[1]["required"], json!(["expires"]));
    assert_eq!(schema["$defs"]["ViewUser"]["properties"]["name"]["type"], "string");
}
