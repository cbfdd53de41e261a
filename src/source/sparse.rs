//! Writing a file with holes where it has zeros.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Bytes in a block of the filesystems that matter; smaller holes save nothing.
const BLOCK: usize = 4096;

/// Writes a new, empty file from front to back, leaving out blocks of zeros.
#[derive(Debug)]
pub(super) struct SparseWriter {
    file: File,
    position: u64,
}

impl SparseWriter {
    /// Writes to `file`, which must be empty.
    pub(super) fn new(file: File) -> Self {
        Self { file, position: 0 }
    }

    /// Bytes taken so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Takes the next bytes.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let zeros = self.leading(bytes, true);
            self.position += zeros as u64;
            bytes = &bytes[zeros..];
            let data = self.leading(bytes, false);
            self.file.write_all_at(&bytes[..data], self.position)?;
            self.position += data as u64;
            bytes = &bytes[data..];
        }
        Ok(())
    }

    /// Length of the leading blocks that are all zeros, or of those that are
    /// not. Blocks are counted in the file, so the first and last may be short.
    fn leading(&self, bytes: &[u8], zeros: bool) -> usize {
        let mut length = 0;
        while length < bytes.len() {
            let at = (self.position + length as u64) % BLOCK as u64;
            let block = BLOCK - at as usize;
            let end = (length + block).min(bytes.len());
            if is_zero(&bytes[length..end]) != zeros {
                break;
            }
            length = end;
        }
        length
    }

    /// Sets the file's length, also when it ends in a hole.
    pub(super) fn finish(self) -> io::Result<File> {
        self.file.set_len(self.position)?;
        Ok(self.file)
    }
}

/// Whether all bytes are zero, in a way that compiles to wide instructions.
fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |all, byte| all | byte) == 0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use proptest::prelude::*;

    use super::super::testing::scratch;
    use super::*;

    fn written(chunks: &[Vec<u8>]) -> (Vec<u8>, u64) {
        let (_dir, root) = scratch();
        let path = root.join("file");
        let mut writer = SparseWriter::new(File::create(&path).unwrap());
        for chunk in chunks {
            writer.write(chunk).unwrap();
        }
        writer.finish().unwrap();
        (
            std::fs::read(&path).unwrap(),
            std::fs::metadata(&path).unwrap().blocks() * 512,
        )
    }

    #[test]
    fn zeros_take_no_room() {
        let mut bytes = vec![0; 8 << 20];
        bytes[5 << 20] = 1;
        let (back, room) = written(&[bytes.clone()]);
        assert!(back == bytes);
        assert!(room <= 64 << 10, "{room} bytes on disk");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            runs in proptest::collection::vec((0_usize..9000, proptest::bool::ANY), 0..12)
        ) {
            let chunks: Vec<Vec<u8>> =
                runs.iter().map(|(len, data)| vec![u8::from(*data); *len]).collect();
            prop_assert!(written(&chunks).0 == chunks.concat());
        }
    }
}
