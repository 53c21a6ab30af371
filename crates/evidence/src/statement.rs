//! What a proof proves, in words: and what it does not.

use revtrail_model::{
    event::{ActorSource, Basis, Event, Occurred, TimeSource},
    leaf::{AnnotationLeaf, EventLeaf, HoldLeaf, Leaf, Outcome, WindowLeaf},
};
use serde_json::{Map, Value, json};

use crate::{
    proof::{ProvenGrowth, ProvenLeaf, Refusal, Signed},
    words::{visible, when, who, who_is},
};

/// Version of the JSON documents.
const JSON_VERSION: u32 = 1;

/// What was proven and what was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// One sentence each.
    proven: Vec<String>,
    not_proven: Vec<String>,
    /// Said beside it.
    pub remarks: Vec<String>,
    /// Members for programs.
    pub facts: Map<String, Value>,
}

impl Statement {
    /// Of one leaf.
    pub fn of_leaf(proven: &ProvenLeaf) -> Self {
        let mut statement = Self::of_checkpoint(&proven.signed, "checkpoint");
        statement
            .facts
            .insert("index".into(), json!(proven.index.to_string()));
        statement.facts.insert("leaf".into(), leaf_value(&proven.text));
        let place = format!(
            "leaf #{} of the log {}, which had {} leaves when its key signed root {}",
            proven.index, proven.signed.origin, proven.signed.head.size, proven.signed.head.root
        );
        match &proven.leaf {
            Leaf::Event(event) => statement.event(event, proven),
            Leaf::Window(window) => statement.proven.insert(0, window_sentence(proven.index, window)),
            Leaf::Run(run) => statement.proven.insert(
                0,
                format!(
                    "leaf #{} closes snapshot {}, which a run ended at {}",
                    proven.index, run.seq, run.finished_at
                ),
            ),
            Leaf::Genesis(genesis) => statement.proven.insert(
                0,
                format!("leaf #{} opened the log at {}", proven.index, genesis.created_at),
            ),
            Leaf::Close(close) => statement.proven.insert(
                0,
                format!("leaf #{} closed the log at {}", proven.index, close.closed_at),
            ),
            Leaf::Hold(hold) => statement.hold(hold, proven),
            Leaf::Annotation(annotation) => statement.annotation(annotation, proven),
            Leaf::Unknown(kind) => statement.proven.insert(
                0,
                format!(
                    "leaf #{} is of a kind this version does not read: {kind}",
                    proven.index
                ),
            ),
        }
        statement.proven.insert(1, format!("it stands as {place}"));
        statement.not_proven.push(
            "that nothing else happened: a proof of one leaf says nothing about others; `revtrail coverage` and the windows do".into(),
        );
        statement
    }

    /// Of a log's growth.
    pub fn of_growth(proven: &ProvenGrowth) -> Self {
        let (old, new) = (&proven.old, &proven.new);
        let mut statement = Self::of_checkpoint(new, "new");
        statement.facts.insert("old".into(), checkpoint_value(old));
        statement.proven.insert(
            0,
            format!(
                "the log {} grew from {} leaves (root {}) to {} leaves (root {}), and the first {} leaves are unchanged",
                new.origin, old.head.size, old.head.root, new.head.size, new.head.root, old.head.size
            ),
        );
        statement
            .not_proven
            .push("what any of the leaves says: that takes the leaves themselves".into());
        statement
    }

    fn of_checkpoint(signed: &Signed, name: &str) -> Self {
        let mut proven = vec![format!(
            "the checkpoint is signed by the trusted key {}",
            signed.key
        )];
        let mut not_proven = Vec::new();
        if let Some(seen) = signed.seen_by {
            let names: Vec<&str> = signed.cosigners.iter().map(|(name, _)| name.as_str()).collect();
            proven.push(format!("cosigners had seen it by {seen}: {}", names.join(", ")));
        } else {
            not_proven.push(
                "when the checkpoint was signed: nobody but the holder of the key attests a time".into(),
            );
        }
        not_proven.push(
            "that everybody is shown the same log: compare size and root with a checkpoint from another source".into(),
        );
        let facts = [("verdict", json!("proven")), (name, checkpoint_value(signed))];
        Self {
            proven,
            not_proven,
            remarks: Vec::new(),
            facts: facts
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect(),
        }
    }

    fn event(&mut self, leaf: &EventLeaf, proven: &ProvenLeaf) {
        let event = leaf.clone().open(proven.disclosed.clone());
        let hidden: Vec<&str> = proven.hidden.iter().map(|field| field.as_str()).collect();
        self.facts.insert("disclosed".into(), disclosed(proven));
        self.facts.insert("hidden".into(), json!(hidden));
        self.proven
            .insert(0, action_sentence(proven.index, &event, &hidden));
        if !hidden.is_empty() {
            self.not_proven.push(format!(
                "{}: the leaf is committed to a value that this proof does not disclose",
                hidden.join(", ")
            ));
        }
        self.not_proven.push(match event.basis {
            Basis::Reported => format!(
                "that what {} reported is true: the record proves what the provider said",
                event.scope.provider.as_str()
            ),
            Basis::Derived => format!(
                "the moment and the cause: {} did not report the action; it follows from two states that were seen",
                event.scope.provider.as_str()
            ),
        });
        match &event.actor {
            Some(_) => self
                .not_proven
                .push("that a person acted: an account is named, which a program may have used".into()),
            None if !hidden.contains(&"actor") => self
                .not_proven
                .push("who did it: the provider did not say".into()),
            None => {}
        }
    }

    fn hold(&mut self, leaf: &HoldLeaf, proven: &ProvenLeaf) {
        let hidden: Vec<&str> = proven.hidden.iter().map(|field| field.as_str()).collect();
        self.facts.insert("disclosed".into(), disclosed(proven));
        self.facts.insert("hidden".into(), json!(hidden));
        let opened = &proven.disclosed;
        let told =
            |value: Option<&String>| value.map_or("not disclosed".to_owned(), |text| format!("{text:?}"));
        let by = opened.actor.as_ref().and_then(|actor| actor.name.as_ref());
        let logs = leaf
            .year
            .map_or("all logs".to_owned(), |year| format!("the log of {year}"));
        self.proven.insert(
            0,
            format!(
                "leaf #{}: legal hold {} on {logs} of ledger {} was {} at {}; case: {}; by: {}; reason: {}",
                proven.index,
                leaf.hold_id,
                leaf.ledger,
                leaf.action.as_str(),
                leaf.at,
                told(opened.case.as_ref().map(|case| &case.name)),
                told(by),
                told(opened.reason.as_ref().map(|reason| &reason.text)),
            ),
        );
        self.not_proven.push(
            "who ordered it: the name is what whoever ran the command gave, and the key is the ledger's"
                .into(),
        );
        self.not_proven
            .push("that the objects were held: the leaf records the order, the store keeps the holds".into());
    }

    fn annotation(&mut self, leaf: &AnnotationLeaf, proven: &ProvenLeaf) {
        let hidden: Vec<&str> = proven.hidden.iter().map(|field| field.as_str()).collect();
        self.facts.insert("disclosed".into(), disclosed(proven));
        self.facts.insert("hidden".into(), json!(hidden));
        let actor = if hidden.contains(&"actor") {
            "an actor who is not disclosed".to_owned()
        } else {
            who_is(leaf.actor(&proven.disclosed).as_ref())
        };
        let at = leaf
            .occurred_at
            .map_or_else(String::new, |at| format!(" at {at}"));
        let said = match leaf.outcome {
            Outcome::Attributed => format!("was done{at} by {actor}"),
            Outcome::Ambiguous => format!("may have been done{at} by {actor}: records name different actors"),
            Outcome::Unattributed => "has no record in it".to_owned(),
        };
        self.proven.insert(
            0,
            format!(
                "leaf #{}: event {} of folder {}, says the audit log of {} as read at {}, {said}",
                proven.index,
                leaf.event_id,
                leaf.folder,
                leaf.provider.as_str(),
                leaf.observed_at
            ),
        );
        self.not_proven.push(
            "that the record belongs to the event: the provider does not say so; item, action and time fit"
                .into(),
        );
    }

    /// For programs.
    pub fn document(&self) -> Map<String, Value> {
        let mut document = self.facts.clone();
        document.insert("proven".into(), json!(self.proven));
        document.insert("not_proven".into(), json!(self.not_proven));
        document.insert("remarks".into(), json!(self.remarks));
        document.insert("version".into(), JSON_VERSION.into());
        document
    }

    /// For people. Text from outside is harmless in it.
    pub fn text(&self) -> String {
        let section = |name: &str, lines: &[String]| {
            let lines: Vec<String> = lines
                .iter()
                .map(|line| format!("  - {}\n", visible(line)))
                .collect();
            if lines.is_empty() {
                return String::new();
            }
            format!("{name}:\n{}", lines.concat())
        };
        [
            section("proven", &self.proven),
            section("not proven", &self.not_proven),
            section("note", &self.remarks),
        ]
        .concat()
    }
}

impl Refusal {
    /// The verdict in one word.
    pub const fn verdict(&self) -> &'static str {
        match self {
            Self::Contradiction(_) => "contradicted",
            Self::Incomplete(_) => "incomplete",
            Self::CannotJudge(_) => "cannot_judge",
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        format!(
            "not accepted ({}): {}\n",
            self.verdict(),
            visible(&self.to_string())
        )
    }

    /// For programs.
    pub fn document(&self) -> Map<String, Value> {
        let members = [
            ("verdict", json!(self.verdict())),
            ("reason", json!(self.to_string())),
            ("version", json!(JSON_VERSION)),
        ];
        members
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    }
}

/// The values whose commitments were opened, by field.
fn disclosed(proven: &ProvenLeaf) -> Value {
    let shown = &proven.disclosed;
    let fields = [
        ("actor", shown.actor.as_ref().map(|value| json!(value))),
        (
            "application",
            shown.application.as_ref().map(|value| json!(value)),
        ),
        ("case", shown.case.as_ref().map(|value| json!(value))),
        ("client", shown.client.as_ref().map(|value| json!(value))),
        ("path", shown.path.as_ref().map(|value| json!(value))),
        ("reason", shown.reason.as_ref().map(|value| json!(value))),
    ];
    let opened = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(opened.collect())
}

fn leaf_value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

fn checkpoint_value(signed: &Signed) -> Value {
    let cosigners: Vec<Value> = signed
        .cosigners
        .iter()
        .map(|(name, time)| json!({"name": name, "time": time.to_string()}))
        .collect();
    json!({
        "origin": signed.origin,
        "size": signed.head.size.to_string(),
        "root": signed.head.root.to_string(),
        "key": signed.key,
        "cosigners": cosigners,
        "seen_by": signed.seen_by,
    })
}

/// `action #17: modified file "Q3/X.xlsx" by y@acme.example at …, basis …, source …`.
fn action_sentence(index: u64, event: &Event, hidden: &[&str]) -> String {
    let is_hidden = |name: &str| hidden.contains(&name);
    let path = match (&event.path.path, &event.path.previous_path) {
        _ if is_hidden("path") => format!("(path not disclosed, item {})", event.item_id),
        (Some(path), Some(before)) => format!("{path:?} (before: {before:?})"),
        (Some(path), None) => format!("{path:?}"),
        (None, Some(before)) => format!("(before: {before:?})"),
        (None, None) => format!("(path unknown, item {})", event.item_id),
    };
    let actor = if is_hidden("actor") {
        "by an actor who is not disclosed".to_owned()
    } else {
        format!("by {}", who(event))
    };
    let time = match &event.occurred {
        Occurred::At { source, .. } => {
            let clock = match source {
                TimeSource::Server => "the provider's clock",
                TimeSource::Client => "a time the uploading program chose",
                TimeSource::AuditLog => "the provider's audit log",
                TimeSource::Inferred => "inferred",
            };
            format!("at {} ({clock})", when(&event.occurred))
        }
        Occurred::Between { .. } => format!("at a moment within {} (bounds only)", when(&event.occurred)),
    };
    let basis = match event.basis {
        Basis::Reported => "reported by the provider".to_owned(),
        Basis::Derived => match &event.derived_from {
            Some(from) => format!("derived from two states ({from})"),
            None => "derived from two states".to_owned(),
        },
    };
    let told = match event.actor_source {
        ActorSource::Revision => "the revision",
        ActorSource::AuditLog => "the audit log",
        ActorSource::Activity => "the activity feed",
        ActorSource::NotReported => "not reported",
    };
    format!(
        "action #{index}: {} {} {path} {actor} {time}; basis: {basis}; actor from: {told}; source: {} {}, folder {}, observed {}",
        event.action.as_str(),
        event.item_kind.as_str(),
        event.scope.provider.as_str(),
        event.source_api,
        event.scope.folder,
        event.observed_at
    )
}

fn window_sentence(index: u64, window: &WindowLeaf) -> String {
    let time = |at: Option<revtrail_model::time::Timestamp>, none: &str| {
        at.map_or(none.to_owned(), |at| at.to_string())
    };
    let gaps: Vec<&str> = window.gaps.iter().map(|gap| gap.reason.as_str()).collect();
    let gaps = if gaps.is_empty() {
        "none".to_owned()
    } else {
        gaps.join(", ")
    };
    format!(
        "leaf #{index} is the window of folder {}: {}, from {} to {}, {} event(s), gaps: {gaps}",
        window.folder,
        window.state.as_str(),
        time(window.covers_from, "what the provider still had"),
        time(window.covers_to, "an unknown moment"),
        window.count
    )
}
