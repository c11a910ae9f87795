// SPDX-License-Identifier: GPL-2.0
//! `ccpctl mptcp daemon`: a path manager at work.

use crate::{
    cli::{self, DaemonArgs},
    stop, Failure,
};
use ccp_mptcp::{
    backend::{self, Choice},
    config::{Config, Policy},
    daemon::{self, Options},
    interfaces::Interfaces,
};
use std::io::Write;

pub(super) fn run(choice: Choice, args: &DaemonArgs) -> Result<(), Failure> {
    let mut config = config(args)?;
    if choice != Choice::Auto {
        config.path_manager = choice;
    }
    let stop = stop::on_signal()?;
    let mut manager = backend::open(config.path_manager)?;
    let mut addresses = Interfaces::open()?;
    let log = |line: &str| {
        // A log that cannot be written must not stop the daemon.
        let _ = writeln!(std::io::stderr(), "{line}");
    };
    let policy = match config.policy {
        Policy::Ndiffports => {
            let (_, count) = config.policy_for([0, 0, 0, 0].into());
            format!("ndiffports, {count} subflows each")
        }
        other => other.to_string(),
    };
    log(&format!(
        "path manager {}; policy {policy}",
        manager.backend()
    ));
    let options = Options {
        config,
        stop,
        log: Box::new(log),
        verbose: !args.quiet,
    };
    let summary = daemon::run(manager.as_mut(), &mut addresses, options)?;
    log(&format!(
        "{} connections, {} subflows asked for, {} commands refused, {} dumps after lost events; \
         connections keep the subflows they have",
        summary.connections, summary.subflows, summary.refused, summary.resyncs
    ));
    Ok(())
}

/// What the file says, and the options before it.
fn config(args: &DaemonArgs) -> Result<Config, Failure> {
    let mut config = match &args.config {
        Some(path) => Config::load(path)?,
        None => Config::default(),
    };
    if let Some(policy) = args.policy {
        config.policy = match policy {
            cli::Policy::Fullmesh => Policy::Fullmesh,
            cli::Policy::Ndiffports => Policy::Ndiffports,
            cli::Policy::Backup => Policy::Backup,
            cli::Policy::None => Policy::None,
        };
    }
    if let Some(count) = args.simulate {
        if args
            .policy
            .is_some_and(|policy| policy != cli::Policy::Ndiffports)
        {
            return Err(Failure::Input(
                "--simulate is for --policy ndiffports, which it chooses itself".into(),
            ));
        }
        config.policy = Policy::Ndiffports;
        config.simulate = count;
    }
    if let Some(count) = args.subflows {
        config.limits.subflows = count;
    }
    config.check().map_err(Failure::Input)?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> DaemonArgs {
        DaemonArgs {
            policy: None,
            simulate: None,
            config: None,
            subflows: None,
            quiet: false,
        }
    }

    #[test]
    fn options_go_before_the_file() {
        let path = std::env::temp_dir().join(format!("ccpctl-daemon-{}.toml", std::process::id()));
        std::fs::write(&path, "policy = 'backup'\nlimits.subflows = 3").unwrap();
        let given = |change: fn(&mut DaemonArgs)| {
            let mut args = args();
            args.config = Some(path.clone());
            change(&mut args);
            config(&args)
        };
        let plain = given(|_| {}).unwrap();
        assert_eq!((plain.policy, plain.limits.subflows), (Policy::Backup, 3));
        let changed = given(|args| args.subflows = Some(4)).unwrap();
        assert_eq!(changed.limits.subflows, 4);
        let seed = given(|args| args.simulate = Some(2)).unwrap();
        assert_eq!((seed.policy, seed.simulate), (Policy::Ndiffports, 2));
        let wrong = given(|args| {
            args.simulate = Some(2);
            args.policy = Some(cli::Policy::Fullmesh);
        });
        assert!(matches!(wrong, Err(Failure::Input(_))));
        std::fs::remove_file(&path).unwrap();
    }
}
