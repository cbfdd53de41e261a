//! Getting the three inputs to hand, all at once.

use std::thread;

use super::Failure;
use super::base_image::BaseImage;
use super::load::Loaded;
use super::lock_file::LockFile;
use super::session::Session;
use super::wanted::{self, Wanted};
use crate::cluster::SourceChoice;
use crate::lock::{Lock, LockedInput};
use crate::recipe::Arch;
use crate::source::{Obtained, SourceError};

/// An input at hand.
#[derive(Clone, Debug)]
pub(super) struct Supplied {
    /// What was asked for.
    pub(super) wanted: Wanted,
    /// The file.
    pub(super) file: Obtained,
}

/// The inputs at hand, verified, the base image opened, and of the components
/// whatever was made.
#[derive(Debug)]
pub(super) struct Supply<J, H> {
    /// The packed base image.
    pub(super) base: Supplied,
    /// What is in it.
    pub(super) image: BaseImage,
    /// Java.
    pub(super) java: Supplied,
    /// Hadoop.
    pub(super) hadoop: Supplied,
    /// What was made of Java and of Hadoop.
    pub(super) made: (J, H),
}

impl<J: Send, H: Send> Supply<J, H> {
    /// Gets everything, downloading at once what is not at hand, and has
    /// `make_java` and `make_hadoop` do their work as soon as those are there,
    /// while the base image is still unpacked. Whatever fails, all that was tried
    /// is told of.
    pub(super) fn gather(
        loaded: &Loaded,
        lock: &LockFile,
        session: &Session,
        make_java: impl Fn(&Supplied) -> Result<J, Failure> + Sync,
        make_hadoop: impl Fn(&Supplied) -> Result<H, Failure> + Sync,
    ) -> Result<Self, Failure> {
        // What Java and Hadoop must be for is known for certain only from the
        // base image itself, but its recipe or the lock says it beforehand.
        let presumed = wanted::presumed_arch(loaded, lock);
        let any_arch = wanted::components_fit_any(loaded);
        let component = |key, arch| {
            let wanted = wanted::component(key, arch, loaded, lock, session)?;
            Supplied::get(wanted, loaded, session)
        };
        let (component, make_java) = (&component, &make_java);
        let both = |arch: Arch| {
            thread::scope(|scope| {
                let java = scope.spawn(move || component("java", arch)?.with(make_java));
                let hadoop = component("hadoop", arch).and_then(|hadoop| hadoop.with(&make_hadoop));
                (joined(java.join()), hadoop)
            })
        };
        let get_file = || {
            let base = wanted::base(loaded, lock, session)?;
            Supplied::get(base, loaded, session)
        };
        // A file that is here is read before others compete for the disk: then
        // the processors unpack it while those are read.
        let is_here = matches!(loaded.cluster.image.base, SourceChoice::Path { .. });
        let base = is_here.then(get_file);
        let get_base = || {
            let base = base.unwrap_or_else(get_file)?;
            let image = BaseImage::open(&base, session)?;
            let arch = image.arch()?;
            Ok((base, image, arch))
        };
        let (opened, early) = thread::scope(|scope| {
            let early = presumed.or(any_arch).map(|arch| {
                let both = &both;
                scope.spawn(move || both(arch))
            });
            (get_base(), early.map(|running| joined(running.join())))
        });
        let (base, image, (java, hadoop)) = match (opened, early) {
            (Ok((base, image, arch)), Some((java, hadoop)))
                if presumed == Some(arch) || any_arch.is_some() =>
            {
                (base, image, both_of(java, hadoop)?)
            }
            (Ok((base, image, arch)), _) => {
                let (java, hadoop) = both(arch);
                (base, image, both_of(java, hadoop)?)
            }
            (Err(failure), Some((java, hadoop))) => {
                let failed = java.err().into_iter().chain(hadoop.err());
                return Err(Failure::several(std::iter::once(failure).chain(failed)));
            }
            (Err(failure), None) => return Err(failure),
        };
        let ((java, of_java), (hadoop, of_hadoop)) = (java, hadoop);
        Ok(Self {
            base,
            image,
            java,
            hadoop,
            made: (of_java, of_hadoop),
        })
    }

    /// What the lock has to say of all this.
    pub(super) fn lock(&self) -> Lock {
        let mut base = self.base.entry();
        base.unpacked_sha256 = Some(self.image.facts.sha256.clone());
        // Where no recipe said it; then the next fetch need not wait for it.
        base.arch = base.arch.or(self.image.arch().ok());
        let entries = [
            (self.base.wanted.key, base),
            (self.java.wanted.key, self.java.entry()),
            (self.hadoop.wanted.key, self.hadoop.entry()),
        ];
        Lock {
            inputs: entries
                .into_iter()
                .map(|(key, entry)| (key.to_owned(), entry))
                .collect(),
        }
    }

    /// All three, in the order of the cluster file.
    pub(super) fn all(&self) -> [&Supplied; 3] {
        [&self.base, &self.java, &self.hadoop]
    }
}

impl Supplied {
    fn get(wanted: Wanted, loaded: &Loaded, session: &Session) -> Result<Self, Failure> {
        let (_, choice) = super::lock_file::choices(&loaded.cluster.image)
            .into_iter()
            .find(|(key, _)| *key == wanted.key)
            .ok_or_else(|| Failure::bug(anyhow::anyhow!("no input is called {}", wanted.key)))?;
        let obtained = session.fetcher.obtain(&wanted.request, &session.reporter);
        let file = obtained.map_err(|error| {
            let is_missing = matches!(error, SourceError::Unobtainable { .. });
            let failure = match choice {
                // No download makes another file of it, so it is not merely missing.
                SourceChoice::Path { .. } if is_missing => {
                    Failure::environment(anyhow::anyhow!("{error}"))
                }
                _ => source_failure(error),
            };
            match (is_missing, session.fetcher.offline) {
                (true, true) => failure.hint(
                    "fetch where there is a network, or put the files into a directory and name \
                     it with --mirror",
                ),
                (true, false) if wanted.is_locked => failure.hint(format!(
                    "if it was changed on purpose, take what is there now with: pidoop fetch \
                     --update {}",
                    wanted.key
                )),
                _ => failure,
            }
        })?;
        Ok(Self { wanted, file })
    }

    /// It, and what `make` makes of it.
    fn with<T>(self, make: impl FnOnce(&Self) -> Result<T, Failure>) -> Result<(Self, T), Failure> {
        let made = make(&self)?;
        Ok((self, made))
    }

    /// What the lock has to say of it.
    fn entry(&self) -> LockedInput {
        LockedInput {
            sha256: self.file.sha256.to_string(),
            size: self.file.size,
            ..self.wanted.entry.clone()
        }
    }
}

/// What a thread came to; a panic goes on in the thread that asks.
fn joined<T>(result: thread::Result<T>) -> T {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Both, or everything that was wrong with either.
fn both_of<J, H>(java: Result<J, Failure>, hadoop: Result<H, Failure>) -> Result<(J, H), Failure> {
    match (java, hadoop) {
        (Ok(java), Ok(hadoop)) => Ok((java, hadoop)),
        (java, hadoop) => Err(Failure::several(java.err().into_iter().chain(hadoop.err()))),
    }
}

/// Wrong files are the user's to mend, the rest is the machine's.
pub(super) fn source_failure(error: SourceError) -> Failure {
    if error.is_environment() {
        Failure::environment(error)
    } else {
        Failure::usage(error)
    }
}
