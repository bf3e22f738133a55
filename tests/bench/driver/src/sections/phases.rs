//! `phases`: what the steps of a cold `vaultlet get` cost.

use std::time::Duration;

use anyhow::Result;

use super::{Bench, say};
use crate::{Section, machine, peers::Id, phases};

impl Bench<'_> {
    pub(super) fn phases(&self) -> Result<()> {
        let limit = Duration::try_from_secs_f64(self.options.settle)?;
        // The first one finds its pages on the disk.
        if self.peers.contains(&Id::Vaultlet) {
            self.launcher.phases("p")?;
        }
        let runs = self.in_turn(Section::Phases, self.options.runs, |_, run| {
            machine::settle(limit)?;
            self.launcher.phases(&format!("p{run}"))
        })?;
        let (rows, alike) =
            runs.all.first().map(|(_, runs)| phases::rows(runs)).unwrap_or_default();
        let head = ["step", "took µs", "done at µs"];
        let title =
            format!("Phases of a cold `vaultlet get`, {alike} of {} runs", self.options.runs);
        self.print(&title, &head, rows, Section::Phases)?;
        let other = runs.other * 100.0;
        say(&format!("\nOther work on the machine meanwhile: {other:.0} % of the processors\n"))
    }
}
