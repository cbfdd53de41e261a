//! What a program or library needs to run.

use std::fs::File;
use std::io::{BufReader, Read};

use camino::Utf8Path;
use object::elf::{EM_ARM, FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader as _};
use object::read::{ReadCache, ReadRef};
use object::{Endianness, elf};

use super::SourceError;
use crate::hadoop::{Arch, GlibcVersion};

/// What the headers of an ELF file say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElfFacts {
    /// What it runs on.
    pub arch: Arch,
    /// The loader it asks for (`PT_INTERP`); libraries ask for none.
    pub interpreter: Option<String>,
    /// The highest version of the GNU C library it asks for.
    pub needs_glibc: Option<GlibcVersion>,
}

/// Whether a file that begins with this is an ELF file.
pub fn is_elf(head: &[u8]) -> bool {
    head.starts_with(&elf::ELFMAG)
}

/// Inspects the bytes of a file; none if they are not ELF, or ELF that does not
/// make sense.
pub fn inspect(bytes: &[u8]) -> Option<ElfFacts> {
    inspect_data(bytes)
}

/// Inspects the file at `path`, reading no more than its headers; none if it is
/// not ELF.
pub fn inspect_file(path: &Utf8Path) -> Result<Option<ElfFacts>, SourceError> {
    let mut file = File::open(path).map_err(SourceError::io("opening", path))?;
    let mut magic = [0; 4];
    if file.read_exact(&mut magic).is_err() || magic != elf::ELFMAG {
        return Ok(None);
    }
    Ok(inspect_data(&ReadCache::new(BufReader::new(file))))
}

fn inspect_data<'data, R: ReadRef<'data>>(data: R) -> Option<ElfFacts> {
    let ident = data.read_bytes_at(0, 5).ok()?;
    if ident.get(..4)? != elf::ELFMAG {
        return None;
    }
    match ident.get(4)? {
        1 => facts::<FileHeader32<Endianness>, R>(data),
        2 => facts::<FileHeader64<Endianness>, R>(data),
        _ => None,
    }
}

fn facts<'data, Elf, R>(data: R) -> Option<ElfFacts>
where
    Elf: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = Elf::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let machine = header.e_machine(endian);
    let named = Arch::from_elf_machine(machine.0);
    // 64-bit machines with 32-bit pointers (x32, ILP32) are none of ours.
    let fits = header.is_class_64() == (named.bits() == 64);
    let big_arm = machine == EM_ARM && endian == Endianness::Big;
    let arch = if fits && !big_arm { named } else { Arch::Other };
    let interpreter = header
        .program_headers(endian, data)
        .ok()?
        .iter()
        .find_map(|segment| segment.interpreter(endian, data).ok().flatten())
        .map(|path| {
            String::from_utf8_lossy(path)
                .trim_end_matches('\0')
                .to_owned()
        });
    Some(ElfFacts {
        arch,
        interpreter,
        needs_glibc: needed_glibc(header, endian, data),
    })
}

/// The highest `GLIBC_` version in `.gnu.version_r`; none also for a file whose
/// section headers were stripped.
fn needed_glibc<'data, Elf, R>(header: &Elf, endian: Endianness, data: R) -> Option<GlibcVersion>
where
    Elf: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let sections = header.sections(endian, data).ok()?;
    let (needs, link) = sections.gnu_verneed(endian, data).ok()??;
    let strings = sections.strings(endian, data, link).ok()?;
    let versions = needs
        .filter_map(Result::ok)
        .flat_map(|(_, versions)| versions);
    versions
        .filter_map(Result::ok)
        .filter_map(|version| version.name(endian, strings).ok())
        .filter_map(|name| glibc_version(std::str::from_utf8(name).ok()?))
        .max()
}

fn glibc_version(name: &str) -> Option<GlibcVersion> {
    match name {
        // Packed relative relocations, which the loader knows since 2.36.
        "GLIBC_ABI_DT_RELR" => Some(GlibcVersion::new(2, 36)),
        _ => name.strip_prefix("GLIBC_")?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What binutils says of a file.
    fn readelf(option: &str, path: &str) -> String {
        let output = Command::new("readelf")
            .args(["-W", option, path])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[test]
    fn programs_of_this_machine_agree_with_readelf() {
        let own = std::env::current_exe().unwrap();
        for path in ["/bin/sh", "/bin/tar", own.to_str().unwrap()] {
            let facts = inspect_file(path.into()).unwrap().unwrap();
            let interpreter = readelf("-l", path);
            let interpreter = interpreter.split("interpreter: ").nth(1).unwrap();
            assert_eq!(
                facts.interpreter.unwrap(),
                interpreter.split(']').next().unwrap()
            );
            let versions = readelf("-V", path);
            let highest = versions
                .split("Name: GLIBC_")
                .skip(1)
                .filter_map(|rest| rest.split_whitespace().next()?.parse::<GlibcVersion>().ok())
                .max();
            assert_eq!(facts.needs_glibc, highest, "{path}");
            assert_ne!(facts.arch, Arch::Other);
        }
    }

    /// The header of an otherwise empty file.
    fn header(class: u8, order: u8, machine: u16) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, order, 1]);
        let machine = if order == 1 {
            machine.to_le_bytes()
        } else {
            machine.to_be_bytes()
        };
        bytes[18..20].copy_from_slice(&machine);
        bytes[20] = 1;
        bytes
    }

    #[test]
    fn machines_are_told_by_class_and_order() {
        let cases = [
            (2, 1, 183, Arch::Aarch64),
            (1, 1, 40, Arch::Arm),
            (2, 1, 62, Arch::X86_64),
            (1, 1, 62, Arch::Other),
            (1, 2, 40, Arch::Other),
            (2, 1, 243, Arch::Other),
        ];
        for (class, order, machine, arch) in cases {
            assert_eq!(
                inspect(&header(class, order, machine)).unwrap().arch,
                arch,
                "{machine}"
            );
        }
    }

    #[test]
    fn what_is_no_elf_is_none() {
        for bytes in [
            &b""[..],
            b"#!/bin/sh",
            b"\x7fELF",
            &[0xcf, 0xfa, 0xed, 0xfe],
        ] {
            assert_eq!(inspect(bytes), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(
            tail in proptest::collection::vec(proptest::num::u8::ANY, 0..600),
            class in 0_u8..4,
        ) {
            let mut bytes = vec![0x7f, b'E', b'L', b'F', class, 1, 1];
            bytes.extend(tail);
            let _ = inspect(&bytes);
        }
    }

    #[test]
    fn relocation_marks_count_as_a_version() {
        assert_eq!(
            glibc_version("GLIBC_ABI_DT_RELR"),
            Some(GlibcVersion::new(2, 36))
        );
        assert_eq!(glibc_version("GLIBC_2.34"), Some(GlibcVersion::new(2, 34)));
        assert_eq!(glibc_version("GLIBC_PRIVATE"), None);
        assert_eq!(glibc_version("GLIBCXX_3.4"), None);
    }
}
