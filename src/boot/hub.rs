//! The wires between machines: a switch inside this process, to which each
//! QEMU connects over a UNIX socket of its own.
//!
//! QEMU's framing is a length of four bytes, most significant first, and then
//! the frame (QEMU `net/stream.c`). Nobody else can reach the sockets if the
//! directory they are in is private.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::dhcp::{self, Leases};
use super::switch::{Port, Route, Switch};

/// Longest frame that is passed on; QEMU sends up to 68 KiB.
const LONGEST: usize = 1 << 17;

/// How many frames wait for a machine that does not listen. More are lost, as
/// in any switch; TCP sends them again.
const WAITING: usize = 512;

type Frame = Arc<[u8]>;

/// A switch with sockets. Machines can be plugged in and out at any time.
#[derive(Debug)]
pub(super) struct Hub {
    dir: Utf8PathBuf,
    shared: Arc<Shared>,
    sockets: Vec<Utf8PathBuf>,
}

struct Shared {
    state: Mutex<State>,
    /// Addresses that the router hands out.
    leases: Leases,
    closed: AtomicBool,
}

#[derive(Default)]
struct State {
    switch: Switch,
    outlets: BTreeMap<Port, SyncSender<Frame>>,
}

impl Hub {
    /// A switch whose sockets will be in the directory `dir`.
    pub(super) fn new(dir: &Utf8Path, leases: Leases) -> Self {
        let shared = Shared {
            state: Mutex::default(),
            leases,
            closed: AtomicBool::new(false),
        };
        Self {
            dir: dir.to_owned(),
            shared: Arc::new(shared),
            sockets: Vec::new(),
        }
    }

    /// A new socket, called `name`, for one machine at a time.
    pub(super) fn socket(&mut self, name: &str) -> io::Result<Utf8PathBuf> {
        let path = self.dir.join(format!("{name}.lan"));
        let listener = UnixListener::bind(&path)?;
        let port = self.sockets.len();
        let shared = Arc::clone(&self.shared);
        self.sockets.push(path.clone());
        thread::Builder::new()
            .name(format!("lan {name}"))
            .spawn(move || serve(&shared, &listener, port))?;
        Ok(path)
    }
}

impl Hub {
    /// Whether a machine is at the socket that was made as the `port`th.
    pub(super) fn is_connected(&self, port: Port) -> bool {
        self.shared.state().outlets.contains_key(&port)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        for socket in &self.sockets {
            // Whoever waits there wakes up and sees that it is over.
            let _ = UnixStream::connect(socket.as_std_path());
            let _ = fs::remove_file(socket);
        }
        self.shared.state().outlets.clear();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Passes a frame on.
    fn pass(&self, from: Port, frame: &[u8]) {
        let mut state = self.state();
        if dhcp::is_for_a_server(frame) {
            // There is one server on this network.
            if let (Some(reply), Some(outlet)) =
                (self.leases.answer(frame), state.outlets.get(&from))
            {
                let _ = outlet.try_send(reply.into());
            }
            return;
        }
        let send = |outlet: &SyncSender<Frame>| {
            // Full or unplugged: the frame is lost.
            let _ = outlet.try_send(frame.into());
        };
        match state.switch.route(from, frame) {
            Route::To(port) => {
                if let Some(outlet) = state.outlets.get(&port) {
                    send(outlet);
                }
            }
            Route::All => {
                for (_, outlet) in state.outlets.iter().filter(|(port, _)| **port != from) {
                    send(outlet);
                }
            }
            Route::Nowhere => {}
        }
    }
}

/// Serves one machine after the other at a socket.
fn serve(shared: &Shared, listener: &UnixListener, port: Port) {
    for stream in listener.incoming() {
        if shared.is_closed() {
            return;
        }
        let Ok(mut stream) = stream else { continue };
        let Ok(writer) = stream.try_clone() else {
            continue;
        };
        let (outlet, frames) = sync_channel(WAITING);
        shared.state().outlets.insert(port, outlet);
        let sender = thread::spawn(move || send_all(&frames, writer));
        while let Ok(frame) = read_frame(&mut stream) {
            if shared.is_closed() {
                break;
            }
            shared.pass(port, &frame);
        }
        {
            let mut state = shared.state();
            state.outlets.remove(&port);
            state.switch.unplug(port);
        }
        let _ = stream.shutdown(Shutdown::Both);
        let _ = sender.join();
    }
}

fn send_all(frames: &Receiver<Frame>, mut stream: UnixStream) {
    for frame in frames {
        let mut message = (frame.len() as u32).to_be_bytes().to_vec();
        message.extend_from_slice(&frame);
        if stream.write_all(&message).is_err() {
            return;
        }
    }
    // The switch is gone, so must the machine's cable be.
    let _ = stream.shutdown(Shutdown::Both);
}

fn read_frame(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut len = [0; 4];
    stream.read_exact(&mut len)?;
    let len = u32::from_be_bytes(len) as usize;
    if len > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = vec![0; len];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Lan {
        _dir: tempfile::TempDir,
        hub: Hub,
    }

    impl Lan {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
            Self {
                hub: Hub::new(&path, Leases::default()),
                _dir: dir,
            }
        }

        fn plug(&mut self, name: &str) -> Machine {
            let socket = self.hub.socket(name).unwrap();
            Machine::at(&socket)
        }
    }

    struct Machine(UnixStream);

    impl Machine {
        fn at(socket: &Utf8Path) -> Self {
            let stream = UnixStream::connect(socket).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(60)))
                .unwrap();
            Self(stream)
        }

        fn send(&mut self, to: u8, from: u8, text: &str) {
            let mut frame = vec![to; 6];
            frame.extend([from; 6]);
            frame.extend([8, 0]);
            frame.extend(text.as_bytes());
            self.0
                .write_all(&(frame.len() as u32).to_be_bytes())
                .unwrap();
            self.0.write_all(&frame).unwrap();
        }

        fn hear(&mut self) -> String {
            let frame = read_frame(&mut self.0).unwrap();
            String::from_utf8(frame[14..].to_vec()).unwrap()
        }
    }

    #[test]
    fn machines_hear_each_other() {
        let mut lan = Lan::new();
        let (mut a, mut b, mut c) = (lan.plug("a"), lan.plug("b"), lan.plug("c"));
        // A socket is served once its machine has been heard; until then what
        // is for all does not reach it.
        b.send(0xff, 4, "b is here");
        c.send(0xff, 6, "c is here");
        a.send(0xff, 2, "a is here");
        loop {
            a.send(0xff, 2, "hello");
            b.0.set_read_timeout(Some(Duration::from_millis(50)))
                .unwrap();
            c.0.set_read_timeout(Some(Duration::from_millis(50)))
                .unwrap();
            if read_frame(&mut b.0).is_ok() && read_frame(&mut c.0).is_ok() {
                break;
            }
        }
        for machine in [&mut b, &mut c] {
            machine
                .0
                .set_read_timeout(Some(Duration::from_secs(60)))
                .unwrap();
        }
        b.send(2, 4, "to a alone");
        c.send(2, 6, "to a as well");
        let mut heard = Vec::new();
        while heard.len() < 2 {
            let text = a.hear();
            if text.starts_with("to a") {
                heard.push(text);
            }
        }
        heard.sort();
        assert_eq!(heard, ["to a alone", "to a as well"]);
    }

    #[test]
    fn a_machine_can_be_plugged_in_again_and_a_babbler_is_thrown_out() {
        let mut lan = Lan::new();
        let mut a = lan.plug("a");
        let socket = lan.hub.socket("b").unwrap();
        let mut babbler = Machine::at(&socket);
        babbler.0.write_all(&[0xff; 64]).unwrap();
        assert_eq!(babbler.0.read(&mut [0; 1]).unwrap_or(0), 0);
        let mut b = Machine::at(&socket);
        b.0.set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        loop {
            a.send(0xff, 2, "hello");
            if let Ok(frame) = read_frame(&mut b.0) {
                assert_eq!(&frame[14..], b"hello");
                break;
            }
        }
    }

    #[test]
    fn when_the_switch_goes_the_cables_are_dead() {
        let mut lan = Lan::new();
        let mut a = lan.plug("a");
        a.send(0xff, 2, "hello");
        let socket = lan.hub.sockets[0].clone();
        drop(lan.hub);
        assert!(!socket.exists());
        assert_eq!(a.0.read(&mut [0; 1]).unwrap_or(0), 0);
    }
}
