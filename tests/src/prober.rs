//! Runs `tests/guests/prober` in place of the component, to see what a plan lets each role reach.

use std::sync::LazyLock;

use vaultlet_host::{Builder, Vaultlet};

use crate::guests::guest;

/// A handle that runs the prober.
pub struct Prober {
    vaultlet: Vaultlet,
}

impl Prober {
    /// A prober with a plan, whose lines are described at `add` in `tests/guests/prober`.
    pub fn new(plan: &str) -> Self {
        Self::open(plan, &[], Vaultlet::builder())
    }

    /// A prober with a plan, variables and a builder.
    pub fn open(plan: &str, variables: &[(&str, &str)], builder: Builder) -> Self {
        static COMPONENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let component = std::fs::read(guest("prober"));
            component.unwrap_or_else(|error| unreachable!("no prober: {error}"))
        });
        let component = COMPONENT.as_slice();
        let variables = variables.iter().copied().chain([("PROBER_PLAN", plan)]);
        let opened = builder.variables(variables).component(component).open();
        Self { vaultlet: opened.unwrap_or_else(|error| unreachable!("no handle: {error}")) }
    }

    /// The handle.
    pub fn vaultlet(&self) -> &Vaultlet {
        &self.vaultlet
    }

    /// The result of a probe in the broker role.
    pub fn broker(&self, what: &str) -> String {
        self.probe(&format!("broker:{what}"))
    }

    /// The result of a probe in the vault role.
    pub fn vault(&self, what: &str) -> String {
        self.probe(what)
    }

    /// The result of a probe in the planner role.
    pub fn planner(&self, what: &str) -> String {
        self.probe(&format!("plan:{what}"))
    }

    fn probe(&self, what: &str) -> String {
        match self.vaultlet.get_blocking(&format!("127.0.0.1:1 {what}")) {
            Err(error) if error.id == "probed" => error.message.replace('␊', "\n"),
            other => unreachable!("{what}: {:?}", other.map(drop)),
        }
    }
}
