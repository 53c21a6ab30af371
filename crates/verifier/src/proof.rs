//! A proof file: the checks of `revtrail prove --check`.

use revtrail_evidence::{
    Statement, TrustPolicy,
    proof::{ConsistencyProof, Refusal, check_consistency, check_leaf_proof},
};
use revtrail_model::time::Timestamp;
use serde_json::{Map, Value};

use crate::{
    args::{Output, ProofArgs},
    keys,
    outcome::{Exit, Failure, as_of, print, read},
};

pub(crate) fn run(args: &ProofArgs) -> Result<Exit, Failure> {
    let now = as_of(args.form.as_of.as_ref())?;
    let policy = keys::policy(&args.policy)?;
    let bytes = read("proof", &args.file, Exit::Usage)?;
    match judge(&bytes, &policy, now) {
        Ok(statement) => {
            show(args.form.output, &statement.text(), statement.document())?;
            Ok(Exit::Done)
        }
        Err(refusal) => {
            show(args.form.output, &refusal.text(), refusal.document())?;
            Ok((&refusal).into())
        }
    }
}

/// Judges a file of either kind.
fn judge(bytes: &[u8], policy: &TrustPolicy, now: Timestamp) -> Result<Statement, Refusal> {
    if ConsistencyProof::is_meant_by(bytes) {
        check_consistency(bytes, policy, now).map(|proven| Statement::of_growth(&proven))
    } else {
        check_leaf_proof(bytes, policy, now).map(|proven| Statement::of_leaf(&proven))
    }
}

fn show(output: Output, text: &str, document: Map<String, Value>) -> Result<(), Failure> {
    match output {
        Output::Table => print(text),
        Output::Json => print(&format!("{:#}\n", Value::Object(document))),
    }
}
