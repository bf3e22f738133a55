//! The fields of the records in `wit/`, for tests of packages that list these fields in their own types.

use std::fs;

use vaultlet_tests::root;

/// The fields of a record, in the form `snake_case` and in the order of the WIT.
pub(crate) fn fields(file: &str, record: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("wit").join(file)).unwrap();
    let lines = text.lines().map(str::trim);
    let body = lines.skip_while(|line| *line != format!("record {record} {{"));
    let fields: Vec<_> = (body.skip(1).take_while(|line| *line != "}"))
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| !name.starts_with("//"))
        .map(|(name, _)| name.trim_start_matches('%').replace('-', "_"))
        .collect();
    assert!(!fields.is_empty(), "{file} has no record {record}");
    fields
}

/// The fields, some of which a package gives other names.
pub(crate) fn renamed(fields: Vec<String>, names: &[(&str, &str)]) -> Vec<String> {
    let name = |field: String| {
        let renamed = names.iter().find(|(from, _)| *from == field);
        renamed.map_or(field, |(_, to)| (*to).to_owned())
    };
    fields.into_iter().map(name).collect()
}
