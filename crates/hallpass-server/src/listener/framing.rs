//! Where one message ends and the next begins, read strictly. The HTTP library reads leniently, as RFC 9112 allows; a
//! proxy in front that is lenient in another way would see other requests than we do (request smuggling).

use std::io;
use std::mem;
use std::task::{Poll, ready};

use memchr::memchr;
use tokio::io::ReadBuf;

/// Follows the bytes of a connection. What could be read in two ways goes no further: the library sees what is no
/// message, says 400 and closes.
#[derive(Debug, Default)]
pub(super) struct Framing {
    place: Place,
    /// A line whose end has not come. The library stops reading before it is long.
    line: Vec<u8>,
    /// What is left to tell the library of a message that was refused.
    refused: Option<&'static [u8]>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// A request. Empty lines before it are passed over (RFC 9112 §2.2).
    #[default]
    Start,
    /// A header field, or the end of the head.
    Field(Option<Length>),
    /// So many bytes of a body.
    Data { left: u64, of_chunk: bool },
    /// The size of a chunk.
    Size,
    /// The end of a chunk's line.
    ChunkEnd,
    /// A trailer field, or the end of the body.
    Trailer,
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Bytes(u64),
    Chunked,
}

impl Framing {
    /// Reads, and follows what has come.
    pub(super) fn read(
        &mut self,
        buffer: &mut ReadBuf<'_>,
        read: impl FnOnce(&mut ReadBuf<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        if self.refused.is_some() {
            return Poll::Ready(self.refuse(buffer));
        }
        let before = buffer.filled().len();
        ready!(read(buffer))?;
        let Err(good) = self.follow(buffer.filled().get(before..).unwrap_or_default()) else {
            return Poll::Ready(Ok(()));
        };
        buffer.set_filled(before + good);
        // In a body the error is enough: whoever reads it answers.
        let in_head = matches!(self.place, Place::Start | Place::Field(_));
        self.refused = Some(if in_head { NO_REQUEST } else { b"" });
        Poll::Ready(if good == 0 { self.refuse(buffer) } else { Ok(()) })
    }

    fn refuse(&mut self, buffer: &mut ReadBuf<'_>) -> io::Result<()> {
        let left = self.refused.unwrap_or_default();
        match left.split_at_checked(left.len().min(buffer.remaining())) {
            Some((now, later)) if !now.is_empty() => {
                buffer.put_slice(now);
                self.refused = Some(later);
                Ok(())
            }
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a message that could be read in two ways")),
        }
    }

    /// Goes on through these bytes.
    ///
    /// # Errors
    /// How many of them are before what could be read in two ways.
    fn follow(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if let Place::Data { left, of_chunk } = self.place {
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                at += count;
                self.place = Place::data(left - count as u64, of_chunk);
                continue;
            }
            let Some(end) = memchr(b'\n', rest) else {
                self.line.extend_from_slice(rest);
                return Ok(());
            };
            let (line, _) = rest.split_at(end);
            let line = match mem::take(&mut self.line) {
                begun if begun.is_empty() => self.place.after(line),
                mut begun => {
                    begun.extend_from_slice(line);
                    self.place.after(&begun)
                }
            };
            self.place = line.ok_or(at + end)?;
            at += end + 1;
        }
        Ok(())
    }
}

impl Place {
    /// After a line, which is here without its line feed. `None` if it could be read in two ways.
    fn after(self, line: &[u8]) -> Option<Self> {
        // A line feed alone ends a line for some (RFC 9112 §2.2), and is a part of it for others.
        let line = line.strip_suffix(b"\r")?;
        Some(match (self, line) {
            (Self::Start, b"") => Self::Start,
            (Self::Start, _) => Self::Field(None),
            (Self::Field(length), b"") => match length {
                None => Self::Start,
                Some(Length::Bytes(count)) => Self::data(count, false),
                Some(Length::Chunked) => Self::Size,
            },
            (Self::Field(length), line) => Self::Field(after_field(length, line)?),
            (Self::Size, line) => match size(line)? {
                0 => Self::Trailer,
                size => Self::data(size, true),
            },
            (Self::ChunkEnd, b"") => Self::Size,
            (Self::ChunkEnd, _) => return None,
            (Self::Trailer, b"") => Self::Start,
            (Self::Trailer, _) => Self::Trailer,
            (Self::Data { .. }, _) => self,
        })
    }

    fn data(left: u64, of_chunk: bool) -> Self {
        match (left, of_chunk) {
            (0, false) => Self::Start,
            (0, true) => Self::ChunkEnd,
            _ => Self::Data { left, of_chunk },
        }
    }
}

/// How the end of the body is found, after one more header field.
fn after_field(known: Option<Length>, line: &[u8]) -> Option<Option<Length>> {
    let (name, value) = line.split_at_checked(memchr(b':', line)?)?;
    let value = value.strip_prefix(b":")?.trim_ascii();
    let told = if name.eq_ignore_ascii_case(b"content-length") {
        Length::Bytes(number(value, 10)?)
    } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
        // Any other coding is one that we do not know (RFC 9112 §6.1), and `chunked` is the last one and the only one.
        value.eq_ignore_ascii_case(b"chunked").then_some(Length::Chunked)?
    } else {
        return Some(known);
    };
    // Twice, or both: an attempt to have two servers disagree (RFC 9112 §6.3).
    known.is_none().then_some(Some(told))
}

/// The size of a chunk; extensions are passed over (RFC 9112 §7.1.1).
fn size(line: &[u8]) -> Option<u64> {
    let end = memchr(b';', line).unwrap_or(line.len());
    let (size, _) = line.split_at(end);
    number(size.trim_ascii_end(), 16)
}

/// Digits, and nothing else: no sign, no list.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    let text = str::from_utf8(digits).ok().filter(|text| text.chars().all(|digit| digit.is_digit(radix)))?;
    u64::from_str_radix(text, radix).ok()
}

/// No header field and no request line may have the first byte; the rest has the library look at it at once.
const NO_REQUEST: &[u8] = b"\0\r\n\r\n";

#[cfg(test)]
mod tests;
