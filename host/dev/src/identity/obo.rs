//! The endpoint that acts for the user of an Azure ML job (`OBO_ENDPOINT`): no secret, no version.
//!
//! <https://github.com/Azure/azure-sdk-for-python/tree/main/sdk/ml/azure-ai-ml/azure/ai/ml/identity>

use http::StatusCode;

use super::{Asked, Endpoints, Given, USER, azureml};
use crate::message;

pub(crate) const PATH: &str = "/OBO/token";

pub(super) fn answer(endpoints: &Endpoints, asked: &Asked<'_>) -> Given {
    if !asked.is_get() {
        return Given::refused(message::empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    azureml::token(endpoints, asked.query.filled("resource"), &USER)
}
