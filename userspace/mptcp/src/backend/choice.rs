// SPDX-License-Identifier: GPL-2.0
//! Which of the two families to use: the one whose path manager is selected.

use super::{Backend, Module, PathManager, Upstream};
use crate::{Error, Result};
use std::{fs, path::Path};

/// What the user wants.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The one that is selected in this namespace.
    #[default]
    Auto,
    /// Family `mptcp`.
    Netlink,
    /// Family `mptcp_pm`.
    Userspace,
}

/// Where the kernel says which path manager is selected.
const SYSCTLS: &str = "/proc/sys/net/mptcp";

const SELECT: &str = "with ccp_rs loaded, run \
    'sysctl -w net.mptcp.mptcp_path_manager=netlink'; on a kernel without its patches, \
    'sysctl -w net.mptcp.path_manager=userspace', or net.mptcp.pm_type=1 where that is missing";

/// The name of the selected path manager; `None` when the kernel does not say.
fn selected(sysctls: &Path) -> Option<String> {
    let read = |name| {
        let text = fs::read_to_string(sysctls.join(name)).ok()?;
        Some(text.trim().to_owned())
    };
    let name = read("path_manager").or_else(|| read("mptcp_path_manager"));
    name.or_else(|| {
        Some(match read("pm_type")?.as_str() {
            "0" => "kernel".into(),
            "1" => "userspace".into(),
            other => format!("type {other}"),
        })
    })
}

/// What to open, or why nothing.
fn choose(choice: Choice, selected: Option<&str>) -> Result<Backend, String> {
    match (choice, selected) {
        (Choice::Netlink, _) | (Choice::Auto, Some("netlink")) => Ok(Backend::Netlink),
        (Choice::Userspace, _) | (Choice::Auto, Some("userspace")) => Ok(Backend::Userspace),
        (Choice::Auto, Some(name)) => Err(format!(
            "the path manager of this network namespace is '{name}', which takes no commands: {SELECT}"
        )),
        (Choice::Auto, None) => Err(format!(
            "{SYSCTLS} does not say which path manager is selected: \
             this kernel has no MPTCP (CONFIG_MPTCP)"
        )),
    }
}

fn connect(backend: Backend) -> Result<Box<dyn PathManager>> {
    let opened = match backend {
        Backend::Netlink => Module::connect().map(|it| Box::new(it) as Box<dyn PathManager>),
        Backend::Userspace => Upstream::connect().map(|it| Box::new(it) as Box<dyn PathManager>),
    };
    opened.map_err(|error| match error {
        ccp_netlink::Error::NoFamily(name) => Error::NoPathManager(match backend {
            Backend::Netlink => format!(
                "the kernel has no generic netlink family '{name}': load ccp_rs.ko on a kernel with \
                 its patches, and select it: sysctl -w net.mptcp.mptcp_path_manager=netlink"
            ),
            Backend::Userspace => format!(
                "the kernel has no generic netlink family '{name}': it has no MPTCP (CONFIG_MPTCP), \
                 or is older than 5.6"
            ),
        }),
        other => other.into(),
    })
}

/// Opens the path manager of this namespace, to drive it.
pub fn open(choice: Choice) -> Result<Box<dyn PathManager>> {
    let name = selected(Path::new(SYSCTLS));
    let backend = choose(choice, name.as_deref()).map_err(Error::NoPathManager)?;
    connect(backend)
}

/// Opens what tells of connections, whatever manages their paths: upstream's
/// family tells of those of every path manager.
pub fn open_to_watch(choice: Choice) -> Result<Box<dyn PathManager>> {
    let name = selected(Path::new(SYSCTLS));
    connect(choose(choice, name.as_deref()).unwrap_or(Backend::Userspace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_one_is_opened() {
        use Backend::{Netlink, Userspace};
        assert_eq!(choose(Choice::Auto, Some("netlink")), Ok(Netlink));
        assert_eq!(choose(Choice::Auto, Some("userspace")), Ok(Userspace));
        assert_eq!(choose(Choice::Netlink, Some("kernel")), Ok(Netlink));
        assert_eq!(choose(Choice::Userspace, None), Ok(Userspace));
        let error = choose(Choice::Auto, Some("kernel")).unwrap_err();
        assert!(
            error.contains("'kernel'") && error.contains("sysctl -w"),
            "{error}"
        );
        let error = choose(Choice::Auto, None).unwrap_err();
        assert!(error.contains("CONFIG_MPTCP"), "{error}");
    }

    #[test]
    fn the_sysctls_of_three_kernels_are_understood() {
        let dir = std::env::temp_dir().join(format!("ccp-mptcp-choice-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        assert_eq!(selected(&dir), None);
        fs::write(dir.join("pm_type"), "1\n").unwrap();
        assert_eq!(selected(&dir).as_deref(), Some("userspace"));
        fs::write(dir.join("mptcp_path_manager"), "netlink\n").unwrap();
        assert_eq!(selected(&dir).as_deref(), Some("netlink"));
        fs::write(dir.join("path_manager"), "kernel\n").unwrap();
        assert_eq!(selected(&dir).as_deref(), Some("kernel"));
        fs::remove_dir_all(&dir).unwrap();
    }
}
