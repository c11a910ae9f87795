// SPDX-License-Identifier: GPL-2.0
//! What can go wrong in an agent.

/// An agent's error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A datapath program does not compile. The text is complete, with source
    /// lines and carets.
    #[error("{0}")]
    Compile(String),
    /// The kernel, or the way to it.
    #[error(transparent)]
    Netlink(#[from] ccp_netlink::Error),
    /// No such program.
    #[error("algorithm '{algorithm}' has no program '{name}', only {known}")]
    NoProgram {
        /// The algorithm asked.
        algorithm: String,
        /// The name it used.
        name: String,
        /// The names it has.
        known: String,
    },
    /// An update before the first `set_program`.
    #[error("flow {0} runs no program of this agent yet: call set_program before update")]
    NotStarted(u64),
    /// No such register.
    #[error("program '{program}' has no register '{name}' to set, only {known}")]
    NoRegister {
        /// The program that runs.
        program: String,
        /// The name used.
        name: String,
        /// The names there are.
        known: String,
    },
    /// No such report field.
    #[error("program '{program}' does not report '{name}', only {known}")]
    NoField {
        /// The program that made the report.
        program: String,
        /// The name used.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A name the kernel cannot take.
    #[error("the name '{0}' is longer than {1} bytes or empty")]
    Name(String, usize),
    /// Two things of one name.
    #[error("there are two {0} of the name '{1}'")]
    Duplicate(&'static str, String),
    /// An algorithm's own.
    #[error(transparent)]
    Algorithm(#[from] Box<dyn std::error::Error + Send + Sync>),
}

/// An agent's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Names for a sentence: `'a', 'b' and 'c'`.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("'{name}'")).collect();
    match names.split_last() {
        None => "none".into(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
