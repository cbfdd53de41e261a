//! `pidoop verify`: finished images, read again and judged.

use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use serde::Serialize;

use super::built::{Built, lock};
use super::expected::Expected;
use super::load::{Loaded, load};
use super::nodes::check_names;
use super::secret::existing_key;
use super::unpacked::RawImage;
use super::{Failure, bake_failure};
use crate::bake::{Check, CheckResult, Identity, Planned, SeenImage, Stock, judge};
use crate::cli::{ExitStatus, GlobalArgs, VerifyArgs};

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    /// Version of this document's shape.
    schema: u32,
    passed: bool,
    images: Vec<ImageReport>,
}

#[derive(Debug, Serialize)]
struct ImageReport {
    node: Option<String>,
    image: Utf8PathBuf,
    passed: bool,
    checks: Vec<CheckReport>,
}

#[derive(Debug, Serialize)]
struct CheckReport {
    what: &'static str,
    result: &'static str,
    words: Vec<String>,
}

/// Judges images and says why.
pub(super) fn run(global: &GlobalArgs, args: &VerifyArgs) -> Result<ExitStatus, Failure> {
    // Images can be judged without a cluster file, though not in everything.
    let loaded = match args.images.is_empty() || args.cluster.file.exists() {
        true => Some(load(&args.cluster.file)?),
        false => None,
    };
    if let Some(loaded) = &loaded {
        check_names(loaded, &args.node)?;
    }
    let expected = match &loaded {
        None => Err(format!("there is no {}", args.cluster.file)),
        Some(loaded) if existing_key(loaded.dir())?.is_none() => {
            let key = loaded.dir().join("cluster.key");
            Err(format!("there is no {key}, from which much in it follows"))
        }
        Some(loaded) => match Expected::of(loaded, global) {
            Ok(expected) => Ok(expected),
            // Inputs are not needed where images are only looked at.
            Err(failure) if failure.status() == ExitStatus::Environment => Err(failure.words()),
            Err(failure) => return Err(failure),
        },
    };
    let stock = expected
        .as_ref()
        .map(|expected| expected.stock(global))
        .map_err(String::as_str);
    let stock = match stock {
        Ok(stock) => Ok(stock?),
        Err(why) => Err(why),
    };
    let judges = Judges {
        loaded: loaded.as_ref(),
        expected: expected.as_ref().map_err(String::as_str),
        stock: stock.as_ref().map_err(|why| *why),
    };

    let _lock = match args.images.is_empty() {
        true => lock(&args.out)?,
        false => None,
    };
    let candidates = candidates(global, args, loaded.as_ref())?;
    let images: Vec<ImageReport> = candidates
        .par_iter()
        .map(|candidate| judges.report(candidate))
        .collect::<Result<_, _>>()?;
    let report = Report {
        schema: 1,
        passed: images.iter().all(|image| image.passed),
        images,
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        let text = serde_json::to_string_pretty(&report).map_err(Failure::bug)?;
        writeln!(out, "{text}")?;
    } else {
        write_words(&mut out, &report)?;
    }
    Ok(match report.passed {
        true => ExitStatus::Ok,
        false => ExitStatus::CheckFailed,
    })
}

/// An image to judge.
#[derive(Debug)]
struct Candidate {
    /// Whose it should be; `None` if the host name in it tells.
    node: Option<String>,
    image: Utf8PathBuf,
    raw: Option<RawImage>,
}

/// The images that were asked for.
fn candidates(
    global: &GlobalArgs,
    args: &VerifyArgs,
    loaded: Option<&Loaded>,
) -> Result<Vec<Candidate>, Failure> {
    let named = args.images.iter().map(|image| {
        Ok(Candidate {
            node: None,
            raw: Some(RawImage::of(image, global)?),
            image: image.clone(),
        })
    });
    if !args.images.is_empty() {
        return named.collect();
    }
    let Some(cluster) = loaded.map(|loaded| &loaded.cluster) else {
        return Ok(Vec::new());
    };
    let nodes = cluster.nodes.iter().map(|node| node.name.as_str());
    nodes
        .filter(|name| args.node.is_empty() || args.node.iter().any(|node| node == name))
        .map(|name| {
            let file = format!("{}-{name}.img", cluster.name);
            let built = Built::find(&args.out, &file, global)?;
            Ok(Candidate {
                node: Some(name.to_owned()),
                image: built
                    .as_ref()
                    .map_or_else(|| args.out.join(&file), |built| built.named.clone()),
                raw: built.map(|built| built.raw),
            })
        })
        .collect()
}

/// What images are judged by.
struct Judges<'a> {
    loaded: Option<&'a Loaded>,
    expected: Result<&'a Expected, &'a str>,
    stock: Result<&'a Stock<'a>, &'a str>,
}

impl Judges<'_> {
    fn report(&self, candidate: &Candidate) -> Result<ImageReport, Failure> {
        let Some(raw) = &candidate.raw else {
            return Ok(ImageReport {
                node: candidate.node.clone(),
                image: candidate.image.clone(),
                passed: false,
                checks: vec![CheckReport {
                    what: "image",
                    result: "failed",
                    words: vec!["there is no image; pidoop build makes it".to_owned()],
                }],
            });
        };
        let name = match &candidate.node {
            Some(name) => Some(name.clone()),
            None => hostname(raw.path()),
        };
        let checks = self.checks(raw.path(), name.as_deref())?;
        Ok(ImageReport {
            passed: !checks
                .iter()
                .any(|check| matches!(check.result, CheckResult::Failed(_))),
            node: name,
            image: candidate.image.clone(),
            checks: checks.into_iter().map(CheckReport::of).collect(),
        })
    }

    fn checks(&self, image: &Utf8Path, name: Option<&str>) -> Result<Vec<Check>, Failure> {
        let Some(loaded) = self.loaded else {
            let why = "there is no cluster file that says who may log in; name one with -f";
            return judge(image, Err(why)).map_err(bake_failure);
        };
        let nodes = &loaded.cluster.nodes;
        let node = nodes.iter().find(|node| Some(node.name.as_str()) == name);
        let Some(node) = node else {
            let why = format!("the host name in it is of no node in {}", loaded.file);
            return judge(image, Err(&why)).map_err(bake_failure);
        };
        let planned = match (self.expected, self.stock) {
            (Ok(expected), Ok(stock)) => {
                let nodes = &expected.plan.nodes;
                let planned = nodes.iter().find(|node| Some(node.name.as_str()) == name);
                planned
                    .map(|node| Planned {
                        plan: &expected.plan,
                        node,
                        stock,
                    })
                    .ok_or("it is of no node in the plan")
            }
            (Err(why), _) | (_, Err(why)) => Err(why),
        };
        let identity = Identity {
            cluster: &loaded.cluster,
            node,
            planned,
        };
        judge(image, Ok(identity)).map_err(bake_failure)
    }
}

/// The host name in an image, if it can be read.
fn hostname(image: &Utf8Path) -> Option<String> {
    SeenImage::open(image).ok()?.hostname()
}

impl CheckReport {
    fn of(check: Check) -> Self {
        let (result, words) = match check.result {
            CheckResult::Passed(words) => ("passed", vec![words]),
            CheckResult::Failed(words) => ("failed", words),
            CheckResult::NotDone(why) => ("not done", vec![why]),
        };
        let what = check.what;
        Self {
            what,
            result,
            words,
        }
    }
}

fn write_words(out: &mut impl Write, report: &Report) -> std::io::Result<()> {
    for image in &report.images {
        match &image.node {
            Some(node) => writeln!(out, "{node}: {}", image.image)?,
            None => writeln!(out, "{}", image.image)?,
        }
        for check in &image.checks {
            let result = match check.result {
                "passed" => "ok",
                "failed" => "WRONG",
                other => other,
            };
            let mut words = check.words.iter();
            let first = words.next().map_or("", String::as_str);
            writeln!(out, "  {result:<8}  {:<19}  {first}", check.what)?;
            for more in words {
                writeln!(out, "  {:<8}  {:<19}  {more}", "", "")?;
            }
        }
    }
    Ok(())
}
