//! Markdown tables and their numbers.

/// Formats values as `median [min–max]` with a number of decimals.
pub(crate) fn spread(values: &[f64], decimals: usize) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{:.decimals$} [{least:.decimals$}–{most:.decimals$}]", median(values))
}

/// The median; of an even number of values the mean of the middle two.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2).copied().unwrap_or(f64::NAN);
    let lower = values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN);
    f64::midpoint(lower, upper)
}

/// A Markdown table; short rows are filled up.
pub(crate) fn table(title: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let mut text = format!("\n### {title}\n\n{}", line(head.to_vec()));
    text += &format!("|{}\n", "---|".repeat(head.len()));
    for row in rows {
        let cells = row.iter().map(String::as_str).chain(std::iter::repeat("–"));
        text += &line(cells.take(head.len()).collect());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_number_has_a_middle() {
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0], 1), "2.5 [1.0–4.0]");
        assert_eq!(spread(&[3.0, 1.0, 2.0], 0), "2 [1–3]");
    }

    #[test]
    fn short_rows_are_filled() {
        let text = table("T", &["a", "b"], &[vec!["1".into()]]);
        assert_eq!(text, "\n### T\n\n| a | b |\n|---|---|\n| 1 | – |\n");
    }
}
