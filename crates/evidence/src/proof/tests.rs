use revtrail_ledger::{
    Algorithm, Checkpoint, FileSigner, Frontier, Signer as _, VerifierKey, leaf_hash, tree::prove_inclusion,
};
use rstest::rstest;

use super::*;
use crate::TrustPolicy;

const LOG: &str = "log.example/main/2026";
const NOW: &str = "2026-11-21T00:00:00Z";

fn at(text: &str) -> revtrail_model::time::Timestamp {
    revtrail_model::time::parse(text).unwrap()
}

fn seconds(text: &str) -> u64 {
    at(text).as_second().try_into().unwrap()
}

fn signer(seed: u8) -> FileSigner {
    FileSigner::generate([seed; 32]).unwrap()
}

fn vkey(name: &str, algorithm: Algorithm, seed: u8) -> VerifierKey {
    VerifierKey::new(name.parse().unwrap(), algorithm, signer(seed).public_key())
}

fn seed() -> Seed {
    Seed::from_bytes([9; 32])
}

fn disclosure() -> Disclosure {
    Disclosure {
        actor: Some(ActorDetails {
            email: Some("y@acme.example".into()),
            ..ActorDetails::default()
        }),
        n: 1,
        path: Some(PathDetails {
            path: Some("Q3/X.xlsx".into()),
            ..PathDetails::default()
        }),
        ..Disclosure::default()
    }
}

fn leaf() -> String {
    let c = disclosure().commitments(&seed()).unwrap();
    format!(
        r#"{{"action":"modified","actor_kind":"user","actor_source":"revision","basis":"reported","c":{{"actor":"{}","path":"{}"}},"drive_id":"d","folder":"f","id":"{}","item_id":"i","item_kind":"file","ledger":"main","observed_at":"2026-11-21T02:00:07Z","occurred_at":"2026-11-20T23:14:05Z","occurred_source":"server","provider":"onedrive","source_api":"drive.versions","tenant":"t","type":"event","v":1}}"#,
        c.actor.unwrap(),
        c.path.unwrap(),
        sha256(b"id")
    )
}

/// A checkpoint over three leaves, the second being ours, cosigned by the witnesses with these seeds at these times.
fn checkpoint(witnesses: &[(u8, &str)]) -> Note {
    let leaves = [leaf_hash(b"x"), leaf_hash(leaf().as_bytes()), leaf_hash(b"y")];
    let head = leaves.into_iter().collect::<Frontier>().head();
    let note = Checkpoint::new(LOG.parse().unwrap(), head)
        .sign(&signer(1))
        .unwrap();
    let mut bytes = String::from_utf8(note).unwrap();
    let text = format!("{}\n", bytes.split_once("\n\n").unwrap().0);
    for (seed, time) in witnesses {
        let (name, time) = (format!("witness.example/w{seed}"), seconds(time));
        let key = vkey(&name, Algorithm::Cosignature, *seed);
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        let signature = signer(*seed).sign(message.as_bytes()).unwrap();
        let line = [
            key.id().as_bytes().as_slice(),
            &time.to_be_bytes(),
            signature.as_bytes(),
        ]
        .concat();
        bytes.extend(["— ", &name, " ", &STANDARD.encode(line), "\n"]);
    }
    Note::parse(bytes.as_bytes()).unwrap()
}

fn proof(fields: &[Field], witnesses: &[(u8, &str)]) -> LeafProof {
    let leaves = [leaf_hash(b"x"), leaf_hash(leaf().as_bytes()), leaf_hash(b"y")];
    let note = checkpoint(witnesses);
    let size = Checkpoint::parse(note.text()).unwrap().size;
    let hashes = prove_inclusion(leaves.as_slice(), LeafIndex::new(1), size).unwrap();
    let disclosed = openings(&disclosure(), &seed(), fields).unwrap();
    LeafProof::new((LeafIndex::new(1), leaf()), hashes, note, disclosed).unwrap()
}

fn policy(valid_until: Option<&str>, quorum: usize) -> TrustPolicy {
    let until = valid_until.map_or(String::new(), |until| format!("valid_until = \"{until}\"\n"));
    let witness = |seed: u8| vkey(&format!("witness.example/w{seed}"), Algorithm::Cosignature, seed);
    TrustPolicy::parse(&format!(
        "[[logs]]\norigin = \"{LOG}\"\nkey = \"{}\"\n{until}[cosigners]\nquorum = {quorum}\nkeys = [\"{}\", \"{}\"]\n",
        vkey(LOG, Algorithm::Ed25519, 1),
        witness(2),
        witness(3)
    ))
    .unwrap()
}

fn judge(proof: &LeafProof, policy: &TrustPolicy) -> Result<ProvenLeaf, Refusal> {
    check_leaf_proof(&proof.to_bytes(), policy, at(NOW))
}

#[test]
fn a_proof_says_what_the_leaf_says_and_what_was_disclosed() {
    let made = proof(&FIELDS, &[]);
    assert_eq!(LeafProof::parse(&made.to_bytes()).unwrap(), made);
    let proven = judge(&made, &policy(None, 0)).unwrap();
    assert_eq!((proven.index, proven.hidden.len()), (1, 0));
    assert_eq!(
        (proven.disclosed.actor, proven.disclosed.path),
        (disclosure().actor, disclosure().path)
    );
    assert_eq!(proven.signed.seen_by, None);
    let proven = judge(&proof(&[Field::Path], &[]), &policy(None, 0)).unwrap();
    assert_eq!(
        (proven.hidden, proven.disclosed.actor),
        (vec![Field::Actor], None)
    );
}

#[test]
fn a_disclosure_opens_its_own_field_only() {
    let openings = openings(&disclosure(), &seed(), &FIELDS).unwrap();
    let forge = |disclosed: Openings| {
        let made = LeafProof {
            disclosed: disclosed.clone(),
            ..proof(&[], &[])
        };
        let parts = (LeafIndex::new(1), leaf());
        LeafProof::new(parts, made.tlog.hashes.clone(), made.tlog.checkpoint, disclosed).unwrap()
    };
    let one = |field: &str, text: &str| forge(Openings::from([(field.to_owned(), text.to_owned())]));
    for (field, text) in [
        ("actor", openings["path"].clone()),
        ("path", openings["path"].replace("Q3", "Q4")),
        ("path", format!("{} ", openings["path"])),
        ("application", openings["actor"].clone()),
        ("size", "1".to_owned()),
    ] {
        let verdict = judge(&one(field, &text), &policy(None, 0));
        assert!(
            matches!(verdict, Err(Refusal::Contradiction(_))),
            "{field} {text}"
        );
    }
}

const EARLY: &str = "2026-11-20T00:00:00Z";
const LATE: &str = "2026-11-22T00:00:00Z";

#[rstest]
#[case::none_required(&[], None, 0, "")]
#[case::one_of_one(&[(2, EARLY)], None, 1, "")]
#[case::one_of_two(&[(2, EARLY)], None, 2, "incomplete")]
#[case::one_twice(&[(2, EARLY), (2, LATE)], None, 2, "incomplete")]
#[case::unknown_witness(&[(4, EARLY), (2, EARLY)], None, 2, "incomplete")]
#[case::both(&[(2, EARLY), (3, LATE)], None, 2, "")]
#[case::key_still_valid(&[], Some("2026-12-01T00:00:00Z"), 0, "")]
#[case::key_ran_out(&[], Some("2026-11-20T12:00:00Z"), 0, "cannot judge")]
#[case::seen_before_it_ran_out(&[(2, EARLY)], Some("2026-11-20T12:00:00Z"), 0, "")]
#[case::seen_by_one_before_and_by_one_after(&[(2, EARLY), (3, LATE)], Some("2026-11-20T12:00:00Z"), 2, "cannot judge")]
fn cosigners_and_validity_are_judged(
    #[case] witnesses: &[(u8, &str)],
    #[case] valid_until: Option<&str>,
    #[case] quorum: usize,
    #[case] expected: &str,
) {
    let verdict = judge(&proof(&FIELDS, witnesses), &policy(valid_until, quorum));
    let kind = match &verdict {
        Ok(_) => "",
        Err(Refusal::Incomplete(_)) => "incomplete",
        Err(Refusal::CannotJudge(_)) => "cannot judge",
        Err(Refusal::Contradiction(_)) => "contradiction",
    };
    assert_eq!(kind, expected, "{verdict:?}");
}

#[test]
fn a_forged_cosignature_refuses_the_proof() {
    let mut text = String::from_utf8(proof(&[], &[(2, EARLY)]).to_bytes()).unwrap();
    let own = STANDARD.encode(
        vkey("witness.example/w2", Algorithm::Cosignature, 2)
            .id()
            .as_bytes(),
    );
    let place = text.rfind(own.trim_end_matches('=')).unwrap() + 30;
    let old = text.remove(place);
    text.insert(place, if old == 'A' { 'B' } else { 'A' });
    let verdict = check_leaf_proof(text.as_bytes(), &policy(None, 0), at(NOW));
    assert!(matches!(verdict, Err(Refusal::Contradiction(_))), "{verdict:?}");
}

#[test]
fn growth_needs_one_log_in_the_right_order() {
    let note = |size: usize| {
        let leaves = [leaf_hash(b"x"), leaf_hash(b"y"), leaf_hash(b"z")];
        let head = leaves[..size].iter().copied().collect::<Frontier>().head();
        let note = Checkpoint::new(LOG.parse().unwrap(), head)
            .sign(&signer(1))
            .unwrap();
        Note::parse(&note).unwrap()
    };
    let leaves = [leaf_hash(b"x"), leaf_hash(b"y"), leaf_hash(b"z")];
    let size = |note: &Note| Checkpoint::parse(note.text()).unwrap().size;
    let (old, new) = (note(1), note(3));
    let hashes = revtrail_ledger::tree::prove_consistency(leaves.as_slice(), size(&old), size(&new)).unwrap();
    let judge =
        |file: ConsistencyProof| check_consistency(&file.to_bytes().unwrap(), &policy(None, 0), at(NOW));
    let proven = judge(ConsistencyProof::new(&old, &new, &hashes)).unwrap();
    assert_eq!(
        (proven.old.head.size, proven.new.head.size),
        (size(&old), size(&new))
    );
    for file in [
        ConsistencyProof::new(&new, &old, &hashes),
        ConsistencyProof::new(&old, &new, &hashes[1..]),
        ConsistencyProof::new(&old, &note(2), &hashes),
    ] {
        assert!(matches!(judge(file), Err(Refusal::Contradiction(_))));
    }
}
