//! Sources as users name them.

macro_rules! labels {
    ($($label:ident $name:literal $($alias:literal)?)*) => {
        /// A source, as users name it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Label { $(#[doc = $name] $label,)* }

        impl Label {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$label),*];

            /// Its name in settings and errors.
            pub fn name(self) -> &'static str {
                match self { $(Self::$label => $name,)* }
            }

            /// By its name or its alias.
            pub fn parse(text: &str) -> Option<Self> {
                match text.to_ascii_lowercase().as_str() {
                    $($name $(| $alias)? => Some(Self::$label),)*
                    _ => None,
                }
            }
        }
    };
}

labels! {
    Environment "environment"
    WorkloadIdentity "workload-identity"
    ManagedIdentity "managed-identity" "managed"
    AzuremlObo "azureml-obo" "obo"
    AzureCli "azure-cli"
    AzureDeveloperCli "azure-developer-cli"
    AzurePowershell "azure-powershell"
    AzurePipelines "azure-pipelines"
    OnBehalfOf "on-behalf-of"
    DeviceCode "device-code"
}

impl Label {
    /// Whether it is a login of the developer's, which a service has not.
    pub(crate) fn is_login(self) -> bool {
        matches!(self, Self::AzureCli | Self::AzureDeveloperCli | Self::AzurePowershell)
    }

    /// Whether its failure lets a chain that nobody chose go on: what is found there may be another
    /// program's, and not meant for this one.
    pub(crate) fn may_fail(self) -> bool {
        self == Self::ManagedIdentity || self.is_login()
    }
}
