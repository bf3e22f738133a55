//! Labels: the names of sources in settings and errors.

use alloc::vec::Vec;

use crate::source_table::for_each_source;

/// The class of a source, which decides what its failure means for the chain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Configured,
    Found,
    Login,
}

macro_rules! labels {
    ($($when:ident $class:ident $label:ident $module:ident $name:literal $($alias:literal)?;)*) => {
        /// A source of credentials, as settings and errors name it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Label { $(#[doc = $name] $label,)* }

        impl Label {
            /// All labels, in the order of the chain.
            pub const ALL: &[Self] = &[$(Self::$label),*];

            /// The name in settings and errors.
            pub fn name(self) -> &'static str {
                match self { $(Self::$label => $name,)* }
            }

            /// Parses a name or an alias, in any case.
            pub fn parse(text: &str) -> Option<Self> {
                match text.to_ascii_lowercase().as_str() {
                    $($name $(| $alias)? => Some(Self::$label),)*
                    _ => None,
                }
            }

            fn is_in_auto(self) -> bool {
                match self { $(Self::$label => labels!(@when $when),)* }
            }

            fn class(self) -> Class {
                match self { $(Self::$label => labels!(@class $class),)* }
            }
        }
    };
    (@when auto) => { true };
    (@when named) => { false };
    (@class configured) => { Class::Configured };
    (@class found) => { Class::Found };
    (@class login) => { Class::Login };
}

for_each_source!(labels);

impl Label {
    /// The labels that `auto` stands for, in order.
    pub fn auto() -> Vec<Self> {
        Self::ALL.iter().copied().filter(|label| label.is_in_auto()).collect()
    }

    /// Whether the source is the login of a developer's tool, which Azure's services do not have.
    pub(crate) fn is_login(self) -> bool {
        self.class() == Class::Login
    }

    /// Whether the next source is tried when this one fails, unless it is named alone: the identity that was
    /// found may belong to another program.
    pub(crate) fn may_fail(self) -> bool {
        self.class() != Class::Configured
    }
}
