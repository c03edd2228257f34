//! A folder that is the whole world of a program, which may do nothing special in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{Failure, run};

use super::dockerfile::Image;

pub(crate) struct Cage {
    folder: PathBuf,
    volume: String,
    user: u32,
    /// Whether the folder can be mounted read-only, and the program be the first process, as in a container.
    has_namespaces: bool,
}

impl Cage {
    pub(crate) fn around(folder: &Path, image: &Image) -> Self {
        let (volume, user) = (image.volume.clone(), image.user);
        let mut cage = Self { folder: folder.to_owned(), volume, user, has_namespaces: true };
        let mut probe = cage.namespaces();
        let probe = probe.arg("true").stdout(Stdio::null()).stderr(Stdio::null()).status();
        cage.has_namespaces = probe.is_ok_and(|status| status.success());
        cage
    }

    pub(crate) fn describe(&self) -> &'static str {
        match self.has_namespaces {
            true => "everything but the volume mounted read-only, the first process of its own",
            false => "everything but the volume belongs to root (nothing may be mounted here)",
        }
    }

    /// Runs this in the folder as the user, with no capability and no way to one.
    pub(crate) fn command(&self, words: &[String]) -> Command {
        let mut command = match self.has_namespaces {
            true => self.namespaces(),
            false => Command::new("env"),
        };
        // Those that are left are for the next program, which gives them up with the user.
        command.args(["setpriv", "--no-new-privs", "--inh-caps=-all"]); // typos: ignore
        command.arg("--bounding-set=-all,+sys_chroot,+setuid,+setgid");
        command.arg("unshare").arg(format!("--root={}", self.folder.display()));
        command.arg(format!("--wd={}", self.volume));
        command.args([format!("--setgid={}", self.user), format!("--setuid={}", self.user)]);
        command.args(words);
        command
    }

    pub(crate) fn start(&self, command: &mut Command) -> Result<Caged, Failure> {
        Ok(Caged { child: command.spawn()?, has_namespaces: self.has_namespaces })
    }

    /// What follows runs where only the volume can be written to, and as the first process.
    fn namespaces(&self) -> Command {
        let mut command = Command::new("unshare");
        command.args([
            "--mount",
            "--propagation=private",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
            READ_ONLY,
        ]);
        command.arg("sh").arg(&self.folder).arg(super::inside(&self.folder, &self.volume));
        command
    }
}

/// A program that runs in a cage, and ends with this value.
pub(crate) struct Caged {
    child: Child,
    has_namespaces: bool,
}

impl Caged {
    /// Looks at what the system says of it.
    pub(crate) fn may_do_nothing(&self, user: u32) -> Result<(), Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let users = format!("{user}\t{user}\t{user}\t{user}");
        let mut wanted =
            vec![("Uid", users.as_str()), ("Gid", users.as_str()), ("Groups", ""), ("NoNewPrivs", "1")];
        let sets = ["CapInh", "CapPrm", "CapEff", "CapAmb"]; // typos: ignore
        wanted.extend(sets.map(|name| (name, "0000000000000000")));
        for (name, value) in wanted {
            let lines = status.lines().filter_map(|line| line.split_once(':'));
            let found = { lines }.find(|(known, _)| *known == name).map(|(_, value)| value.trim());
            if found != Some(value) {
                return Err(Failure::new(format!("the running server has {name} {found:?}, not {value:?}")));
            }
        }
        Ok(())
    }

    pub(crate) fn signal(&self, name: &str) -> Result<(), Failure> {
        run(Command::new("kill").args(["-s", name, &self.pid()?.to_string()]))
    }

    /// Its exit code, if it has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<Option<i32>>, Failure> {
        Ok(self.child.try_wait()?.map(|status| status.code()))
    }

    /// Its exit code, when it ends.
    pub(crate) fn wait(&mut self, most: Duration) -> Result<Option<i32>, Failure> {
        let started = Instant::now();
        while started.elapsed() < most {
            if let Some(code) = self.ended()? {
                return Ok(code);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(Failure::new(format!("it has not stopped after {} s", most.as_secs())))
    }

    /// The first process of its own is a child of the one that made it so.
    fn pid(&self) -> Result<u32, Failure> {
        let id = self.child.id();
        if !self.has_namespaces {
            return Ok(id);
        }
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        children.trim().parse().map_err(|_| Failure::new("the server is not running"))
    }
}

impl Drop for Caged {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// `$1` is the folder and `$2` the volume.
const READ_ONLY: &str = "mount --bind \"$1\" \"$1\" && mount --bind \"$2\" \"$2\" && \
                         mount -o remount,bind,ro \"$1\" && shift 2 && exec \"$@\"";
