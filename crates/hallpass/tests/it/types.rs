//! What a front end learns of the application's types.

use hallpass::{NoClaims, NoUpdate, ViewUser};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What somebody may do.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Role {
    Admin,
    Manager,
    User,
}

/// What a session keeps.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Claims {
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_token: Option<String>,
    selected_company_id: Option<u64>,
}

/// What the browser sees.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct View {
    user: User,
    companies: Vec<Company>,
    selected_company_id: Option<u64>,
    plan: Plan,
}

/// Called as a type of Auth.js is, which must not be taken for it.
#[derive(Serialize, JsonSchema)]
struct User {
    id: String,
    avatar: Option<String>,
    role: Role,
    #[serde(flatten)]
    public: ViewUser,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Company {
    id: u64,
    name: String,
}

#[expect(dead_code, reason = "only its shape counts")]
#[derive(Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Plan {
    Free,
    #[serde(rename_all = "camelCase")]
    Paid {
        seat_count: u32,
    },
}

/// What a client may change.
#[expect(dead_code, reason = "only its shape counts")]
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Update {
    company_id: u64,
    /// The name to show.
    name: Option<String>,
}

/// With which `cargo xtask types` runs the compiler of TypeScript: it takes `role === "admin"` and refuses
/// `role === "boss"`.
#[test]
fn seed_2_9_2_10_declarations_of_the_end_to_end_tests_are_fresh() -> Result<(), hallpass::typescript::Stale> {
    hallpass::typescript::<Claims, View, Update>().check("../../e2e/types/hallpass.d.ts")
}

/// Types with names that TypeScript or Auth.js has too, and whatever else serde can do.
mod odd {
    use std::collections::{BTreeMap, BTreeSet, HashMap};

    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::Value;

    #[expect(clippy::upper_case_acronyms, reason = "Auth.js writes it so")]
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct JWT {
        #[serde(rename = "x-tenant")]
        tenant: Tenant,
        #[serde(flatten)]
        rest: HashMap<String, Value>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Tenant(String);

    /// Closes a comment: */ export
    #[derive(Serialize, JsonSchema)]
    pub(super) struct Session {
        user: Promise,
        tree: Tree,
        pair: (u8, String),
        #[serde(rename = "2nd")]
        second: [f32; 2],
        many: Vec<Option<Level>>,
        set: BTreeSet<u16>,
        by_name: BTreeMap<String, Wrapper<bool>>,
        by_number: BTreeMap<u32, ()>,
        anything: Value,
        change: Change,
        /// Two lines,
        /// of which this is the second.
        settings: Option<Settings>,
        #[serde(skip_serializing_if = "Option::is_none")]
        absent: Option<Settings>,
        #[serde(skip)]
        #[expect(dead_code, reason = "it must not be shown")]
        secret: String,
        #[serde(flatten)]
        state: State,
    }

    /// Nothing of what a user has in Auth.js.
    #[derive(Serialize, JsonSchema)]
    pub(super) struct Promise {
        number: i64,
        level: Level,
    }

    #[derive(Serialize, JsonSchema)]
    pub(super) struct Tree {
        children: Vec<Self>,
    }

    #[derive(Serialize, JsonSchema)]
    pub(super) struct Wrapper<T> {
        inner: T,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    pub(super) enum Level {
        /// As all begin.
        VeryLow,
        High,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "state", rename_all = "lowercase")]
    pub(super) enum State {
        Idle { since: u32 },
        Busy { since: u32, until: Option<u32> },
    }

    /// Read otherwise than it is written.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Settings {
        #[serde(default)]
        dark_mode: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        time_zone: Option<String>,
        inner: Option<Box<Self>>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    pub(super) enum Change {
        Settings(Settings),
        Level(Level),
        Nothing,
        Both { settings: Settings, level: Level },
    }
}

/// `cargo xtask types` compiles these too.
#[test]
fn declarations_of_odd_types_are_fresh() -> Result<(), hallpass::typescript::Stale> {
    hallpass::typescript::<odd::JWT, odd::Session, odd::Change>().check("../../e2e/types/odd.d.ts")
}

#[test]
fn types_of_hallpass_need_nothing_of_the_application() {
    #[derive(Serialize, JsonSchema)]
    struct View {
        user: ViewUser,
    }
    let text = hallpass::typescript::<NoClaims, View, NoUpdate>().to_string();
    assert!(text.contains("export type HallpassUpdate = never;"), "{text}");
    assert!(text.contains("  name?: string;"), "{text}");
    assert!(!text.contains("interface JWT"), "{text}");
    let schema = hallpass::schema::<NoClaims, View, NoUpdate>();
    assert_eq!(schema["properties"]["update"], json!(false));
}
