use super::*;

fn listed() -> Vec<Scenario> {
    let lines = "10-endpoints\tjwt\t-\tcsrf: a token\n40-callback-url\tjwt\tcontrol,quirk\turl: odd\n\
                 96-configuration\tbad-adapter\t-\tconfiguration: half an adapter\n3 scenarios";
    lines.lines().filter_map(scenario).collect()
}

fn known(names: &[&str]) -> BTreeMap<String, String> {
    names.iter().map(|name| ((*name).to_owned(), "a reason".to_owned())).collect()
}

#[test]
fn the_list_of_the_harness_is_read() {
    let read = listed();
    assert_eq!(read.len(), 3);
    assert_eq!(read[1].profile, "jwt");
    assert_eq!(read[1].tags, ["control", "quirk"]);
    assert_eq!(read[1].name, "url: odd");
}

#[test]
fn a_known_difference_must_be_a_scenario() {
    assert!(check_known(&known(&["csrf: a token", "url: odd"]), &listed()).is_ok());
    assert!(check_known(&known(&["csrf: gone"]), &listed()).is_err());
}

#[test]
fn only_chosen_differences_are_counted() {
    let scenario = |number: usize, profile: &str, tag: &str| Scenario {
        profile: profile.into(),
        tags: vec![tag.into()],
        name: format!("scenario {number}"),
    };
    let names: Vec<String> = (0..=MOST_CHOSEN).map(|number| format!("scenario {number}")).collect();
    let names = known(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let all =
        |profile, tag| (0..=MOST_CHOSEN).map(|number| scenario(number, profile, tag)).collect::<Vec<_>>();
    assert!(check_known(&names, &all("jwt", "-")).is_err());
    assert!(check_known(&names, &all("jwt", "quirk")).is_ok());
    assert!(check_known(&names, &all("bad-strategy", "-")).is_ok());
}

#[test]
fn each_dialect_has_its_own_limit() {
    let scenarios: Vec<_> = (0..2 * MOST_CHOSEN)
        .map(|number| Scenario {
            profile: if number % 2 == 0 { "jwt" } else { "v4-trust" }.into(),
            tags: Vec::new(),
            name: format!("scenario {number}"),
        })
        .collect();
    let names: Vec<_> = scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    assert!(check_known(&known(&names), &scenarios).is_ok());
    let one_more = Scenario { profile: "v4".into(), tags: Vec::new(), name: "one more".into() };
    let names = [names.as_slice(), &["one more"]].concat();
    let scenarios = scenarios.iter().map(Scenario::clone).chain([one_more]).collect::<Vec<_>>();
    assert!(check_known(&known(&names), &scenarios).is_err());
}
