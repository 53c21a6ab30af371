//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Check a copy of a revtrail ledger, or a proof file, offline and with keys of your own.
#[derive(Debug, Parser)]
#[command(
    name = "revtrail-verify",
    version,
    about,
    after_help = EXAMPLES,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) copy: CopyArgs,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  revtrail-verify /audit/copy/finance --policy trusted.toml
  revtrail-verify /audit/copy/finance --policy trusted.toml --as-of 2026-11-21T00:00:00Z --output json
  revtrail-verify /audit/copy/finance --key-file acme.pub.pem --origin evidence.acme.example/finance
  revtrail-verify /audit/copy/finance/2026 --key 'evidence.acme.example/finance/2026+713e9f1c+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4'
  revtrail-verify proof action.tlog-proof --policy trusted.toml

Exit codes: 0 sound, or proven; 1 the copy could not be read; 2 usage; 3 contradicted; 6 incomplete; 7 cannot judge.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check the proof of one action, or of a log's growth
    Proof(ProofArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// Copy of a ledger's directory (one directory per year in it), or of the directory of one year
    #[arg(value_name = "DIR", required = true)]
    pub(crate) dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Origin of the ledger, without the year; needed with a PEM file, otherwise chooses among the keys
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Option<String>,
    /// Name of the ledger; the name of the directory when absent
    #[arg(long, value_name = "NAME")]
    pub(crate) ledger: Option<String>,
    #[command(flatten)]
    pub(crate) form: FormArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct KeyArgs {
    /// Verifier key of a log, as `revtrail key show` prints it; may be repeated, one for each year
    #[arg(long, value_name = "VKEY")]
    pub(crate) key: Vec<String>,
    /// File with a public key (PEM) for all years, or with verifier keys, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Policy file: trusted logs and cosigners (docs/auditor-guide.md shows one)
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ProofArgs {
    /// The proof
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Policy file: the keys that the check trusts
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    #[command(flatten)]
    pub(crate) form: FormArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FormArgs {
    /// Judge deadlines and the validity of keys as of this moment instead of now (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
    /// Form of the report on standard output
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

/// Form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Text for people
    Table,
    /// One JSON document, with the members that `revtrail` gives it
    Json,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, error::ErrorKind};

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn one_source_of_keys_is_required() {
        let parse = |args: &[&str]| {
            Cli::try_parse_from([&["revtrail-verify"], args].concat()).map_err(|error| error.kind())
        };
        assert_eq!(parse(&["dir"]).unwrap_err(), ErrorKind::MissingRequiredArgument);
        assert_eq!(parse(&[]).unwrap_err(), ErrorKind::MissingRequiredArgument);
        assert_eq!(
            parse(&["dir", "--key", "k", "--policy", "p"]).unwrap_err(),
            ErrorKind::ArgumentConflict
        );
        let two = parse(&["dir", "--key", "a", "--key", "b"]).unwrap();
        assert_eq!(two.copy.keys.key, ["a", "b"]);
        let proof = parse(&["proof", "file", "--policy", "p"]).unwrap();
        assert!(matches!(proof.command, Some(Command::Proof(args)) if args.file.ends_with("file")));
    }
}
