//! Questions at the terminal. They stand on stderr, and the answers may come from a pipe.

use std::fmt::Write as _;
use std::io::{self, BufRead, IsTerminal, Write as _};

use hallpass::Secret;

use crate::Failure;

pub(super) struct Terminal {
    /// Nothing is asked: the defaults count.
    takes_defaults: bool,
    is_terminal: bool,
}

impl Terminal {
    pub(super) fn new(takes_defaults: bool) -> Self {
        Self { takes_defaults, is_terminal: io::stdin().is_terminal() }
    }

    /// What was given on the command line, or the answer, or the default. Somebody at a terminal may try again.
    ///
    /// # Errors
    /// When it is wrong, and nobody can be asked again.
    pub(super) fn question<T>(
        &mut self,
        question: &str,
        default: &str,
        given: Option<&str>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let wrong = |wrong: String| Failure::Other(format!("{question}: {wrong}"));
        if let Some(given) = given {
            return read(given.trim()).map_err(wrong);
        }
        if self.takes_defaults {
            return read(default).map_err(wrong);
        }
        let mut prompt = question.to_owned();
        if !default.is_empty() {
            // Writing to a String does not fail.
            let _ = write!(prompt, " [{default}]");
        }
        loop {
            let answer = self.line(&prompt)?;
            match read(if answer.is_empty() { default } else { &answer }) {
                Ok(answer) => return Ok(answer),
                Err(hint) if self.is_terminal => eprintln!("  {hint}"),
                Err(hint) => return Err(wrong(hint)),
            }
        }
    }

    /// An answer that may be left out.
    ///
    /// # Errors
    /// When there are no more answers.
    pub(super) fn optional(&mut self, question: &str) -> Result<Option<String>, Failure> {
        if self.takes_defaults {
            return Ok(None);
        }
        let answer = self.line(&format!("{question} [later]"))?;
        Ok(Some(answer).filter(|answer| !answer.is_empty()))
    }

    /// The same, not shown while it is typed.
    ///
    /// # Errors
    /// When there are no more answers.
    pub(super) fn secret(&mut self, question: &str) -> Result<Option<Secret>, Failure> {
        if self.takes_defaults {
            return Ok(None);
        }
        let answer = self.hidden_line(&format!("{question} [later; it is not shown]"))?;
        Ok(Some(answer).filter(|answer| !answer.expose().trim().is_empty()))
    }

    /// A password, typed twice; none if one is to be made.
    ///
    /// # Errors
    /// When the two differ, or there are no more answers.
    pub(super) fn new_password(&mut self) -> Result<Option<Secret>, Failure> {
        if self.takes_defaults {
            return Ok(None);
        }
        let first = self.hidden_line("Their password [one is made; it is not shown]")?;
        if first.expose().is_empty() {
            return Ok(None);
        }
        if self.is_terminal && !first.matches(self.hidden_line("Again")?.expose()) {
            return Err(Failure::other("the two passwords differ"));
        }
        Ok(Some(first))
    }

    /// # Errors
    /// When the answer is neither, and nobody can be asked again.
    pub(super) fn yes_or_no(&mut self, question: &str, default: bool) -> Result<bool, Failure> {
        let question = format!("{question} (yes or no)");
        let default = if default { "yes" } else { "no" };
        self.question(&question, default, None, |answer| match answer.to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(true),
            "n" | "no" => Ok(false),
            _ => Err("yes or no".to_owned()),
        })
    }

    fn line(&self, prompt: &str) -> Result<String, Failure> {
        // Who answers through a pipe may have closed stderr.
        let _ = write!(io::stderr(), "{prompt}: ");
        let _ = io::stderr().flush();
        let mut line = String::new();
        let length = io::stdin().lock().read_line(&mut line).map_err(Failure::other)?;
        if !self.is_terminal {
            let _ = writeln!(io::stderr());
        }
        if length == 0 {
            return Err(Failure::other("there are no more answers, so nothing was written"));
        }
        Ok(line.trim().to_owned())
    }

    fn hidden_line(&self, prompt: &str) -> Result<Secret, Failure> {
        if self.is_terminal {
            return rpassword::prompt_password(format!("{prompt}: "))
                .map(Secret::from)
                .map_err(Failure::other);
        }
        self.line(prompt).map(Secret::from)
    }
}
