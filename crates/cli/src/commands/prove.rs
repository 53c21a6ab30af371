//! `prove`: one action, or the growth of a log, as a file that can be checked offline; and the check.

mod cosigned;
mod statement;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use revtrail_evidence::{
    Statement, TrustPolicy,
    proof::{
        ConsistencyProof, FIELDS, LeafProof, Openings, Refusal, check_consistency, check_leaf_proof, openings,
    },
};
use revtrail_ledger::{Note, VerifierKey};
use revtrail_model::{
    disclosure::Field,
    id::LedgerName,
    time::{Clock as _, Timestamp},
};
use revtrail_query::{LeafEvidence, Reader, Source};
use revtrail_settings::{Config, Ledger};

use crate::{
    args::{Global, LedgerArg, Output, ProveArgs},
    clock::SystemClock,
    exit::{Exit, Failure},
    keys::Keys,
    output::{print, say},
    times, wiring,
};

/// Largest proof file read.
const MAX_FILE_BYTES: u64 = 8 << 20;

pub(crate) async fn run(global: &Global, args: &ProveArgs) -> Result<Exit, Failure> {
    let now = times::optional(args.as_of.as_ref())?.unwrap_or_else(|| SystemClock.now());
    if let Some(file) = &args.check {
        return check(global, file, args, now);
    }
    let made = make(global, args).await?;
    let outcome = judge(&made.bytes, &TrustPolicy::of_log(made.key), now);
    let mut statement = outcome.map_err(|refusal| {
        let error = anyhow::anyhow!("the proof that was made does not hold: {refusal}");
        Failure::new(Exit::Contradiction, error, Some("run `revtrail verify`".into()))
    })?;
    if made.source == Source::Segments {
        statement.remarks.push(
            "the tiles are missing or contradict the record, so the proof was made from segments; run `revtrail views rebuild`".into(),
        );
    }
    deliver(global, args, &made.bytes, &statement)
}

/// A proof file, and the key it was made with.
struct Made {
    bytes: Vec<u8>,
    key: VerifierKey,
    source: Source,
}

/// Which leaf or sizes, of which log.
struct Subject<'a> {
    ledger: (&'a LedgerName, &'a Ledger),
    year: Option<i16>,
}

async fn make(global: &Global, args: &ProveArgs) -> Result<Made, Failure> {
    let config = Config::load(&global.config)?;
    let (year, index) = match &args.number {
        Some(number) => place(number)?,
        None => (None, 0),
    };
    let subject = subject(&config, args, year)?;
    let fields = fields(&args.disclose)?;
    let keys = Keys::load(&config)?;
    let own = Arc::clone(&keys);
    let reader = Reader {
        archive: wiring::archive(&config).await?,
        ledger: subject.ledger.0.clone(),
        origin: subject.ledger.1.origin.clone(),
        key: Arc::new(move |origin| own.verifier(origin)),
    };
    let failed = |error: revtrail_query::QueryError| {
        Failure::from(error).at_archive(&config.archive, config.endpoint_url.as_ref())
    };
    let copies = cosigned::Copies::read(&args.cosigned)?;
    let (bytes, note, source) = if let Some(sizes) = &args.consistency {
        let sizes = (sizes[0], sizes[1]);
        let mut found = reader.prove_growth(subject.year, sizes).await.map_err(failed)?;
        copies.join([&mut found.old, &mut found.new])?;
        let file = ConsistencyProof::new(&found.old, &found.new, &found.hashes);
        let bytes = file.to_bytes().map_err(bug)?;
        (bytes, found.new, found.source)
    } else {
        let found = match copies.size()? {
            Some(size) => reader.prove_leaf_in(subject.year, index, size).await,
            None => reader.prove_leaf(subject.year, index).await,
        };
        let mut found = found.map_err(failed)?;
        copies.join([&mut found.checkpoint])?;
        let (note, source) = (found.checkpoint.clone(), found.source);
        (leaf_proof(found, &fields)?.to_bytes(), note, source)
    };
    let origin = note.text().lines().next().unwrap_or_default();
    let key = keys
        .verifier(origin)
        .ok_or_else(|| Failure::usage(format!("{origin:?} cannot be the name of a log"), "check origin"))?;
    Ok(Made { bytes, key, source })
}

fn leaf_proof(found: LeafEvidence, fields: &[Field]) -> Result<LeafProof, Failure> {
    let disclosed = match &found.sidecar {
        Some((seed, disclosure)) => openings(disclosure, seed, fields).map_err(bug)?,
        None => Openings::new(),
    };
    let leaf = String::from_utf8(found.leaf).map_err(bug)?;
    LeafProof::new((found.index, leaf), found.hashes, found.checkpoint, disclosed).map_err(bug)
}

fn bug(error: impl Into<anyhow::Error>) -> Failure {
    Failure::new(Exit::Failed, error, Some("please report this".into()))
}

/// `4327`, or `2026#4327` as the other commands print it.
fn place(number: &str) -> Result<(Option<i16>, u64), Failure> {
    let (year, index) = match number.split_once('#') {
        Some((year, index)) => (Some(year), index),
        None => (None, number),
    };
    let refuse = || {
        Failure::usage(
            format!("{number:?} is not the number of an action"),
            "give the number that `revtrail log` shows, for example 2026#4327, or 4327",
        )
    };
    let year = year.map(str::parse).transpose().map_err(|_| refuse())?;
    Ok((year, index.parse().map_err(|_| refuse())?))
}

/// The log: `--log 2026` or `--log finance/2026`, `--ledger finance`, or what the number and the configuration leave no doubt about.
fn subject<'c>(config: &'c Config, args: &ProveArgs, year: Option<i16>) -> Result<Subject<'c>, Failure> {
    let (mut ledger, mut chosen) = (args.ledger.ledger.clone(), year);
    if let Some(log) = &args.log {
        let text = match log.rsplit_once('/') {
            Some((name, year)) => {
                ledger = Some(name.to_owned());
                year
            }
            None => log,
        };
        let parsed = text
            .parse()
            .ok()
            .filter(|log| year.is_none_or(|year| year == *log));
        let hint = "write the year, or ledger and year: --log finance/2026";
        chosen = Some(parsed.ok_or_else(|| Failure::usage(format!("{log:?} is not the log meant"), hint))?);
    }
    Ok(Subject {
        ledger: wiring::one_ledger(config, &LedgerArg { ledger })?,
        year: chosen,
    })
}

fn fields(names: &[String]) -> Result<Vec<Field>, Failure> {
    match names {
        [all] if all == "all" => Ok(FIELDS.to_vec()),
        [none] if none == "none" => Ok(Vec::new()),
        names => names.iter().map(|name| field(name)).collect(),
    }
}

fn field(name: &str) -> Result<Field, Failure> {
    FIELDS
        .into_iter()
        .find(|field| field.as_str() == name)
        .ok_or_else(|| {
            Failure::usage(
                format!("there is no field {name:?} to disclose"),
                "give all, none, or some of actor,application,path,case,client,reason",
            )
        })
}

/// Judges a file of either kind.
fn judge(bytes: &[u8], policy: &TrustPolicy, now: Timestamp) -> Result<Statement, Refusal> {
    if ConsistencyProof::is_meant_by(bytes) {
        check_consistency(bytes, policy, now).map(|proven| Statement::of_growth(&proven))
    } else {
        check_leaf_proof(bytes, policy, now).map(|proven| statement::of_leaf(&proven))
    }
}

fn check(global: &Global, file: &Path, args: &ProveArgs, now: Timestamp) -> Result<Exit, Failure> {
    let Some(policy) = &args.policy else {
        return Err(Failure::usage(
            "--check needs --policy",
            "name a file with the keys you trust; docs/auditor-guide.md shows one",
        ));
    };
    let policy = load_policy(policy)?;
    let bytes = read("proof", file)?;
    match judge(&bytes, &policy, now) {
        Ok(statement) => {
            statement::show(global, &statement)?;
            Ok(Exit::Done)
        }
        Err(refusal) => {
            let exit = exit_of(&refusal);
            statement::refuse(global, &refusal)?;
            Ok(exit)
        }
    }
}

/// Reads a policy file.
pub(super) fn load_policy(path: &Path) -> Result<TrustPolicy, Failure> {
    let text = read("policy", path)?;
    TrustPolicy::parse(&String::from_utf8_lossy(&text)).map_err(|error| {
        let error = anyhow::Error::new(error).context(format!("policy {} cannot be used", path.display()));
        Failure::new(
            Exit::Usage,
            error,
            Some("see docs/auditor-guide.md for its form".into()),
        )
    })
}

/// Reads cosigned copies of checkpoints.
pub(super) fn read_copies(paths: &[PathBuf]) -> Result<Vec<Note>, Failure> {
    Ok(cosigned::Copies::read(paths)?.into_notes())
}

pub(super) const fn exit_of(refusal: &Refusal) -> Exit {
    match refusal {
        Refusal::Contradiction(_) => Exit::Contradiction,
        Refusal::Incomplete(_) => Exit::Incomplete,
        Refusal::CannotJudge(_) => Exit::CannotJudge,
    }
}

fn read(what: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let outcome =
        std::fs::File::open(path).and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut bytes));
    outcome.map_err(|error| {
        let error = anyhow::Error::new(error).context(format!("{what} {} could not be read", path.display()));
        Failure::new(Exit::Usage, error, Some("check the path".into()))
    })?;
    Ok(bytes)
}

/// The file where it was asked for, and in words what it proves.
fn deliver(global: &Global, args: &ProveArgs, bytes: &[u8], statement: &Statement) -> Result<Exit, Failure> {
    let text = String::from_utf8_lossy(bytes);
    let Some(path) = &args.out else {
        if global.output == Output::Table {
            print(&text)?;
            statement::tell(global, statement);
        } else {
            statement::show_with(global, statement, &text)?;
        }
        return Ok(Exit::Done);
    };
    create(path, bytes)?;
    statement::show(global, statement)?;
    if !global.quiet {
        say(&format!("written to {}", path.display()));
    }
    Ok(Exit::Done)
}

/// Writes a file that does not exist yet.
pub(super) fn create(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| {
        let error = anyhow::Error::new(error).context(format!("{} could not be written", path.display()));
        Failure::new(
            Exit::Usage,
            error,
            Some("name a file that does not exist yet".into()),
        )
    })
}
