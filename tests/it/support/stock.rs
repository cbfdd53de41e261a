//! Fixtures that are dear to make, made once.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

use camino::Utf8Path;
use fs_err as fs;

/// The blocks of a file that are not zero, by place.
#[derive(Clone)]
pub(crate) struct Data(Vec<(u64, Vec<u8>)>);

impl Data {
    pub(crate) fn of(path: &Utf8Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let blocks = bytes.chunks(4096).enumerate();
        let used = blocks.filter(|(_, block)| block.iter().any(|byte| *byte != 0));
        Self(
            used.map(|(index, block)| (index as u64 * 4096, block.to_vec()))
                .collect(),
        )
    }
}

/// Files made once in a run of the tests, of which each test gets a copy.
pub(crate) struct Stock<K>(Mutex<BTreeMap<K, (Data, u64)>>);

impl<K: Ord> Stock<K> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    pub(crate) fn put(&self, key: K, path: &Utf8Path, make: impl FnOnce() -> (Data, u64)) {
        // A test that failed while making one has said so itself.
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (data, len) = made.entry(key).or_insert_with(make);
        sized_file(path, *len);
        let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        for (at, block) in &data.0 {
            file.write_all_at(block, *at).unwrap();
        }
    }
}

/// An empty file of `len` bytes.
pub(crate) fn sized_file(path: &Utf8Path, len: u64) {
    fs::File::create(path).unwrap().set_len(len).unwrap();
}
