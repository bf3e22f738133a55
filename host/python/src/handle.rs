//! The handle: blocking calls, and the start of asynchronous ones.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use vaultlet_host as host;

use crate::ask::{Ask, token_request};
use crate::call::{Started, for_call};
use crate::deliver::Mailbox;
use crate::{error, options, wait};

/// Gets secrets and tokens, on any thread; opened once and kept, it keeps connections and tokens.
///
/// In a child of `os.fork` it opens itself anew on first use. Options are keywords; what is not
/// given comes from the environment, as for the command line.
#[pyclass(module = "vaultlet", frozen, weakref)]
pub(crate) struct Vaultlet {
    /// Locked only by who holds the interpreter, for a moment.
    open: Mutex<Option<host::Vaultlet>>,
}

#[pymethods]
impl Vaultlet {
    #[new]
    #[pyo3(
        signature = (**options),
        text_signature = "(*, identity=None, exclude=None, client_id=None, object_id=None, \
            resource_id=None, additional_tenants=None, user_assertion=None, \
            user_assertion_file=None, cloud=None, concurrency=None, timeout=None, ca_file=None, \
            resolve=None, allow_http_loopback=None, variables=None, on_prompt=None)"
    )]
    fn new(py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let builder = options::builder(py, options)?;
        let opened = py.detach(|| builder.open()).map_err(|e| error::exception(py, &e))?;
        Ok(Self { open: Mutex::new(Some(opened)) })
    }

    /// Get a secret: two requests for the first of a vault, one for each further one.
    #[pyo3(
        signature = (reference, **call),
        text_signature = "($self, reference, *, timeout=None, cancel=None, client_id=None, \
            object_id=None, resource_id=None)"
    )]
    fn get<'py>(
        &self,
        py: Python<'py>,
        reference: String,
        call: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.ask(py, Ask::Get(reference), call)
    }

    /// Get several secrets at once, in their order: all, or the first error.
    #[pyo3(
        signature = (references, **call),
        text_signature = "($self, references, *, timeout=None, cancel=None, client_id=None, \
            object_id=None, resource_id=None)"
    )]
    fn get_many<'py>(
        &self,
        py: Python<'py>,
        references: &Bound<'py, PyAny>,
        call: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.ask(py, Ask::get_many(references)?, call)
    }

    /// List a vault's secrets, all of them, without values: one request for each 25. Items have no
    /// version; all else is that of the latest.
    #[pyo3(
        signature = (vault, **call),
        text_signature = "($self, vault, *, timeout=None, cancel=None, client_id=None, \
            object_id=None, resource_id=None)"
    )]
    fn list<'py>(
        &self,
        py: Python<'py>,
        vault: String,
        call: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.ask(py, Ask::List(vault), call)
    }

    /// List the versions of a secret, newest first, without values.
    #[pyo3(
        signature = (reference, **call),
        text_signature = "($self, reference, *, timeout=None, cancel=None, client_id=None, \
            object_id=None, resource_id=None)"
    )]
    fn versions<'py>(
        &self,
        py: Python<'py>,
        reference: String,
        call: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.ask(py, Ask::Versions(reference), call)
    }

    /// Get an access token. One request, unless the cache has it.
    #[pyo3(
        signature = (resource=None, *, scope=None, tenant=None, claims=None, **call),
        text_signature = "($self, resource=None, *, scope=None, tenant=None, claims=None, \
            timeout=None, cancel=None, client_id=None, object_id=None, resource_id=None)"
    )]
    fn token<'py>(
        &self,
        py: Python<'py>,
        resource: Option<String>,
        scope: Option<String>,
        tenant: Option<String>,
        claims: Option<String>,
        call: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = token_request(py, resource, scope, tenant, claims)?;
        self.ask(py, Ask::Token(request), call)
    }

    /// Say whose token is had here, without the token: the identity to grant a role to.
    #[pyo3(
        signature = (resource=None, *, scope=None, tenant=None, claims=None, **call),
        text_signature = "($self, resource=None, *, scope=None, tenant=None, claims=None, \
            timeout=None, cancel=None, client_id=None, object_id=None, resource_id=None)"
    )]
    fn whoami<'py>(
        &self,
        py: Python<'py>,
        resource: Option<String>,
        scope: Option<String>,
        tenant: Option<String>,
        claims: Option<String>,
        call: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = token_request(py, resource, scope, tenant, claims)?;
        self.ask(py, Ask::Whoami(request), call)
    }

    /// Say what the credentials would read and whom they would talk to. No network.
    #[pyo3(
        signature = (reference=None, **call),
        text_signature = "($self, reference=None, *, timeout=None, cancel=None, client_id=None, \
            object_id=None, resource_id=None)"
    )]
    fn plan<'py>(
        &self,
        py: Python<'py>,
        reference: Option<String>,
        call: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.ask(py, Ask::Plan(reference), call)
    }

    /// Close it. Calls that run on other threads go on.
    fn close(&self, py: Python<'_>) {
        let closed = self.lock().take();
        py.detach(|| drop(closed));
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }

    fn __repr__(&self) -> &'static str {
        if self.lock().is_some() { "Vaultlet()" } else { "Vaultlet(closed)" }
    }

    /// Start the call of this name; `done(error, result)` is called once, on another thread.
    #[pyo3(signature = (done, name, arguments, call))]
    fn _start(
        &self,
        py: Python<'_>,
        done: Py<PyAny>,
        name: &str,
        arguments: &Bound<'_, PyTuple>,
        call: &Bound<'_, PyDict>,
    ) -> PyResult<Started> {
        if call.contains("cancel")? {
            let message = "got an unexpected keyword argument 'cancel': cancel the task";
            return Err(PyTypeError::new_err(message));
        }
        let cancel = host::Cancel::new();
        let ask = Ask::named(name, arguments)?;
        let vaultlet = for_call(self.opened(py)?, Some(call))?.with_cancel(&cancel);
        let mailbox = Mailbox::here(py)?;
        let calling = vaultlet.clone();
        let work = async move {
            let result = ask.of(&calling).await;
            mailbox.leave(move |py| {
                let told = match result.map(|answer| answer.into_python(py)) {
                    Ok(Ok(answer)) => done.call1(py, (py.None(), answer)),
                    Ok(Err(failed)) => done.call1(py, (failed, py.None())),
                    Err(error) => done.call1(py, (error::exception(py, &error), py.None())),
                };
                if let Err(failed) = told {
                    failed.write_unraisable(py, None);
                }
            });
        };
        py.detach(|| vaultlet.spawn(work)).map_err(|e| error::exception(py, &e))?;
        Ok(Started(cancel))
    }
}

impl Vaultlet {
    fn ask<'py>(
        &self,
        py: Python<'py>,
        ask: Ask,
        call: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let vaultlet = for_call(self.opened(py)?, call)?;
        match wait::wait(py, ask.of(&vaultlet))? {
            Ok(answer) => answer.into_python(py),
            Err(error) => Err(error::exception(py, &error)),
        }
    }

    fn opened(&self, py: Python<'_>) -> PyResult<host::Vaultlet> {
        let opened = self.lock().clone();
        let message = "starting a call: this Vaultlet is closed";
        opened.ok_or_else(|| error::usage(py, message, "open another one"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<host::Vaultlet>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle of this process that the functions of the package use; opened when first used.
#[pyfunction]
#[pyo3(name = "_default")]
pub(crate) fn default_handle(py: Python<'_>) -> PyResult<Py<Vaultlet>> {
    static DEFAULT: PyOnceLock<Py<Vaultlet>> = PyOnceLock::new();
    let opened = DEFAULT.get_or_try_init(py, || Py::new(py, Vaultlet::new(py, None)?));
    Ok(opened?.clone_ref(py))
}
