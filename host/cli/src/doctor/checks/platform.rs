//! The program, the system, and the service of Azure that this machine belongs to.

use super::{Facts, Result, read};
use crate::doctor::finding::ok;
use crate::shown_variables::value;

/// Services by a variable that they set, and what they are called.
const SERVICES: &[(&str, &str)] = &[
    ("AZUREML_RUN_ID", "an Azure ML job"),
    ("CONTAINER_APP_NAME", "Azure Container Apps"),
    ("FUNCTIONS_WORKER_RUNTIME", "Azure Functions"),
    ("WEBSITE_INSTANCE_ID", "Azure App Service"),
    ("ACC_CLOUD", "Azure Cloud Shell"),
    ("TF_BUILD", "Azure Pipelines"),
    ("GITHUB_ACTIONS", "GitHub Actions"),
    ("KUBERNETES_SERVICE_HOST", "Kubernetes"),
    ("SLURM_JOB_ID", "a Slurm job"),
];

pub(super) fn check(_: &Facts<'_>) -> Vec<Result> {
    vec![ok(describe())]
}

pub(in crate::doctor) fn describe() -> String {
    // None elsewhere than on Linux.
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel = if kernel.is_empty() { kernel } else { format!(" {kernel}") };
    let mut text = format!(
        "vaultlet {} on {} {}{kernel}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    let service = SERVICES.iter().find(|(name, _)| value(name).is_some());
    if let Some((name, service)) = service {
        text.extend([", in ", service, " (`", name, "` is set)"]);
    }
    text
}
