//! `key`: make and show signing keys.

use std::{io::Write as _, path::Path};

use revtrail_ledger::{Algorithm, FileSigner, Origin, Signer as _, VerifierKey};
use revtrail_model::{
    layout::LogName,
    time::{Clock as _, year},
};
use revtrail_settings::Config;
use serde_json::{Map, json};

use crate::{
    args::{Global, KeyCommand, Output},
    clock::SystemClock,
    exit::{Exit, Failure},
    keys::{Keys, load_public},
    output::{Sheet, print, say},
    signers::{self, load_key},
};

pub(crate) fn run(global: &Global, command: &KeyCommand) -> Result<Exit, Failure> {
    match command {
        KeyCommand::Generate { file, witness } => generate(file, witness.as_deref()),
        KeyCommand::Rotate { file, kms, from } => rotate(global, (file, kms.as_deref()), *from),
        KeyCommand::Show { kms: None } => show(global),
        KeyCommand::Show { kms: Some(arn) } => show_kms(global, arn),
    }
}

fn generate(file: &Path, witness: Option<&str>) -> Result<Exit, Failure> {
    let name = witness.map(super::witness::key_name).transpose()?;
    let public = file.with_extension("pub.pem");
    generate_pair(file, &public)?;
    let user = if name.is_some() { "witness" } else { "harvest" };
    say(&format!(
        "private key: {} (keep it where only the {user} can read it)\npublic key:  {} (give it to verifiers)",
        file.display(),
        public.display()
    ));
    if let Some(name) = name {
        let key = load_key(file)?.public_key();
        let verifier = VerifierKey::new(name, Algorithm::Cosignature, key);
        print(&format!("{verifier}\n"))?;
    }
    Ok(Exit::Done)
}

/// Makes a key pair; refuses existing files, because an overwritten key cannot be had back.
pub(crate) fn generate_pair(private: &Path, public: &Path) -> Result<(), Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::new(Exit::Failed, error, None))?;
    let made = FileSigner::generate(seed)
        .and_then(|signer| Ok((signer.to_pkcs8_pem()?, signer.public_key().to_pem()?)));
    let (secret, shown) = made.map_err(|error| Failure::new(Exit::Failed, error, None))?;
    create(private, secret.as_bytes(), 0o600)?;
    create(public, shown.as_bytes(), 0o644)
}

fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    let mut file = opened.map_err(|error| {
        let error =
            anyhow::Error::new(error).context(format!("key file {} could not be created", path.display()));
        Failure::new(
            Exit::Usage,
            error,
            Some("name a file that does not exist, in a directory that does".into()),
        )
    })?;
    Ok(file.write_all(bytes)?)
}

fn show(global: &Global) -> Result<Exit, Failure> {
    let config = Config::load(&global.config)?;
    let keys = Keys::load(&config)?;
    print_keys(global, &config, year(SystemClock.now()), &|origin| {
        keys.verifier(origin)
    })
}

/// The public half of a key in KMS, which goes into the public key file.
fn show_kms(global: &Global, arn: &str) -> Result<Exit, Failure> {
    let pem = kms_pem(&Config::load(&global.config)?, arn)?;
    if global.output == Output::Table {
        print(&pem)?;
        return Ok(Exit::Done);
    }
    let sheet = Sheet {
        columns: vec!["kms_key", "public_key"],
        rows: vec![vec![json!(arn), json!(pem)]],
        about: Map::new(),
        name: "keys",
    };
    sheet.print(global.output)?;
    Ok(Exit::Done)
}

fn kms_pem(config: &Config, arn: &str) -> Result<String, Failure> {
    let pem = signers::public_of(config, arn)?.to_pem();
    pem.map_err(|error| Failure::new(Exit::Failed, error, None))
}

/// Origin and verifier key of each ledger's log of a year.
fn print_keys(
    global: &Global,
    config: &Config,
    year: i16,
    key: &dyn Fn(&str) -> Option<VerifierKey>,
) -> Result<Exit, Failure> {
    let rows = config.ledgers.iter().filter_map(|(name, ledger)| {
        let origin = LogName {
            ledger: name.clone(),
            year,
        }
        .origin(&ledger.origin);
        let verifier = key(&origin)?;
        Some(vec![
            json!(name.as_str()),
            json!(origin),
            json!(verifier.to_string()),
        ])
    });
    let sheet = Sheet {
        columns: vec!["ledger", "origin", "verifier_key"],
        rows: rows.collect(),
        about: Map::new(),
        name: "keys",
    };
    sheet.print(global.output)?;
    Ok(Exit::Done)
}

/// Makes the key of the logs to come. The configuration is the operator's to change; the harvest announces the key when the year turns.
fn rotate(global: &Global, (file, kms): (&Path, Option<&str>), from: Option<i16>) -> Result<Exit, Failure> {
    let config = Config::load(&global.config)?;
    let present = year(SystemClock.now());
    let from = from.unwrap_or(present + 1);
    if from <= present {
        return Err(Failure::usage(
            format!("the key of {from} cannot be changed: a log keeps its key for its whole year"),
            &format!(
                "rotate from {} on; after a theft see docs/operator-guide.md",
                present + 1
            ),
        ));
    }
    if let Some(next) = config.next_key.as_ref().filter(|next| next.from > present) {
        return Err(Failure::usage(
            format!("a next key is configured already, from {} on", next.from),
            "use that one, or take signing.next_* out of the configuration first",
        ));
    }
    let (public, made, lines) = if let Some(arn) = kms {
        create(file, kms_pem(&config, arn)?.as_bytes(), 0o644)?;
        let lines = format!(
            "next_kms_key = \"{arn}\"\n  next_public_key_file = \"{}\"",
            file.display()
        );
        (file.to_owned(), String::new(), lines)
    } else {
        let public = file.with_extension("pub.pem");
        generate_pair(file, &public)?;
        let made = format!("private key: {}\n", file.display());
        (public, made, format!("next_key_file = \"{}\"", file.display()))
    };
    say(&format!(
        "{made}public key:  {}\nnow add to [signing] of {}:\n  {lines}\n  next_from = {from}\n\
         and give verifiers these keys of the logs of {from}, on a way of their own:",
        public.display(),
        global.config.display(),
    ));
    let key = load_public(&public)?;
    print_keys(global, &config, from, &|origin| {
        let name = origin.parse::<Origin>().ok()?.key_name().ok()?;
        Some(VerifierKey::new(name, Algorithm::Ed25519, key))
    })
}
