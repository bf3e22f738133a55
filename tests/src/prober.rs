//! A prober in the component's place: what its plan names, and what each role then reaches.

use std::sync::LazyLock;

use vaultlet_host::{Builder, Vaultlet};

use crate::guests::guest;

/// A handle that runs the prober, with this plan.
pub struct Prober {
    vaultlet: Vaultlet,
}

impl Prober {
    /// The plan's lines are described at `add` in `tests/guests/prober`.
    pub fn new(plan: &str) -> Self {
        Self::with(plan, &[], Vaultlet::builder())
    }

    /// The same with more variables, and more that is set.
    pub fn with(plan: &str, variables: &[(&str, &str)], builder: Builder) -> Self {
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

    /// What became of it in the broker's role.
    pub fn broker(&self, what: &str) -> String {
        self.probe(&format!("broker:{what}"))
    }

    /// What became of it in the vault's role.
    pub fn vault(&self, what: &str) -> String {
        self.probe(what)
    }

    /// What became of it in the planner's role.
    pub fn planner(&self, what: &str) -> String {
        self.probe(&format!("plan:{what}"))
    }

    fn probe(&self, what: &str) -> String {
        match self.vaultlet.get_blocking(&format!("127.0.0.1:1 {what}")) {
            Err(error) if error.id == "probed" => error.message,
            other => unreachable!("{what}: {:?}", other.map(drop)),
        }
    }
}
