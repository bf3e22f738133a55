//! What an ELF file needs of the system that it is loaded on: read from the file's own tables, where the dynamic loader
//! reads it. <https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html>

use std::collections::BTreeSet;

use object::elf::{DT_NEEDED, EM_AARCH64, EM_X86_64, FileHeader64, SHT_DYNSYM};
use object::read::elf::{Dyn as _, FileHeader as _, SectionHeader as _, Sym as _};
use object::{Endianness, StringTable};

/// What a library or program needs.
#[derive(Debug)]
pub struct Elf {
    /// `x86_64` or `aarch64`.
    pub machine: &'static str,
    /// The libraries that are loaded with it.
    pub libraries: BTreeSet<String>,
    /// The versions of symbols that it needs, each as `GLIBC_2.17`.
    pub versions: BTreeSet<String>,
    /// The symbols that must be somewhere when it is loaded.
    pub symbols: BTreeSet<String>,
}

impl Elf {
    /// Reads the bytes of a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, Box<dyn std::error::Error>> {
        let header = FileHeader64::<Endianness>::parse(bytes)?;
        let endian = header.endian()?;
        let machine = match header.e_machine.get(endian) {
            EM_X86_64 => "x86_64",
            EM_AARCH64 => "aarch64",
            other => return Err(format!("machine {other}").into()),
        };
        let sections = header.sections(endian, bytes)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();

        let mut libraries = BTreeSet::new();
        for section in sections.iter() {
            let Some((entries, link)) = section.dynamic(endian, bytes)? else { continue };
            let strings = sections.strings(endian, bytes, link)?;
            for entry in entries.iter().filter(|entry| entry.tag(endian) == DT_NEEDED) {
                libraries.insert(text(entry.string(endian, strings)?));
            }
        }

        let mut versions = BTreeSet::new();
        if let Some((mut files, link)) = sections.gnu_verneed(endian, bytes)? {
            let strings: StringTable<'_, _> = sections.strings(endian, bytes, link)?;
            while let Some((_, mut needed)) = files.next()? {
                while let Some(version) = needed.next()? {
                    versions.insert(text(version.name(endian, strings)?));
                }
            }
        }

        let table = sections.symbols(endian, bytes, SHT_DYNSYM)?;
        let mut symbols = BTreeSet::new();
        for symbol in table.iter().filter(|it| it.is_undefined(endian) && !it.is_weak()) {
            symbols.insert(text(symbol.name(endian, table.strings())?));
        }
        symbols.remove("");
        Ok(Self { machine, libraries, versions, symbols })
    }

    /// The oldest glibc that has everything, as its major and minor version; `None` for a file that needs no version of it.
    pub fn glibc(&self) -> Option<(u32, u32)> {
        self.versions.iter().filter_map(|version| glibc(version)).max()
    }
}

/// The version of `GLIBC_2.2.5`: its first two numbers. A name without numbers, as `GLIBC_PRIVATE`, is of no release.
fn glibc(version: &str) -> Option<(u32, u32)> {
    let numbers = version.strip_prefix("GLIBC_")?;
    let mut numbers = numbers.split('.').map(|number| number.parse().unwrap_or(u32::MAX));
    Some((numbers.next()?, numbers.next().unwrap_or(u32::MAX)))
}
