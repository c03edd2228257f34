//! How many files the system lets the program have open: each connection is one.

/// How many connections fit, of those that are wanted. Raises the limit of the system as far as it goes.
pub(crate) fn connections_that_fit(wanted: usize, others: usize) -> usize {
    let Some(most) = raised() else { return wanted };
    let fit = fitting(wanted, others, most);
    if fit < wanted {
        tracing::warn!(
            "{fit} connections at most, not {wanted}: {most} files may be open (raise it with `ulimit -n` or LimitNOFILE, \
             or lower `connections` in [limits])"
        );
    }
    fit
}

fn fitting(wanted: usize, others: usize, most: usize) -> usize {
    wanted.min(most.saturating_sub(others + OF_THE_PROGRAM)).max(1)
}

/// The limit; `None` where there is none.
#[cfg(unix)]
fn raised() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    now.map(|most| usize::try_from(most).unwrap_or(usize::MAX))
}

#[cfg(not(unix))]
fn raised() -> Option<usize> {
    None
}

/// Files, pipes and sockets to providers.
const OF_THE_PROGRAM: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_the_files_of_the_program() {
        assert_eq!(fitting(4096, 10, 20_000), 4096);
        assert_eq!(fitting(4096, 10, 1024), 1024 - 10 - OF_THE_PROGRAM);
        assert_eq!(fitting(4096, 10, 20), 1);
    }

    #[test]
    #[cfg(unix)]
    fn the_limit_is_raised_to_what_the_system_allows() {
        use rustix::process::{Resource, getrlimit};
        raised();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
