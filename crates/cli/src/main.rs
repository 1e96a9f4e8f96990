//! The `debros` command.

use std::{
    io::{self, ErrorKind, Write as _},
    process::ExitCode,
};

fn main() -> ExitCode {
    let (mut out, mut errors) = (io::stdout().lock(), io::stderr().lock());
    let ended = debros_cli::run(std::env::args_os(), &mut out, &mut errors).and_then(|exit| out.flush().map(|()| exit));
    match ended {
        Ok(exit) => exit.into(),
        // whoever read the output wants no more of it
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // if this cannot be written either, nobody is there to be told
            let _ = writeln!(errors, "the output cannot be written: {error}");
            debros_cli::Exit::Unusable.into()
        }
    }
}
