//! Decoding on a thread of its own, so that it overlaps with what is done with
//! the bytes.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::digest::CHUNK;

/// How many chunks may wait between the two threads.
const CHUNKS_AHEAD: usize = 16;

/// Where the producing thread writes.
pub(super) struct Producer {
    sender: SyncSender<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
}

/// Where the consumer reads.
pub(super) struct ReadAhead {
    receiver: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    used: usize,
}

/// Runs `produce` on a thread of its own and `consume` on this one. An error of
/// the producer reaches the consumer as a read error behind the bytes before
/// it; a consumer that stops early stops the producer.
pub(super) fn read_ahead<T>(
    produce: impl FnOnce(&mut Producer) -> io::Result<()> + Send,
    consume: impl FnOnce(&mut ReadAhead) -> T,
) -> T {
    let (sender, receiver) = sync_channel(CHUNKS_AHEAD);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut producer = Producer {
                sender,
                chunk: Vec::with_capacity(CHUNK),
            };
            let result = produce(&mut producer).and_then(|()| producer.send());
            if let Err(error) = result {
                // A consumer that went away does not want to know.
                let _ = producer.sender.send(Err(error));
            }
        });
        let mut reader = ReadAhead {
            receiver,
            chunk: Vec::new(),
            used: 0,
        };
        consume(&mut reader)
        // The receiver goes away here, which frees a producer that waits.
    })
}

impl Producer {
    fn send(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        self.sender
            .send(Ok(chunk))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Takes everything from `reader`.
    pub(super) fn copy_from(&mut self, reader: &mut dyn Read) -> io::Result<()> {
        loop {
            let start = self.chunk.len();
            self.chunk.resize(CHUNK, 0);
            let read = reader.read(&mut self.chunk[start..]);
            self.chunk.truncate(start + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.send()?;
                    return Err(error);
                }
            }
            if self.chunk.len() == CHUNK {
                self.send()?;
            }
        }
    }
}

impl Write for Producer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let take = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..take]);
        if self.chunk.len() == CHUNK {
            self.send()?;
        }
        Ok(take)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

impl ReadAhead {
    /// The next bytes, as many as are at hand; empty at the end.
    pub(super) fn chunk(&mut self) -> io::Result<&[u8]> {
        while self.used == self.chunk.len() {
            match self.receiver.recv() {
                Ok(chunk) => {
                    self.chunk = chunk?;
                    self.used = 0;
                }
                // The producer is done.
                Err(_) => return Ok(&[]),
            }
        }
        Ok(&self.chunk[self.used..])
    }

    /// Marks `count` bytes of the last [`chunk`](Self::chunk) as used.
    pub(super) fn consume(&mut self, count: usize) {
        self.used = (self.used + count).min(self.chunk.len());
    }
}

impl Read for ReadAhead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let chunk = self.chunk()?;
        let count = chunk.len().min(buffer.len());
        buffer[..count].copy_from_slice(&chunk[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_arrive_in_order_and_then_the_error() {
        let bytes: Vec<u8> = (0..3 * CHUNK + 7).map(|n| (n % 251) as u8).collect();
        let (got, error) = read_ahead(
            |producer| {
                producer.copy_from(&mut &bytes[..])?;
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "cut"))
            },
            |reader| {
                let mut got = Vec::new();
                let mut part = [0; 1000];
                loop {
                    match reader.read(&mut part) {
                        Ok(count) => got.extend_from_slice(&part[..count]),
                        Err(error) => return (got, error),
                    }
                }
            },
        );
        // The last, partial chunk is sent only on success or by `copy_from`'s own error.
        assert_eq!(got, bytes[..got.len()]);
        assert!(got.len() >= 3 * CHUNK);
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_consumer_may_stop_early() {
        let first = read_ahead(
            |producer| producer.copy_from(&mut io::repeat(9)),
            |reader| reader.chunk().unwrap()[0],
        );
        assert_eq!(first, 9);
    }
}
