//! How the program ends, and what it writes where: reports to standard output, everything else to standard error.

use std::{error::Error, io::Write as _, path::Path, process::ExitCode};

use revtrail_evidence::{Verdict, proof::Refusal, visible};
use revtrail_model::time::{Timestamp, moment};

/// Exit codes, those of `revtrail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Sound, or proven.
    Done = 0,
    /// The copy could not be read.
    Failed = 1,
    /// Usage.
    Usage = 2,
    /// Contradicted.
    Contradiction = 3,
    /// Incomplete.
    Incomplete = 6,
    /// A key is missing, or no longer trusted.
    CannotJudge = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Sound => Self::Done,
            Verdict::Incomplete => Self::Incomplete,
            Verdict::Contradicted => Self::Contradiction,
        }
    }
}

impl From<&Refusal> for Exit {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Contradiction(_) => Self::Contradiction,
            Refusal::Incomplete(_) => Self::Incomplete,
            Refusal::CannotJudge(_) => Self::CannotJudge,
        }
    }
}

/// Why there is no report.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    message: String,
    causes: Vec<String>,
    hint: &'static str,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>, hint: &'static str) -> Self {
        Self {
            exit,
            message: message.into(),
            causes: Vec::new(),
            hint,
        }
    }

    /// Adds an error and what caused it.
    pub(crate) fn because(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.causes.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// The message, its causes and the hint, as printed.
    pub(crate) fn render(&self) -> String {
        let mut lines = vec![format!("error: {}", self.message)];
        lines.extend(self.causes.iter().map(|cause| format!("  caused by: {cause}")));
        lines.push(format!("hint: {}", self.hint));
        lines.join("\n")
    }
}

/// Lines for the person at the terminal. Control characters in them are made visible.
pub(crate) fn say(text: &str) {
    let lines: Vec<String> = text.lines().map(visible).collect();
    let _unwritable = writeln!(std::io::stderr().lock(), "{}", lines.join("\n"));
}

/// Text to standard output. A reader that went away (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let failure = Failure::new(
                Exit::Failed,
                "the report could not be written",
                "check where standard output goes",
            );
            Err(failure.because(&error))
        }
        _ => Ok(()),
    }
}

/// A small file that was named on the command line.
pub(crate) fn read(what: &str, path: &Path, exit: Exit) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    /// Proof files, keys and policies are far smaller.
    const MAX_FILE_BYTES: u64 = 8 << 20;
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut bytes))
        .map_err(|error| {
            let message = format!("{what} {} could not be read", path.display());
            Failure::new(exit, message, "check the path").because(&error)
        })?;
    Ok(bytes)
}

/// The moment as of which is judged: the one asked for, or now.
#[expect(clippy::disallowed_methods, reason = "the one reader of the system clock")]
pub(crate) fn as_of(text: Option<&String>) -> Result<Timestamp, Failure> {
    let Some(text) = text else {
        return Ok(Timestamp::now());
    };
    moment(text).map_err(|error| {
        let hint = "write a time like 2026-11-20T23:14:05Z, or a date like 2026-11-20";
        Failure::new(Exit::Usage, error.to_string(), hint)
    })
}
