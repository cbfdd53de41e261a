//! The head of an Ethernet switch: which frame goes out where.

use std::collections::BTreeMap;

/// A socket of the switch.
pub(super) type Port = usize;

/// An Ethernet address.
type Mac = [u8; 6];

/// Where a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Out of one port.
    To(Port),
    /// Out of all but the one it came in at.
    All,
    /// Nowhere: it is no frame, or its receiver is where it came from.
    Nowhere,
}

/// Learns behind which port each address is, as switches do.
#[derive(Debug, Default)]
pub(super) struct Switch {
    seen: BTreeMap<Mac, Port>,
}

impl Switch {
    /// Where a frame goes that came in at `from`.
    pub(super) fn route(&mut self, from: Port, frame: &[u8]) -> Route {
        let (Some(to), Some(sender)) = (mac(frame, 0), mac(frame, 6)) else {
            return Route::Nowhere;
        };
        if !is_group(sender) {
            self.seen.insert(sender, from);
        }
        if is_group(to) {
            return Route::All;
        }
        match self.seen.get(&to) {
            Some(port) if *port == from => Route::Nowhere,
            Some(port) => Route::To(*port),
            None => Route::All,
        }
    }

    /// Forgets what was behind a port whose cable is out.
    pub(super) fn unplug(&mut self, port: Port) {
        self.seen.retain(|_, known| *known != port);
    }
}

fn mac(frame: &[u8], at: usize) -> Option<Mac> {
    frame.get(at..at + 6)?.try_into().ok()
}

/// Broadcast or multicast.
fn is_group(mac: Mac) -> bool {
    mac[0] & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Mac = [2, 0, 0, 0, 0, 1];
    const B: Mac = [2, 0, 0, 0, 0, 2];
    const EVERYBODY: Mac = [0xff; 6];

    fn frame(to: Mac, from: Mac) -> Vec<u8> {
        let mut frame = [to, from].concat();
        frame.extend([8, 0]);
        frame
    }

    #[test]
    fn it_learns_and_forgets() {
        let mut switch = Switch::default();
        assert_eq!(switch.route(1, &frame(B, A)), Route::All);
        assert_eq!(switch.route(2, &frame(A, B)), Route::To(1));
        assert_eq!(switch.route(1, &frame(B, A)), Route::To(2));
        // B moved, as after a power cut.
        assert_eq!(switch.route(3, &frame(A, B)), Route::To(1));
        assert_eq!(switch.route(1, &frame(B, A)), Route::To(3));
        switch.unplug(3);
        assert_eq!(switch.route(1, &frame(B, A)), Route::All);
    }

    #[test]
    fn what_is_for_all_goes_to_all_and_back_to_no_one() {
        let mut switch = Switch::default();
        assert_eq!(switch.route(1, &frame(EVERYBODY, A)), Route::All);
        assert_eq!(switch.route(1, &frame(A, B)), Route::Nowhere);
        // A group is no sender: nothing is learnt.
        switch.route(4, &frame(A, EVERYBODY));
        assert_eq!(switch.route(1, &frame(EVERYBODY, A)), Route::All);
        for short in [&[][..], &[0xff; 11]] {
            assert_eq!(switch.route(1, short), Route::Nowhere);
        }
    }
}
