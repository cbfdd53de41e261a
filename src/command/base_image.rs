//! What is in the base image, and the raw image where that was needed.

use super::Failure;
use super::session::Session;
use super::supply::{Supplied, source_failure};
use crate::bake::Survey;
use crate::hadoop::{self, BaseJvmFacts};
use crate::plan::BaseFacts;
use crate::recipe::Arch;
use crate::source::{RawBase, Sha256, check_image};

/// A base image that was looked into.
#[derive(Debug)]
pub(super) struct BaseImage {
    /// What a plan needs to know of it.
    pub(super) facts: BaseFacts,
    /// What a Java runtime needs of it.
    pub(super) jvm: BaseJvmFacts,
    /// The raw image, if it was unpacked to be looked into.
    pub(super) raw: Option<RawBase>,
}

impl BaseImage {
    /// Recalls what is in a base image, or unpacks it and looks into it. Sees that
    /// it is the one it should be.
    pub(super) fn open(supplied: &Supplied, session: &Session) -> Result<Self, Failure> {
        let (cache, file) = (session.fetcher.cache(), &supplied.file);
        let wanted = &supplied.wanted;
        let check = |found: &Sha256| match &wanted.unpacked {
            None => Ok(()),
            Some(expected) => check_image(
                &wanted.origin,
                found,
                expected,
                &file.sha256,
                &wanted.request.authority,
            )
            .map_err(source_failure),
        };
        let note = format!("base-{}-{}", Survey::VERSION, file.sha256);
        let known = cache.note::<Survey>(&note).map_err(source_failure)?;
        let (survey, raw) = match known {
            Some(survey) => {
                check(&survey.sha256().parse().map_err(source_failure)?)?;
                (survey, None)
            }
            None => {
                let raw = RawBase::of(file, cache, &session.reporter).map_err(source_failure)?;
                check(&raw.sha256())?;
                let digest = raw.sha256().to_string();
                let survey = Survey::of(raw.path(), &digest).map_err(|error| {
                    // The error speaks of the unpacked copy, whose name says nothing.
                    let doing = format!("the base image {} cannot be used", wanted.origin);
                    super::bake_failure(error).context(doing)
                })?;
                cache.keep_note(&note, &survey).map_err(source_failure)?;
                (survey, Some(raw))
            }
        };
        let (facts, jvm) = survey.into_facts(&wanted.origin);
        Ok(Self { facts, jvm, raw })
    }

    /// Leaves the raw image to a later build, if it was unpacked.
    pub(super) fn keep(&mut self) -> Result<(), Failure> {
        match self.raw.take() {
            Some(raw) => raw.keep().map_err(source_failure),
            None => Ok(()),
        }
    }

    /// What its programs are compiled for.
    pub(super) fn arch(&self) -> Result<Arch, Failure> {
        match self.jvm.arch {
            hadoop::Arch::Aarch64 => Ok(Arch::Arm64),
            hadoop::Arch::X86_64 => Ok(Arch::Amd64),
            other => Err(Failure::usage(format!(
                "the base image is for {other}; take a 64-bit one"
            ))),
        }
    }
}
