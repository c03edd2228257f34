//! Any sequence of sign-ins, updates, reads, patches, revocations and sign-outs on two nodes agrees with a simple
//! model, with both strategies.

use std::time::Duration;

use hallpass::testkit::Browser;
use hallpass::{Auth, Jwt, SessionEvent, Strategy};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_oneof, proptest};
use proptest::strategy::Strategy as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::site::{SESSION, SITE, Site, browse};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Claims {
    visits: u32,
    role: String,
}

#[derive(Deserialize)]
struct Update {
    add: u32,
}

/// What happens: in one of two browsers, at one of two nodes.
#[derive(Clone, Debug)]
struct Step {
    browser: usize,
    node: usize,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    SignIn,
    Read,
    Update(u8),
    Patch(u8),
    Rename(u8),
    RevokeAll,
    SignOut,
    /// Hours pass.
    Wait(u8),
}

fn steps() -> impl proptest::strategy::Strategy<Value = Vec<Step>> {
    let what = prop_oneof![
        3 => proptest::strategy::Just(What::SignIn),
        4 => proptest::strategy::Just(What::Read),
        3 => any::<u8>().prop_map(What::Update),
        2 => any::<u8>().prop_map(What::Patch),
        1 => any::<u8>().prop_map(What::Rename),
        1 => proptest::strategy::Just(What::RevokeAll),
        1 => proptest::strategy::Just(What::SignOut),
        1 => (1..48_u8).prop_map(What::Wait),
    ];
    let step = (0..2_usize, 0..2_usize, what).prop_map(|(browser, node, what)| Step { browser, node, what });
    vec(step, 1..30)
}

fn node(site: &Site, strategy: Strategy) -> Auth<Claims> {
    let builder = site.with_store().session_strategy(strategy).revocation_delay(Duration::ZERO);
    let builder = builder.jwt(async |event: Jwt<Claims, Update>, ()| {
        Ok(match event {
            Jwt::SignIn(_) => Some(Claims { visits: 0, role: "reader".into() }),
            Jwt::Update(it) => Some(Claims { visits: it.claims.visits + it.update.add, ..it.claims }),
            Jwt::Read(it) => Some(it.claims),
        })
    });
    let builder = builder.session(async |it: SessionEvent<Claims>, ()| {
        Ok(json!({ "name": it.user.name, "visits": it.claims.visits, "role": it.claims.role }))
    });
    builder.build().unwrap()
}

/// One browser that talks to two nodes.
struct Tab([Browser; 2]);

impl Tab {
    fn at(&mut self, node: usize) -> &mut Browser {
        &mut self.0[node]
    }

    /// Both nodes are one site: what one has set, the other gets.
    fn share(&mut self, from: usize) {
        let cookies: Vec<_> = self.0[from]
            .cookies()
            .iter()
            .map(|it| format!("{}={}; Path=/; Secure", it.name, it.value))
            .collect();
        let other = &mut self.0[1 - from];
        other.clear_cookies();
        cookies.iter().for_each(|cookie| other.plant(cookie));
    }
}

async fn run(strategy: Strategy, steps: &[Step]) {
    let site = Site::new();
    let nodes = [node(&site, strategy), node(&site, strategy)];
    let mut tabs = [0, 1].map(|_| Tab([browse(&nodes[0]), browse(&nodes[1])]));
    let mut model: [Option<Claims>; 2] = [None, None];
    let mut name = "Ada".to_owned();
    for (index, Step { browser, node, what }) in steps.iter().enumerate() {
        let (tab, auth) = (&mut tabs[*browser], &nodes[*node]);
        let user = site.store.rows().users.first().map(|user| user.id.clone());
        match (what, user) {
            (What::SignIn, _) => {
                assert_eq!(tab.at(*node).sign_in("idp", &site.idp).await.location(), SITE);
                model[*browser] = Some(Claims { visits: 0, role: "reader".into() });
            }
            (What::Update(add), _) => {
                let answer = tab.at(*node).update(&json!({ "add": add })).await;
                if let Some(claims) = &mut model[*browser] {
                    claims.visits += u32::from(*add);
                    assert_eq!(answer.json()["visits"], claims.visits, "{strategy:?} step {index}");
                }
            }
            (What::Patch(number), Some(id)) => {
                let role = format!("role {number}");
                auth.sessions().update(&id, json!({ "role": role })).await.unwrap();
                model.iter_mut().flatten().for_each(|claims| claims.role.clone_from(&role));
            }
            (What::Rename(number), Some(id)) => {
                name = format!("Ada {number}");
                let change = hallpass::UserChange::new().name(name.clone());
                auth.users().update(&id, change).await.unwrap();
            }
            (What::RevokeAll, Some(id)) => {
                auth.sessions().revoke_all(&id).await.unwrap();
                model = [None, None];
            }
            (What::SignOut, _) => {
                tab.at(*node).sign_out().await;
                model[*browser] = None;
            }
            (What::Wait(hours), _) => site.clock.advance(Duration::from_secs(3600 * u64::from(*hours))),
            (What::Read | What::Patch(_) | What::Rename(_) | What::RevokeAll, _) => {}
        }
        tab.share(*node);
        for (tab, claims) in tabs.iter_mut().zip(&model) {
            let shown = tab.at(1 - node).session().await;
            let wanted = claims
                .as_ref()
                .map_or(Value::Null, |it| json!({ "name": name, "visits": it.visits, "role": it.role }));
            let mut seen = shown.clone();
            if let Some(seen) = seen.as_object_mut() {
                seen.shift_remove("expires");
            }
            assert_eq!(seen, wanted, "{strategy:?} step {index}: {what:?}");
            assert_eq!(tab.at(1 - node).cookie(SESSION).is_some(), claims.is_some());
            tab.share(1 - node);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sessions_on_two_nodes_agree_with_a_simple_model(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for strategy in [Strategy::Jwt, Strategy::Database] {
            runtime.block_on(run(strategy, &steps));
        }
    }
}
