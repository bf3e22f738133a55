//! Conversion of times to Python's `datetime`, aware and in UTC.

use std::time::SystemTime;

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Converts Unix seconds. Raises `OverflowError` for a year that `datetime` does not have.
pub(crate) fn from_unix(
    py: Python<'_>,
    seconds: Option<i64>,
) -> PyResult<Option<Bound<'_, PyAny>>> {
    let Some(seconds) = seconds else { return Ok(None) };
    // Imported on first use, as the import takes longer than a call.
    let datetime = py.import("datetime")?;
    let utc = datetime.getattr("timezone")?.getattr("utc")?;
    let epoch = datetime.getattr("datetime")?.call1((1970, 1, 1))?;
    let zone = PyDict::new(py);
    zone.set_item("tzinfo", utc)?;
    let epoch = epoch.call_method("replace", (), Some(&zone))?;
    Ok(Some(epoch.add(datetime.getattr("timedelta")?.call1((0, seconds))?)?))
}

pub(crate) fn from_system(py: Python<'_>, time: SystemTime) -> PyResult<Bound<'_, PyAny>> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let moment = from_unix(py, Some(i64::try_from(since).unwrap_or(i64::MAX)))?;
    Ok(moment.into_pyobject(py)?)
}
