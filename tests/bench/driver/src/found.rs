//! What was found, round by round: for the summary and the verdict.

use std::collections::BTreeMap;

use crate::{peers::Id, table::median};

/// The figures of one peer, one for each round; empty where not measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    /// Process start to its end, ms.
    pub(crate) cold: Vec<f64>,
    /// Peak resident memory of that process, MiB.
    pub(crate) peak: Vec<f64>,
    /// Minor page faults of that process.
    pub(crate) faults: Vec<f64>,
    /// Threads of that process; one figure.
    pub(crate) threads: Vec<f64>,
    /// The program's first line to its first value, ms.
    pub(crate) import: Vec<f64>,
    /// A further call for another secret, µs.
    pub(crate) warm: Vec<f64>,
    /// Calls per second of many concurrent callers.
    pub(crate) rate: Vec<f64>,
    /// Processor time of one of those calls, µs.
    pub(crate) cpu: Vec<f64>,
}

/// The figures of all peers.
pub(crate) type Found = BTreeMap<Id, Figures>;

/// The median, where there are figures.
pub(crate) fn middle(values: &[f64]) -> Option<f64> {
    Some(median(values)).filter(|_| !values.is_empty())
}

/// The median of the differences between two peers in the same round.
pub(crate) fn difference(mine: &[f64], others: &[f64]) -> Option<f64> {
    middle(&mine.iter().zip(others).map(|(mine, other)| mine - other).collect::<Vec<_>>())
}

/// The median of the ratios of two peers in the same round.
pub(crate) fn ratio(mine: &[f64], others: &[f64]) -> Option<f64> {
    middle(&mine.iter().zip(others).map(|(mine, other)| mine / other).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_compared_round_by_round() {
        // The third round was slow for both.
        let (mine, floor) = ([12.0, 13.0, 60.0], [10.0, 10.0, 50.0]);
        assert_eq!(difference(&mine, &floor), Some(3.0));
        assert_eq!(ratio(&mine, &floor), Some(1.2));
    }

    #[test]
    fn no_round_is_no_figure() {
        assert_eq!(difference(&[1.0], &[]), None);
        assert_eq!(middle(&[]), None);
    }
}
