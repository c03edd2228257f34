use super::*;

const RATE: Rate = Rate { count: 3, window: Duration::from_secs(60) };

#[test]
fn as_many_as_allowed_pass_at_once_and_then_one_whenever_its_time_has_come() {
    let counts = Counts::new(RATE);
    let (ada, eve) = (counts.key("ada"), counts.key("eve"));
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    for _ in 0..3 {
        counts.take(ada, start).unwrap();
    }
    assert_eq!(counts.take(ada, start), Err(Duration::from_secs(20)));
    assert_eq!(counts.take(ada, at(19)), Err(Duration::from_secs(1)));
    // Another key has a count of its own.
    counts.take(eve, at(19)).unwrap();
    counts.take(ada, at(20)).unwrap();
    assert_eq!(counts.take(ada, at(20)), Err(Duration::from_secs(20)));
    for _ in 0..3 {
        counts.take(ada, at(1000)).unwrap();
    }
    assert!(counts.take(ada, at(1000)).is_err());
}

#[test]
fn whoever_is_refused_waits_no_longer_for_asking_again() {
    let counts = Counts::new(RATE);
    let (key, now) = (counts.key(1), Instant::now());
    for _ in 0..3 {
        counts.take(key, now).unwrap();
    }
    for _ in 0..1000 {
        assert_eq!(counts.take(key, now), Err(Duration::from_secs(20)));
    }
}

#[test]
fn what_did_not_happen_is_not_counted() {
    let counts = Counts::new(RATE);
    let (key, now) = (counts.key(1), Instant::now());
    for _ in 0..100 {
        counts.take(key, now).unwrap();
        counts.give_back(key);
    }
    for _ in 0..3 {
        counts.take(key, now).unwrap();
    }
    assert!(counts.take(key, now).is_err());
}

#[test]
fn of_many_at_once_no_more_pass_than_allowed() {
    let counts = Counts::new(Rate { count: 5, window: Duration::from_secs(3600) });
    let now = Instant::now();
    let passed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| (0..100).filter(|_| counts.take(7, now).is_ok()).count()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(passed, 5);
}

#[test]
fn a_division_with_a_remainder_takes_none_away() {
    let counts = Counts::new(Rate { count: 7, window: Duration::from_secs(1) });
    let now = Instant::now();
    assert_eq!((0..20).filter(|_| counts.take(1, now).is_ok()).count(), 7);
}

#[test]
fn memory_is_bounded_and_a_key_in_use_stays() {
    let counts = Counts::with_room(RATE, 1000);
    let (key, now) = (counts.key("ada"), Instant::now());
    for _ in 0..3 {
        counts.take(key, now).unwrap();
    }
    for other in 0..5000 {
        counts.take(counts.key(other), now).unwrap();
        if other % 100 == 0 {
            assert!(counts.take(key, now).is_err(), "{other}");
        }
    }
    counts.full_at.run_pending_tasks();
    assert!(counts.full_at.entry_count() <= 1000, "{}", counts.full_at.entry_count());
}

#[test]
fn what_did_not_happen_makes_nobody_forgotten() {
    let counts = Counts::with_room(RATE, 1000);
    let (key, now) = (counts.key("ada"), Instant::now());
    for _ in 0..3 {
        counts.take(key, now).unwrap();
    }
    for other in 0..5000 {
        let other = counts.key(other);
        counts.take(other, now).unwrap();
        counts.give_back(other);
    }
    counts.full_at.run_pending_tasks();
    assert_eq!(counts.full_at.entry_count(), 1);
    assert!(counts.take(key, now).is_err());
}
