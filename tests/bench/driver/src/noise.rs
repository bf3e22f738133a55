//! How noisy the machine was: how far the floor moved from round to round, and what else was done.

use crate::{
    Section,
    found::middle,
    table::{median, table},
};

/// The floor may move by so much between rounds; where it moved further, there is no verdict.
const MOVED_MAX: f64 = 0.2;
/// Fewer rounds do not show whether the floor moves.
const ROUNDS_MIN: usize = 3;
/// Fewer rounds have no quartiles that would say more than the range does.
const QUARTILES_MIN: usize = 5;

/// The rounds of one measurement.
#[derive(Clone, Debug)]
pub(crate) struct Noise {
    pub(crate) section: Section,
    pub(crate) what: &'static str,
    /// Whether the verdict rests on this measurement.
    pub(crate) is_judged: bool,
    /// The floor's figure in each round, the median of its calls where there are many; empty if the
    /// floor was not measured.
    pub(crate) floor: Vec<f64>,
    pub(crate) unit: &'static str,
    /// Processor time that was neither the benchmark's nor idle, as a share of all.
    pub(crate) other: f64,
}

impl Noise {
    /// Why there is no verdict, if there is none.
    pub(crate) fn refusal(&self) -> Option<String> {
        let rounds = self.floor.len();
        let moved = self.moved();
        let why = match rounds {
            0 => "the floor was not measured".to_owned(),
            1..ROUNDS_MIN => format!("{rounds} of at least {ROUNDS_MIN} rounds"),
            _ if moved > MOVED_MAX => format!("the floor moved by {:.0} %", moved * 100.0),
            _ => return None,
        };
        Some(format!("no verdict: {why}"))
    }

    /// How far the floor moved, as a share of its median: the distance of its quartiles, which a single
    /// slow round does not change; with few rounds, its whole range.
    fn moved(&self) -> f64 {
        let Some(middle) = middle(&self.floor) else { return f64::NAN };
        if self.floor.len() < QUARTILES_MIN {
            return self.range() / middle;
        }
        (quantile(&self.floor, 0.75) - quantile(&self.floor, 0.25)) / middle
    }

    fn range(&self) -> f64 {
        quantile(&self.floor, 1.0) - quantile(&self.floor, 0.0)
    }
}

/// The table of all measurements; nothing if there is none.
pub(crate) fn print(all: &[Noise]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let percent = |share: f64| format!("{:.0}", share * 100.0);
    let rows: Vec<_> = all
        .iter()
        .map(|noise| {
            let mut row = vec![noise.what.to_owned(), noise.floor.len().to_string()];
            row.extend(if noise.floor.is_empty() {
                ["–", "–", "–"].map(str::to_owned)
            } else {
                let middle = median(&noise.floor);
                let decimals = if middle < 10.0 { 1 } else { 0 };
                let middle_text = format!("{middle:.decimals$} {}", noise.unit);
                [middle_text, percent(noise.range() / middle), percent(noise.moved())]
            });
            row.push(percent(noise.other));
            row
        })
        .collect();
    let head = ["measurement", "rounds", "floor", "(max−min)/median %", "moved %", "other work %"];
    table("How noisy the machine was, by the floor's rounds", &head, &rows)
}

/// A quantile, between neighbours where it falls between them.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = share * (sorted.len().saturating_sub(1)) as f64;
    let pick = |index: f64| sorted.get(index as usize).copied().unwrap_or(f64::NAN);
    let (lower, upper) = (pick(at.floor()), pick(at.ceil()));
    lower + (upper - lower) * at.fract()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn noise(section: Section, floor: &[f64]) -> Noise {
        let (what, unit) = ("test", "ms");
        Noise { section, what, is_judged: true, floor: floor.to_vec(), unit, other: 0.0 }
    }

    #[test]
    fn one_slow_round_of_many_does_not_forbid_a_verdict() {
        let quiet = noise(Section::Cold, &[3.0, 3.1, 3.0, 2.9, 3.0, 9.0]);
        assert_eq!(quiet.refusal(), None);
    }

    #[test]
    fn a_floor_that_moves_by_more_than_a_fifth_forbids_a_verdict() {
        let noisy = noise(Section::Warm, &[30.0, 40.0, 25.0, 45.0, 31.0]);
        assert_eq!(noisy.refusal().unwrap(), "no verdict: the floor moved by 32 %");
        let few = noise(Section::Conc, &[100.0, 80.0, 105.0]);
        assert_eq!(few.refusal().unwrap(), "no verdict: the floor moved by 25 %");
    }

    #[test]
    fn two_rounds_are_too_few() {
        let few = noise(Section::Cold, &[3.0, 3.0]);
        assert_eq!(few.refusal().unwrap(), "no verdict: 2 of at least 3 rounds");
        assert!(noise(Section::Cold, &[]).refusal().unwrap().contains("not measured"));
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        let values = [4.0, 1.0, 2.0, 3.0];
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|q| quantile(&values, q)), [1.0, 1.75, 2.5, 4.0]);
    }
}
