// SPDX-License-Identifier: GPL-2.0
//! Numbers and named numbers as Python code passes them.

use pyo3::{
    exceptions::{PyOverflowError, PyTypeError, PyValueError},
    prelude::*,
    types::{PyDict, PyFloat},
};

/// The least float that is no u64 any more.
const TOO_MUCH: f64 = 18_446_744_073_709_551_616.0;

/// The value of the register `name`: a whole number; a float is cut to one.
fn number(name: &str, value: &Bound<'_, PyAny>) -> PyResult<u64> {
    if let Ok(float) = value.cast::<PyFloat>() {
        let float = float.extract::<f64>()?;
        return if (0.0..TOO_MUCH).contains(&float) {
            Ok(float as u64)
        } else {
            Err(out_of_range(name, value))
        };
    }
    value.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyOverflowError>(value.py()) {
            out_of_range(name, value)
        } else {
            PyTypeError::new_err(format!("'{name}' is {value}, which is no number"))
        }
    })
}

fn out_of_range(name: &str, value: &Bound<'_, PyAny>) -> PyErr {
    PyValueError::new_err(format!(
        "'{name}' is {value}: values are from 0 to 2**64 - 1"
    ))
}

/// One name and value.
pub(crate) fn pair(name: String, value: &Bound<'_, PyAny>) -> PyResult<(String, u64)> {
    let value = number(&name, value)?;
    Ok((name, value))
}

/// Names and values: a dict, or any sequence of pairs.
pub(crate) fn pairs(values: &Bound<'_, PyAny>) -> PyResult<Vec<(String, u64)>> {
    if let Ok(dict) = values.cast::<PyDict>() {
        return dict
            .iter()
            .map(|(name, value)| pair(name.extract()?, &value))
            .collect();
    }
    values
        .try_iter()?
        .map(|item| {
            let item = item?;
            let (name, value): (String, Bound<'_, PyAny>) = item.extract().map_err(|_| {
                PyTypeError::new_err(format!(
                    "{item} is no pair of a name and a value, as in [('Cwnd', 14480)]"
                ))
            })?;
            pair(name, &value)
        })
        .collect()
}
