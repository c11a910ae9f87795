// SPDX-License-Identifier: GPL-2.0
//! Between the corpus files and the directories libFuzzer works on.

use std::{env, fs, io, path::Path, process::ExitCode};

use ccp_vm_fuzz::corpus;

fn main() -> io::Result<ExitCode> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let count = match args[..] {
        ["pack", directory, file] => corpus::pack(Path::new(directory), Path::new(file))?,
        ["unpack", file, directory] => corpus::unpack(Path::new(file), Path::new(directory))?,
        ["wire", file, directory] => corpus::wire(Path::new(file), Path::new(directory))?,
        ["show", file] => {
            print!("{}", corpus::show(&fs::read(file)?));
            1
        }
        _ => {
            eprintln!(
                "usage: corpus pack DIRECTORY FILE | unpack|wire FILE DIRECTORY | show INPUT"
            );
            return Ok(ExitCode::from(2));
        }
    };
    println!("{count} inputs");
    Ok(ExitCode::SUCCESS)
}
