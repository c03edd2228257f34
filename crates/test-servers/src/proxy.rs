//! The way to a server, made slow or cut.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A TCP proxy on 127.0.0.1 that passes everything on, until it is told otherwise. Clones are the same proxy.
#[derive(Clone, Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    delay: Duration,
    is_cut: bool,
    connections: Vec<TcpStream>,
}

impl Proxy {
    /// A proxy in front of a server.
    ///
    /// # Panics
    /// When no port is free.
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("127.0.0.1 has a free port");
        let address = listener.local_addr().expect("the listener has an address");
        let shared = Arc::new(Shared::default());
        let proxy = Self { address, shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                shared.connect(&client, server);
            }
        });
        proxy
    }

    /// Where the proxy listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of a database, with the proxy in place of the server.
    ///
    /// # Panics
    /// When `url` is not `scheme://[user@]host:port/…`.
    pub fn url(&self, url: &str) -> String {
        let (scheme, rest) = url.split_once("://").expect("a URL has a scheme");
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let user = authority.rsplit_once('@').map_or(String::new(), |(user, _)| format!("{user}@"));
        format!("{scheme}://{user}{}/{path}", self.address)
    }

    /// Holds back what passes, in both directions, from now on. With a delay longer than any time-out the server
    /// seems to hang.
    pub fn delay(&self, delay: Duration) {
        self.shared.change(|state| state.delay = delay);
    }

    /// Cuts all connections, and lets no new one live.
    pub fn cut(&self) {
        self.shared.change(|state| {
            state.is_cut = true;
            for connection in state.connections.drain(..) {
                let _ = connection.shutdown(Shutdown::Both);
            }
        });
    }

    /// Passes everything on at once again. What was cut stays so; new connections live.
    pub fn restore(&self) {
        self.shared.change(|state| {
            state.is_cut = false;
            state.delay = Duration::ZERO;
        });
    }
}

impl Shared {
    fn connect(self: &Arc<Self>, client: &TcpStream, server: SocketAddr) {
        if self.state().is_cut {
            return;
        }
        let Ok(server) = TcpStream::connect(server) else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        for (from, to) in [(client, &server), (&server, client)] {
            let (Ok(from), Ok(to), Ok(kept)) = (from.try_clone(), to.try_clone(), from.try_clone()) else {
                return;
            };
            self.state().connections.push(kept);
            let shared = Arc::clone(self);
            std::thread::spawn(move || shared.pass(from, to));
        }
        // It may have been cut after the look above.
        if self.state().is_cut {
            let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
        }
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            self.hold_back();
            let passed = buffer.get(..length).map(|bytes| to.write_all(bytes));
            if !matches!(passed, Some(Ok(()))) {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }

    fn hold_back(&self) {
        let started = Instant::now();
        let mut state = self.state();
        while let Some(left) = state.delay.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
