//! The secret of development mode: made once, kept beside the work.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use hallpass::Secret;

use crate::secret;

/// The secret in `.hallpass/secret` below `folder`; it is made if it is not there.
///
/// # Errors
/// When it can be neither read nor written.
pub(crate) fn kept_secret(folder: &Path) -> io::Result<Secret> {
    let home = folder.join(".hallpass");
    let path = home.join("secret");
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= SHORTEST => return Ok(Secret::from(text.trim())),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let secret = secret::new().map_err(io::Error::other)?;
    make_home(folder)?;
    // Whole or not at all: another server may be starting here.
    let draft = home.join(format!("secret.{}", std::process::id()));
    let _ = fs::remove_file(&draft);
    private_file(&draft)?.write_all(secret.expose().as_bytes())?;
    fs::rename(&draft, &path)?;
    Ok(secret)
}

/// Makes the folder `.hallpass` below `folder`.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn make_home(folder: &Path) -> io::Result<()> {
    let home = folder.join(".hallpass");
    fs::create_dir_all(&home)?;
    // Nobody commits it by accident.
    let ignored = home.join(".gitignore");
    if ignored.is_file() { Ok(()) } else { fs::write(ignored, "*\n") }
}

/// A new file that only its owner can read.
fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// In characters; anything shorter is not what was written here.
const SHORTEST: usize = 32;
