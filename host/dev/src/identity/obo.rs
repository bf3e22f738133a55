//! The endpoint that acts on behalf of an Azure ML job's user (`OBO_ENDPOINT`): it takes neither a
//! secret nor a version.
//!
//! <https://github.com/Azure/azure-sdk-for-python/blob/0160f0354ac30971f95237e91e756fc4d6dbda7d/sdk/ml/azure-ai-ml/azure/ai/ml/identity/_credentials/aml_on_behalf_of.py>

use http::StatusCode;

use super::{Endpoints, azureml, reply::Reply, request::Request};
use crate::directory::who::USER;

pub(crate) const PATH: &str = "/OBO/token";

pub(super) fn respond(endpoints: &Endpoints, request: &Request<'_>) -> Reply {
    if !request.is_get() {
        return Reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    azureml::token(endpoints, request.query.filled("resource"), &USER)
}
