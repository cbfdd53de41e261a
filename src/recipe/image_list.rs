//! Lists of images, as Raspberry Pi Imager reads them.

use std::cmp::Ordering;

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

use crate::diagnostic::shape;

/// Which image of a list is meant: the newest one that all of this fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageList {
    /// Address of the list.
    pub url: String,
    /// Pattern of the image's file name.
    pub file: String,
    /// Pattern of the entry's name.
    pub name: Option<String>,
    /// Tag of a device that the image is for.
    pub device: Option<String>,
}

/// A list, read (rpi-imager, `doc/json-schema/os-list-schema.json`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsList {
    images: Vec<ListedImage>,
    more: Vec<String>,
}

/// An image in a list, with everything about it checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedImage {
    /// What the list calls it.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// Tags of the devices it is for; none if it is for any.
    pub devices: Vec<String>,
    /// SHA-256 of the file as it is downloaded, where the list has it.
    pub sha256: Option<String>,
    /// Length of the file as it is downloaded, in bytes.
    pub size: Option<u64>,
    /// SHA-256 of the image itself.
    pub unpacked_sha256: String,
    /// When it was released, as year, month and day.
    pub date: String,
}

/// An entry as it is written: an image, or a category with entries below it.
/// Other tools write lists too, so nothing is taken for granted.
#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(default)]
    name: String,
    #[serde(default)]
    subitems: Vec<serde_json::Value>,
    subitems_url: Option<String>,
    url: Option<String>,
    #[serde(default)]
    devices: Vec<String>,
    image_download_sha256: Option<String>,
    image_download_size: Option<u64>,
    extract_sha256: Option<String>,
    release_date: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Document {
    os_list: Vec<serde_json::Value>,
}

/// Deepest that categories lie within each other; more is no list that anybody
/// made for people.
const DEEPEST: usize = 8;

impl OsList {
    /// Reads a list. Entries that are not whole are left out: one bad entry of a
    /// publisher must not keep the others from being found.
    ///
    /// # Errors
    /// It is no list at all; the reason as the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text)
            .map_err(|error| format!("it is no list of images ({error})"))?;
        let mut list = Self::default();
        list.take(document.os_list, 0);
        Ok(list)
    }

    fn take(&mut self, entries: Vec<serde_json::Value>, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        for entry in entries {
            let Ok(entry) = serde_json::from_value::<Entry>(entry) else {
                continue;
            };
            self.more.extend(entry.subitems_url.clone());
            if let Some(image) = image(&entry) {
                self.images.push(image);
            }
            self.take(entry.subitems, depth + 1);
        }
    }

    /// Addresses of further lists that categories refer to.
    pub fn more(&self) -> &[String] {
        &self.more
    }

    /// Adds what a further list has.
    pub fn extend(&mut self, other: Self) {
        self.images.extend(other.images);
    }

    /// The newest image that `wanted` fits; of several of one day, the one whose
    /// file name comes last.
    ///
    /// # Errors
    /// There is none; the reason as the end of a sentence.
    pub fn newest(&self, wanted: &ImageList) -> Result<&ListedImage, String> {
        let fitting = self.images.iter().filter(|image| fits(image, wanted));
        fitting.max_by(|a, b| order(a, b)).ok_or_else(|| {
            let device = match &wanted.device {
                Some(device) => format!(" for {device}"),
                None => String::new(),
            };
            format!(
                "none of its {} images{device} has a file name like {}",
                self.images.len(),
                wanted.file
            )
        })
    }
}

fn order(a: &ListedImage, b: &ListedImage) -> Ordering {
    let key = |image: &ListedImage| (image.date.clone(), file_name(&image.url).to_owned());
    key(a).cmp(&key(b))
}

fn fits(image: &ListedImage, wanted: &ImageList) -> bool {
    let device = wanted.device.as_ref().is_none_or(|device| {
        image.devices.is_empty() || image.devices.iter().any(|tag| tag == device)
    });
    let name = wanted
        .name
        .as_deref()
        .is_none_or(|pattern| matches(pattern, &image.name));
    device && name && matches(&wanted.file, file_name(&image.url))
}

fn matches(pattern: &str, text: &str) -> bool {
    let matcher = GlobBuilder::new(pattern)
        .build()
        .map(|glob| GlobMatcher::is_match(&glob.compile_matcher(), text));
    matcher.unwrap_or(false)
}

fn file_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

/// The image that an entry is about, if it is about one and tells all of it.
fn image(entry: &Entry) -> Option<ListedImage> {
    let sha256 = match &entry.image_download_sha256 {
        Some(digest) => Some(shape::sha256(digest).ok()?),
        None => None,
    };
    let date = entry.release_date.as_deref()?;
    if !is_date(date) {
        return None;
    }
    Some(ListedImage {
        name: entry.name.clone(),
        url: shape::web_address(entry.url.as_deref()?).ok()?,
        devices: entry.devices.clone(),
        sha256,
        size: entry.image_download_size.filter(|size| *size > 0),
        unpacked_sha256: shape::sha256(entry.extract_sha256.as_deref()?).ok()?,
        date: date.to_owned(),
    })
}

/// Whether a text is a day like `2026-09-15`, which sorts by time.
fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let digits = |part: Option<&str>, count: usize| {
        part.is_some_and(|part| part.len() == count && part.bytes().all(|b| b.is_ascii_digit()))
    };
    digits(parts.next(), 4)
        && digits(parts.next(), 2)
        && digits(parts.next(), 2)
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(file: &str, date: &str, devices: &str) -> String {
        format!(
            r#"{{"name": "Raspberry Pi OS Lite (64-bit)", "description": "x", "icon": "x",
            "url": "https://h/images/{file}", "extract_size": 9, "image_download_size": 7,
            "extract_sha256": "{}", "image_download_sha256": "{}",
            "release_date": "{date}", "devices": [{devices}]}}"#,
            "AB".repeat(32),
            "cd".repeat(32),
        )
    }

    fn list(entries: &[String]) -> OsList {
        OsList::parse(&format!(
            r#"{{"imager": {{}}, "os_list": [{}]}}"#,
            entries.join(",")
        ))
        .unwrap()
    }

    fn wanted() -> ImageList {
        ImageList {
            url: "https://h/list.json".to_owned(),
            file: "*-raspios-trixie-arm64-lite.img.xz".to_owned(),
            name: None,
            device: Some("pi4-64bit".to_owned()),
        }
    }

    const NEW: &str = "2026-09-15-raspios-trixie-arm64-lite.img.xz";
    const OLD: &str = "2026-06-18-raspios-trixie-arm64-lite.img.xz";

    #[test]
    fn the_newest_that_fits_is_found_at_any_depth() {
        let pi4 = "\"pi5-64bit\", \"pi4-64bit\"";
        let full = NEW.replace("-lite", "-full");
        let category = format!(
            r#"{{"name": "other", "description": "x", "icon": "x", "subitems": [{}, {}]}}"#,
            entry(NEW, "2026-09-15", pi4),
            entry(
                "2026-12-01-raspios-trixie-arm64-lite.img.xz",
                "2026-12-01",
                "\"pi9-64bit\""
            )
        );
        let list = list(&[
            entry(OLD, "2026-06-18", pi4),
            category,
            entry(&full, "2026-09-16", pi4),
        ]);
        let found = list.newest(&wanted()).unwrap();
        assert_eq!(found.url, format!("https://h/images/{NEW}"));
        assert_eq!(found.sha256.as_deref(), Some("cd".repeat(32).as_str()));
        assert_eq!(found.unpacked_sha256, "ab".repeat(32));
        assert_eq!((found.size, found.date.as_str()), (Some(7), "2026-09-15"));
    }

    #[test]
    fn names_narrow_it_down() {
        let list = list(&[entry(NEW, "2026-09-15", "\"pi4-64bit\"")]);
        let named = |name: &str| ImageList {
            name: Some(name.to_owned()),
            ..wanted()
        };
        assert!(list.newest(&named("Raspberry Pi OS Lite*")).is_ok());
        let said = list.newest(&named("Ubuntu*")).unwrap_err();
        assert_eq!(
            said,
            "none of its 1 images for pi4-64bit has a file name like \
             *-raspios-trixie-arm64-lite.img.xz"
        );
    }

    #[test]
    fn entries_that_are_not_whole_are_passed_over() {
        let good = entry(OLD, "2026-06-18", "");
        let bad = [
            entry(NEW, "15.9.2026", ""),
            entry(NEW, "2026-09-15", "").replace("https://h", "file://"),
            entry(NEW, "2026-09-15", "").replace("ABAB", "AB"),
            entry(NEW, "2026-09-15", "").replace("cdcd", "cd"),
            entry(NEW, "2026-09-15", "").replace("extract_sha256", "extract_md5"),
            "7".to_owned(),
            r#"{"name": 7}"#.to_owned(),
        ];
        let list = list(&[&bad[..], &[good]].concat());
        assert_eq!(list.newest(&wanted()).unwrap().date, "2026-06-18");
    }

    #[test]
    fn lists_refer_to_lists() {
        let mut top = list(&[r#"{"name": "x", "subitems_url": "https://h/more.json"}"#.to_owned()]);
        assert_eq!(top.more(), ["https://h/more.json"]);
        assert!(top.newest(&wanted()).is_err());
        top.extend(list(&[entry(NEW, "2026-09-15", "")]));
        assert!(top.newest(&wanted()).is_ok());
    }

    #[test]
    fn what_is_no_list_is_said() {
        for text in ["", "<html>", "[]", r#"{"os_list": 7}"#] {
            let said = OsList::parse(text).unwrap_err();
            assert!(said.starts_with("it is no list of images"), "{said}");
        }
        let deep = format!("{}{}", r#"{"subitems":["#.repeat(60), "]}".repeat(60));
        let text = format!(r#"{{"os_list": [{deep}]}}"#);
        assert!(OsList::parse(&text).is_ok());
    }
}
