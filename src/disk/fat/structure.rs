//! Going over a FAT filesystem without trusting it.

use std::io;

use super::layout::{Damage, Layout, Root, found};
use crate::disk::Window;

/// Length of a directory entry in bytes, and most of them in a directory
/// (Microsoft FAT specification 1.03, sections 5 and 6.4).
pub(super) const ENTRY: usize = 32;
const MOST_ENTRIES: usize = 65_536;

/// Deeper than this no path of 260 characters can lead.
const DEEPEST: usize = 130;

/// Short names of a directory itself and of its parent.
const DOT: [u8; 11] = *b".          ";
const DOT_DOT: [u8; 11] = *b"..         ";

/// Attribute bits of an entry.
const VOLUME: u8 = 0x08;
const DIRECTORY: u8 = 0x10;
const LONG_NAME: u8 = 0x0f;

/// Bit of the boot sector's state byte: not unmounted in order.
const DIRTY: u8 = 1;

/// Marks of the FSInfo sector.
const INFO_LEAD: [u8; 4] = *b"RRaA";
const INFO_BODY: [u8; 4] = *b"rrAa";

/// What a FAT filesystem is made of.
#[derive(Debug)]
pub(super) struct Structure {
    /// Bytes in a cluster.
    pub(super) cluster: u64,
    /// Clusters not in use.
    pub(super) free: u64,
    /// Places of `..` entries, in directories of the root, that name a
    /// cluster.
    stray_parents: Vec<u64>,
    /// Directories that do not begin with `.` and `..`: their pieces.
    crooked: Vec<Vec<(u64, u64)>>,
    /// Where the FSInfo sector is, on FAT32.
    info: Option<u64>,
    /// Where the state byte is.
    state: u64,
}

/// Where a chain goes on.
const FREE: u32 = 0;
const LAST: u32 = 0x0fff_fff8;

/// A walk over everything that is reachable from the root.
struct Walk<'w> {
    window: &'w mut Window,
    layout: Layout,
    /// Clusters behind these are free.
    entries: Vec<u32>,
    seen: Vec<bool>,
    stray_parents: Vec<u64>,
    crooked: Vec<Vec<(u64, u64)>>,
}

impl Walk<'_> {
    /// The clusters from `first` on. No cluster may be met twice, so chains
    /// cannot run in circles nor into each other.
    fn chain(&mut self, first: u32, of: &str) -> Result<Vec<u32>, Damage> {
        let mut chain = Vec::new();
        let mut at = first;
        loop {
            if !(2..self.layout.end).contains(&at) {
                return found(format!(
                    "{of} goes on in cluster {at}, which does not exist"
                ));
            }
            let entry = self.entries.get(at as usize).copied().unwrap_or(FREE);
            if entry == FREE {
                return found(format!("{of} has cluster {at}, which is marked free"));
            }
            if std::mem::replace(&mut self.seen[at as usize], true) {
                return found(format!(
                    "{of} shares cluster {at} with another file, or with itself"
                ));
            }
            chain.push(at);
            match entry {
                LAST.. => return Ok(chain),
                next => at = next,
            }
        }
    }

    /// Goes over a directory given as pieces of the window.
    fn directory(
        &mut self,
        pieces: &[(u64, u64)],
        name: &str,
        parent_is_root: bool,
        depth: usize,
    ) -> Result<(), Damage> {
        if depth > DEEPEST {
            return found(format!("{name} lies too deep"));
        }
        if depth > 0 && !starts_with_dots(self.window, pieces)? {
            self.crooked.push(pieces.to_vec());
        }
        let mut count = 0;
        for (at, len) in pieces {
            let mut bytes = vec![0; *len as usize];
            self.window.read_at(*at, &mut bytes)?;
            for (index, entry) in bytes.as_chunks::<ENTRY>().0.iter().enumerate() {
                count += 1;
                if count > MOST_ENTRIES {
                    return found(format!("{name} has too many entries"));
                }
                match entry[0] {
                    0 => return Ok(()),
                    0xe5 => continue,
                    _ => {}
                }
                let place = at + (index * ENTRY) as u64;
                self.entry(entry, place, name, parent_is_root, depth)?;
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &[u8; ENTRY],
        place: u64,
        directory: &str,
        parent_is_root: bool,
        depth: usize,
    ) -> Result<(), Damage> {
        let kind = entry[11];
        if kind & LONG_NAME == LONG_NAME || kind & VOLUME != 0 {
            return Ok(());
        }
        let low = u32::from(u16::from_le_bytes([entry[26], entry[27]]));
        let high = u32::from(u16::from_le_bytes([entry[20], entry[21]]));
        let first = if self.layout.wide {
            high << 16 | low
        } else {
            low
        };
        let size = u32::from_le_bytes([entry[28], entry[29], entry[30], entry[31]]);
        if entry[..11] == DOT {
            return Ok(());
        }
        if entry[..11] == DOT_DOT {
            if parent_is_root && first != 0 {
                self.stray_parents.push(place);
            }
            return Ok(());
        }
        let short = String::from_utf8_lossy(&entry[..11]).trim_end().to_owned();
        let name = format!("{directory}/{short}");
        if kind & DIRECTORY != 0 {
            let chain = self.chain(first, &name)?;
            let pieces = self.pieces(&chain);
            return self.directory(&pieces, &name, depth == 0, depth + 1);
        }
        let clusters = match first {
            0 => 0,
            first => self.chain(first, &name)?.len() as u64,
        };
        let needed = u64::from(size).div_ceil(self.layout.cluster);
        if clusters != needed {
            return found(format!("{name} has {clusters} clusters for {size} bytes"));
        }
        Ok(())
    }

    fn pieces(&self, chain: &[u32]) -> Vec<(u64, u64)> {
        chain
            .iter()
            .map(|number| (self.layout.place(*number), self.layout.cluster))
            .collect()
    }
}

impl Structure {
    /// Goes over the filesystem in `window`.
    ///
    /// # Errors
    /// The first damage found; what the system said.
    pub(super) fn examine(window: &mut Window) -> Result<Self, Damage> {
        let layout = Layout::read(window)?;
        let entries = layout.entries(window)?;
        let used = entries.iter().skip(2).filter(|entry| **entry != FREE);
        let free = u64::from(layout.end - 2) - used.count() as u64;
        let seen = vec![false; entries.len()];
        let mut walk = Walk {
            window,
            layout,
            entries,
            seen,
            stray_parents: Vec::new(),
            crooked: Vec::new(),
        };
        let root = match walk.layout.root {
            Root::Fixed { at, len } => vec![(at, len)],
            Root::Chain(first) => {
                let chain = walk.chain(first, "the root directory")?;
                walk.pieces(&chain)
            }
        };
        walk.directory(&root, "", false, 0)?;
        Ok(Self {
            cluster: walk.layout.cluster,
            free,
            stray_parents: walk.stray_parents,
            crooked: walk.crooked,
            info: walk.layout.info,
            state: if walk.layout.wide { 0x41 } else { 0x25 },
        })
    }

    /// Puts right what can be wrong without damage: directories begin with `.`
    /// and `..`, to which `fatfs` 0.3 gives long names that belong before them;
    /// `..` of directories in the root is cluster 0; FSInfo has the count of
    /// free clusters; the mark of a filesystem not unmounted in order is off.
    pub(super) fn settle(&self, window: &mut Window) -> io::Result<()> {
        // Straightening moves entries, so the places come first.
        for place in &self.stray_parents {
            window.write_at(place + 20, &[0; 2])?;
            window.write_at(place + 26, &[0; 2])?;
        }
        for pieces in &self.crooked {
            straighten(window, pieces)?;
        }
        if let Some(info) = self.info {
            let mut sector = [0; 512];
            window.read_at(info, &mut sector)?;
            if sector[..4] == INFO_LEAD && sector[484..488] == INFO_BODY {
                let free = u32::try_from(self.free).unwrap_or(u32::MAX);
                window.write_at(info + 488, &free.to_le_bytes())?;
            }
        }
        let mut state = [0];
        window.read_at(self.state, &mut state)?;
        if state[0] & DIRTY != 0 {
            window.write_at(self.state, &[state[0] & !DIRTY])?;
        }
        Ok(())
    }
}

/// Whether a directory begins as it must.
fn starts_with_dots(window: &mut Window, pieces: &[(u64, u64)]) -> io::Result<bool> {
    let mut first = [0; 2 * ENTRY];
    if let Some((at, _)) = pieces.first() {
        window.read_at(*at, &mut first)?;
    }
    Ok(first[..11] == DOT && first[ENTRY..ENTRY + 11] == DOT_DOT)
}

/// Takes the long names of `.` and `..` out of a directory; what is behind
/// them moves up.
fn straighten(window: &mut Window, pieces: &[(u64, u64)]) -> io::Result<()> {
    let mut bytes = Vec::new();
    for (at, len) in pieces {
        let from = bytes.len();
        bytes.resize(from + *len as usize, 0);
        window.read_at(*at, &mut bytes[from..])?;
    }
    let entries = bytes.as_chunks::<ENTRY>().0;
    let is_long = |entry: &[u8; ENTRY]| entry[11] & LONG_NAME == LONG_NAME;
    let is_dots = |entry: &[u8; ENTRY]| entry[..11] == DOT || entry[..11] == DOT_DOT;
    let mut kept: Vec<[u8; ENTRY]> = Vec::with_capacity(entries.len());
    for entry in entries {
        if is_dots(entry) && !is_long(entry) {
            while kept.last().is_some_and(is_long) {
                kept.pop();
            }
        }
        kept.push(*entry);
    }
    kept.resize(entries.len(), [0; ENTRY]);
    let mut rest = kept.as_flattened();
    for (at, len) in pieces {
        let (piece, behind) = rest.split_at(*len as usize);
        window.write_at(*at, piece)?;
        rest = behind;
    }
    Ok(())
}
