//! Statements about proofs, in the form asked for.

use revtrail_evidence::{
    Statement,
    proof::{ProvenLeaf, Refusal},
};
use revtrail_model::leaf::Leaf;
use serde_json::{Value, json};

use crate::{
    args::{Global, Output},
    exit::Failure,
    output::{cell, print, say},
};

/// Of one leaf, with the action as `export` writes it.
pub(super) fn of_leaf(proven: &ProvenLeaf) -> Statement {
    let mut statement = Statement::of_leaf(proven);
    if let Leaf::Event(leaf) = &proven.leaf {
        let event = leaf.as_ref().clone().open(proven.disclosed.clone());
        let flat = revtrail_export::flat(&proven.signed.origin, proven.index, &event);
        statement.facts.insert("action".into(), Value::Object(flat));
    }
    statement
}

/// The statement as data on standard output.
pub(super) fn show(global: &Global, statement: &Statement) -> Result<(), Failure> {
    if global.output == Output::Table {
        return print(&statement.text());
    }
    write(global, &Value::Object(statement.document()))
}

/// The statement with the proof file in it.
pub(super) fn show_with(global: &Global, statement: &Statement, proof: &str) -> Result<(), Failure> {
    let mut document = statement.document();
    document.insert("proof".into(), json!(proof));
    write(global, &Value::Object(document))
}

/// The statement for the person at the terminal, beside a proof on standard output.
pub(super) fn tell(global: &Global, statement: &Statement) {
    if !global.quiet {
        say(statement.text().trim_end());
    }
}

/// Says why a proof is refused.
pub(super) fn refuse(global: &Global, refusal: &Refusal) -> Result<(), Failure> {
    if global.output == Output::Table {
        return print(&refusal.text());
    }
    write(global, &Value::Object(refusal.document()))
}

fn write(global: &Global, document: &Value) -> Result<(), Failure> {
    match global.output {
        Output::Json => print(&format!("{document:#}\n")),
        Output::Table | Output::Jsonl => print(&format!("{document}\n")),
        Output::Csv => {
            let rows = document
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| vec![name.clone(), cell(value)])
                .collect::<Vec<_>>();
            print(&revtrail_export::csv_text(&["member", "value"], rows.into_iter()))
        }
    }
}
