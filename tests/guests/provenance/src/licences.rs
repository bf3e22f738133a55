//! The licence texts of the crates in a package, which must be distributed with it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{cargo, materials};

/// Prefixes of the names of licence files.
const NAMES: [&str; 4] = ["LICENSE", "LICENCE", "COPYING", "NOTICE"];

/// What is linked besides crates: a C library into static programs, and into the other libraries what their linker brings
/// (host/packaging/library).
const MUSL: &str = "Copyright © 2005-2020 Rich Felker, et al.";
const ZIG: &str = "The MIT License (Expat)\n\nCopyright (c) Zig contributors";

/// The rest of both licences.
const MIT: &str = "\
Permission is hereby granted, free of charge, to any person obtaining
a copy of this software and associated documentation files (the
\"Software\"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to
permit persons to whom the Software is furnished to do so, subject to
the following conditions:

The above copyright notice and this permission notice shall be
included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND,
EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT.
IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT,
TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.";

/// All licence texts, each once, with the crates that it applies to. The targets are a list with commas.
pub(crate) fn of(root: &Path, targets: &str, packages: &[&str]) -> Result<String, Box<dyn Error>> {
    let metadata = cargo(root, &["metadata", "--format-version", "1"])?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let mut folders = BTreeMap::new();
    for package in metadata["packages"].as_array().ok_or("cargo names no packages")? {
        let text = |name: &str| package[name].as_str().unwrap_or_default();
        let id = format!("pkg:cargo/{}@{}", text("name"), text("version"));
        folders.insert(id, Path::new(text("manifest_path")).parent().map(Path::to_owned));
    }
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut all = BTreeMap::new();
    for target in targets.split(',') {
        for package in packages {
            all.extend(materials::crates(root, package, target)?.0);
        }
    }
    if targets.split(',').any(materials::has_musl) {
        let text = format!("{MUSL}\n\n{MIT}");
        texts.entry(text).or_default().push("musl (in static programs)".to_owned());
    }
    let text = format!("{ZIG}\n\n{MIT}");
    texts.entry(text).or_default().push("Zig's runtime (in libraries)".to_owned());
    let ours = |name: &str| name.starts_with("vaultlet");
    for (id, one) in all.iter().filter(|(_, one)| !ours(&one.name)) {
        let folder = folders.get(id).cloned().flatten().ok_or_else(|| format!("{id} is nowhere"))?;
        let mut found = false;
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
            if path.is_file() && NAMES.iter().any(|begin| name.starts_with(begin)) {
                let text = fs::read_to_string(&path)?.replace("\r\n", "\n").trim().to_owned();
                texts.entry(text).or_default().push(format!("{} {}", one.name, one.version));
                found = true;
            }
        }
        if !found {
            let said = format!("(its package has no text; it says: {})", one.licence);
            texts.entry(said).or_default().push(format!("{} {}", one.name, one.version));
        }
    }
    let mut answer = String::from("What is in vaultlet besides, and under which licences.\n");
    for (text, crates) in texts {
        let rule = "=".repeat(100);
        write!(answer, "\n{rule}\n{}\n{rule}\n\n{text}\n", crates.join(", "))?;
    }
    Ok(answer)
}
