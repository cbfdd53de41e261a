//! `[[source]]`: where a file can be had and what tells that it is the right
//! one.

use toml::Spanned;

use crate::diagnostic::{Problem, Section, shape};

use super::{ImageList, RecipeSource, Sidecar, SidecarKind, SignatureRule, SigningKey, check};

pub(super) fn source(mut section: Section<'_>, is_base: bool) -> Option<RecipeSource> {
    section.require("arch", "\"arm64\"");
    let arch = section.parsed("arch", "\"arm64\"", check::arch);
    let version = section.parsed("version", "\"1.0\"", check::line);
    let list = match is_base {
        true => section.section("list"),
        false => None,
    };
    if list.is_none() {
        section.require("urls", "[\"https://example.org/file\"]");
    }
    let urls = urls(&mut section);
    let sha256 = section.parsed("sha256", "\"64 hexadecimal digits\"", shape::sha256);
    let sha512 = section.parsed("sha512", "\"128 hexadecimal digits\"", shape::sha512);
    let size = section.integer("size", 1..=i64::MAX, "509684174");
    let sidecar = section.section("sidecar").and_then(sidecar);
    let signature = section.section("signature").and_then(signature);
    let unpacked = if is_base {
        section.parsed(
            "unpacked_sha256",
            "\"64 hexadecimal digits\"",
            shape::sha256,
        )
    } else {
        None
    };
    let listed = list.is_some();
    if listed {
        // The list has them, and they change with what is the newest.
        for key in ["urls", "sha256", "sha512", "size", "unpacked_sha256"] {
            if let Some(at) = section.key_span(key) {
                section.problems().add(
                    Problem::new(at, format!("the list says `{key}`, so the recipe cannot"))
                        .help(format!("leave out `{key}`, or `list`")),
                );
            }
        }
    } else if ["sha256", "sha512", "sidecar"]
        .into_iter()
        .all(|key| section.value(key).is_none())
    {
        section.problems().add(
            Problem::new(section.span(), "nothing says what the file must be")
                .label("no digest")
                .help("add `sha256`, `sha512` or `sidecar`"),
        );
    }
    let list = list.map(image_list);
    section.finish();
    Some(RecipeSource {
        arch: arch?.into_inner(),
        version: version.map(Spanned::into_inner),
        urls: match listed {
            true => Vec::new(),
            false => urls?,
        },
        list: match list {
            Some(list) => Some(list?),
            None => None,
        },
        sha256: sha256.map(Spanned::into_inner),
        sha512: sha512.map(Spanned::into_inner),
        size: size.and_then(|size| u64::try_from(size.into_inner()).ok()),
        sidecar,
        signature,
        unpacked_sha256: unpacked.map(Spanned::into_inner),
    })
}

fn urls(section: &mut Section<'_>) -> Option<Vec<String>> {
    let urls = section.texts("urls", "[\"https://example.org/file\"]")?;
    if urls.is_empty() {
        let at = section.key_span("urls").unwrap_or(section.span());
        section.problems().add(Problem::new(at, "`urls` is empty"));
    }
    let checked = urls
        .iter()
        .filter_map(|url| section.accept(url, shape::web_address(url.get_ref())))
        .map(Spanned::into_inner);
    Some(checked.collect())
}

fn image_list(mut section: Section<'_>) -> Option<ImageList> {
    section.require("url", "\"https://example.org/os_list.json\"");
    section.require("file", "\"*-arm64-lite.img.xz\"");
    let url = section.parsed(
        "url",
        "\"https://example.org/os_list.json\"",
        shape::web_address,
    );
    let file = section.parsed("file", "\"*-arm64-lite.img.xz\"", check::glob);
    let name = section.parsed("name", "\"Raspberry Pi OS Lite*\"", check::glob);
    let device = section.parsed("device", "\"pi4-64bit\"", check::line);
    section.finish();
    Some(ImageList {
        url: url?.into_inner(),
        file: file?.into_inner(),
        name: name.map(Spanned::into_inner),
        device: device.map(Spanned::into_inner),
    })
}

fn sidecar(mut section: Section<'_>) -> Option<Sidecar> {
    section.require("suffix", "\".sha512\"");
    section.require("kind", "\"sha512\"");
    let suffix = section.parsed("suffix", "\".sha512\"", check::suffix);
    let kind = section.parsed("kind", "\"sha512\"", |text| match text {
        "sha256" => Ok(SidecarKind::Sha256),
        "sha512" => Ok(SidecarKind::Sha512),
        _ => Err(format!(
            "a sidecar is \"sha256\" or \"sha512\", not {text:?}"
        )),
    });
    section.finish();
    Some(Sidecar {
        suffix: suffix?.into_inner(),
        kind: kind?.into_inner(),
    })
}

fn signature(mut section: Section<'_>) -> Option<SignatureRule> {
    section.require("suffix", "\".asc\"");
    section.require("key", "\"keys/thing.asc\"");
    let suffix = section.parsed("suffix", "\".asc\"", check::suffix);
    let key = section.parsed("key", "\"keys/thing.asc\"", check::signing_key);
    let digits = "\"40 hexadecimal digits\"";
    let fingerprint = section.parsed("fingerprint", digits, check::fingerprint);
    if let Some(key) = &key
        && matches!(key.get_ref(), SigningKey::Url(_))
        && section.value("fingerprint").is_none()
    {
        section.problems().add(
            Problem::new(key.span(), "keys from an address may be anybody's")
                .label("without a fingerprint")
                .help("add `fingerprint`, or keep the key as a file beside the recipe"),
        );
    }
    section.finish();
    Some(SignatureRule {
        suffix: suffix?.into_inner(),
        key: key?.into_inner(),
        fingerprint: fingerprint.map(Spanned::into_inner),
    })
}
