//! The words of the Dockerfile that count when its image runs.

use crate::command::Failure;

/// The last stage, which is the image.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Image {
    /// Number of the user.
    pub(crate) user: u32,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) port: u16,
    /// Where the program is.
    pub(crate) program: String,
    /// The folder that lasts, which the program is started in.
    pub(crate) volume: String,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) command: Vec<String>,
    pub(crate) health: Vec<String>,
    /// `TERM`.
    pub(crate) stop_signal: String,
}

impl Image {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        Instructions::read(text).image().map_err(|problem| Failure::new(format!("Dockerfile: {problem}")))
    }

    /// What runs with these arguments.
    pub(crate) fn words<S: AsRef<str>>(&self, arguments: &[S]) -> Vec<String> {
        let arguments = arguments.iter().map(|word| word.as_ref().to_owned());
        self.entrypoint.iter().cloned().chain(arguments).collect()
    }
}

/// Word and rest of each, of the stage that builds and of the one that stays.
struct Instructions {
    building: Vec<(String, String)>,
    last: Vec<(String, String)>,
}

impl Instructions {
    fn read(text: &str) -> Self {
        let lines: String =
            text.lines().filter(|line| !line.starts_with('#')).fold(String::new(), |all, line| {
                let (line, end) = line.strip_suffix('\\').map_or((line, "\n"), |line| (line, " "));
                all + line + end
            });
        let mut all: Vec<_> = lines
            .lines()
            .filter_map(|line| line.trim().split_once(' '))
            .map(|(word, rest)| (word.to_owned(), rest.trim().to_owned()))
            .collect();
        let last = all.iter().rposition(|(word, _)| word == "FROM").unwrap_or_default();
        let last = all.split_off(last);
        Self { building: all, last }
    }

    fn image(&self) -> Result<Image, String> {
        let base = self.one("FROM")?;
        if base != BASE {
            return Err(format!("nobody here knows what is in {base}, only what is in {BASE}"));
        }
        let unknown = self.last.iter().find(|(word, _)| !KNOWN.contains(&word.as_str()));
        if let Some((word, rest)) = unknown {
            return Err(format!(
                "{word} {rest}: there is no shell that could run it, or nobody here knows it"
            ));
        }
        let user = number_of(self.one("USER")?)?;
        if user == 0 {
            return Err("USER: it runs as root".to_owned());
        }
        let volume = self.one("VOLUME")?.to_owned();
        if self.one("WORKDIR")? != volume {
            return Err("WORKDIR is not the VOLUME, and what is written there would not last".to_owned());
        }
        let (program, folder) = (self.copied("/hallpass")?, self.copied(&volume)?);
        let owner = folder.strip_prefix("--chown=").and_then(|rest| rest.split([':', ' ']).next());
        if owner.map(number_of) != Some(Ok(user)) {
            return Err(format!("COPY: {volume} does not belong to the user"));
        }
        let program = program.rsplit(' ').next().unwrap_or_default().to_owned();
        let port = self.one("EXPOSE")?.parse().map_err(|_| "EXPOSE: no port")?;
        let environment: Vec<_> = self
            .all("ENV")
            .flat_map(str::split_whitespace)
            .map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
            .collect::<Option<_>>()
            .ok_or("ENV: not name=value")?;
        if !environment.contains(&("HALLPASS_LISTEN".to_owned(), format!("0.0.0.0:{port}"))) {
            return Err(format!("ENV: the server does not listen everywhere on {port}, the port of EXPOSE"));
        }
        let (_, health) = self.one("HEALTHCHECK")?.split_once("CMD ").ok_or("HEALTHCHECK: no CMD")?;
        let signal = self.one("STOPSIGNAL")?;
        let image = Image {
            user,
            environment,
            port,
            program,
            volume,
            entrypoint: words(self.one("ENTRYPOINT")?)?,
            command: words(self.one("CMD")?)?,
            health: words(health)?,
            stop_signal: signal.strip_prefix("SIG").unwrap_or(signal).to_owned(),
        };
        match [&image.entrypoint, &image.health].iter().all(|words| words.first() == Some(&image.program)) {
            true => Ok(image),
            false => {
                Err(format!("ENTRYPOINT and HEALTHCHECK do not run {}, which is all there is", image.program))
            }
        }
    }

    fn all(&self, wanted: &str) -> impl Iterator<Item = &str> {
        self.last.iter().filter(move |(word, _)| word == wanted).map(|(_, rest)| rest.as_str())
    }

    fn one(&self, wanted: &str) -> Result<&str, String> {
        let mut all = self.all(wanted);
        match (all.next(), all.next()) {
            (Some(rest), None) => Ok(rest),
            (None, _) => Err(format!("no {wanted}")),
            (Some(_), Some(_)) => Err(format!("several {wanted}")),
        }
    }

    /// The COPY of what the stage that builds has made at this path, without where it comes from.
    fn copied(&self, path: &str) -> Result<&str, String> {
        let copies = self.all("COPY").filter_map(|rest| rest.strip_prefix("--from=build "));
        let of_path = |rest: &&str| rest.split(' ').rev().nth(1) == Some(path);
        let copy = { copies }.find(of_path).ok_or_else(|| format!("no COPY of {path}"))?;
        let is_made =
            |(word, rest): &(String, String)| word == "RUN" && rest.split(' ').any(|word| word == path);
        match self.building.iter().any(is_made) {
            true => Ok(copy),
            false => Err(format!("COPY: nothing has made {path}")),
        }
    }
}

/// The image has these users.
fn number_of(user: &str) -> Result<u32, String> {
    match user {
        "root" => Ok(0),
        "nonroot" => Ok(NONROOT),
        number => number.parse().map_err(|_| format!("{user}: neither nonroot nor a number")),
    }
}

/// `["/bin/it", "word"]`: without brackets a shell would be asked.
fn words(text: &str) -> Result<Vec<String>, String> {
    serde_json::from_str(text).map_err(|_| format!("{text}: there is no shell that could run it"))
}

const BASE: &str = "gcr.io/distroless/cc-debian12:nonroot";

/// The user `nonroot` there.
const NONROOT: u32 = 65532;

const KNOWN: [&str; 11] = [
    "FROM",
    "COPY",
    "WORKDIR",
    "VOLUME",
    "USER",
    "ENV",
    "EXPOSE",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "ENTRYPOINT",
    "CMD",
];
