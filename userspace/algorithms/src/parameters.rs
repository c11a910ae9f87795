// SPDX-License-Identifier: GPL-2.0
//! Parameters of algorithms, as users write them.

use std::ops::RangeInclusive;

/// A parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is, with its unit.
    pub help: &'static str,
    /// What it is when not given; empty: nothing.
    pub default: &'static str,
}

/// Parameters and their values.
pub struct Values {
    given: Vec<(&'static str, String)>,
}

impl Values {
    /// Reads `NAME=VALUE` pairs.
    pub fn parse(known: &'static [Parameter], pairs: &[String]) -> Result<Self, String> {
        let mut given: Vec<(&'static str, String)> = known
            .iter()
            .filter(|parameter| !parameter.default.is_empty())
            .map(|parameter| (parameter.name, parameter.default.to_owned()))
            .collect();
        for pair in pairs {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| format!("'{pair}' is not NAME=VALUE"))?;
            let parameter = known.iter().find(|p| p.name == name).ok_or_else(|| {
                let names: Vec<&str> = known.iter().map(|p| p.name).collect();
                format!(
                    "there is no parameter '{name}'; known are {}",
                    names.join(", ")
                )
            })?;
            given.retain(|(name, _)| *name != parameter.name);
            given.push((parameter.name, value.to_owned()));
        }
        Ok(Self { given })
    }

    fn text(&self, name: &str) -> Option<&str> {
        let found = self.given.iter().find(|(given, _)| *given == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A number in a range; `None` when it has neither value nor default.
    pub fn number(&self, name: &str, range: RangeInclusive<f64>) -> Result<Option<f64>, String> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(format!(
                "{name}={text} is not a number from {} to {}",
                range.start(),
                range.end()
            )),
        }
    }

    /// A whole number in a range.
    pub fn whole(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, String> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(format!(
                "{name}={text} is not a whole number from {} to {}",
                range.start(),
                range.end()
            )),
        }
    }
}
