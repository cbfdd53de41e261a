//! Extended attributes.

use std::collections::BTreeMap;

use super::record::Record;
use super::table::Table;
use super::{Damage, u16_at, u32_at};

/// Begins the attributes in an inode, and the block with more of them.
const MAGIC: u32 = 0xea02_0000;

/// Length of the header of such a block.
const BLOCK_HEADER: usize = 32;

/// Length of an entry without its name.
const ENTRY: usize = 16;

/// Beginnings of names, by their number in an entry.
const SPACES: [(u8, &str); 7] = [
    (1, "user."),
    (2, "system.posix_acl_access"),
    (3, "system.posix_acl_default"),
    (4, "trusted."),
    (6, "security."),
    (7, "system."),
    (8, "system.richacl"),
];

/// Where content of an inode without blocks goes on.
pub(super) const INLINE_DATA: &str = "system.data";

/// All extended attributes of an inode, by their whole names.
pub(super) fn attributes(
    record: &Record,
    table: &Table,
) -> Result<BTreeMap<String, Vec<u8>>, Damage> {
    let mut found = BTreeMap::new();
    let bytes = &record.bytes;
    if bytes.len() > 128 {
        let begin = 128 + usize::from(u16_at(bytes, 128).unwrap_or_default());
        if u32_at(bytes, begin) == Some(MAGIC) {
            let entries = &bytes[begin + 4..];
            read(entries, 0, &mut found)?;
        }
    }
    if record.attribute_block != 0 {
        let block = table.block(record.attribute_block)?;
        if u32_at(&block, 0) != Some(MAGIC) {
            let number = record.attribute_block;
            return Err(format!("block {number} should hold attributes"));
        }
        read(&block, BLOCK_HEADER, &mut found)?;
    }
    Ok(found)
}

/// Reads entries from `first` on; places of values count from the beginning of
/// `bytes`.
fn read(bytes: &[u8], first: usize, found: &mut BTreeMap<String, Vec<u8>>) -> Result<(), Damage> {
    let bad = || "an extended attribute makes no sense".to_owned();
    let mut at = first;
    loop {
        // Four zeros end the list, and so does the end of the place.
        match u32_at(bytes, at) {
            None | Some(0) => return Ok(()),
            Some(_) => {}
        }
        let entry = bytes.get(at..at + ENTRY).ok_or_else(bad)?;
        let name_len = usize::from(entry[0]);
        let name = bytes
            .get(at + ENTRY..at + ENTRY + name_len)
            .ok_or_else(bad)?;
        let space = SPACES.iter().find(|(number, _)| *number == entry[1]);
        let space = space.map_or_else(|| format!("{}.", entry[1]), |(_, name)| (*name).to_owned());
        let value_at = usize::from(u16_at(entry, 2).unwrap_or_default());
        let value_inode = u32_at(entry, 4).unwrap_or_default();
        let len = u32_at(entry, 8).unwrap_or_default() as usize;
        let value = match value_inode {
            0 => bytes
                .get(value_at..value_at + len)
                .ok_or_else(bad)?
                .to_vec(),
            number => {
                return Err(format!(
                    "inode {number} holds an attribute, which is not read"
                ));
            }
        };
        found.insert(space + &String::from_utf8_lossy(name), value);
        at += (ENTRY + name_len).next_multiple_of(4);
    }
}
