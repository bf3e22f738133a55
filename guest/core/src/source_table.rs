//! THE table of credential sources. Its order is the order of the chain.
//!
//! To add a source: a file in `source/`, its `mod` line there, and a line here.
//!
//! * `auto` sources are asked without being named; `named` ones only when a setting names them.
//! * A `configured` source that fails stops the chain. A `found` one (a local endpoint that may
//!   belong to somebody else) and a `login` (of a developer's tool) let the next source be asked,
//!   unless settings named the chain.

/// Calls `$apply!` with the whole table.
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
