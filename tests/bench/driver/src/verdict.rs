//! The verdict: what vaultlet aims at, and whether this run met it. An aim whose peers were not measured is
//! left out; one that rests on times has no verdict where the floor itself moved.

use crate::{
    Section,
    found::{Figures, Found, difference, middle, ratio},
    noise::Noise,
    peers::Id,
    table::table,
};

/// Each language, with its SDK's peer and with the Rust API that waits as the language does.
const LANGUAGES: [(Id, Option<Id>, Id); 5] = [
    (Id::COurs, None, Id::HostBlocking),
    (Id::PythonOurs, Some(Id::Python), Id::HostBlocking),
    (Id::NodeOurs, Some(Id::Node), Id::HostAsync),
    (Id::GoOurs, Some(Id::Go), Id::HostBlocking),
    (Id::JavaOurs, Some(Id::Java), Id::HostBlocking),
];

/// The program, as a checkout builds it and as the packages have it.
const GETS: [(Id, &str); 2] =
    [(Id::Vaultlet, "`vaultlet get`"), (Id::VaultletStatic, "static `vaultlet get`")];

/// One aim, and what was found.
struct Aim {
    section: Section,
    /// Whether it rests on times, which noise changes.
    is_timed: bool,
    what: String,
    found: String,
    limit: String,
    is_met: bool,
}

struct Aims<'a> {
    found: &'a Found,
    list: Vec<Aim>,
}

type Get = fn(&Figures) -> &[f64];

const COLD: Get = |figures| &figures.cold;
const WARM: Get = |figures| &figures.warm;
const RATE: Get = |figures| &figures.rate;

/// The table of aims; nothing where no aim can be judged.
pub(crate) fn print(found: &Found, noise: &[Noise], delay_ms: u64) -> String {
    let mut aims = Aims { found, list: Vec::new() };
    if delay_ms == 0 {
        aims.cold();
        aims.run();
        aims.warm();
        aims.conc();
    } else {
        aims.delayed(delay_ms);
    }
    aims.counts();
    let verdict = |aim: &Aim| {
        let noise = noise.iter().find(|noise| noise.section == aim.section && noise.is_judged);
        let refusal = noise.filter(|_| aim.is_timed).and_then(Noise::refusal);
        refusal.unwrap_or_else(|| if aim.is_met { "met" } else { "**not met**" }.to_owned())
    };
    let row =
        |aim: &Aim| vec![aim.what.clone(), aim.found.clone(), aim.limit.clone(), verdict(aim)];
    let rows: Vec<_> = aims.list.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    table("Verdict", &["aim", "found", "limit", "verdict"], &rows)
}

impl Aims<'_> {
    fn cold(&mut self) {
        for (id, program) in GETS {
            let Some(times) = self.pair(COLD, id, Id::Raw, ratio) else { continue };
            for (what, limit) in [("limit", 1.3), ("aim", 1.15)] {
                self.list.push(Aim {
                    section: Section::Cold,
                    is_timed: true,
                    what: format!("cold {program}, × floor ({what})"),
                    found: format!("{times:.2}"),
                    limit: format!("≤ {limit}"),
                    is_met: times <= limit,
                });
            }
        }
    }

    /// What `run` costs above the command that it runs, beside `get`.
    fn run(&mut self) {
        let above = self.pair(COLD, Id::Run, Id::Vaultlet, difference);
        let bare = self.found.get(&Id::Bare).and_then(|figures| middle(&figures.cold));
        let (Some(above), Some(bare)) = (above, bare) else { return };
        self.list.push(Aim {
            section: Section::Cold,
            is_timed: true,
            what: "cold `vaultlet run -- true`, above `vaultlet get` and `true`, ms".to_owned(),
            found: format!("{:.2}", above - bare),
            limit: "≤ 1".to_owned(),
            is_met: above - bare <= 1.0,
        });
    }

    fn delayed(&mut self, delay_ms: u64) {
        for (id, program) in GETS {
            let what = format!("cold {program} with {delay_ms} ms to the vault, above the floor");
            self.above(Section::Cold, what, (COLD, "ms", 2), [id, Id::Raw], 2.0);
        }
    }

    fn warm(&mut self) {
        for (id, limit) in [(Id::HostBlocking, 20.0), (Id::HostAsync, 35.0)] {
            self.warm_above(id, Id::Raw, limit);
        }
        for id in [Id::HostBlocking, Id::HostAsync] {
            self.warm_below(id, Id::Sdk);
        }
        for (id, sdk, api) in LANGUAGES {
            self.warm_above(id, api, 15.0);
            if let Some(sdk) = sdk {
                self.warm_below(id, sdk);
            }
        }
    }

    fn warm_above(&mut self, id: Id, other: Id, limit: f64) {
        let what = format!("warm `{id}`, above `{other}`");
        self.above(Section::Warm, what, (WARM, "µs", 0), [id, other], limit);
    }

    fn warm_below(&mut self, id: Id, sdk: Id) {
        let Some(times) = self.pair(WARM, id, sdk, ratio) else { return };
        self.list.push(Aim {
            section: Section::Warm,
            is_timed: true,
            what: format!("warm `{id}`, × `{sdk}`"),
            found: format!("{times:.2}"),
            limit: "< 1".to_owned(),
            is_met: times < 1.0,
        });
    }

    fn conc(&mut self) {
        for (id, other, limit) in [
            (Id::HostBlocking, Id::Raw, 0.55),
            (Id::HostBlocking, Id::Sdk, 1.0),
            (Id::HostBlocking, Id::Go, 1.0),
            (Id::HostAsync, Id::Sdk, 1.0),
        ] {
            let Some(times) = self.pair(RATE, id, other, ratio) else { continue };
            let is_met = if other == Id::Raw { times >= limit } else { times > limit };
            let sign = if other == Id::Raw { "≥" } else { ">" };
            self.list.push(Aim {
                section: Section::Conc,
                is_timed: true,
                what: format!("calls per second at once `{id}`, % of `{other}`"),
                found: format!("{:.0}", times * 100.0),
                limit: format!("{sign} {:.0}", limit * 100.0),
                is_met,
            });
        }
        let cpu = |figures: &Figures| middle(&figures.cpu);
        let what = "processor time of a call at once `host-blocking`, µs";
        self.at_most((Section::Conc, true), what, Id::HostBlocking, cpu, (35.0, 0));
    }

    /// Aims that noise does not change.
    fn counts(&mut self) {
        let section = (Section::Cold, false);
        for (id, program) in GETS {
            let what = format!("peak memory of {program}, MiB");
            self.at_most(section, &what, id, |figures| middle(&figures.peak), (8.0, 1));
            let what = format!("page faults of {program}");
            self.at_most(section, &what, id, |figures| middle(&figures.faults), (250.0, 0));
            let what = format!("threads of {program}");
            self.at_most(section, &what, id, |figures| middle(&figures.threads), (1.0, 0));
        }
    }

    fn at_most(
        &mut self,
        (section, is_timed): (Section, bool),
        what: &str,
        id: Id,
        get: impl Fn(&Figures) -> Option<f64>,
        (limit, decimals): (f64, usize),
    ) {
        let Some(found) = self.found.get(&id).and_then(get) else { return };
        self.list.push(Aim {
            section,
            is_timed,
            what: what.to_owned(),
            found: format!("{found:.decimals$}"),
            limit: format!("≤ {limit:.0}"),
            is_met: found <= limit,
        });
    }

    fn above(
        &mut self,
        section: Section,
        what: String,
        (get, unit, decimals): (Get, &str, usize),
        [id, other]: [Id; 2],
        limit: f64,
    ) {
        let Some(above) = self.pair(get, id, other, difference) else { return };
        self.list.push(Aim {
            section,
            is_timed: true,
            what: format!("{what}, {unit}"),
            found: format!("{above:.decimals$}"),
            limit: format!("≤ {limit:.0}"),
            is_met: above <= limit,
        });
    }

    /// Compares two peers round by round.
    fn pair(
        &self,
        get: Get,
        id: Id,
        other: Id,
        compare: fn(&[f64], &[f64]) -> Option<f64>,
    ) -> Option<f64> {
        compare(get(self.found.get(&id)?), get(self.found.get(&other)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::tests::noise;

    fn found() -> Found {
        let cold = |ms: f64| vec![ms; 3];
        Found::from([
            (Id::Raw, Figures { cold: cold(3.0), ..Figures::default() }),
            (
                Id::Vaultlet,
                Figures {
                    cold: cold(3.6),
                    peak: vec![7.0],
                    faults: vec![300.0],
                    ..Figures::default()
                },
            ),
        ])
    }

    fn verdicts(text: &str) -> Vec<&str> {
        text.lines().skip(5).filter_map(|line| line.rsplit(" | ").next()).collect()
    }

    #[test]
    fn a_quiet_run_has_a_verdict_for_what_was_measured() {
        let text = print(&found(), &[noise(Section::Cold, &[3.0, 3.0, 3.0])], 0);
        assert!(text.contains("× floor (limit) | 1.20 | ≤ 1.3 | met |"), "{text}");
        assert!(text.contains("× floor (aim) | 1.20 | ≤ 1.15 | **not met** |"), "{text}");
        assert!(
            text.contains("page faults of `vaultlet get` | 300 | ≤ 250 | **not met** |"),
            "{text}"
        );
        assert!(!text.contains("warm") && !text.contains("threads"), "{text}");
    }

    #[test]
    fn a_noisy_run_has_a_verdict_for_counts_alone() {
        let text = print(&found(), &[noise(Section::Cold, &[3.0, 4.0, 3.0])], 0);
        let verdicts = verdicts(&text);
        assert_eq!(verdicts.len(), 4, "{text}");
        let noisy = "no verdict: the floor moved by 33 % |";
        assert_eq!(verdicts, [noisy, noisy, "met |", "**not met** |"]);
    }

    #[test]
    fn running_a_command_is_compared_with_getting_and_with_the_command() {
        let mut found = found();
        let cold = |ms: f64| Figures { cold: vec![ms; 3], ..Figures::default() };
        found.extend([(Id::Run, cold(5.0)), (Id::Bare, cold(0.6))]);
        let text = print(&found, &[noise(Section::Cold, &[3.0, 3.0, 3.0])], 0);
        assert!(
            text.contains("above `vaultlet get` and `true`, ms | 0.80 | ≤ 1 | met |"),
            "{text}"
        );
    }

    #[test]
    fn with_a_delay_the_difference_counts() {
        let text = print(&found(), &[noise(Section::Cold, &[3.0, 3.0, 3.0])], 10);
        assert!(
            text.contains("with 10 ms to the vault, above the floor, ms | 0.60 | ≤ 2 | met |"),
            "{text}"
        );
        assert!(!text.contains("× floor"), "{text}");
    }
}
