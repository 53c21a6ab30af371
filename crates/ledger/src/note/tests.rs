use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::{
    error::SignError,
    key::{PublicKey, Signature},
    signer::FileSigner,
};

const TEXT: &str = "first line\n\nafter an empty line\n";

fn signer(seed: u8) -> FileSigner {
    FileSigner::generate([seed; 32]).unwrap()
}

fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

/// A note of two signers and their keys.
fn two_signers() -> (Note, VerifierKey, VerifierKey) {
    let mut note = Note::new(TEXT.to_owned()).unwrap();
    let first = note.sign(&name("a.example/log"), &signer(1)).unwrap();
    let second = note.sign(&name("b.example/é"), &signer(2)).unwrap();
    (note, first, second)
}

fn cosign(note: &mut Note, time: u64, claimed: u64) -> VerifierKey {
    let cosigner = signer(3);
    let key = VerifierKey::new(name("w.example/1"), Algorithm::Cosignature, cosigner.public_key());
    let message = format!("cosignature/v1\ntime {time}\n{}", note.text);
    let signature = cosigner.sign(message.as_bytes()).unwrap();
    note.signatures.push(NoteSignature {
        name: key.name().clone(),
        id: key.id(),
        bytes: [claimed.to_be_bytes().as_slice(), signature.as_bytes()].concat(),
    });
    key
}

#[test]
fn text_with_empty_lines_comes_back_and_verifies() {
    let (note, first, second) = two_signers();
    let read = Note::parse(&note.to_bytes()).unwrap();
    assert_eq!(read, note);
    assert_eq!(read.text(), TEXT);
    let keys = [second, first];
    let verified = read.verify(&keys, &[]).unwrap();
    let names: Vec<_> = verified.iter().map(|one| one.key.name().as_str()).collect();
    assert_eq!(names, ["a.example/log", "b.example/é"]);
}

#[test]
fn ignores_unknown_keys_but_wants_a_required_one() {
    let (note, first, second) = two_signers();
    let stranger = VerifierKey::new(name("a.example/log"), Algorithm::Ed25519, signer(9).public_key());
    let firsts = [first];
    assert_eq!(note.verify(&firsts, &[]).unwrap().len(), 1);
    let error = note
        .verify(std::slice::from_ref(&stranger), &[second])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("note has no signature of a.example/log+{}", stranger.id())
    );
    assert_eq!(
        error.hint(),
        Some("check that the configured verifier key belongs to this log")
    );
    assert!(matches!(
        note.verify(&[], &firsts),
        Err(LedgerError::NoTrustedSignature(_))
    ));
}

#[test]
fn one_bad_signature_of_a_known_key_refuses_the_note() {
    let (mut note, first, second) = two_signers();
    note.signatures[1].bytes[10] ^= 1;
    let (first, second) = ([first], [second]);
    assert_eq!(note.verify(&first, &[]).unwrap().len(), 1);
    let error = note.verify(&first, &second).unwrap_err();
    assert!(matches!(error, LedgerError::BadSignature { id, .. } if id == second[0].id()));
    note.signatures[1].bytes.truncate(63);
    assert!(matches!(
        note.verify(&first, &second),
        Err(LedgerError::BadSignature { .. })
    ));
}

#[test]
fn a_changed_text_refuses_the_note() {
    let (mut note, first, _) = two_signers();
    note.text.insert(0, 'x');
    assert!(matches!(
        note.verify(&[first], &[]),
        Err(LedgerError::BadSignature { .. })
    ));
}

#[test]
fn a_cosignature_yields_its_time() {
    let (mut note, first, _) = two_signers();
    let witness = [cosign(&mut note, 1_679_315_147, 1_679_315_147)];
    let first = [first];
    let verified = note.verify(&first, &witness).unwrap();
    let times: Vec<_> = verified
        .iter()
        .map(|one| one.time.map(CosignatureTime::seconds))
        .collect();
    assert_eq!(times, [None, Some(1_679_315_147)]);
}

#[test]
fn cosigns_what_the_specification_says() {
    // The example of C2SP tlog-cosignature: the text that is signed for its time and checkpoint.
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let time = CosignatureTime::new(1_679_315_147).unwrap();
    assert_eq!(
        time.message(text),
        format!("cosignature/v1\ntime 1679315147\n{text}")
    );
    let mut note = Note::new(text.to_owned()).unwrap();
    let log = note
        .sign(&name("example.com/behind-the-sofa"), &signer(1))
        .unwrap();
    let witness = note.cosign(&name("w.example/1"), &signer(3), time).unwrap();
    assert_eq!(witness.algorithm(), Algorithm::Cosignature);
    let read = Note::parse(&note.to_bytes()).unwrap();
    assert_eq!(read.signatures()[1].bytes().len(), 72);
    let (log, witness) = ([log], [witness]);
    let verified = read.verify(&log, &witness).unwrap();
    assert_eq!(verified[1].time, Some(time));
    assert_eq!(CosignatureTime::new(1 << 63), None);
}

#[test]
fn joins_the_signatures_of_copies_of_one_note() {
    let (note, first, _) = two_signers();
    let (mut one, mut other) = (note.clone(), note.clone());
    let time = CosignatureTime::new(5).unwrap();
    let witnesses = [
        one.cosign(&name("w.example/1"), &signer(3), time).unwrap(),
        other.cosign(&name("w.example/2"), &signer(4), time).unwrap(),
    ];
    one.join(&other).unwrap();
    one.join(&other).unwrap();
    let firsts = [first];
    assert_eq!(one.verify(&firsts, &witnesses).unwrap().len(), 3);
    assert_eq!(one.signatures().len(), 4);
    assert_eq!(one.only(&firsts[0]).signatures(), &note.signatures()[..1]);
    let foreign = Note::new("another text\n".into()).unwrap();
    assert_eq!(
        one.join(&foreign).unwrap_err().to_string(),
        "malformed note: the copy has another text"
    );
}

#[rstest]
#[case::another_time(5, 6)]
#[case::beyond_signed_64_bits(1 << 63, 1 << 63)]
fn refuses_a_cosignature(#[case] time: u64, #[case] claimed: u64) {
    let (mut note, ..) = two_signers();
    let witness = cosign(&mut note, time, claimed);
    assert!(matches!(
        note.verify(&[witness], &[]),
        Err(LedgerError::BadSignature { .. })
    ));
}

struct WrongSigner;

impl Signer for WrongSigner {
    fn public_key(&self) -> PublicKey {
        signer(1).public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        signer(2).sign(message)
    }
}

#[test]
fn refuses_what_the_signers_own_key_refuses() {
    let mut note = Note::new(TEXT.to_owned()).unwrap();
    let error = note.sign(&name("a.example/log"), &WrongSigner).unwrap_err();
    assert!(matches!(error, LedgerError::SignerMismatch(_)));
    let time = CosignatureTime::new(5).unwrap();
    let error = note
        .cosign(&name("a.example/log"), &WrongSigner, time)
        .unwrap_err();
    assert!(matches!(error, LedgerError::SignerMismatch(_)));
    assert_eq!(note.signatures(), []);
}

#[rstest]
#[case::empty("", "no blank line before the signatures")]
#[case::unsigned("text\n", "no blank line before the signatures")]
#[case::no_signature("text\n\n", "signatures are missing or do not end in a newline")]
#[case::no_newline("text\n\n— a AAAAAAA=", "signatures are missing or do not end in a newline")]
#[case::hyphen("text\n\n- a AAAAAAA=\n", "signature line is not `— <name> <base64>`")]
#[case::no_field("text\n\n— a\n", "signature line is not `— <name> <base64>`")]
#[case::short("text\n\n— a AAAAAA==\n", "signature is shorter than five bytes")]
#[case::unpadded("text\n\n— a AAAAAAA\n", "signature is not standard base64")]
#[case::third_field("text\n\n— a AAAAAAA= x\n", "signature is not standard base64")]
#[case::tab("te\txt\n\n— a AAAAAAA=\n", "control character other than newline")]
#[case::carriage_return("text\r\n\n— a AAAAAAA=\n", "control character other than newline")]
fn refuses_malformed_notes(#[case] note: &str, #[case] reason: &str) {
    let error = Note::parse(note.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), format!("malformed note: {reason}"));
}

#[test]
fn refuses_foreign_bytes_and_excess() {
    assert!(matches!(
        Note::parse(b"\xff\n\n"),
        Err(LedgerError::Note("not UTF-8"))
    ));
    let long = vec![b'a'; MAX_NOTE_BYTES + 1];
    assert!(matches!(
        Note::parse(&long),
        Err(LedgerError::Note("longer than 1 MiB"))
    ));
    let lines = |count| format!("text\n\n{}", "— a AAAAAAA=\n".repeat(count));
    assert_eq!(
        Note::parse(lines(MAX_SIGNATURES).as_bytes())
            .unwrap()
            .signatures()
            .len(),
        MAX_SIGNATURES
    );
    let error = Note::parse(lines(MAX_SIGNATURES + 1).as_bytes()).unwrap_err();
    assert!(matches!(error, LedgerError::Note("more than 100 signatures")));
}

#[test]
fn refuses_a_text_that_could_not_be_read_back() {
    assert!(matches!(
        Note::new("no newline".to_owned()),
        Err(LedgerError::Note(_))
    ));
    assert!(matches!(
        Note::new("bell\x07\n".to_owned()),
        Err(LedgerError::Note(_))
    ));
}

#[rstest]
#[case("")]
#[case("a b")]
#[case("a\u{a0}b")]
#[case("a+b")]
#[case("a\u{1}")]
fn refuses_key_names(#[case] text: &str) {
    assert!(matches!(text.parse::<KeyName>(), Err(LedgerError::KeyName(bad)) if bad == text));
}

#[test]
fn verifier_keys_come_back() {
    for algorithm in [Algorithm::Ed25519, Algorithm::Cosignature] {
        let key = VerifierKey::new(name("a.example/log"), algorithm, signer(1).public_key());
        assert_eq!(key.to_string().parse::<VerifierKey>().unwrap(), key);
    }
}

#[rstest]
#[case::fields("a.example+00000000", "not three fields")]
#[case::upper_case(
    "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "lower-case hex"
)]
#[case::other_name(
    "example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "does not belong"
)]
#[case::other_type(
    "example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "does not belong"
)]
#[case::unknown_type(
    "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "signature type"
)]
#[case::short_key("example.com/foo+530d903a+Aeky", "32 bytes")]
#[case::no_key("example.com/foo+530d903a+", "empty")]
#[case::trailing_space(
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k ",
    "base64"
)]
fn refuses_verifier_keys(#[case] key: &str, #[case] reason: &str) {
    let error = key.parse::<VerifierKey>().unwrap_err().to_string();
    assert!(error.contains(reason) && error.contains(key), "{error}");
}

proptest! {
    #[test]
    fn parsing_never_panics_and_loses_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_bytes(), bytes);
        }
    }

    #[test]
    fn parsing_near_notes_never_panics_and_loses_nothing(
        text in "[a\\n]{0,9}\n\n(— [a-c +é]{0,4} [A-Za-z0-9+/=]{0,12}\n?){0,3}",
    ) {
        if let Ok(note) = Note::parse(text.as_bytes()) {
            prop_assert_eq!(note.to_bytes(), text.into_bytes());
        }
    }

    #[test]
    fn reading_keys_never_panics(text in "\\PC{0,20}(\\+[0-9a-f]{8})?(\\+[A-Za-z0-9+/=]{0,44})?") {
        if let Ok(key) = text.parse::<VerifierKey>() {
            prop_assert_eq!(key.to_string(), text);
        }
    }
}
