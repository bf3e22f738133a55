//! THE table of credential sources, in the order of the chain.
//!
//! To add a source, add a file to `source/`, its `mod` line to `source/mod.rs`, and a line here.
//!
//! * `auto` sources are part of the default chain; `named` ones are asked only if a setting names them.
//! * A `configured` source that fails ends the chain. After a `found` one (a local endpoint, which may
//!   belong to another program) or a `login` (of a developer's tool) fails, the next source is asked.

/// Passes the whole table to the macro `$apply!`.
macro_rules! for_each_source {
    ($apply:ident) => {
        $apply! {
            auto  configured Environment       environment  "environment";
            auto  configured WorkloadIdentity  workload     "workload-identity";
            auto  configured AzuremlObo        obo          "azureml-obo" "obo";
            auto  found      ManagedIdentity   managed      "managed-identity" "managed";
            auto  login      AzureCli          azurecli     "azure-cli";
            auto  login      AzureDeveloperCli azd          "azure-developer-cli";
            auto  login      AzurePowershell   powershell   "azure-powershell";
            named configured AzurePipelines    pipelines    "azure-pipelines";
            named configured OnBehalfOf        onbehalfof   "on-behalf-of";
            named configured DeviceCode        devicecode   "device-code";
        }
    };
}
pub(crate) use for_each_source;
