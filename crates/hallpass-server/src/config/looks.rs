//! `[theme]`: how the built-in pages and mails look.

use std::fs;
use std::path::{Path, PathBuf};

use hallpass::mail::MailTemplate;
use hallpass::pages::{ColorScheme, PageError, Pages, TemplateName};
use hallpass::{Builder, Theme};

use super::document::{Document, Found, Section, nearest};
use super::problem::Problem;
use super::sections::Setter;

/// What the section says.
#[derive(Clone, Debug, Default)]
pub(super) struct Looks {
    /// None where only templates and style are named.
    pub(super) theme: Option<Theme>,
    folder: Option<PathBuf>,
    style_file: Option<PathBuf>,
    pages: Vec<(TemplateName, String)>,
    mails: Vec<(MailTemplate, String)>,
    style: Option<String>,
}

impl Looks {
    pub(super) fn add_to<S: Clone + Send + Sync + 'static>(&self, mut builder: Builder<S>) -> Builder<S> {
        for (name, source) in &self.pages {
            builder = builder.template(*name, source.as_str());
        }
        for (name, source) in &self.mails {
            builder = builder.mail_template(*name, source.as_str());
        }
        match &self.style {
            Some(css) => builder.style(css.as_str()),
            None => builder,
        }
    }

    /// The files that count, also those that would if they were there.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        let folder = self.folder.clone();
        let templates = folder.into_iter().flat_map(|folder| {
            let names: Vec<_> = names().map(|name| folder.join(name)).collect();
            [folder].into_iter().chain(names)
        });
        templates.chain(self.style_file.clone())
    }
}

pub(super) fn read(mut section: Section<'_>, problems: &mut Vec<Problem>) -> Looks {
    let mut looks = Looks::default();
    if section.has_any(&["title", "logo", "brand_color", "button_text", "color_scheme"]) {
        looks.theme = Some(Theme::new());
    }
    let mut theme = Theme::new();
    for (key, set) in THEME {
        if let Some(text) = section.text(key) {
            theme = set(theme, text.value);
        }
    }
    if let Some(scheme) = section.choice("color_scheme", COLOR_SCHEMES) {
        theme = theme.color_scheme(scheme);
    }
    looks.theme = looks.theme.map(|_| theme);
    let (folder, style) = (section.text("templates"), section.text("style"));
    let document = section.document();
    if let Some(folder) = folder {
        looks.folder = Some(document.resolve(&folder.value));
        looks.read_templates(document, &folder, problems);
    }
    if let Some(file) = style {
        let path = document.resolve(&file.value);
        looks.style = text_of(&path).map_err(|error| document.note(file.span, error)).ok();
        if let Some(css) = looks.style.take_if(|css| css.contains("</")) {
            let at = css.find("</").unwrap_or_default();
            let message = "`theme.style`: a stylesheet has no `</`: it would end the <style> element";
            problems.push(Problem::at(&path, &css, at..at, message));
        }
        looks.style_file = Some(path);
    }
    section.end();
    looks
}

impl Looks {
    /// Each file replaces the template of its name.
    fn read_templates(&mut self, document: &Document, folder: &Found<String>, problems: &mut Vec<Problem>) {
        let path = document.resolve(&folder.value);
        let mut files = match files_in(&path) {
            Ok(files) => files,
            Err(error) => {
                let message = format!("{} cannot be read: {error}", path.display());
                return document.note(folder.span.clone(), message);
            }
        };
        // In the order of the library, so that one may take parts of one before it.
        let place = |file: &String| names().position(|name| name == *file);
        files.sort_by_key(place);
        // A provider's colour or a bad theme is another mistake.
        let Ok(mut pages) = Pages::new(&Theme::new(), &[]) else { return };
        for file in files {
            let path = path.join(&file);
            let page = TemplateName::ALL.iter().find(|name| file_of(**name) == file);
            let mail = MailTemplate::ALL.iter().find(|name| name.as_str() == file);
            if page.is_none() && mail.is_none() {
                problems.push(Problem::new(unknown(&path, &file)));
                continue;
            }
            let source = match text_of(&path) {
                Ok(source) => source,
                Err(error) => {
                    problems.push(Problem::new(error));
                    continue;
                }
            };
            if let Some(name) = page {
                match pages.clone().with_template(*name, source.as_str()) {
                    Ok(replaced) => pages = replaced,
                    Err(error) => {
                        problems.push(in_template(&path, &source, error));
                        continue;
                    }
                }
                self.pages.push((*name, source));
            } else if let Some(name) = mail {
                match name.check(&source) {
                    Ok(()) => self.mails.push((*name, source)),
                    Err(error) => problems.push(in_line(&path, &source, error.line, &error.source)),
                }
            }
        }
    }
}

/// The names of what is in a folder, but for hidden files.
fn files_in(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}

fn text_of(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

fn in_template(path: &Path, source: &str, error: PageError) -> Problem {
    match error {
        PageError::Template { line, source: message, .. } => in_line(path, source, line, &message),
        other => in_line(path, source, None, &other),
    }
}

fn in_line(path: &Path, source: &str, line: Option<usize>, message: &impl ToString) -> Problem {
    let before = line.unwrap_or(1).saturating_sub(1);
    let start = source.split_inclusive('\n').take(before).map(str::len).sum();
    Problem::at(path, source, start..start, message.to_string())
}

fn unknown(path: &Path, file: &str) -> String {
    let names: Vec<_> = names().collect();
    let hint = match nearest(file, names.iter().map(String::as_str)) {
        Some(known) => format!("did you mean {known}?"),
        None => format!("known here: {}", names.join(", ")),
    };
    format!("{} replaces no template: {hint}", path.display())
}

/// The names of all files that replace a template.
fn names() -> impl Iterator<Item = String> {
    let mails = MailTemplate::ALL.iter().map(|name| name.as_str().to_owned());
    TemplateName::ALL.iter().map(|name| file_of(*name)).chain(mails)
}

fn file_of(name: TemplateName) -> String {
    format!("{name}.html")
}

const THEME: [Setter<Theme>; 4] = [
    ("title", Theme::title),
    ("logo", Theme::logo),
    ("brand_color", Theme::brand_color),
    ("button_text", Theme::button_text),
];

const COLOR_SCHEMES: &[(&str, ColorScheme)] =
    &[("auto", ColorScheme::Auto), ("light", ColorScheme::Light), ("dark", ColorScheme::Dark)];
