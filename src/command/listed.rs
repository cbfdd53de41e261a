//! The newest image of a list.

use super::Failure;
use super::session::Session;
use super::supply::source_failure;
use crate::recipe::{ImageList, OsList, RecipeSource};
use crate::source::{Attempt, SourceError};

/// Most further lists that are read; a publisher's own are one or two.
const MOST_LISTS: usize = 8;

/// What a recipe's source becomes with the newest image of its list.
pub(super) fn newest_listed(
    name: &str,
    wanted: &ImageList,
    source: &RecipeSource,
    session: &Session,
) -> Result<RecipeSource, Failure> {
    let mut list = read(name, &wanted.url, session)?;
    let mut found = list.newest(wanted).cloned();
    // Categories may lead to lists of other publishers, who are not asked.
    let further: Vec<String> = list
        .more()
        .iter()
        .filter(|url| host(url) == host(&wanted.url))
        .take(MOST_LISTS)
        .cloned()
        .collect();
    for url in further {
        list.extend(read(name, &url, session)?);
        found = list.newest(wanted).cloned();
    }
    let image = found.map_err(|reason| {
        Failure::environment(anyhow::anyhow!(
            "the list {} does not have {name}: {reason}",
            wanted.url
        ))
        .hint("name a recipe without \"latest\", or give the image: { path = \"…\" }")
    })?;
    session.reporter.note(format!(
        "{name} is {} of {}, by {}",
        image.name, image.date, wanted.url
    ));
    Ok(RecipeSource {
        version: Some(image.date),
        urls: vec![image.url],
        list: None,
        sha256: image.sha256,
        size: image.size,
        unpacked_sha256: Some(image.unpacked_sha256),
        ..source.clone()
    })
}

fn read(name: &str, url: &str, session: &Session) -> Result<OsList, Failure> {
    let urls = [url.to_owned()];
    let found = session.fetcher.document(&urls, &session.reporter);
    let unobtainable = |attempts: Vec<Attempt>| {
        source_failure(SourceError::Unobtainable {
            name: format!("the list for {name}"),
            attempts,
        })
    };
    let document = found.map_err(source_failure)?.map_err(unobtainable)?;
    OsList::parse(&String::from_utf8_lossy(&document.bytes)).map_err(|reason| {
        unobtainable(vec![Attempt {
            place: document.place,
            reason,
        }])
    })
}

/// Scheme and host of an address.
fn host(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    &url[..end]
}
