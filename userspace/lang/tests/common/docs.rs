// SPDX-License-Identifier: GPL-2.0
//! The programs in the documentation.

use std::path::Path;

/// A program in a ```` ```ccp NAME ```` block; few have a name.
pub struct Example {
    pub page: String,
    /// The line it starts on.
    pub line: usize,
    pub name: String,
    pub source: String,
}

/// Every program of every page.
pub fn examples() -> Vec<Example> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut examples = Vec::new();
    for entry in std::fs::read_dir(docs).expect("docs") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "md") {
            let page = path.file_name().expect("a name").to_string_lossy();
            let text = std::fs::read_to_string(&path).expect("text");
            examples.extend(of_page(&page, &text));
        }
    }
    examples
}

fn of_page(page: &str, text: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut current: Option<Example> = None;
    for (number, line) in (1..).zip(text.lines()) {
        match &mut current {
            None => {
                let name = line.strip_prefix("```ccp");
                current = name.map(|name| Example {
                    page: page.to_owned(),
                    line: number + 1,
                    name: name.trim().to_owned(),
                    source: String::new(),
                });
            }
            Some(_) if line == "```" => examples.extend(current.take()),
            Some(example) => {
                example.source.push_str(line);
                example.source.push('\n');
            }
        }
    }
    examples
}
