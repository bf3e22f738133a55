//! Placeholders in a case for values that only a run knows: folders, certificates, times.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use toml::{Table, Value};

/// Values for the placeholders: words by name, as in `<dir>`, and times. `<now+3600>` is in Unix
/// seconds; `<iso now+3600>`, `<zulu now+3600>`, `<utc now+3600>`, `<american now+3600>` and
/// `<http now+3600>` are dates, and so are `<linux now+3600>` and `<windows now+3600>`, as App Service
/// writes them. `<*>` stays, since it matches any text.
#[derive(Debug, Default)]
pub struct Rendering {
    /// The time of the run in Unix seconds.
    pub now: i64,
    /// Words by name: `dir` is for `<dir>`.
    pub words: BTreeMap<String, String>,
}

impl Rendering {
    /// Fills in one text.
    pub fn text(&self, text: &str) -> String {
        let mut pieces = text.split('<');
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            match piece.split_once('>').and_then(|(inside, rest)| Some((self.word(inside)?, rest)))
            {
                Some((word, rest)) => out.extend([word.as_str(), rest]),
                None => out.extend(["<", piece]),
            }
        }
        out
    }

    /// Fills in all texts of a table, including its keys.
    pub fn table(&self, table: &Table) -> Table {
        table.iter().map(|(key, value)| (self.text(key), self.value(value))).collect()
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.value(item)).collect())
            }
            Value::Table(table) => Value::Table(self.table(table)),
            other => other.clone(),
        }
    }

    fn word(&self, word: &str) -> Option<String> {
        self.words.get(word).cloned().or_else(|| moment(word, self.now))
    }
}

fn moment(text: &str, now: i64) -> Option<String> {
    let (form, seconds) = text.split_once("now")?;
    let unix = now.checked_add(seconds.strip_prefix('+').unwrap_or(seconds).parse().ok()?)?;
    let at = OffsetDateTime::from_unix_timestamp(unix).ok()?;
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = at.to_hms();
    let date = format!("{year}-{month:02}-{day:02}");
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    Some(match form {
        "" => unix.to_string(),
        "iso " => format!("{date}T{clock}.0000000+00:00"),
        "zulu " => format!("{date}T{clock}Z"),
        "utc " => format!("{date} {clock}"),
        "http " => {
            let (weekday, name) = (at.weekday().to_string(), at.month().to_string());
            let short = |name: &str| name.chars().take(3).collect::<String>();
            format!("{}, {day:02} {} {year} {clock} GMT", short(&weekday), short(&name))
        }
        "american " => format!("{month:02}/{day:02}/{year} {clock}"),
        "linux " => format!("{month:02}/{day:02}/{year} {clock} +00:00"),
        "windows " => {
            let (half, hour) = (if hour < 12 { "AM" } else { "PM" }, (hour + 11) % 12 + 1);
            format!("{month}/{day}/{year} {hour}:{minute:02}:{second:02} {half} +00:00")
        }
        _ => return None,
    })
}
