//! `[[vary]]`: one file for cases that differ in a few values.
//!
//! Each table of `vary` has a value for every placeholder of the file and makes a case of its own.
//! `${status}` inside a text is replaced by the value's text; a text that is only `${status}` is
//! replaced by the value itself, whatever its type. The values that the purpose names become the
//! name of the case.

use toml::{Table, Value};

use super::{Case, table};

/// One of the cases in a file.
#[derive(Clone, Debug)]
pub struct Variation {
    /// ` [status=403]`, which follows the file's name; empty where the file does not vary.
    pub name: String,
    /// The case, with its values in place.
    pub case: Case,
}

/// All cases in the text of a file.
pub fn variations(text: &str) -> Result<Vec<Variation>, String> {
    let mut template = table(text)?;
    let Some(vary) = template.remove("vary") else {
        let case = Case::new(Filling::new(&Table::new()).table(&template)?)?;
        return Ok(vec![Variation { name: String::new(), case }]);
    };
    let rows: Vec<Table> = vary.try_into().map_err(|_| "`vary` is not a list of tables")?;
    if rows.len() < 2 {
        return Err("`vary` has fewer than two variations".into());
    }
    let mut variations: Vec<Variation> = Vec::new();
    let mut contents = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let name = name(&template, row).map_err(|e| format!("variation {}: {e}", index + 1))?;
        let named = |error| format!("{}: {error}", name.trim_start());
        let table = filled(&template, row).map_err(named)?;
        if variations.iter().any(|other| other.name == name) {
            return Err(named("two variations have this name".into()));
        }
        let mut content = table.clone();
        content.remove("purpose");
        if contents.contains(&content) {
            return Err(named("it differs from another variation in its purpose only".into()));
        }
        contents.push(content);
        let case = Case::new(table).map_err(named)?;
        variations.push(Variation { name, case });
    }
    Ok(variations)
}

/// The values that the purpose names.
fn name(template: &Table, row: &Table) -> Result<String, String> {
    let purpose = template.get("purpose").and_then(Value::as_str).unwrap_or_default();
    let mut filling = Filling::new(row);
    filling.text(purpose)?;
    let values = filling.used.iter();
    let values = values.map(|(name, value)| Ok(format!("{name}={}", inline(name, value)?)));
    let values = values.collect::<Result<Vec<_>, String>>()?;
    if values.is_empty() {
        return Err("the purpose names no value that varies".into());
    }
    Ok(format!(" [{}]", values.join(", ")))
}

/// The template with the values of one variation, each of which it must use.
fn filled(template: &Table, row: &Table) -> Result<Table, String> {
    // A value is no template itself.
    Filling::new(&Table::new()).table(row)?;
    let mut filling = Filling::new(row);
    let table = filling.table(template)?;
    match row.keys().find(|name| !filling.uses(name)) {
        Some(unused) => Err(format!("nothing uses `${{{unused}}}`")),
        None => Ok(table),
    }
}

/// Replaces placeholders and remembers which.
struct Filling<'a> {
    row: &'a Table,
    used: Vec<(&'a str, &'a Value)>,
}

impl<'a> Filling<'a> {
    fn new(row: &'a Table) -> Self {
        Self { row, used: Vec::new() }
    }

    /// All texts of a table, including its keys.
    fn table(&mut self, template: &Table) -> Result<Table, String> {
        let mut table = Table::new();
        for (key, value) in template {
            let (key, value) = (self.text(key)?, self.value(value)?);
            if table.contains_key(&key) {
                return Err(format!("two values for `{key}`"));
            }
            table.insert(key, value);
        }
        Ok(table)
    }

    fn value(&mut self, template: &Value) -> Result<Value, String> {
        Ok(match template {
            Value::String(text) => match whole(text) {
                Some(name) => self.named(name)?.clone(),
                None => Value::String(self.text(text)?),
            },
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?)
            }
            Value::Table(table) => Value::Table(self.table(table)?),
            other => other.clone(),
        })
    }

    fn text(&mut self, template: &str) -> Result<String, String> {
        let mut pieces = template.split("${");
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (name, rest) = piece.split_once('}').ok_or("a `${` has no `}`")?;
            let value = self.named(name)?;
            text.extend([inline(name, value)?.as_str(), rest]);
        }
        Ok(text)
    }

    fn named(&mut self, name: &str) -> Result<&'a Value, String> {
        let found = self.row.get_key_value(name);
        let (name, value) = found.ok_or_else(|| format!("no value for `${{{name}}}`"))?;
        if !self.uses(name) {
            self.used.push((name, value));
        }
        Ok(value)
    }

    fn uses(&self, name: &str) -> bool {
        self.used.iter().any(|(used, _)| *used == name)
    }
}

/// The name in a text that is one placeholder and nothing else.
fn whole(text: &str) -> Option<&str> {
    text.strip_prefix("${")?.strip_suffix('}').filter(|name| !name.contains('}'))
}

/// A value as a part of a text.
fn inline(name: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Boolean(flag) => Ok(flag.to_string()),
        _ => Err(format!("`${{{name}}}` is part of a text, but its value is a list or a table")),
    }
}
