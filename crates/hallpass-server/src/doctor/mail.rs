//! Whether mails can be sent; none is.

use hallpass::mail::Mailer;
use hallpass::with_causes;

use crate::config::{Config, Sending};

use super::finding::Finding;

pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    match config.mail_sending() {
        None => Vec::new(),
        Some(Sending::Inbox(_)) => vec![Finding::ok(CHECK, "stays at /dev/inbox: development mode")],
        // Asking would need a mail. The settings have been judged.
        Some(Sending::Service(service)) => {
            vec![Finding::ok(
                CHECK,
                format!("{} has a key, which is tried with the first mail", service.name()),
            )]
        }
        Some(Sending::Smtp(smtp)) => vec![match smtp.check(config.environment()).await {
            Ok(()) => Finding::ok(CHECK, "the mail server lets us in"),
            Err(error) => Finding::problem(CHECK, with_causes(&error), CURE),
        }],
    }
}

const CHECK: &str = "mail";

const CURE: &str = "look at host, port, user and password in `email.smtp_url` (EMAIL_SERVER); smtp:// wants STARTTLS, smtps:// is TLS \
                    from the start, usually on port 465";
