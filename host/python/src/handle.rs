//! The Python class `Vaultlet`: blocking calls, and the start of asynchronous ones.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use vaultlet_host as host;

use crate::blocking;
use crate::call_options::{self, Started};
use crate::delivery::Callbacks;
use crate::operation::{Operation, token_request};
use crate::output::Output;
use crate::{error, options};

/// A handle that gets secrets and tokens, for any number of threads. It keeps connections and tokens,
/// so open it once and keep it.
///
/// In a child of `os.fork` the handle is opened again on first use. Settings that are not given come
/// from the environment, as for the command line.
#[pyclass(module = "vaultlet", frozen, weakref)]
pub(crate) struct Vaultlet {
    /// Locked only for a moment, by threads that hold the interpreter.
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
            resolve=None, allow_http_loopback=None, allow_http_identity=None, policy=None, \
            agent=None, agent_token_file=None, agent_fallback=None, variables=None, \
            on_prompt=None)"
    )]
    fn new(py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let builder = options::builder(py, options)?;
        let opened = py.detach(|| builder.open()).map_err(|e| error::exception(py, &e))?;
        Ok(Self { open: Mutex::new(Some(opened)) })
    }

    /// Get a secret. The first secret of a vault takes two requests, each further one takes one.
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
        self.run(py, Operation::Get(reference), call)
    }

    /// Get several secrets at once, in the order of the references: all, or the first error.
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
        self.run(py, Operation::get_many(references)?, call)
    }

    /// Get the secrets that environment variables refer to, by the names of the variables: all, or an error
    /// whose `variables` says which ones failed. The environment is not changed.
    #[pyo3(
        signature = (variables=None, *, only=None, **call),
        text_signature = "($self, variables=None, *, only=None, timeout=None, cancel=None, \
            client_id=None, object_id=None, resource_id=None)"
    )]
    fn resolve_environment<'py>(
        &self,
        py: Python<'py>,
        variables: Option<&Bound<'py, PyAny>>,
        only: Option<&Bound<'py, PyAny>>,
        call: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.run(py, Operation::resolve_environment(variables, only)?, call)
    }

    /// List all secrets of a vault, without values, with one request for each 25 secrets. Items have
    /// no version; their other fields are those of the latest version.
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
        self.run(py, Operation::List(vault), call)
    }

    /// List all versions of a secret, newest first, without values.
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
        self.run(py, Operation::Versions(reference), call)
    }

    /// Get an access token: from the cache, or with one request.
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
        self.run(py, Operation::Token(request), call)
    }

    /// Tell which identity this machine's token belongs to: the one to grant a role to.
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
        self.run(py, Operation::Whoami(request), call)
    }

    /// Tell what the credentials would read and which servers they would talk to. No network.
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
        self.run(py, Operation::Plan(reference), call)
    }

    /// Close the handle. Calls that are running on other threads go on.
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

    /// Start the operation `name`; `done(error, result)` is called once, on another thread.
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
        let operation = Operation::parse(name, arguments)?;
        let vaultlet = call_options::apply(self.opened(py)?, Some(call))?.with_cancel(&cancel);
        let callbacks = Callbacks::of_process(py)?;
        let then = move |result: Result<Output, host::Error>| {
            callbacks.post(move |py| {
                let called = match result.map(|output| output.into_python(py)) {
                    Ok(Ok(value)) => done.call1(py, (py.None(), value)),
                    Ok(Err(failed)) => done.call1(py, (failed, py.None())),
                    Err(error) => done.call1(py, (error::exception(py, &error), py.None())),
                };
                if let Err(failed) = called {
                    failed.write_unraisable(py, None);
                }
            });
        };
        py.detach(|| operation.start(&vaultlet, then));
        Ok(Started(cancel))
    }
}

impl Vaultlet {
    fn run<'py>(
        &self,
        py: Python<'py>,
        operation: Operation,
        call: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let vaultlet = call_options::apply(self.opened(py)?, call)?;
        match blocking::run(py, &vaultlet, |vaultlet| operation.run(vaultlet))? {
            Ok(output) => output.into_python(py),
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

/// The handle that the functions of the package use, one for each process. It is opened on first use.
#[pyfunction]
#[pyo3(name = "_default")]
pub(crate) fn default_handle(py: Python<'_>) -> PyResult<Py<Vaultlet>> {
    static DEFAULT: PyOnceLock<Py<Vaultlet>> = PyOnceLock::new();
    let opened = DEFAULT.get_or_try_init(py, || Py::new(py, Vaultlet::new(py, None)?));
    Ok(opened?.clone_ref(py))
}
