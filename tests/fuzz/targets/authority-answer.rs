//! Responses of the token authority and of Azure Pipelines. The first line of the input names the source.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_fuzz::{FuzzContext, SECRET, answer, first_line};

const CODE: &[u8] = br#"200

{"device_code":"0ur-s3cret","user_code":"ABCD-1234","verification_uri":"https://microsoft.com/devicelogin","interval":1}"#;

fuzz_target!(|data: &[u8]| {
    let (source, rest) = first_line(data);
    let mut answers = vec![answer(rest)];
    let variables: &[(&str, &str)] = match source {
        "device-code" => &[("VAULTLET_IDENTITY", "device-code")],
        "after-device-code" => {
            answers.insert(0, answer(CODE));
            &[("VAULTLET_IDENTITY", "device-code")]
        }
        "azure-pipelines" => &[
            ("VAULTLET_IDENTITY", "azure-pipelines"),
            ("AZURESUBSCRIPTION_CLIENT_ID", "client"),
            ("AZURESUBSCRIPTION_TENANT_ID", "tenant"),
            ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "connection"),
            ("SYSTEM_ACCESSTOKEN", SECRET),
            ("SYSTEM_OIDCREQUESTURI", "https://dev.azure.example/oidc"),
        ],
        "user-password" => {
            &[("AZURE_CLIENT_ID", "client"), ("AZURE_USERNAME", "user"), ("AZURE_PASSWORD", SECRET)]
        }
        _ => &[
            ("AZURE_CLIENT_ID", "client"),
            ("AZURE_TENANT_ID", "tenant"),
            ("AZURE_CLIENT_SECRET", SECRET),
        ],
    };
    FuzzContext::new(variables, answers).token();
});
