// SPDX-License-Identifier: GPL-2.0
//! What the measurement in a kernel found.

use std::{collections::HashMap, fs, path::Path};

/// Read from lines `NAME: N ns` and `flow-bytes: N`.
pub(crate) struct Kernel {
    times: HashMap<String, f64>,
    /// Memory of a flow with the smallest register file.
    pub(crate) flow_bytes: usize,
}

impl Kernel {
    /// # Panics
    ///
    /// When the file can't be read or lacks something.
    pub(crate) fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let mut kernel = Self {
            times: HashMap::new(),
            flow_bytes: 0,
        };
        for line in text.lines() {
            let Some((name, value)) = line.split_once(": ") else {
                continue;
            };
            if name == "flow-bytes" {
                kernel.flow_bytes = value.parse().expect("a number of bytes");
            } else if let Some(time) = value.strip_suffix(" ns") {
                let time = time.parse().expect("a number of nanoseconds");
                kernel.times.insert(name.to_owned(), time);
            }
        }
        assert!(
            kernel.flow_bytes > 0,
            "{} has no flow-bytes",
            file.display()
        );
        kernel
    }

    /// Nanoseconds per ACK.
    pub(crate) fn time(&self, program: &str) -> f64 {
        let time = self.times.get(program);
        *time.unwrap_or_else(|| panic!("the kernel did not run {program}"))
    }
}
