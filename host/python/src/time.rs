//! Times as Python has them: aware, in UTC.

use std::time::SystemTime;

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Unix seconds as a `datetime`; `OverflowError` where it has no such year.
pub(crate) fn of_seconds(
    py: Python<'_>,
    seconds: Option<i64>,
) -> PyResult<Option<Bound<'_, PyAny>>> {
    let Some(seconds) = seconds else { return Ok(None) };
    // Not imported before it is needed.
    let datetime = py.import("datetime")?;
    let utc = datetime.getattr("timezone")?.getattr("utc")?;
    let epoch = datetime.getattr("datetime")?.call1((1970, 1, 1))?;
    let zone = PyDict::new(py);
    zone.set_item("tzinfo", utc)?;
    let epoch = epoch.call_method("replace", (), Some(&zone))?;
    Ok(Some(epoch.add(datetime.getattr("timedelta")?.call1((0, seconds))?)?))
}

pub(crate) fn of_system(py: Python<'_>, time: SystemTime) -> PyResult<Bound<'_, PyAny>> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let moment = of_seconds(py, Some(i64::try_from(since).unwrap_or(i64::MAX)))?;
    Ok(moment.into_pyobject(py)?)
}
