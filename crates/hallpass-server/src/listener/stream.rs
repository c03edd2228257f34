//! A socket that tells its visit when something has arrived, and lets nothing through that two servers could read
//! in two ways.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::framing::Framing;
use super::visit::Visit;

pub(super) struct Stream {
    socket: TcpStream,
    visit: Arc<Visit>,
    framing: Framing,
}

impl Stream {
    pub(super) fn new(socket: TcpStream, visit: Arc<Visit>) -> Self {
        Self { socket, visit, framing: Framing::default() }
    }
}

/// What the runtime has not noticed yet: before a connection is closed, the system is asked.
#[cfg(unix)]
fn read_now(socket: &TcpStream, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    match rustix::io::read(socket, buffer.initialize_unfilled()) {
        Ok(count) => {
            buffer.advance(count);
            Poll::Ready(Ok(()))
        }
        Err(_) => Poll::Pending,
    }
}

#[cfg(not(unix))]
fn read_now(_: &TcpStream, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    Poll::Pending
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let Self { socket, visit, framing } = &mut *self;
        ready!(framing.read(buffer, |buffer| {
            match Pin::new(&mut *socket).poll_read(context, buffer) {
                Poll::Pending if visit.is_last_look() => read_now(socket, buffer),
                polled => polled,
            }
        }))?;
        if buffer.filled().len() > before {
            visit.has_read();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
