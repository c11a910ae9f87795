// SPDX-License-Identifier: GPL-2.0
//! `ccpctl new`: the files of a working algorithm, to be changed.

use crate::{cli::NewArgs, Failure};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// With `ccp_` before it, it is the name of a congestion control, of which the
/// kernel takes 15 characters.
const NAME_MAX: usize = 11;

/// The versions of all dependencies, in a checkout.
const LOCK: &str = "userspace/Cargo.lock";

/// A file of a project: its path and content, in which `{{name}}`, `{{Type}}`
/// and `{{checkout}}` stand for what they say.
type Template = (&'static str, &'static str);

const RUST: [Template; 5] = [
    (
        "Cargo.toml",
        include_str!("../templates/rust/Cargo.toml.in"),
    ),
    ("src/main.rs", include_str!("../templates/rust/main.rs.in")),
    (
        "src/{{name}}.ccp",
        include_str!("../templates/rust/program.ccp"),
    ),
    ("README.md", include_str!("../templates/rust/README.md.in")),
    (".gitignore", "/target\n"),
];

const PYTHON: [Template; 3] = [
    (
        "{{name}}.py",
        include_str!("../templates/python/algorithm.py.in"),
    ),
    (
        "test_{{name}}.py",
        include_str!("../templates/python/test.py.in"),
    ),
    (
        "README.md",
        include_str!("../templates/python/README.md.in"),
    ),
];

pub(crate) fn new(args: &NewArgs) -> Result<(), Failure> {
    check(&args.name)?;
    let directory = args
        .path
        .clone()
        .unwrap_or_else(|| args.name.clone().into());
    let templates: &[Template] = if args.rust { &RUST } else { &PYTHON };
    let checkout = if args.rust {
        let found = match &args.checkout {
            Some(given) => given.clone(),
            None => find_checkout()?,
        };
        checked(&found)?
    } else {
        String::new()
    };
    let fill = |text: &str| {
        text.replace("{{name}}", &args.name)
            .replace("{{Type}}", &camel(&args.name))
            .replace("{{checkout}}", &checkout)
    };
    // Nobody's files are written over.
    fs::create_dir(&directory).map_err(Failure::file(&directory))?;
    for (path, text) in templates {
        let path = directory.join(fill(path));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Failure::file(parent))?;
        }
        fs::write(&path, fill(text)).map_err(Failure::file(&path))?;
    }
    if args.rust {
        // The versions this was tested with; cargo drops what isn't needed.
        let tested = Path::new(&checkout).join(LOCK);
        let path = directory.join("Cargo.lock");
        fs::copy(&tested, &path).map_err(Failure::file(&tested))?;
    }
    let next = if args.rust {
        "cargo test"
    } else {
        "python3 -m unittest"
    };
    writeln!(
        std::io::stdout(),
        "{0} is in {1}; try it: cd {1} && {next}",
        args.name,
        directory.display()
    )?;
    Ok(())
}

fn check(name: &str) -> Result<(), Failure> {
    let letter = name.starts_with(|first: char| first.is_ascii_lowercase());
    let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if letter && name.chars().all(rest) && name.len() <= NAME_MAX {
        return Ok(());
    }
    Err(Failure::Input(format!(
        "'{name}' can't be the name of an algorithm: it begins with a small letter, \
         then come small letters, digits and '_', {NAME_MAX} characters in all at most"
    )))
}

/// `my_alg` as `MyAlg`.
fn camel(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

/// The checkout around the working directory or this program.
fn find_checkout() -> Result<PathBuf, Failure> {
    let places = [std::env::current_dir(), std::env::current_exe()];
    let mut above = places.iter().flatten().flat_map(|place| place.ancestors());
    let found = above.find(|place| is_checkout(place)).map(Path::to_owned);
    found.ok_or_else(|| {
        Failure::Input(
            "no checkout of ccp_rs around this directory or this program; \
             say where one is with --checkout DIR"
                .into(),
        )
    })
}

fn is_checkout(place: &Path) -> bool {
    place.join("userspace/agent/Cargo.toml").is_file()
}

/// As it can stand in a manifest.
fn checked(checkout: &Path) -> Result<String, Failure> {
    if !is_checkout(checkout) {
        let place = checkout.display();
        return Err(Failure::Input(format!(
            "{place} is no checkout of ccp_rs: it has no userspace/agent"
        )));
    }
    let whole = fs::canonicalize(checkout).map_err(Failure::file(checkout))?;
    match whole.to_str() {
        Some(text) if !text.contains(['"', '\\', '\n']) => Ok(text.to_owned()),
        _ => Err(Failure::Input(format!(
            "{}: Cargo.toml can't name such a directory",
            whole.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for name in ["a", "bbr", "my_alg2", "abcdefghijk"] {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "A",
            "2a",
            "_a",
            "a-b",
            "a b",
            "../a",
            "é",
            "abcdefghijkl",
        ] {
            assert!(check(name).is_err(), "{name}");
        }
        assert_eq!(camel("my_alg2"), "MyAlg2");
        assert_eq!(camel("a__b_"), "AB");
    }
}
