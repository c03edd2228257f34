use minijinja::context;

use super::*;

fn templates(source: &str) -> Templates {
    let mut templates = Templates::built_in().unwrap();
    templates.replace(TemplateName::Error, source.to_owned()).unwrap();
    templates
}

#[test]
fn what_has_a_meaning_in_text_and_attributes_is_escaped() {
    let made =
        templates("<p title=\"{{ x }}\">{{ x }}").fill(TemplateName::Error, context! { x => r#"&<>"'é/"# });
    assert_eq!(made.unwrap(), r#"<p title="&amp;&lt;>&quot;&#39;é/">&amp;&lt;>&quot;&#39;é/"#);
}

#[test]
fn what_is_marked_safe_is_left_alone() {
    let x = Value::from_safe_string("<b>".to_owned());
    assert_eq!(templates("{{ x }}").fill(TemplateName::Error, context! { x }).unwrap(), "<b>");
}

#[test]
fn a_name_that_does_not_exist_is_an_error() {
    let error = templates("{{ mesage }}").fill(TemplateName::Error, context! { message => 1 }).unwrap_err();
    assert!(error.to_string().starts_with("template error: undefined value"), "{error}");
}
