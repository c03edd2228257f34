//! What the Dockerfile lays out, laid out in a folder and run as its words say: without root, with nothing to write but
//! the volume. No container engine is needed, and no image is made: see docs/server.md for what that leaves open.

mod cage;
mod dockerfile;
mod visitor;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::command::{Failure, Outcome, free_ports, missing, output_of, program};
use crate::options::Options;
use crate::rust;
use crate::workspace::Workspace;

use cage::Cage;
use dockerfile::Image;

/// Takes the program of the development profile, or another build of it.
pub(crate) fn step(workspace: &Workspace, arguments: &[String]) -> Result<Outcome, Failure> {
    let options = Options::parse(arguments, &["--program"])?;
    let image = Image::parse(&workspace.read("Dockerfile")?)?;
    for needed in ["install", "kill", "ldd", "setpriv", "unshare"] {
        if program(needed).is_none() {
            return missing(needed);
        }
    }
    if !fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
        return Ok(Outcome::Skipped("only root of Linux may enter another root folder".into()));
    }
    let built = match options.value("--program") {
        Some(path) => PathBuf::from(path),
        None => {
            rust::build_programs(workspace)?;
            workspace.built("hallpass")
        }
    };
    let folder = workspace.target().join("image");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let tried = lay_out(&image, &built, &folder).and_then(|()| try_out(&image, &folder));
    // What went wrong may be seen there.
    if tried.is_ok() {
        fs::remove_dir_all(&folder)?;
    }
    tried.map(|()| Outcome::Passed)
}

/// The program, the libraries that the base image has and that the program asks for, and the volume. Nothing else: no
/// `/tmp`, no `/etc`, no `/dev`, no `/proc`.
fn lay_out(image: &Image, built: &Path, folder: &Path) -> Result<(), Failure> {
    put(built, &inside(folder, &image.program))?;
    let listed = output_of(Command::new("ldd").arg(built))?;
    for library in libraries(&listed)? {
        put(Path::new(library), &inside(folder, library))?;
    }
    let volume = inside(folder, &image.volume);
    make_folder(&volume)?;
    chown(volume, Some(image.user), Some(image.user))?;
    Ok(())
}

/// The paths in what `ldd` says, all of them of libraries that the image has.
fn libraries(listed: &str) -> Result<Vec<&str>, Failure> {
    let mut paths = Vec::new();
    for line in listed.lines().map(str::trim).filter(|line| !line.starts_with("linux-vdso")) {
        let path = line.split_whitespace().find(|word| word.starts_with('/'));
        let path = path.ok_or_else(|| Failure::new(format!("ldd: {line}")))?;
        let name = path.rsplit('/').next().unwrap_or_default();
        if !OF_THE_BASE_IMAGE.contains(&name) {
            return Err(Failure::new(format!(
                "the program asks for {name}, which the base image does not have"
            )));
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Starts it, as the image does; signs somebody in; stops it.
fn try_out(image: &Image, folder: &Path) -> Result<(), Failure> {
    let cage = Cage::around(folder, image);
    println!("user {}, {}", image.user, cage.describe());
    let [port] = free_ports()?;
    let environment = environment(image, port);
    let command = |words: &[String]| {
        let mut command = cage.command(words);
        command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    };
    let before = contents(folder, &image.volume)?;
    nothing_else_is_writable(&before, image.user)?;

    // Nothing may come into being outside of the volume.
    let mut elsewhere = command(&image.words(&["migrate"]));
    let output = elsewhere.env("AUTH_DATABASE_URL", "sqlite:/elsewhere.db").output()?;
    if output.status.success() {
        return Err(Failure::new("a database was made outside of the volume"));
    }

    let volume = inside(folder, &image.volume);
    let entry = with_input(command(&image.words(&["user", "ada", "--name", "Ada Lovelace"])), PASSWORD)?;
    fs::write(volume.join("users.toml"), entry.stdout)?;
    fs::write(volume.join("hallpass.toml"), "users_file = \"users.toml\"\n")?;

    let log = folder.with_extension("log");
    let mut server = command(&image.words(&image.command));
    server.stdout(fs::File::create(&log)?).stderr(fs::File::options().append(true).open(&log)?);
    let mut server = cage.start(&mut server)?;
    let tried = (|| {
        wait_for(&mut server, || Ok(command(&image.health).output()?.status.success()))?;
        server.may_do_nothing(image.user)?;
        visitor::signs_in(port, PASSWORD)?;
        let database = fs::metadata(volume.join("hallpass.db"))?;
        if (database.uid(), database.permissions().mode() & 0o777) != (image.user, 0o600) {
            return Err(Failure::new("the database is not its own, or not its alone"));
        }
        server.signal(&image.stop_signal)?;
        match server.wait(PATIENCE)? {
            Some(0) => {
                println!("healthy, signs people in, keeps its database in {}, ends with 0", image.volume);
                Ok(())
            }
            code => Err(Failure::new(format!("{} ends it with {code:?}, not 0", image.stop_signal))),
        }
    })();
    if let Err(failure) = tried {
        return Err(Failure::new(format!("{failure}\n{}", fs::read_to_string(&log)?)));
    }
    fs::remove_file(log)?;
    if contents(folder, &image.volume)? != before {
        return Err(Failure::new("something was written outside of the volume"));
    }
    Ok(())
}

/// What the image sets, with a port of this machine that is free, and what whoever starts it adds.
fn environment(image: &Image, port: u16) -> Vec<(String, String)> {
    let set = image.environment.iter().map(|(name, value)| match name.as_str() {
        LISTEN => (name.clone(), value.replace(&format!(":{}", image.port), &format!(":{port}"))),
        _ => (name.clone(), value.clone()),
    });
    let added = [
        ("AUTH_SECRET", "a secret of at least 32 characters"),
        ("AUTH_URL", "https://auth.example.com"),
        ("AUTH_GITHUB_ID", "id"),
        ("AUTH_GITHUB_SECRET", "secret"),
    ];
    set.chain(added.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
}

fn with_input(mut command: Command, input: &str) -> Result<Output, Failure> {
    use std::io::Write;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(output);
    }
    Err(Failure::new(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Asks until it is so.
fn wait_for(
    server: &mut cage::Caged,
    mut is_so: impl FnMut() -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(code) = server.ended()? {
            return Err(Failure::new(format!("it ended with {code:?} before it was healthy")));
        }
        if is_so()? {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(Failure::new(format!("it is not healthy after {} s", PATIENCE.as_secs())))
}

/// A file or folder: its path, whose it is, what others may, how large it is, and when it was changed.
type Entry = (PathBuf, u32, u32, u64, i64);

/// Everything outside of the volume.
fn contents(folder: &Path, volume: &str) -> Result<Vec<Entry>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(path) = folders.pop() {
        let told = fs::symlink_metadata(&path)?;
        found.push((path.clone(), told.uid(), told.mode(), told.size(), told.mtime()));
        if told.is_dir() {
            for entry in fs::read_dir(path)? {
                folders.extend(Some(entry?.path()).filter(|path| *path != inside(folder, volume)));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn nothing_else_is_writable(entries: &[Entry], user: u32) -> Result<(), Failure> {
    let writable = |(_, owner, mode, ..): &&Entry| *owner == user || mode & 0o022 != 0;
    match entries.iter().find(writable) {
        None => Ok(()),
        Some((path, ..)) => Err(Failure::new(format!("{} can be changed by user {user}", path.display()))),
    }
}

/// A path of the image, in the folder.
fn inside(folder: &Path, path: &str) -> PathBuf {
    folder.join(path.trim_start_matches('/'))
}

fn put(from: &Path, to: &Path) -> Result<(), Failure> {
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    // A link is followed: the file is what is needed.
    fs::copy(from, to).map_err(|error| Failure::new(format!("{}: {error}", from.display())))?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(0o755))?)
}

/// With everything above it, for everybody to look into.
fn make_folder(path: &Path) -> Result<(), Failure> {
    output_of(Command::new("install").args(["-d", "-m", "755"]).arg(path)).map(drop)
}

/// Of gcr.io/distroless/cc-debian12, on x86-64 and on Arm.
const OF_THE_BASE_IMAGE: [&str; 6] = [
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
];

const LISTEN: &str = "HALLPASS_LISTEN";

const PASSWORD: &str = "correct horse";

const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
