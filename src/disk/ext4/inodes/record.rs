//! What an inode says.

use super::{Damage, u16_at, u32_at};

/// Kinds of inodes, as the high bits of the mode (inode(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Fifo,
    Character,
    Directory,
    Block,
    File,
    Link,
    Socket,
}

/// Flags that say how the content is kept.
const EXTENTS: u32 = 0x8_0000;
const INLINE: u32 = 0x1000_0000;
/// Content that cannot be read, or means something else.
const ENCRYPTED: u32 = 0x800;
/// Its attributes' values lie in inodes of their own.
const EA_INODE: u32 = 0x20_0000;

/// Where the 60 bytes with the content's place are.
pub(super) const PLACE: usize = 0x28;
/// Their number.
pub(super) const PLACE_LEN: usize = 60;

/// An inode.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) kind: Kind,
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u64,
    /// When the content was last changed, in seconds since 1970.
    pub(super) modified: i64,
    /// Block with attributes that do not fit into the inode; 0 for none.
    pub(super) attribute_block: u64,
    pub(super) extents: bool,
    pub(super) inline: bool,
    /// All of it.
    pub(super) bytes: Vec<u8>,
}

impl Record {
    /// Reads inode `number` from its bytes.
    pub(super) fn parse(number: u32, bytes: Vec<u8>) -> Result<Self, Damage> {
        let word = |at| u16_at(&bytes, at).unwrap_or_default();
        let long = |at| u32_at(&bytes, at).unwrap_or_default();
        let mode = word(0);
        let kind = match mode >> 12 {
            0x1 => Kind::Fifo,
            0x2 => Kind::Character,
            0x4 => Kind::Directory,
            0x6 => Kind::Block,
            0x8 => Kind::File,
            0xa => Kind::Link,
            0xc => Kind::Socket,
            other => return Err(format!("inode {number} is of no known kind ({other:#x})")),
        };
        let flags = long(0x20);
        if flags & ENCRYPTED != 0 {
            return Err(format!("inode {number} is encrypted, which cannot be read"));
        }
        if flags & EA_INODE != 0 {
            return Err(format!("inode {number} is no file but a value of one"));
        }
        let high_size = match kind {
            Kind::File | Kind::Directory => u64::from(long(0x6c)) << 32,
            _ => 0,
        };
        // Two more bits for the seconds, where the inode is long enough.
        let extra = match bytes.len() > 128 && word(0x80) >= 12 {
            true => i64::from(long(0x88) & 3) << 32,
            false => 0,
        };
        Ok(Self {
            kind,
            mode: mode & 0o7777,
            uid: u32::from(word(2)) | u32::from(word(0x78)) << 16,
            gid: u32::from(word(0x18)) | u32::from(word(0x7a)) << 16,
            size: u64::from(long(4)) | high_size,
            modified: i64::from(long(0x10).cast_signed()) + extra,
            attribute_block: u64::from(long(0x68)) | u64::from(word(0x76)) << 32,
            extents: flags & EXTENTS != 0,
            inline: flags & INLINE != 0,
            bytes,
        })
    }

    /// What a device node, socket or FIFO is, in words.
    pub(super) fn special(&self) -> Option<String> {
        let device = |kind: &str| {
            let long = |at| u32_at(&self.bytes, PLACE + at).unwrap_or_default();
            // The old encoding has eight bits each, the new one more
            // (linux include/linux/kdev_t.h).
            let (major, minor) = match (long(0), long(4)) {
                (0, new) => (new >> 8 & 0xfff, new & 0xff | new >> 12 & 0xf_ff00),
                (old, _) => (old >> 8 & 0xff, old & 0xff),
            };
            format!("{kind} device {major}:{minor}")
        };
        match self.kind {
            Kind::Fifo => Some("a FIFO".to_owned()),
            Kind::Socket => Some("a socket".to_owned()),
            Kind::Character => Some(device("character")),
            Kind::Block => Some(device("block")),
            Kind::Directory | Kind::File | Kind::Link => None,
        }
    }
}
