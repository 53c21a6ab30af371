//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Audit trail of file edits in synced folders.
#[derive(Debug, Parser)]
#[command(name = "revtrail", version, about, after_help = EXAMPLES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  revtrail demo                                   see the whole thing work on a bundled incident
  revtrail init --config revtrail.toml            write a commented configuration to start from
  revtrail init --ledger finance                  create the ledger's log, once
  revtrail doctor                                 check rights, folders, keys and archive; writes nothing
  revtrail harvest                                one run over every ledger (the CronJob)
  revtrail verify                                 check signatures, tree, order, windows, deadlines
  revtrail verify --store                         the same, and versions, delete markers and locks in the bucket
  revtrail log --since 2026-11-20 --actor y@acme.example
  revtrail history 'Q3/X.xlsx' --output json
  revtrail prove 2026#4327 --disclose path --out action.tlog-proof
  revtrail prove --check action.tlog-proof --policy trusted.toml

Exit codes: 0 done; 1 failed, retry may help; 2 usage or configuration; 3 verification found a contradiction;
4 partly harvested; 5 another run won the commit; 6 incomplete or stale evidence; 7 cannot judge.";

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE", default_value = "revtrail.toml")]
    pub(crate) config: PathBuf,
    /// Form of the data on standard output
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    /// Say only what is wrong
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// Form of the data on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Columns for people
    Table,
    /// One JSON document
    Json,
    /// One JSON document per line
    Jsonl,
    /// Comma-separated values, safe to open in a spreadsheet
    Csv,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a ledger's log (or, with a --config that does not exist yet, write a starter configuration)
    Init(LedgerArg),
    /// Check configuration, keys, archive, credentials, rights and folders, and say how to mend what is wrong; writes nothing
    Doctor(LedgerArg),
    /// Harvest once: read every designated folder, commit what is new
    Harvest(HarvestArgs),
    /// Keep running and harvest each ledger when its schedule says so
    Schedule(LedgerArg),
    /// Check the whole record offline
    Verify(VerifyArgs),
    /// List events
    Log(LogArgs),
    /// Everything that happened to the items that ever were at a path
    History(HistoryArgs),
    /// What was in the folders at a moment
    At(AtArgs),
    /// What an actor did
    Actor(ActorArgs),
    /// What the record covers, per folder and day, and what it lacks
    Coverage(CoverageArgs),
    /// Write all events for another tool
    Export(ExportArgs),
    /// Prove one action, or the growth of a log, in a file that can be checked offline; or check such a file
    Prove(ProveArgs),
    /// Cosign a ledger's checkpoints as a witness, if they continue what this witness saw before
    Witness(WitnessArgs),
    /// Make what is derived from the record again
    #[command(subcommand)]
    Views(ViewsCommand),
    /// Lock the record for longer
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// Keep the record for a case, whatever its retention says
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Make and show signing keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Check the configuration, or print its JSON Schema
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Play a bundled incident against a simulator: harvest, archive, verify, ask
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Print a shell completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args, Default)]
pub(crate) struct LedgerArg {
    /// Ledger; all of them when absent
    #[arg(long, value_name = "NAME")]
    pub(crate) ledger: Option<String>,
}

#[derive(Debug, Args, Default)]
pub(crate) struct HarvestArgs {
    #[command(flatten)]
    pub(crate) ledger: LedgerArg,
    /// List every folder in full, too, and compare, even if that is not due yet
    #[arg(long)]
    pub(crate) reconcile: bool,
}

#[derive(Debug, Args, Default)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) ledger: LedgerArg,
    /// Trust the keys of this file, and no others
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// A cosigned copy of a checkpoint, to compare with the record and to count for the policy; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) cosigned: Vec<PathBuf>,
    /// Judge deadlines as of this moment instead of now (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
    /// Check what the bucket keeps of each record object, too: versions, delete markers, locks, checksums
    #[arg(long)]
    pub(crate) store: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Period {
    /// Only what may have happened at or after this moment (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only what may have happened before this moment (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only this folder; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) folder: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    #[command(flatten)]
    pub(crate) ledger: LedgerArg,
    #[command(flatten)]
    pub(crate) period: Period,
    /// Only this actor: address, id or name
    #[arg(long, value_name = "WHO")]
    pub(crate) actor: Option<String>,
    /// Only this path and what is below it
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// Only these actions, for example deleted; may be repeated
    #[arg(long, value_name = "ACTION")]
    pub(crate) action: Vec<String>,
    /// At most this many, the latest ones
    #[arg(long, value_name = "N")]
    pub(crate) last: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Path relative to the folder
    pub(crate) path: String,
    #[command(flatten)]
    pub(crate) ledger: LedgerArg,
    /// Only this folder
    #[arg(long, value_name = "NAME")]
    pub(crate) folder: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AtArgs {
    /// The moment (RFC 3339, or a date)
    pub(crate) time: String,
    #[command(flatten)]
    pub(crate) ledger: LedgerArg,
    /// Only this folder; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) folder: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ActorArgs {
    /// Address, id or name; without it, every actor is counted
    pub(crate) who: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArg,
    #[command(flatten)]
    pub(crate) period: Period,
}

#[derive(Debug, Args)]
pub(crate) struct CoverageArgs {
    #[command(flatten)]
    pub(crate) ledger: LedgerArg,
    /// First day; a week ago when absent
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// Last day; today when absent
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Form of the export
    #[arg(long, value_enum)]
    pub(crate) format: ExportFormat,
    #[command(flatten)]
    pub(crate) ledger: LedgerArg,
    #[command(flatten)]
    pub(crate) period: Period,
}

/// Form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Comma-separated values, safe to open in a spreadsheet
    Csv,
    /// One JSON document per line
    Jsonl,
}

#[derive(Debug, Args)]
pub(crate) struct ProveArgs {
    /// Number of the action as `log` shows it: 2026#4327, or 4327 for the newest log
    #[arg(value_name = "N", required_unless_present_any = ["check", "consistency"], conflicts_with_all = ["check", "consistency"])]
    pub(crate) number: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArg,
    /// The log: a year, or ledger and year (finance/2026); the newest one when absent
    #[arg(long, value_name = "LOG")]
    pub(crate) log: Option<String>,
    /// Personal fields to show: all, none, or some of actor,application,path (of a hold: actor,case,reason; of an annotation: actor,application,client)
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', default_value = "all")]
    pub(crate) disclose: Vec<String>,
    /// Write the proof to this file, which must not exist; to standard output when absent
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Prove that the log of B leaves continues the log of A leaves (sizes of checkpoints)
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with = "check")]
    pub(crate) consistency: Option<Vec<u64>>,
    /// Check this proof offline instead of making one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "log", "ledger", "disclose"])]
    pub(crate) check: Option<PathBuf>,
    /// Keys that the check trusts
    #[arg(long, value_name = "FILE", requires = "check")]
    pub(crate) policy: Option<PathBuf>,
    /// A cosigned copy of a checkpoint, whose cosignatures go into the proof; may be repeated. The proof is then made in its tree
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    pub(crate) cosigned: Vec<PathBuf>,
    /// Judge the validity of keys as of this moment instead of now (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct WitnessArgs {
    #[command(flatten)]
    pub(crate) ledger: LedgerArg,
    /// Name of the witness, under which verifiers know its key, for example witness.example/w0
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// Private key of the witness (PKCS#8 PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Directory in which the witness remembers what it saw; must exist
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// Write the cosigned checkpoint to this file, which must not exist; to standard output when absent
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ViewsCommand {
    /// Write the tiles that are missing, and compare those that stand with the record
    Rebuild(LedgerArg),
}

#[derive(Debug, Subcommand)]
pub(crate) enum RetentionCommand {
    /// Extend the lock of every record object; shows what it would do, unless --apply is given
    Extend(ExtendArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExtendArgs {
    /// Ledger
    #[arg(long, value_name = "NAME")]
    pub(crate) ledger: String,
    /// Only the log of this year; every year when absent
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i16).range(1..))]
    pub(crate) year: Option<i16>,
    /// Until when (RFC 3339, or a date); when absent, as the ledger's retention says for each year
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Do it. In compliance mode nobody can take it back
    #[arg(long)]
    pub(crate) apply: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Record the hold in the log, then hold every record object; may be repeated
    Place(HoldArgs),
    /// Record the release in the log, then let go every record object that no other case holds; may be repeated
    Release(HoldArgs),
    /// List the holds ever placed, with who, why and when
    List(LedgerArg),
}

#[derive(Debug, Args)]
pub(crate) struct HoldArgs {
    /// Name of the case
    pub(crate) case: String,
    #[command(flatten)]
    pub(crate) ledger: LedgerArg,
    /// Only the log of this year; every year, those to come included, when absent
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i16).range(1..))]
    pub(crate) year: Option<i16>,
    /// Who orders it
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make an Ed25519 key pair: FILE (private, PKCS#8 PEM) and FILE with .pub.pem (public)
    Generate {
        /// Where to write the private key; refuses an existing file
        file: PathBuf,
        /// The key is for `revtrail witness` under this name: print the verifier key that auditors name in their policy
        #[arg(long, value_name = "NAME")]
        witness: Option<String>,
    },
    /// Make the key of the logs to come: it takes over at the turn of the year, announced by the closing leaf of the year before
    Rotate {
        /// Where to write the private key, or with --kms the public key; refuses an existing file
        file: PathBuf,
        /// Take this key in AWS KMS instead of making one
        #[arg(long, value_name = "ARN")]
        kms: Option<String>,
        /// First year whose logs bear it; the next year when absent
        #[arg(long, value_name = "YEAR")]
        from: Option<i16>,
    },
    /// Print the verifier key of each ledger's present log
    Show {
        /// Ask AWS KMS for the public key of this key and print it as PEM, for `signing.public_key_file`
        #[arg(long, value_name = "ARN")]
        kms: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the configuration file
    Check,
    /// Print the JSON Schema of the configuration file
    Schema,
}

#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where to keep the demo's configuration and archive; a new directory when absent
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}
