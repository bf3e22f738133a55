//! Results of operations, and their conversion to Python objects.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use vaultlet_host::{Plan, Properties, Secret, Token};

use crate::{records, secret, token};

/// The result of an [`Operation`](crate::operation::Operation), made on a thread without Python.
pub(crate) enum Output {
    Secret(Secret),
    Secrets(Vec<Secret>),
    Environment(BTreeMap<String, Secret>),
    Listing(Vec<Properties>),
    Token(Token),
    Identity(Token),
    Plan(Plan),
}

impl Output {
    pub(crate) fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        match self {
            Self::Secret(secret) => Ok(Bound::new(py, secret::Secret(secret))?.into_any()),
            Self::Secrets(secrets) => {
                let secrets = secrets.into_iter().map(|one| Bound::new(py, secret::Secret(one)));
                secrets.collect::<PyResult<Vec<_>>>()?.into_pyobject(py)
            }
            Self::Environment(secrets) => {
                let by_name = PyDict::new(py);
                for (name, secret) in secrets {
                    by_name.set_item(name, Bound::new(py, secret::Secret(secret))?)?;
                }
                Ok(by_name.into_any())
            }
            Self::Listing(items) => {
                let items = items.iter().map(|one| records::properties(py, one));
                items.collect::<PyResult<Vec<_>>>()?.into_pyobject(py)
            }
            Self::Token(token) => Ok(Bound::new(py, token::Token(token))?.into_any()),
            Self::Identity(token) => records::identity(py, &token),
            Self::Plan(plan) => records::plan(py, plan),
        }
    }
}
