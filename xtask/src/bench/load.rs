//! `GET /session` under load: Hallpass, axum alone with the same answer, and Auth.js on Express.
//!
//! Each server has the first core, the load generator the second. What counts is the ratio of two servers in one round; on
//! a machine that does other work at the same time, the ratio of their processor times.

use std::process::Command;
use std::thread::available_parallelism;
use std::time::Duration;

use crate::command::{Failure, Outcome, Running, free_ports, missing, output_of, program, run};
use crate::node;
use crate::workspace::Workspace;

/// Runs every server for so long in each round, and prints the medians.
pub(super) fn compare(
    workspace: &Workspace,
    profile: &[(&str, &str)],
    rounds: usize,
    seconds: f64,
) -> Result<Outcome, Failure> {
    if program("node").is_none() {
        return missing("node");
    }
    let build = ["build", "--locked", "--quiet", "--release", "--package", "hallpass-axum"];
    let examples = ["--example", "bench_session", "--example", "bench_load"];
    run(workspace.cargo(&build).args(examples).envs(profile.iter().copied()))?;
    node::install(workspace, &workspace.path("e2e/bench"))?;

    let mut measured: Vec<Vec<Sample>> = SERVERS.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        println!("round {round} of {rounds}");
        for (server, samples) in SERVERS.iter().zip(&mut measured) {
            samples.push(measure(workspace, server, seconds)?);
        }
    }
    print(&measured);
    Ok(Outcome::Passed)
}

struct Server {
    name: &'static str,
    /// Arguments of `bench_session`; none is Express.
    arguments: &'static [&'static str],
}

/// What one server did in one round.
#[derive(Clone, Copy, Default)]
struct Sample {
    /// Requests per second.
    rate: f64,
    /// Processor time of the server for one request, in microseconds.
    cpu: f64,
    /// Microseconds.
    p50: f64,
    /// Microseconds.
    p99: f64,
    /// Resident memory after the load, in MiB.
    resident: f64,
}

fn measure(workspace: &Workspace, server: &Server, seconds: f64) -> Result<Sample, Failure> {
    let [port] = free_ports()?;
    let port_text = port.to_string();
    let mut command = if server.arguments.is_empty() {
        let mut node = pinned(workspace, 0, "node");
        node.arg("express.mjs").current_dir(workspace.path("e2e/bench")).env("NODE_ENV", "production");
        node
    } else {
        let mut session = pinned(workspace, 0, example(workspace, "bench_session"));
        session.args(server.arguments);
        session
    };
    let mut running = Running::start(command.arg(&port_text))?;
    running.wait_until_listening(port, Duration::from_secs(20))?;
    // Caches fill and compilers compile.
    load(workspace, &port_text, seconds / 4.0)?;
    let before = running.cpu_time().unwrap_or_default();
    let [requests, elapsed, p50, p99] = load(workspace, &port_text, seconds)?;
    let cpu = running.cpu_time().unwrap_or_default().saturating_sub(before);
    let resident = running.resident().unwrap_or_default();
    Ok(Sample { rate: requests / elapsed, cpu: cpu.as_secs_f64() * 1e6 / requests, p50, p99, resident })
}

/// Requests, seconds, and two latencies in microseconds.
fn load(workspace: &Workspace, port: &str, seconds: f64) -> Result<[f64; 4], Failure> {
    let mut load = pinned(workspace, 1, example(workspace, "bench_load"));
    let printed = output_of(load.args([port, &seconds.to_string(), CONNECTIONS]))?;
    let numbers: Vec<f64> = printed.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    numbers.try_into().map_err(|_| Failure::new(format!("the load generator printed {printed:?}")))
}

fn example(workspace: &Workspace, name: &str) -> String {
    let folder = workspace.target().join("release/examples");
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)).display().to_string()
}

/// A program on one core, where the machine has several and a way to choose.
fn pinned(workspace: &Workspace, core: usize, name: impl Into<String>) -> Command {
    let name = name.into();
    if program("taskset").is_none() || available_parallelism().map_or(1, usize::from) < 2 {
        return workspace.command(name, &[] as &[&str]);
    }
    workspace.command("taskset", &["-c", &core.to_string(), &name])
}

fn print(measured: &[Vec<Sample>]) {
    println!("\n{:<36} requests/s   CPU µs   p50 µs   p99 µs  RSS MiB", "GET /session");
    for (server, samples) in SERVERS.iter().zip(measured) {
        let of = |field: fn(&Sample) -> f64| median(samples.iter().map(field));
        let (rate, cpu, p50, p99) = (of(|it| it.rate), of(|it| it.cpu), of(|it| it.p50), of(|it| it.p99));
        let resident = of(|it| it.resident);
        println!("{:<36} {rate:>10.0} {cpu:>8.1} {p50:>8.0} {p99:>8.0} {resident:>8.1}", server.name);
    }
    println!("\n{:<36} requests/s   1/CPU  at least", "ratio");
    for ratio in &RATIOS {
        let (Some(these), Some(those)) = (measured.get(ratio.server), measured.get(ratio.beside)) else {
            continue;
        };
        let rate = median(these.iter().zip(those).map(|(this, that)| this.rate / that.rate));
        let cpu = median(these.iter().zip(those).map(|(this, that)| that.cpu / this.cpu));
        println!("{:<36} {rate:>10.2} {cpu:>7.2} {:>9}", ratio.name, ratio.target);
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

struct Ratio {
    name: &'static str,
    /// Indices of servers.
    server: usize,
    beside: usize,
    target: f64,
}

const SERVERS: [Server; 5] = [
    Server { name: "Hallpass, every read renews", arguments: &["hallpass", "0"] },
    Server { name: "axum, the same answer", arguments: &["bare", "0"] },
    Server { name: "Hallpass, nothing due", arguments: &["hallpass", "3600"] },
    Server { name: "axum, the same answer", arguments: &["bare", "3600"] },
    Server { name: "@auth/express", arguments: &[] },
];

const RATIOS: [Ratio; 3] = [
    Ratio { name: "Hallpass / axum, every read renews", server: 0, beside: 1, target: 0.6 },
    Ratio { name: "Hallpass / axum, nothing due", server: 2, beside: 3, target: 0.7 },
    Ratio { name: "Hallpass / @auth/express", server: 0, beside: 4, target: 30.0 },
];

const CONNECTIONS: &str = "32";
