//! The program under test.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

/// What a call of the program gave.
#[derive(Debug)]
pub struct Outcome {
    /// Exit code; `None` when it was killed.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Standard output as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("not JSON ({error}): {self:?}"),
        }
    }

    /// Asserts the exit code.
    ///
    /// # Panics
    /// When it is another one.
    #[must_use]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

/// A call of the program that has not ended yet.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts the command.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> Self {
        match command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
            Ok(child) => Self { child },
            Err(error) => panic!("the program cannot be started: {error}"),
        }
    }

    /// Ends it at once, as `kill -9` does. Harmless when it has ended by itself.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn kill(&mut self) {
        self.child.kill().unwrap_or_else(|error| panic!("kill: {error}"));
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn finish(self) -> Outcome {
        match self.child.wait_with_output() {
            Ok(output) => output.into(),
            Err(error) => panic!("wait: {error}"),
        }
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Path of the program, which `cargo` builds beside the tests.
///
/// # Panics
/// When it has not been built.
pub fn program() -> PathBuf {
    beside("revtrail")
}

/// Path of a program of this workspace.
///
/// # Panics
/// When it has not been built.
pub fn beside(name: &str) -> PathBuf {
    let path = std::env::current_exe()
        .ok()
        .and_then(|test| Some(test.parent()?.parent()?.join(name)));
    match path.filter(|path| path.exists()) {
        Some(path) => path,
        None => panic!(
            "{name} is not built; run the tests of the whole workspace, or `cargo build --workspace --bins` first"
        ),
    }
}

/// A command in `dir` with `revtrail.toml` there as configuration.
pub fn revtrail(dir: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .current_dir(dir)
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null());
    command
}

/// Runs the command to its end.
///
/// # Panics
/// When it cannot be started.
pub(crate) fn run(command: &mut Command) -> Outcome {
    match command.output() {
        Ok(output) => output.into(),
        Err(error) => panic!("the program cannot be started: {error}"),
    }
}
