//! Downloading a file, and going on after a break.

use std::time::Instant;

use ureq::http::{HeaderName, header};

use super::SourceError;
use super::digest::CHUNK;
use super::failure::Failure;
use super::http::{Answer, Client};
use super::pace::Pace;
use super::partial::{Origin, Partial};
use super::retry::Retries;
use crate::progress::{Reporter, Task};

/// A file that is wanted from an address.
pub(super) struct Download<'a> {
    pub(super) client: &'a Client,
    pub(super) url: &'a str,
    /// How long it has to be, where known.
    pub(super) size: Option<u64>,
    /// Who says so.
    pub(super) authority: &'a str,
    /// Whether a digest tells in the end that all is right. Then bytes may be
    /// put together that no validator vouches for.
    pub(super) decided: bool,
    pub(super) title: &'a str,
    pub(super) reporter: &'a Reporter,
}

/// What to do with an answer.
enum Body {
    /// It begins where the download ends.
    Goes(Answer),
    /// It is the whole file.
    Whole(Answer),
    /// Every byte is there already.
    Nothing,
    /// It is of no use: ask for the whole file.
    Useless,
}

impl Download<'_> {
    /// Brings `partial` to its end, trying again where a failure looks passing.
    /// Each try goes on where the last one stopped, if the server lets it.
    pub(super) fn run(&self, partial: &mut Partial) -> Result<(), Failure> {
        let options = &self.client.options;
        let mut retries = Retries::new(options.tries, options.pause);
        let mut task = None;
        loop {
            let failure = match self.attempt(partial, &mut task) {
                Ok(()) => break,
                Err(failure) => failure,
            };
            let client = self.client;
            let (reached, title) = (partial.len(), self.title);
            client.wait(&mut retries, failure, reached, title, self.reporter)?;
        }
        if let Some(task) = task {
            task.finish();
        }
        Ok(())
    }

    fn attempt(&self, partial: &mut Partial, task: &mut Option<Task>) -> Result<(), Failure> {
        let (mut answer, total) = match self.ask(partial)? {
            Body::Nothing => return Ok(()),
            Body::Goes(answer) => {
                partial.go_on();
                let total = partial.origin().and_then(|origin| origin.total);
                (answer, total)
            }
            Body::Whole(answer) => {
                let total = self.begin(partial, &answer)?;
                (answer, total)
            }
            Body::Useless => {
                let answer = self.client.get(self.url, &[])?;
                if answer.status != 200 {
                    return Err(answer.failure());
                }
                let total = self.begin(partial, &answer)?;
                (answer, total)
            }
        };
        let task = task.get_or_insert_with(|| self.reporter.task(self.title, total.or(self.size)));
        task.stands_at(partial.len());
        self.read(&mut answer, partial, total, task)?;
        match total {
            Some(total) if total != partial.len() => Err(Failure::passing(format!(
                "the file ended after {} of {total} bytes",
                partial.len()
            ))),
            _ => Ok(()),
        }
    }

    /// Asks for what is missing, or for everything.
    fn ask(&self, partial: &Partial) -> Result<Body, Failure> {
        let Some(headers) = self.range(partial) else {
            return Ok(Body::Useless);
        };
        let answer = self.client.get(self.url, &headers)?;
        match answer.status {
            206 if goes_on(&answer, partial, self.url) => Ok(Body::Goes(answer)),
            200 => Ok(Body::Whole(answer)),
            // Nothing is behind the last byte: all is there, or too much.
            416 if is_complete(&answer, partial) => Ok(Body::Nothing),
            416 => Ok(Body::Useless),
            206 => Ok(Body::Useless),
            _ => Err(answer.failure()),
        }
    }

    /// Headers that ask for what is missing; none if everything is wanted.
    fn range(&self, partial: &Partial) -> Option<Vec<(HeaderName, String)>> {
        if partial.len() == 0 {
            return None;
        }
        let range = (header::RANGE, format!("bytes={}-", partial.len()));
        let same_address = partial.origin().filter(|origin| origin.url == self.url);
        match same_address.and_then(|origin| origin.validator.clone()) {
            // If the file is another by now, the whole of it is sent.
            Some(validator) => Some(vec![range, (header::IF_RANGE, validator)]),
            // From elsewhere, or from a server that does not tell versions apart.
            None => self.decided.then(|| vec![range]),
        }
    }

    /// Begins the file anew with what `answer` tells of it; gives its length.
    fn begin(&self, partial: &mut Partial, answer: &Answer) -> Result<Option<u64>, Failure> {
        let total = answer
            .header(&header::CONTENT_LENGTH)
            .and_then(|text| text.trim().parse().ok());
        if let (Some(total), Some(size)) = (total, self.size)
            && total != size
        {
            return Err(Failure::lasting(format!(
                "the file there has {total} bytes, but {} says {size}: it is another release, or \
                 a proxy or a login page answered",
                self.authority
            )));
        }
        let chunked = answer.header(&header::TRANSFER_ENCODING).is_some();
        if total.is_none() && !chunked && !self.decided {
            return Err(Failure::lasting(
                "the server does not say how long the file is, so a broken connection would look \
                 like its end; give its sha256",
            ));
        }
        if let Some(total) = total {
            refuse_if_full(partial, total).map_err(Failure::Local)?;
        }
        let origin = Origin {
            url: self.url.to_owned(),
            validator: validator(answer),
            total,
        };
        partial.begin(Some(origin)).map_err(Failure::Local)?;
        Ok(total)
    }

    fn read(
        &self,
        answer: &mut Answer,
        partial: &mut Partial,
        total: Option<u64>,
        task: &Task,
    ) -> Result<(), Failure> {
        let options = &self.client.options;
        let begun = Instant::now();
        let mut pace = Pace::new(options.least, options.window, begun.elapsed());
        let most = total.or(self.size).unwrap_or(u64::MAX);
        let mut buffer = vec![0; CHUNK];
        loop {
            let read = answer.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            if partial.len() + read as u64 > most {
                return Err(Failure::lasting(format!(
                    "it goes on behind the {most} bytes that it should have"
                )));
            }
            partial.push(&buffer[..read]).map_err(Failure::Local)?;
            task.advance(read as u64);
            if !pace.keeps(begun.elapsed(), read as u64) {
                return Err(Failure::passing(format!(
                    "the server sent less than {} bytes in {} seconds",
                    options.least,
                    options.window.as_secs_f64()
                )));
            }
        }
    }
}

/// Whether a partial answer begins where the download ends, and is of the file
/// that the download is of.
fn goes_on(answer: &Answer, partial: &Partial, url: &str) -> bool {
    let Some((first, total)) = answer
        .header(&header::CONTENT_RANGE)
        .and_then(content_range)
    else {
        return false;
    };
    let Some(origin) = partial.origin() else {
        return first == partial.len();
    };
    let agree = |known: bool, same: bool| !known || same;
    let same_length = agree(
        origin.total.is_some() && total.is_some(),
        origin.total == total,
    );
    // A server that does not heed If-Range may tell by the tag all the same.
    let tag = validator(answer);
    let same_version = agree(
        origin.url == url && origin.validator.is_some() && tag.is_some(),
        origin.validator == tag,
    );
    first == partial.len() && same_length && same_version
}

/// First byte and whole length of `bytes 10-99/100` (RFC 9110, section 14.4).
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let total = match total {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    // A range that ends before the file would leave a gap unseen.
    let to_the_end = total.is_none_or(|total| last.checked_add(1) == Some(total));
    (first <= last && to_the_end).then_some((first, total))
}

/// Whether `bytes */100`, which says that there is no such range, says that the
/// download has all there is.
fn is_complete(answer: &Answer, partial: &Partial) -> bool {
    let total: Option<u64> = answer
        .header(&header::CONTENT_RANGE)
        .and_then(|text| text.trim().strip_prefix("bytes */")?.parse().ok());
    let known = partial.origin().and_then(|origin| origin.total);
    total == Some(partial.len()) && known.is_none_or(|known| known == partial.len())
}

/// What tells this version of the file from any other: a strong tag, else the
/// time of the last change.
fn validator(answer: &Answer) -> Option<String> {
    let tag = answer.header(&header::ETAG).map(str::trim);
    let strong = tag.filter(|tag| tag.starts_with('"') && tag.ends_with('"'));
    strong
        .or_else(|| answer.header(&header::LAST_MODIFIED))
        .map(str::to_owned)
}

/// Says so at once when `length` bytes cannot fit where the download is going
/// to be.
fn refuse_if_full(partial: &Partial, length: u64) -> Result<(), SourceError> {
    // A filesystem that does not tell its free space finds out by itself.
    let Ok(space) = rustix::fs::statvfs(partial.dir().as_std_path()) else {
        return Ok(());
    };
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    // What is there of it already makes room.
    if free.saturating_add(partial.len()) < length {
        return Err(SourceError::DiskFull {
            action: "downloading to",
            path: partial.data(),
            needed: Some(length),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_odd_ones_refused() {
        let cases = [
            ("bytes 10-99/100", Some((10, Some(100)))),
            ("bytes 10-99/*", Some((10, None))),
            ("bytes 10-98/100", None),
            ("bytes 99-10/100", None),
            ("bytes */100", None),
            ("items 10-99/100", None),
            ("bytes 10-18446744073709551616/*", None),
        ];
        for (text, expected) in cases {
            assert_eq!(content_range(text), expected, "{text}");
        }
    }
}
